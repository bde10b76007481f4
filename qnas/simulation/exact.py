"""Exact simulation on Aer: the batch is a register, and gradients come from one adjoint sweep.

B = 2^b samples are one state of n + b qubits, amplitude index = sample * 2^n + basis state. The gradient undoes the
circuit on the cotangent state, and on the state itself where that was not kept on the way (Jones and Gacon 2020, arXiv
2009.02823): for exp(-i phi/2 P) and lambda = O psi, d<O>/dphi = Im <lambda| P |psi>.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.program import CircuitProgram
from qnas.references import cites
from qnas.simulation.contract import EVERYTHING, Binding, Gradients, Needs, Spent, States
from qnas.simulation.memory import BYTES_PER_AMPLITUDE, check_memory
from qnas.simulation.observables import Observables
from qnas.simulation.steps import MonomialStep, Plan, make_plan
from qnas.simulation.sweep import Sweep

_CHUNK_QUBITS = 15
"""A sweep works on at most 2^15 amplitudes (512 KiB), so that it stays in the cache; one sample may be larger."""
_CHUNK_GATES = 2**14
"""A sweep holds at most this many gates with angles of their own, unless one sample has more."""
_KEPT_BYTES = 6 * 2**20
"""States along the circuit are kept for the gradient up to this many bytes, the last ones; the sweep undoes the others.
By no more than this does memory grow with layers."""


@cites("jones2020")
@dataclass(frozen=True)
class ExactSimulator:
    """Noise-free expectation values by state-vector simulation on Aer.

    Attributes:
        memory_bytes: the budget of a forward and backward pass, whatever its batch; by default what is available when a
            circuit is prepared. On top come 16 MiB of working arrays, and what the caller is given.
    """

    memory_bytes: int | None = None

    def prepare(
        self, program: CircuitProgram, observables: Sequence[SparsePauliOp], varying: Bool[np.ndarray, " slots"]
    ) -> ExactExecutable:
        """See `qnas.simulation.contract.Simulator`."""
        spare = check_memory(program, self.memory_bytes)
        plan, read = _heisenberg(make_plan(program, varying), Observables(observables, program.n_qubits))
        return ExactExecutable(plan, read, varying, spare)

    def states(self, program: CircuitProgram, binding: Binding, varying: Bool[np.ndarray, " slots"]) -> States:
        """The final states, shape (batch, 2^n), without the circuit's global phase."""
        check_memory(program, self.memory_bytes)
        plan = make_plan(program, varying)
        return np.concatenate([sweep.forward() for sweep in _sweeps(plan, binding, n_kept=0)])


class ExactExecutable:
    """One circuit program, scheduled once and run many times.

    Args:
        plan: of the circuit.
        observables: what is read.
        varying: which slots differ per sample.
        spare_bytes: what the budget leaves for what is kept for the gradient; a batch that would keep more is computed
            again, and at most half is for states along the circuit.
    """

    shifts = True
    one_job = False

    def __init__(
        self, plan: Plan, observables: Observables, varying: Bool[np.ndarray, " slots"], spare_bytes: int
    ) -> None:
        self.varying = varying
        self._plan = plan
        self._observables = observables
        self._spare_bytes = spare_bytes
        self.spent = Spent()

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """Expectation values; the residual is each chunk's sweep, which remembers its final states, or None."""
        values: list[np.ndarray] = []
        kept: list[Sweep] = []
        room = self._spare_bytes
        for sweep in _sweeps(self._plan, binding, n_kept=self._n_kept(binding)):
            values.append(self._observables.expectations(sweep.forward()))
            room -= sweep.n_bytes
            if room >= 0:
                kept.append(sweep)
            else:
                kept.clear()
        return _joined(values), kept if room >= 0 else None

    def backward(
        self,
        binding: Binding,
        residual: object,
        cotangent: Float[np.ndarray, "batch observables"],
        needs: Needs = EVERYTHING,
    ) -> Gradients:
        """One adjoint sweep per chunk, which yields all derivatives, needed or not."""
        parts: list[Gradients] = []
        start = 0
        for sweep in residual if isinstance(residual, list) else self._again(binding):
            stop = start + sweep.batch
            parts.append(sweep.backward(self._observables.apply(sweep.states, cotangent[start:stop])))
            start = stop
        if len(parts) == 1:
            return parts[0]
        amplitudes = [part.amplitudes for part in parts if part.amplitudes is not None]
        return Gradients(
            shared=np.sum([part.shared for part in parts], axis=0),
            varying=_joined([part.varying for part in parts]),
            amplitudes=_joined(amplitudes) if amplitudes else None,
        )

    def _n_kept(self, binding: Binding) -> int:
        """At how many places the states of the batch can be kept."""
        states = BYTES_PER_AMPLITUDE * binding.batch << self._plan.n_qubits
        n_kept = min(self._spare_bytes // 2, _KEPT_BYTES) // states
        return n_kept if n_kept >= len(self._plan.with_angles) else max(n_kept - 1, 0)  # undoing takes room, too

    def _again(self, binding: Binding) -> Iterator[Sweep]:
        """The same sweeps, in the same way, so that a second backward pass gives the same bits."""
        for sweep in _sweeps(self._plan, binding, n_kept=self._n_kept(binding)):
            sweep.forward()
            yield sweep


def _heisenberg(plan: Plan, observables: Observables) -> tuple[Plan, Observables]:
    """Final permutations and phases, such as a ring of CX, act on the observables, once, instead of on every state."""
    while plan.steps and isinstance(last := plan.steps[-1], MonomialStep):
        pulled = observables.before(last.block.index)
        if pulled is None:
            break
        plan, observables = replace(plan, steps=plan.steps[:-1]), pulled
    return plan, observables


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sweeps(plan: Plan, binding: Binding, *, n_kept: int) -> Iterator[Sweep]:
    """The batch in chunks that fit the cache; see `Sweep` for `n_kept`."""
    gates = max(plan.cells.leads.slots.size, 1)
    chunk = int(2 ** max(min(_CHUNK_QUBITS - plan.n_qubits, (_CHUNK_GATES // gates).bit_length() - 1), 0))
    for start in range(0, binding.batch, chunk):
        rows = slice(start, start + chunk)
        amplitudes = None if binding.amplitudes is None else binding.amplitudes[rows]
        yield Sweep(plan, Binding(binding.shared, binding.varying[rows], amplitudes), n_kept=n_kept)
