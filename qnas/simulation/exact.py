"""Exact simulation on Aer: the batch is a register, and gradients come from one adjoint sweep.

B = 2^b samples are one state of n + b qubits, amplitude index = sample * 2^n + basis state. The gradient undoes the
circuit on the state and on the cotangent state together (Jones and Gacon 2020, arXiv 2009.02823): for
exp(-i phi/2 P) and lambda = O psi, d<O>/dphi = Im <lambda| P |psi>.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.program import CircuitProgram, Rotation
from qnas.simulation.aer import Register, register
from qnas.simulation.cells import CellMatrices, Cells
from qnas.simulation.contract import Binding, Gradients, States
from qnas.simulation.memory import check_memory
from qnas.simulation.observables import Observables
from qnas.simulation.plan import Block, DenseBlock, DiagonalBlock, LocalBlock, MonomialBlock, PauliBlock, schedule
from qnas.simulation.transitions import windows

_CHUNK_QUBITS = 15
"""A sweep works on at most 2^15 amplitudes (512 KiB), so that it stays in the cache; one sample may be larger."""


@dataclass(frozen=True)
class ExactSimulator:
    """Noise-free expectation values by state-vector simulation on Aer."""

    def prepare(
        self, program: CircuitProgram, observables: Sequence[SparsePauliOp], varying: Bool[np.ndarray, " slots"]
    ) -> ExactExecutable:
        """See `qnas.simulation.contract.Simulator`."""
        check_memory(program.n_qubits)
        return ExactExecutable(program, Observables(observables, program.n_qubits), varying)

    def states(self, program: CircuitProgram, binding: Binding, varying: Bool[np.ndarray, " slots"]) -> States:
        """The final states, shape (batch, 2^n), without the circuit's global phase."""
        check_memory(program.n_qubits)
        return ExactExecutable(program, None, varying).states(binding)


class ExactExecutable:
    """One circuit program, scheduled once and run many times."""

    def __init__(
        self, program: CircuitProgram, observables: Observables | None, varying: Bool[np.ndarray, " slots"]
    ) -> None:
        self._n_qubits = program.n_qubits
        self._observables = observables
        self._varying = varying
        self._blocks = schedule(program)
        self._inverses = {k: b.inverse for k, b in enumerate(self._blocks) if isinstance(b, MonomialBlock)}
        self._windows = windows(program.n_qubits)
        self._index_cells()

    def _index_cells(self) -> None:
        """Number the cells, those whose angles vary per sample apart; `_where[block][qubit]` = (varies, number)."""
        cells: tuple[list[list[object]], list[list[object]]] = ([], [])
        self._where: list[dict[int, tuple[bool, int]]] = []
        for block in self._blocks:
            found: dict[int, tuple[bool, int]] = {}
            for qubit, gates in block.cells.items() if isinstance(block, LocalBlock) else ():
                varies = any(isinstance(gate, Rotation) and self._varying[gate.slot] for gate in gates)
                found[qubit] = (varies, len(cells[varies]))
                cells[varies].append(list(gates))
            self._where.append(found)
        self._cells = (Cells(cells[0]), Cells(cells[1]))  # type: ignore[arg-type]

    @property
    def _chunk(self) -> int:
        return int(2 ** max(_CHUNK_QUBITS - self._n_qubits, 0))

    def states(self, binding: Binding) -> States:
        """The final states, shape (batch, 2^n)."""
        return np.concatenate([sweep.forward() for sweep in self._sweeps(binding)])

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """Expectation values; the residual is the final state of each chunk."""
        assert self._observables is not None
        states = [sweep.forward() for sweep in self._sweeps(binding)]
        return np.concatenate([self._observables.expectations(chunk) for chunk in states]), states

    def backward(
        self, binding: Binding, residual: object, cotangent: Float[np.ndarray, "batch observables"]
    ) -> Gradients:
        """One adjoint sweep per chunk."""
        assert self._observables is not None and isinstance(residual, list)
        parts: list[Gradients] = []
        start = 0
        for sweep, states in zip(self._sweeps(binding), residual, strict=True):
            stop = start + len(states)
            parts.append(sweep.backward(states, self._observables.apply(states, cotangent[start:stop])))
            start = stop
        amplitudes = [part.amplitudes for part in parts if part.amplitudes is not None]
        return Gradients(
            shared=np.sum([part.shared for part in parts], axis=0),
            varying=np.concatenate([part.varying for part in parts]),
            amplitudes=np.concatenate(amplitudes) if amplitudes else None,
        )

    def _sweeps(self, binding: Binding) -> Iterator[_Sweep]:
        shared = self._cells[0].matrices(self._angles(binding.shared, np.zeros((1, self._n_varying))))
        for start in range(0, binding.batch, self._chunk):
            rows = slice(start, start + self._chunk)
            angles = self._angles(binding.shared, binding.varying[rows])
            amplitudes = None if binding.amplitudes is None else binding.amplitudes[rows]
            yield _Sweep(self, angles, (shared, self._cells[1].matrices(angles)), amplitudes)

    @property
    def _n_varying(self) -> int:
        return int(self._varying.sum())

    def _angles(
        self, shared: Float[np.ndarray, " shared"], varying: Float[np.ndarray, "batch varying"]
    ) -> Float[np.ndarray, "batch slots_and_zero"]:
        """All angles in slot order, and a last column of zeros."""
        angles = np.zeros((len(varying), len(self._varying) + 1))
        angles[:, :-1][:, ~self._varying] = shared
        angles[:, :-1][:, self._varying] = varying
        return angles


