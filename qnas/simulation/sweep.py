"""One chunk of samples going through a circuit: forward, and back for the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from jaxtyping import Complex, Float

from qnas.simulation.aer import Register, register
from qnas.simulation.blocks import DiagonalBlock, MonomialBlock, PauliBlock
from qnas.simulation.contract import Binding, Gradients, States
from qnas.simulation.product import ProductState
from qnas.simulation.steps import DenseStep, LocalStep, MonomialStep, Plan, Reading, Start, Step

Live = Complex[np.ndarray, "copies batch dim"]
CellMatrices = tuple[Complex[np.ndarray, "shared 2 2"], Complex[np.ndarray, "varying batch 2 2"]]
"""Of the cells that all samples share, and of those that vary."""
Vectors = tuple[Float[np.ndarray, "shared 3"], Float[np.ndarray, "varying batch 3"]]
"""Im <lambda| (X, Y, Z) |psi> right behind the same cells."""
Read = Callable[[States, States, Step], None]
"""Takes psi and lambda behind a step, and notes what the derivatives need."""


class Sweep:
    """The matrices of one chunk; `states` are its final states once it has gone forward.

    Args:
        plan: of the circuit.
        binding: of the chunk.
        n_kept: at how many places the states that the gradient needs are kept. These are the last ones; the way back to
            those in front of them undoes the circuit on the states, too.
    """

    states: States

    def __init__(self, plan: Plan, binding: Binding, *, n_kept: int) -> None:
        self._plan, self._amplitudes = plan, binding.amplitudes
        self._n_undone = plan.n_undone(n_kept)
        self.batch = binding.batch
        self._layout = plan.layout(self.batch)
        self._angles = np.concatenate([binding.shared, binding.varying.ravel(), _ZERO])
        self._matrices = self._layout.rows.matrices(self._angles)
        self._kept: list[States] = []
        self._start: tuple[Start, ProductState] | None = None
        self._batch_qubits = (self.batch - 1).bit_length()
        self._controls = range(plan.n_qubits, plan.n_qubits + self._batch_qubits)

    @property
    def n_bytes(self) -> int:
        """What it holds for the way back."""
        arrays = [*self._matrices, self._angles, *self._kept]
        if not any(self.states is state for state in self._kept):
            arrays.append(self.states)
        return sum(array.nbytes for array in arrays) + (self._start[1].n_bytes if self._start is not None else 0)

    # --- forward ---------------------------------------------------------------------------------------------

    def forward(self) -> States:
        """The final states of the chunk."""
        matrices = (self._matrices.shared, self._matrices.varying)
        with register(self._plan.n_qubits + self._batch_qubits) as aer:
            live = self._live(aer.amplitudes.reshape(1, -1, 2**self._plan.n_qubits))
            self._prepare(live[0], matrices)
            for k, step in enumerate(self._plan.steps, start=1):
                self._apply(aer, live, step, matrices)
                if step.has_angles and k >= self._n_undone:
                    aer.flush()
                    self._kept.append(live[0].copy())
            aer.flush()
            ends_kept = self._kept and self._plan.steps[-1].has_angles
            self.states = self._kept[-1] if ends_kept else live[0].copy()
        return self.states

    def _live(self, states: Complex[np.ndarray, "copies rows dim"]) -> Live:
        """The rows of the samples; the others, which fill up the register, become zero."""
        if self.batch == states.shape[1]:
            return states
        states[:, self.batch :] = 0
        return states[:, : self.batch]

    def _prepare(self, live: States, matrices: CellMatrices) -> None:
        if self._amplitudes is not None:
            live[:] = self._amplitudes
        elif self._plan.start is not None:
            product = self._product(self._plan.start, matrices)
            self._start = (self._plan.start, product)
            live[:] = product.amplitudes
        else:
            live[:] = 0
            live[:, 0] = 1

    def _product(self, start: Start, matrices: CellMatrices) -> ProductState:
        columns = np.empty((self.batch, self._plan.n_qubits, 2), dtype=np.complex128)
        if start.varying is not None:
            qubits, cells = start.varying
            columns[:, qubits] = matrices[1][cells, :, :, 0].swapaxes(0, 1)
        if start.shared is not None:
            qubits, cells = start.shared
            columns[:, qubits] = matrices[0][cells, :, 0]
        if start.idle is not None:
            columns[:, start.idle] = _IDLE
        return ProductState(columns, start.windows)

    def _apply(self, aer: Register, live: Live, step: Step, matrices: CellMatrices) -> None:
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

    def _apply_cells(self, aer: Register, step: LocalStep, matrices: CellMatrices) -> None:
        shared, varying = matrices
        for qubit, cell in step.shared:
            aer.unitary((qubit,), shared[cell])
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
        """Undo the circuit on the cotangents (lambda) of the final states, and on these where none were kept."""
        layout = self._layout
        vectors = (np.zeros((layout.rows.n_shared, 3)), np.zeros((layout.rows.n_varying, self.batch, 3)))
        found = np.zeros(layout.length)
        cotangents = self._undo_all(cotangents, vectors, found)
        if self._start is not None:
            _read_start(*self._start, cotangents, vectors)
        amplitudes = None if self._amplitudes is None else 2 * cotangents.real
        found += layout.rows.derivatives(self._matrices, *vectors)
        varying = found[layout.n_shared : -1].reshape(self.batch, layout.n_varying)
        return Gradients(found[: layout.n_shared], varying, amplitudes)

    def _undo_all(self, cotangents: States, vectors: Vectors, found: Float[np.ndarray, " flat"]) -> States:
        """The cotangents in front of all steps behind the start, with what the derivatives need on the way."""
        varying = self._matrices.varying
        inverses = (_inverse(self._matrices.shared), _inverse(varying) if self._plan.varies_later else varying)
        steps, n_undone = self._plan.steps, self._n_undone
        read = partial(self._read, vectors=vectors, found=found)
        if n_undone < len(steps):
            cotangents = self._way_back(steps[n_undone:], None, cotangents, inverses, read)
        if n_undone:
            first = self._kept[0] if self._kept else self.states
            cotangents = self._way_back(steps[:n_undone], first, cotangents, inverses, read)
        return cotangents

    def _way_back(
        self, steps: Sequence[Step], psi: States | None, cotangents: States, inverses: CellMatrices, read: Read
    ) -> States:
        """Undo steps on the cotangents behind them, and on psi; with no psi, the kept states stand in for it.

        What is returned lies in a register: it holds until the next sweep of this thread.
        """
        copies, kept = 1 if psi is None else 2, reversed(self._kept)
        with register(self._plan.n_qubits + self._batch_qubits + copies - 1) as aer:
            live = self._live(aer.amplitudes.reshape(copies, -1, 2**self._plan.n_qubits))
            live[-1] = cotangents
            if psi is not None:
                live[0] = psi
            for step in reversed(steps):
                if step.has_angles:
                    aer.flush()
                    read(next(kept) if psi is None else live[0], live[-1], step)
                self._undo(aer, live, step, inverses)
            aer.flush()
            return live[-1]

    def _undo(self, aer: Register, live: Live, step: Step, inverses: CellMatrices) -> None:
        if isinstance(step, LocalStep):
            self._apply_cells(aer, step, inverses)
        elif isinstance(step, DenseStep):
            aer.unitary(step.qubits, step.inverse)
        else:
            aer.flush()
            if isinstance(step, MonomialStep):
                _permute(live, step.inverse)
            else:
                self._rotate(live, step, sign=-1.0)

    def _read(
        self, psi: States, cotangents: States, step: Step, vectors: Vectors, found: Float[np.ndarray, " flat"]
    ) -> None:
        """Im <lambda| P |psi> of the rotations of a step, from the states behind it."""
        bra = cotangents.conj()
        if isinstance(step, LocalStep):
            for reading in step.readings:
                found_here = reading.window.vectors(psi, bra, keep_batch=reading.varying is not None)
                _enter(reading, found_here, vectors)
        elif isinstance(step, DiagonalBlock):
            self._add(step.slots, step.signs.project((bra * psi).imag), found)
        elif isinstance(step, PauliBlock):
            acted = step.action(psi)
            self._add([step.slot], np.einsum("bi,bi->b", bra, acted).imag[:, None], found)

    def _add(self, slots: list[int], values: Float[np.ndarray, "batch k"], found: Float[np.ndarray, " flat"]) -> None:
        """Add up derivatives by angle."""
        places = self._layout.places(slots)
        per_place = values if len(places) > 1 else values.sum(axis=0, keepdims=True)
        found += np.bincount(places.ravel(), per_place.ravel(), minlength=len(found))


_ZERO = np.zeros(1)
_IDLE = np.array([1, 0], dtype=np.complex128)


def _inverse(matrices: Complex[np.ndarray, "*rows 2 2"]) -> Complex[np.ndarray, "*rows 2 2"]:
    return np.ascontiguousarray(matrices.conj().swapaxes(-1, -2))


def _permute(live: Live, block: MonomialBlock) -> None:
    if block.index is not None:
        # the indices are in range; with mode "raise" numpy would write through a buffer
        live.copy().take(block.index, axis=-1, out=live, mode="clip")
    if block.phases is not None:
        live *= block.phases


def _enter(reading: Reading, found: Float[np.ndarray, "b qubits 3"], vectors: Vectors) -> None:
    shared, varying = vectors
    if reading.varying is not None:
        places, cells = reading.varying
        varying[cells] = found[:, places].swapaxes(0, 1)
    if reading.shared is not None:
        places, cells = reading.shared
        shared[cells] = found[0, places] if len(found) == 1 else found[:, places].sum(axis=0)


def _read_start(start: Start, product: ProductState, cotangents: States, vectors: Vectors) -> None:
    found = dict(zip(start.windows, product.vectors(cotangents.conj()), strict=True))
    for reading in start.step.readings:
        _enter(reading, found[reading.window], vectors)
