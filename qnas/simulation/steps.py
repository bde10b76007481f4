"""The plan of a circuit: one step per block of its schedule, with everything that does not depend on angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Complex, Int

from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.simulation.blocks import DenseBlock, DiagonalBlock, LocalBlock, MonomialBlock, PauliBlock, schedule
from qnas.simulation.cells import Cells, Rows
from qnas.simulation.transitions import Window, windows

Gates: TypeAlias = list[Rotation | Fixed]
_KEPT_LAYOUTS = 4


@dataclass(frozen=True, eq=False)
class Reading:
    """Which cells read their transition matrices from one window: positions in the window and numbers of cells."""

    window: Window
    shared: tuple[Int[np.ndarray, " s"], Int[np.ndarray, " s"]]
    varying: tuple[Int[np.ndarray, " v"], Int[np.ndarray, " v"]]


@dataclass(frozen=True, eq=False)
class LocalStep:
    """One-qubit matrices: (qubit, number of the cell) for those that all samples share and those that vary."""

    shared: tuple[tuple[int, int], ...]
    varying: tuple[tuple[int, int], ...]
    readings: tuple[Reading, ...]


@dataclass(frozen=True, eq=False)
class MonomialStep:
    """A permutation with phases, and its inverse."""

    block: MonomialBlock
    inverse: MonomialBlock


@dataclass(frozen=True, eq=False)
class DenseStep:
    """A fixed matrix on several qubits, and its inverse."""

    qubits: tuple[int, ...]
    matrix: Complex[np.ndarray, "k k"]
    inverse: Complex[np.ndarray, "k k"]


Step: TypeAlias = LocalStep | MonomialStep | DenseStep | DiagonalBlock | PauliBlock


class Layout:
    """Where the angles of a batch lie in one flat vector: shared ones, then each sample's varying ones, then a zero."""

    def __init__(self, plan: Plan, batch: int) -> None:
        n_shared, n_varying = len(plan.shared_slots), len(plan.varying_slots)
        self.n_shared, self.n_varying, self.batch = n_shared, n_varying, batch
        self.length = n_shared + batch * n_varying + 1
        self._places = np.full(n_shared + n_varying + 1, self.length - 1)
        self._stride = np.zeros(n_shared + n_varying + 1, dtype=np.int64)
        self._places[plan.shared_slots] = np.arange(n_shared)
        self._places[plan.varying_slots] = n_shared + np.arange(n_varying)
        self._stride[plan.varying_slots] = n_varying
        self.rows = Rows(plan.shared_cells, plan.varying_cells, batch, self._places, self._stride)

    def places(self, slots: Sequence[int]) -> Int[np.ndarray, "batch_or_1 k"]:
        """Where the angles of some slots lie for each sample; one row if all samples share them."""
        places, stride = self._places[list(slots)], self._stride[list(slots)]
        return places + stride * np.arange(self.batch if stride.any() else 1)[:, None]


@dataclass(frozen=True, eq=False)
class Plan:
    """All steps of a circuit and the cells of its local steps, those shared by all samples apart.

    Attributes:
        start: the local step that acts on |0...0> first, which makes a product state; None if there is none.
        steps: all further steps.
    """

    n_qubits: int
    shared_slots: Int[np.ndarray, " shared"]
    varying_slots: Int[np.ndarray, " varying"]
    start: LocalStep | None
    steps: tuple[Step, ...]
    shared_cells: Cells
    varying_cells: Cells
    _layouts: dict[int, Layout] = field(default_factory=dict, repr=False)

    def layout(self, batch: int) -> Layout:
        """The layout of a batch size; the last few are kept."""
        if batch not in self._layouts:
            while len(self._layouts) >= _KEPT_LAYOUTS:
                self._layouts.pop(next(iter(self._layouts)))
            self._layouts[batch] = Layout(self, batch)
        return self._layouts[batch]


def make_plan(program: CircuitProgram, varying: Bool[np.ndarray, " slots"]) -> Plan:
    """Schedule a program whose slots marked in `varying` differ per sample."""
    cells: tuple[list[Gates], list[Gates]] = ([], [])
    all_windows = windows(program.n_qubits)
    steps: list[Step] = []
    for block in schedule(program):
        if isinstance(block, LocalBlock):
            steps.append(_local_step(block, varying, cells, all_windows))
        elif isinstance(block, MonomialBlock):
            steps.append(MonomialStep(block, block.inverse))
        elif isinstance(block, DenseBlock):
            steps.append(DenseStep(block.qubits, block.matrix, np.ascontiguousarray(block.matrix.conj().T)))
        else:
            steps.append(block)
    first = steps[0] if steps and program.amplitude_inputs is None else None
    start = first if isinstance(first, LocalStep) else None
    depth = max((len(cell) for cell in cells[0] + cells[1]), default=1)
    return Plan(
        n_qubits=program.n_qubits,
        shared_slots=np.flatnonzero(~varying),
        varying_slots=np.flatnonzero(varying),
        start=start,
        steps=tuple(steps[1:] if start else steps),
        shared_cells=Cells.of(cells[0], depth),
        varying_cells=Cells.of(cells[1], depth),
    )


def _local_step(
    block: LocalBlock,
    varying: Bool[np.ndarray, " slots"],
    cells: tuple[list[Gates], list[Gates]],
    all_windows: Sequence[Window],
) -> LocalStep:
    """Number the cells of a block, and note where those with rotations read their transition matrices."""
    numbered: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    rotating: set[int] = set()
    for qubit, gates in block.cells.items():
        rotations = [gate for gate in gates if isinstance(gate, Rotation)]
        varies = any(varying[gate.slot] for gate in rotations)
        numbered[varies].append((qubit, len(cells[varies])))
        cells[varies].append(gates)
        if rotations:
            rotating.add(qubit)
    readings = [
        Reading(window, _inside(numbered[False], window, rotating), _inside(numbered[True], window, rotating))
        for window in all_windows
    ]
    wanted = tuple(reading for reading in readings if len(reading.shared[0]) + len(reading.varying[0]))
    return LocalStep(tuple(numbered[False]), tuple(numbered[True]), wanted)


def _inside(
    numbered: Sequence[tuple[int, int]], window: Window, rotating: set[int]
) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    chosen = [
        (qubit - window.start, cell)
        for qubit, cell in numbered
        if qubit in rotating and window.start <= qubit < window.start + window.size
    ]
    pairs = np.array(chosen, dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]
