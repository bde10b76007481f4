"""Exact simulation on Aer: the batch is a register, and gradients come from one adjoint sweep.

B = 2^b samples are one state of n + b qubits, amplitude index = sample * 2^n + basis state. The gradient undoes the
circuit on the state and on the cotangent state together (Jones and Gacon 2020, arXiv 2009.02823): for
exp(-i phi/2 P) and lambda = O psi, d<O>/dphi = Im <lambda| P |psi>.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.program import CircuitProgram
from qnas.simulation.contract import Binding, Gradients, States
from qnas.simulation.memory import check_memory
from qnas.simulation.observables import Observables
from qnas.simulation.steps import MonomialStep, Plan, make_plan
from qnas.simulation.sweep import Sweep

_CHUNK_QUBITS = 15
"""A sweep works on at most 2^15 amplitudes (512 KiB), so that it stays in the cache; one sample may be larger."""
_KEPT_AMPLITUDES = 2**21
"""The states along the circuit are kept for the gradient up to this many (32 MiB); beyond, the sweep undoes them."""


@dataclass(frozen=True)
class ExactSimulator:
    """Noise-free expectation values by state-vector simulation on Aer."""

    def prepare(
        self, program: CircuitProgram, observables: Sequence[SparsePauliOp], varying: Bool[np.ndarray, " slots"]
    ) -> ExactExecutable:
        """See `qnas.simulation.contract.Simulator`."""
        check_memory(program.n_qubits)
        return ExactExecutable(*_heisenberg(make_plan(program, varying), Observables(observables, program.n_qubits)))

    def states(self, program: CircuitProgram, binding: Binding, varying: Bool[np.ndarray, " slots"]) -> States:
        """The final states, shape (batch, 2^n), without the circuit's global phase."""
        check_memory(program.n_qubits)
        return np.concatenate([sweep.forward() for sweep in _sweeps(make_plan(program, varying), binding)])


class ExactExecutable:
    """One circuit program, scheduled once and run many times."""

    def __init__(self, plan: Plan, observables: Observables) -> None:
        self._plan = plan
        self._observables = observables

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """Expectation values; the residual is each chunk's sweep, which remembers its final states."""
        sweeps = list(_sweeps(self._plan, binding))
        values = [self._observables.expectations(sweep.forward()) for sweep in sweeps]
        return _joined(values), sweeps

    def backward(
        self, binding: Binding, residual: object, cotangent: Float[np.ndarray, "batch observables"]
    ) -> Gradients:
        """One adjoint sweep per chunk."""
        assert isinstance(residual, list)
        parts: list[Gradients] = []
        start = 0
        for sweep in residual:
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


def _heisenberg(plan: Plan, observables: Observables) -> tuple[Plan, Observables]:
    """Final permutations and phases, such as a ring of CX, act on the observables, once, instead of on every state."""
    steps = plan.steps
    while steps and isinstance(last := steps[-1], MonomialStep):
        observables = observables.before(last.block.index, last.block.phases)
        steps = steps[:-1]
    return replace(plan, steps=steps), observables


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sweeps(plan: Plan, binding: Binding) -> Iterator[Sweep]:
    """The batch in chunks that fit the cache."""
    keep = plan.n_kept * binding.batch * 2**plan.n_qubits <= _KEPT_AMPLITUDES
    chunk = int(2 ** max(_CHUNK_QUBITS - plan.n_qubits, 0))
    for start in range(0, binding.batch, chunk):
        rows = slice(start, start + chunk)
        amplitudes = None if binding.amplitudes is None else binding.amplitudes[rows]
        yield Sweep(plan, Binding(binding.shared, binding.varying[rows], amplitudes), keep=keep)
