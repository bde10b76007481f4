"""How much memory a simulation needs, checked before it starts."""

from __future__ import annotations

import psutil

from qnas.circuit.program import CircuitProgram
from qnas.errors import MemoryBudgetError
from qnas.simulation.blocks import n_distinct_permutations

BYTES_PER_AMPLITUDE = 16
_ARRAYS = 12
"""Final state, cotangent, the two copies that are undone, what is flipped or permuted of them, and signs."""
_BYTES_PER_PERMUTATION = 2 * (8 + 16)
"""Of each amplitude: index and phase of a run of fixed gates, and of its inverse."""


def available_bytes() -> int:
    """What this machine can give now."""
    return int(psutil.virtual_memory().available)


def required_bytes(program: CircuitProgram) -> int:
    """What the forward and backward sweep of one sample hold at once, in bytes; it does not grow with equal layers."""
    per_amplitude = _ARRAYS * BYTES_PER_AMPLITUDE + _BYTES_PER_PERMUTATION * n_distinct_permutations(program)
    return int(per_amplitude * 2**program.n_qubits)


def check_memory(program: CircuitProgram, budget: int | None) -> int:
    """Check that a circuit fits.

    Args:
        program: the circuit.
        budget: in bytes; None for what is available now.

    Returns:
        What the budget leaves, in bytes.

    Raises:
        MemoryBudgetError: the circuit is over the budget; the sentence says how much is needed and how much there is.
    """
    budget = available_bytes() if budget is None else budget
    needed = required_bytes(program)
    if needed > budget:
        n_too_many = (needed // max(budget, 1)).bit_length()
        raise MemoryBudgetError(
            f"a circuit of {program.n_qubits} qubits needs {readable(needed)} of memory to be simulated, but "
            f"the budget is {readable(budget)}; use at most {max(program.n_qubits - n_too_many, 0)} qubits here, or "
            "set simulation.memory_gib if there is more."
        )
    return budget - needed


def readable(n_bytes: int) -> str:
    """A number of bytes with its unit, however large."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = min((n_bytes.bit_length() - 1) // 10, len(units) - 1) if n_bytes else 0
    size = n_bytes / 2 ** (10 * power) if n_bytes.bit_length() < 1000 else float("inf")
    return f"{size:.4g} {units[power]}"
