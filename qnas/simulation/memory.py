"""How much memory a simulation needs, checked before it starts."""

from __future__ import annotations

import psutil

from qnas.errors import MemoryBudgetError

BYTES_PER_AMPLITUDE = 16
_ARRAYS = 6
"""State, cotangent state, the two copies that are undone, and two working arrays."""


def required_bytes(n_qubits: int) -> int:
    """What one sample's forward and backward sweep hold at once, in bytes."""
    return _ARRAYS * BYTES_PER_AMPLITUDE * 2**n_qubits


def check_memory(n_qubits: int) -> None:
    """Raise MemoryBudgetError, saying how much is needed and how much there is, if a circuit cannot fit."""
    needed, available = required_bytes(n_qubits), psutil.virtual_memory().available
    if needed > available:
        raise MemoryBudgetError(
            f"a circuit of {n_qubits} qubits needs {_readable(needed)} of memory to be simulated exactly, but "
            f"{_readable(available)} are available; use at most {_largest(available)} qubits here."
        )


def _largest(available: int) -> int:
    n_qubits = 1
    while required_bytes(n_qubits + 1) <= available:
        n_qubits += 1
    return n_qubits


def _readable(n_bytes: int) -> str:
    size, units = float(n_bytes), iter(("bytes", "KiB", "MiB", "GiB", "TiB", "PiB"))
    unit = next(units)
    while size >= 1024 and unit != "PiB":
        size, unit = size / 1024, next(units)
    return f"{size:.4g} {unit}"
