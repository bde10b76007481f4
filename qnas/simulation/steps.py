"""The plan of a circuit: one step per block of its schedule, with everything that does not depend on angles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Complex, Int

from qnas.circuit.program import CircuitProgram, Rotation
from qnas.simulation.blocks import DenseBlock, DiagonalBlock, LocalBlock, MonomialBlock, PauliBlock, schedule
from qnas.simulation.cells import Cells, Gate, Rows
from qnas.simulation.transitions import Window, windows

_KEPT_LAYOUTS = 4


Where: TypeAlias = slice | Int[np.ndarray, " _"]
"""Some positions along an axis; a slice, which is quicker, where they are neighbours."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Which cells read their Pauli vectors from one window: positions in the window and numbers of cells, if any."""

    window: Window
    shared: tuple[Where, Where] | None
    varying: tuple[Where, Where] | None


@dataclass(frozen=True, eq=False)
class LocalStep:
    """One-qubit matrices: (qubit, number of the cell) for those that all samples share and those that vary."""

    shared: tuple[tuple[int, int], ...]
    varying: tuple[tuple[int, int], ...]
    readings: tuple[Reading, ...]
    has_angles: bool


@dataclass(frozen=True, eq=False)
class Start:
    """A local step on |0...0>: which qubits get their state from which cells, and what it takes to differentiate."""

    shared: tuple[Where, Where] | None
    varying: tuple[Where, Where] | None
    idle: Where | None
    step: LocalStep
    windows: Sequence[Window]


@dataclass(frozen=True, eq=False)
class MonomialStep:
    """A permutation with phases, and its inverse."""

    block: MonomialBlock
    inverse: MonomialBlock
    has_angles: bool = False


@dataclass(frozen=True, eq=False)
class DenseStep:
    """A fixed matrix on several qubits, and its inverse."""

    qubits: tuple[int, ...]
    matrix: Complex[np.ndarray, "k k"]
    inverse: Complex[np.ndarray, "k k"]
    has_angles: bool = False


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
        self.rows = Rows(plan.cells, batch, self._places, self._stride)

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
    start: Start | None
    steps: tuple[Step, ...]
    cells: Cells
    _layouts: dict[int, Layout] = field(default_factory=dict, repr=False)

    @cached_property
    def varies_later(self) -> bool:
        """Whether a step behind the start has cells that vary."""
        return any(isinstance(step, LocalStep) and step.varying for step in self.steps)

    @cached_property
    def with_angles(self) -> tuple[int, ...]:
        """Which of the steps have angles; the gradient needs the states behind these."""
        return tuple(k for k, step in enumerate(self.steps) if step.has_angles)

    def n_undone(self, n_kept: int) -> int:
        """How many of the first steps the gradient undoes on the states, where those of `n_kept` places are kept."""
        n_places = len(self.with_angles)
        if n_kept >= n_places:
            return 0
        return self.with_angles[n_places - n_kept] + 1 if n_kept else len(self.steps)

    def layout(self, batch: int) -> Layout:
        """The layout of a batch size; the last few are kept."""
        found = self._layouts.get(batch)
        if found is None:
            for oldest in list(self._layouts)[: 1 - _KEPT_LAYOUTS]:  # other threads may be at it, too
                self._layouts.pop(oldest, None)
            found = self._layouts[batch] = Layout(self, batch)
        return found


def make_plan(program: CircuitProgram, varying: Bool[np.ndarray, " slots"]) -> Plan:
    """Schedule a program whose slots marked in `varying` differ per sample."""
    cells: tuple[list[list[Gate]], list[list[Gate]]] = ([], [])
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
    start = _start(first, program.n_qubits, all_windows) if isinstance(first, LocalStep) else None
    return Plan(
        n_qubits=program.n_qubits,
        shared_slots=np.flatnonzero(~varying),
        varying_slots=np.flatnonzero(varying),
        start=start,
        steps=tuple(steps[1:] if start else steps),
        cells=Cells.of(*cells, varying),
    )


def _local_step(
    block: LocalBlock,
    varying: Bool[np.ndarray, " slots"],
    cells: tuple[list[list[Gate]], list[list[Gate]]],
    all_windows: Sequence[Window],
) -> LocalStep:
    """Number the cells of a block, and note where those with rotations read their Pauli vectors."""
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
    wanted = tuple(reading for reading in readings if reading.shared or reading.varying)
    return LocalStep(tuple(numbered[False]), tuple(numbered[True]), wanted, has_angles=bool(wanted))


def _inside(numbered: Sequence[tuple[int, int]], window: Window, rotating: set[int]) -> tuple[Where, Where] | None:
    return _pairs(
        [
            (qubit - window.start, cell)
            for qubit, cell in numbered
            if qubit in rotating and window.start <= qubit < window.start + window.size
        ]
    )


def _pairs(chosen: Sequence[tuple[int, int]]) -> tuple[Where, Where] | None:
    return (_where([left for left, _ in chosen]), _where([right for _, right in chosen])) if chosen else None


def _where(positions: Sequence[int]) -> Where:
    run = range(positions[0], positions[0] + len(positions))
    return slice(run.start, run.stop) if list(positions) == list(run) else np.array(positions)


def _start(first: LocalStep, n_qubits: int, all_windows: Sequence[Window]) -> Start:
    idle = sorted(set(range(n_qubits)) - {qubit for qubit, _ in first.shared + first.varying})
    return Start(_pairs(first.shared), _pairs(first.varying), _where(idle) if idle else None, first, all_windows)