class _Sweep:
    """One chunk of samples going through the circuit, forward or back."""

    def __init__(
        self,
        executable: ExactExecutable,
        angles: Float[np.ndarray, "batch slots_and_zero"],
        matrices: tuple[CellMatrices, CellMatrices],
        amplitudes: Float[np.ndarray, "batch dim"] | None,
    ) -> None:
        self._plan = executable
        self._angles = angles
        self._matrices = matrices
        self._amplitudes = amplitudes
        self._batch = len(angles)
        self._batch_qubits = (self._batch - 1).bit_length()
        self._dim = 2**executable._n_qubits

    # --- forward ---------------------------------------------------------------------------------------------

    def forward(self) -> States:
        """The final states of the chunk, a copy."""
        plan = self._plan
        with register(plan._n_qubits + self._batch_qubits) as aer:
            states = aer.amplitudes.reshape(-1, self._dim)
            states[:] = 0
            if self._amplitudes is None:
                states[: self._batch, 0] = 1
            else:
                states[: self._batch] = self._amplitudes
            for k, block in enumerate(plan._blocks):
                self._apply(aer, states[None], k, block)
            aer.flush()
            return states[: self._batch].copy()

    def _apply(self, aer: Register, states: Complex[np.ndarray, "copies rows dim"], k: int, block: Block) -> None:
        if isinstance(block, LocalBlock):
            self._apply_cells(aer, k, adjoint=False)
        elif isinstance(block, DenseBlock):
            aer.unitary(block.qubits, block.matrix)
        else:
            aer.flush()
            self._apply_in_place(states[:, : self._batch], block, sign=1.0)

    def _apply_cells(self, aer: Register, k: int, *, adjoint: bool) -> None:
        n_qubits = self._plan._n_qubits
        controls = range(n_qubits, n_qubits + self._batch_qubits)
        for qubit, (varies, cell) in self._plan._where[k].items():
            matrices = self._matrices[varies].product[cell]
            if adjoint:
                matrices = matrices.conj().swapaxes(-1, -2)
            if len(matrices) == 1:
                aer.unitary([qubit], matrices[0])
            else:
                aer.multiplexer(controls, qubit, self._padded(matrices))

    def _padded(self, matrices: Complex[np.ndarray, "batch 2 2"]) -> Complex[np.ndarray, "rows 2 2"]:
        missing = 2**self._batch_qubits - len(matrices)
        if not missing:
            return np.ascontiguousarray(matrices)
        return np.concatenate([matrices, np.broadcast_to(np.eye(2, dtype=np.complex128), (missing, 2, 2))])

    def _apply_in_place(
        self,
        states: Complex[np.ndarray, "copies batch dim"],
        block: MonomialBlock | DiagonalBlock | PauliBlock,
        sign: float,
    ) -> None:
        if isinstance(block, MonomialBlock):
            if block.index is not None:
                states[:] = states[..., block.index]
            if block.phases is not None:
                states *= block.phases
        elif isinstance(block, DiagonalBlock):
            states *= np.exp((-0.5j * sign) * (self._angles[:, block.slots] @ block.signs.T))
        else:
            half = 0.5 * self._angles[:, block.slot, None]
            acted = states[..., block.index] * block.phases
            states *= np.cos(half)
            acted *= (-1j * sign) * np.sin(half)
            states += acted

    # --- adjoint ---------------------------------------------------------------------------------------------

    def backward(self, states: States, cotangents: States) -> Gradients:
        """Undo the circuit on the final states and on their cotangents (lambda), one stacked on the other."""
        plan = self._plan
        per_slot = np.zeros_like(self._angles)
        with register(plan._n_qubits + self._batch_qubits + 1) as aer:
            pair = aer.amplitudes.reshape(2, -1, self._dim)
            pair[:, self._batch :] = 0
            pair[0, : self._batch], pair[1, : self._batch] = states, cotangents
            transitions = tuple(np.zeros_like(m.product) for m in self._matrices)
            for k in reversed(range(len(plan._blocks))):
                self._undo(aer, pair, k, transitions, per_slot)
            aer.flush()
            amplitudes = None if self._amplitudes is None else 2 * pair[1, : self._batch].real
        totals = self._collect(transitions, per_slot)
        return Gradients(totals[0][~plan._varying], per_slot[:, :-1][:, plan._varying], amplitudes)

    def _undo(
        self,
        aer: Register,
        pair: Complex[np.ndarray, "2 rows dim"],
        k: int,
        transitions: tuple[Complex[np.ndarray, "cells batch 2 2"], ...],
        per_slot: Float[np.ndarray, "batch slots_and_zero"],
    ) -> None:
        block = self._plan._blocks[k]
        live = pair[:, : self._batch]
        if isinstance(block, LocalBlock):
            self._read_transitions(aer, live, k, transitions)
            self._apply_cells(aer, k, adjoint=True)
        elif isinstance(block, DenseBlock):
            aer.unitary(block.qubits, np.ascontiguousarray(block.matrix.conj().T))
        else:
            aer.flush()
            if isinstance(block, MonomialBlock):
                self._apply_in_place(live, self._plan._inverses[k], sign=-1.0)
            else:
                self._differentiate(live, block, per_slot)
                self._apply_in_place(live, block, sign=-1.0)

    def _differentiate(
        self,
        pair: Complex[np.ndarray, "2 batch dim"],
        block: DiagonalBlock | PauliBlock,
        per_slot: Float[np.ndarray, "batch slots_and_zero"],
    ) -> None:
        if isinstance(block, DiagonalBlock):
            per_slot[:, block.slots] = (pair[1].conj() * pair[0]).imag @ block.signs
        else:
            acted = pair[0][:, block.index] * block.phases
            per_slot[:, block.slot] = np.einsum("bi,bi->b", pair[1].conj(), acted).imag

    def _read_transitions(
        self,
        aer: Register,
        pair: Complex[np.ndarray, "2 batch dim"],
        k: int,
        transitions: tuple[Complex[np.ndarray, "cells batch 2 2"], ...],
    ) -> None:
        plan = self._plan
        wanted = {q: at for q, at in plan._where[k].items() if plan._cells[at[0]].rotates[at[1]].any()}
        if not wanted:
            return
        aer.flush()
        for window in plan._windows:
            inside = {q: at for q, at in wanted.items() if window.start <= q < window.start + window.size}
            if not inside:
                continue
            keep_batch = any(varies for varies, _ in inside.values())
            found = window.transitions(pair[0], pair[1], keep_batch=keep_batch)
            for qubit, (varies, cell) in inside.items():
                own = found[:, qubit - window.start]
                transitions[varies][cell] = own if varies else own.sum(axis=0)

    def _collect(
        self,
        transitions: tuple[Complex[np.ndarray, "cells batch 2 2"], ...],
        per_slot: Float[np.ndarray, "batch slots_and_zero"],
    ) -> Float[np.ndarray, "1 slots"]:
        """Add the cells' derivatives: those per sample into `per_slot`, and return the totals over the batch."""
        plan = self._plan
        for varies in (False, True):
            cells = plan._cells[varies]
            if not len(cells):
                continue
            found = cells.derivatives(self._matrices[varies], transitions[varies])
            slots = cells.slots[cells.rotates]
            if varies:
                per_slot[:, slots] = found[cells.rotates].T
            else:
                per_slot[0, slots] = found[cells.rotates][:, 0]
        return per_slot[:, :-1].sum(axis=0, keepdims=True)
