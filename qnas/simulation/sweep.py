"""One chunk of samples going through a circuit: forward, and back for the gradient."""

from __future__ import annotations

import numpy as np
from jaxtyping import Complex, Float

from qnas.simulation.aer import Register, register
from qnas.simulation.blocks import DiagonalBlock, MonomialBlock, PauliBlock
from qnas.simulation.contract import Binding, Gradients, States
from qnas.simulation.steps import DenseStep, LocalStep, MonomialStep, Plan, Step

Live = Complex[np.ndarray, "copies batch dim"]
Matrices = tuple[Complex[np.ndarray, "shared 1 2 2"], Complex[np.ndarray, "varying batch 2 2"]]
"""Of the cells that all samples share, and of those that vary."""


class Sweep:
    """The matrices of one chunk; `states` are its final states once it has gone forward.

    Args:
        plan: of the circuit.
        binding: of the chunk.
    """

    states: States

    def __init__(self, plan: Plan, binding: Binding) -> None:
        self._plan, self._amplitudes = plan, binding.amplitudes
        self.batch = binding.batch
        self._layout = plan.layout(self.batch)
        self._angles = np.concatenate([binding.shared, binding.varying.ravel(), _ZERO])
        self._product, self._after = self._layout.rows.matrices(self._angles)
        self._batch_qubits = (self.batch - 1).bit_length()
        self._controls = range(plan.n_qubits, plan.n_qubits + self._batch_qubits)

    def _by_cell(self, rows: Complex[np.ndarray, "rows 2 2"]) -> Matrices:
        """Rows as shared cells, shape (cells, 1, 2, 2), and varying ones, (cells, batch, 2, 2)."""
        n_shared = self._layout.rows.n_shared
        return rows[:n_shared, None], rows[n_shared:].reshape(-1, self.batch, 2, 2)

    # --- forward ---------------------------------------------------------------------------------------------

    def forward(self) -> States:
        """The final states of the chunk."""
        matrices = self._by_cell(self._product)
        with register(self._plan.n_qubits + self._batch_qubits) as aer:
            states = aer.amplitudes.reshape(-1, 2**self._plan.n_qubits)
            states[self.batch :] = 0
            live = states[: self.batch]
            self._prepare(live, matrices)
            for step in self._plan.steps:
                self._apply(aer, live[None], step, matrices)
            aer.flush()
            self.states = live.copy()
        return self.states

    def _prepare(self, live: States, matrices: Matrices) -> None:
        if self._amplitudes is not None:
            live[:] = self._amplitudes
        elif self._plan.start is not None:
            self._prepare_product(live, self._plan.start, matrices)
        else:
            live[:] = 0
            live[:, 0] = 1

    def _prepare_product(self, live: States, start: LocalStep, matrices: Matrices) -> None:
        """One-qubit gates on |0...0> make a product of their first columns, built up from the highest qubit."""
        n_qubits = self._plan.n_qubits
        columns = [_IDLE] * n_qubits
        for numbered, own in zip((start.shared, start.varying), matrices, strict=True):
            for qubit, cell in numbered:
                columns[qubit] = own[cell, :, :, 0]
        product = columns[n_qubits - 1]
        for qubit in reversed(range(1, n_qubits - 1)):
            product = (product[:, :, None] * columns[qubit][:, None, :]).reshape(-1, 2 * product.shape[1])
        if n_qubits == 1:
            live[:] = product
        else:
            np.multiply(product[:, :, None], columns[0][:, None, :], out=live.reshape(self.batch, -1, 2))

    def _apply(self, aer: Register, live: Live, step: Step, matrices: Matrices) -> None:
        if isinstance(step, LocalStep):
            self._apply_cells(aer, step, matrices)
        elif isinstance(step, DenseStep):
            aer.unitary(step.qubits, step.matrix)
        else:
            aer.flush()
            if isinstance(step, MonomialStep):
                _permute(live, step.block)
            else:
                self._rotate(live, step, sign=1.0)

    def _apply_cells(self, aer: Register, step: LocalStep, matrices: Matrices) -> None:
        shared, varying = matrices
        for qubit, cell in step.shared:
            aer.unitary((qubit,), shared[cell, 0])
        for qubit, cell in step.varying:
            if self._batch_qubits:
                aer.multiplexer(self._controls, qubit, self._padded(varying[cell]))
            else:
                aer.unitary((qubit,), varying[cell, 0])

    def _padded(self, matrices: Complex[np.ndarray, "batch 2 2"]) -> Complex[np.ndarray, "rows 2 2"]:
        if self.batch == 2**self._batch_qubits:
            return matrices
        padded = np.zeros((2**self._batch_qubits, 2, 2), dtype=np.complex128)
        padded[: self.batch] = matrices
        return padded

    def _rotate(self, live: Live, block: DiagonalBlock | PauliBlock, sign: float) -> None:
        if isinstance(block, DiagonalBlock):
            angles = self._angles[self._layout.places(block.slots)]
            live *= np.exp((-0.5j * sign) * block.signs.combine(angles))
            return
        half = 0.5 * self._angles[self._layout.places([block.slot])]
        acted = block.action(live)
        live *= np.cos(half)
        acted *= (-1j * sign) * np.sin(half)
        live += acted

    # --- adjoint ---------------------------------------------------------------------------------------------

    def backward(self, cotangents: States) -> Gradients:
        """Undo the circuit on the final states and on their cotangents (lambda), one stacked on the other."""
        plan, layout = self._plan, self._layout
        inverses = self._by_cell(np.ascontiguousarray(self._product.conj().swapaxes(-1, -2)))
        transitions = np.zeros_like(self._product)
        read_into = self._by_cell(transitions)
        found = np.zeros(layout.length)
        with register(plan.n_qubits + self._batch_qubits + 1) as aer:
            pair = aer.amplitudes.reshape(2, -1, 2**plan.n_qubits)
            pair[:, self.batch :] = 0
            live = pair[:, : self.batch]
            live[0], live[1] = self.states, cotangents
            for step in reversed(plan.steps):
                self._undo(aer, live, step, inverses, read_into, found)
            aer.flush()
            if plan.start is not None:
                _read(live, plan.start, read_into)
            amplitudes = None if self._amplitudes is None else 2 * live[1].real
        found += layout.rows.derivatives(self._after, transitions, layout.length)
        varying = found[layout.n_shared : -1].reshape(self.batch, layout.n_varying)
        return Gradients(found[: layout.n_shared], varying, amplitudes)

    def _undo(
        self,
        aer: Register,
        live: Live,
        step: Step,
        inverses: Matrices,
        read_into: Matrices,
        found: Float[np.ndarray, " flat"],
    ) -> None:
        if isinstance(step, DenseStep):
            aer.unitary(step.qubits, step.inverse)
            return
        aer.flush()
        if isinstance(step, LocalStep):
            _read(live, step, read_into)
            self._apply_cells(aer, step, inverses)
        elif isinstance(step, MonomialStep):
            _permute(live, step.inverse)
        else:
            self._differentiate(live, step, found)
            self._rotate(live, step, sign=-1.0)

    def _differentiate(self, live: Live, block: DiagonalBlock | PauliBlock, found: Float[np.ndarray, " flat"]) -> None:
        """Im <lambda| P |psi>, added up by angle."""
        if isinstance(block, DiagonalBlock):
            slots, values = block.slots, block.signs.project((live[1].conj() * live[0]).imag)
        else:
            acted = block.action(live[0])
            slots, values = [block.slot], np.einsum("bi,bi->b", live[1].conj(), acted).imag[:, None]
        places = self._layout.places(slots)
        per_place = values if len(places) > 1 else values.sum(axis=0, keepdims=True)
        found += np.bincount(places.ravel(), per_place.ravel(), minlength=len(found))


_ZERO = np.zeros(1)
_IDLE = np.array([[1, 0]], dtype=np.complex128)


def _permute(live: Live, block: MonomialBlock) -> None:
    if block.index is not None:
        live[:] = live[..., block.index]
    if block.phases is not None:
        live *= block.phases


def _read(live: Live, step: LocalStep, read_into: Matrices) -> None:
    """The transition matrices of a local step's cells, from the states behind it."""
    if not step.readings:
        return
    shared, varying = read_into
    psi, bra = live[0], live[1].conj()
    for reading in step.readings:
        places, cells = reading.varying
        found = reading.window.transitions(psi, bra, keep_batch=bool(len(cells)))
        if len(cells):
            varying[cells] = found[:, places].swapaxes(0, 1)
        places, cells = reading.shared
        if len(cells):
            shared[cells, 0] = found[:, places].sum(axis=0)
