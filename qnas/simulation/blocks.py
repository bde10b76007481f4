"""Schedule a circuit program as blocks that each take few sweeps over the state.

Every operation joins the earliest block that nothing on its qubits separates it from: all one-qubit gates between two
entangling steps become one matrix per qubit, runs of CX, CZ, SWAP one index permutation with phases, runs of diagonal
rotations one product with phases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Complex, Int

from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.simulation.paulis import STORED_ENTRIES, PauliAction, PauliString, Signs


@dataclass(eq=False)
class LocalBlock:
    """One-qubit gates; per qubit, rotations and fixed matrices in the order of application."""

    cells: dict[int, list[Rotation | Fixed]] = field(default_factory=dict)


@dataclass(eq=False)
class MonomialBlock:
    """psi'[i] = phases[i] * psi[index[i]]; either part is None where it does nothing."""

    index: Int[np.ndarray, " dim"] | None
    phases: Complex[np.ndarray, " dim"] | None

    @cached_property
    def inverse(self) -> MonomialBlock:
        """What undoes it; made once, because equal runs of gates are one block."""
        index = None if self.index is None else np.argsort(self.index)
        phases = None if self.phases is None else self.phases.conj()
        if index is not None and phases is not None:
            phases = phases[index]
        return MonomialBlock(index, phases)


@dataclass(eq=False)
class DiagonalBlock:
    """Commuting rotations about Pauli strings of Z: psi'[i] = exp(-i/2 sum_k phi[slots[k]] signs[i, k]) psi[i]."""

    slots: list[int]
    signs: Signs
    has_angles = True


@dataclass(eq=False)
class PauliBlock:
    """One rotation about any other Pauli string P."""

    slot: int
    action: PauliAction
    has_angles = True


@dataclass(eq=False)
class DenseBlock:
    """A fixed gate on several qubits that is no permutation with phases."""

    qubits: tuple[int, ...]
    matrix: Complex[np.ndarray, "k k"]


Made = dict[Any, Any]
"""What the blocks of one circuit share: layers repeat themselves, so that memory does not grow with their number."""

Block = LocalBlock | MonomialBlock | DiagonalBlock | PauliBlock | DenseBlock


class _Schedule:
    """Blocks so far, and the last block that touched each qubit."""

    def __init__(self, n_qubits: int) -> None:
        self.n_qubits = n_qubits
        self.kinds: list[type] = []
        self.contents: list[list[Rotation | Fixed]] = []
        self.last = [-1] * n_qubits

    def place(self, kind: type, operation: Rotation | Fixed, *, joins: bool = True) -> None:
        """Put the operation into the earliest open block of its kind, or into a new one at the end."""
        earliest = max(self.last[qubit] for qubit in operation.qubits)
        found = self._find(kind, max(earliest, 0)) if joins else None
        if found is None:
            self.kinds.append(kind)
            self.contents.append([])
            found = len(self.kinds) - 1
        self.contents[found].append(operation)
        for qubit in operation.qubits:
            self.last[qubit] = found

    def ends_with(self, kind: type, qubit: int) -> bool:
        """Whether the last block on this qubit is of a kind."""
        return self.last[qubit] >= 0 and self.kinds[self.last[qubit]] is kind

    def _find(self, kind: type, start: int) -> int | None:
        return next((k for k in range(start, len(self.kinds)) if self.kinds[k] is kind), None)


def schedule(program: CircuitProgram) -> list[Block]:
    """The blocks of a program, in the order of application."""
    plan = _placed(program)
    made: Made = {}
    return [
        _MAKE[kind](content, program.n_qubits, made) for kind, content in zip(plan.kinds, plan.contents, strict=True)
    ]


def n_distinct_permutations(program: CircuitProgram) -> int:
    """How many different runs of CX, CZ, SWAP and the like there are; their arrays are the largest of a schedule."""
    plan = _placed(program)
    runs = (content for kind, content in zip(plan.kinds, plan.contents, strict=True) if kind is MonomialBlock)
    return len({_run_key(run) for run in runs})


def _placed(program: CircuitProgram) -> _Schedule:
    plan = _Schedule(program.n_qubits)
    for operation in program.operations:
        _place(plan, operation)
    return plan


def _place(plan: _Schedule, operation: Rotation | Fixed) -> None:
    single = len(operation.qubits) == 1
    if isinstance(operation, Rotation):
        diagonal = set(operation.pauli) == {"Z"}
        if single and not (diagonal and plan.ends_with(DiagonalBlock, operation.qubits[0])):
            plan.place(LocalBlock, operation)
        elif diagonal:
            plan.place(DiagonalBlock, operation)
        else:
            plan.place(PauliBlock, operation, joins=False)
    elif single:
        plan.place(LocalBlock, operation)
    elif _is_monomial(operation.matrix):
        plan.place(MonomialBlock, operation)
    else:
        plan.place(DenseBlock, operation, joins=False)


def _is_monomial(matrix: Complex[np.ndarray, "k k"]) -> bool:
    return bool(np.all(np.count_nonzero(np.abs(matrix) > 1e-12, axis=1) == 1))


def _local(content: Sequence[Rotation | Fixed], n_qubits: int, made: Made) -> LocalBlock:
    block = LocalBlock()
    for operation in content:
        block.cells.setdefault(operation.qubits[0], []).append(operation)
    return block


def _monomial(content: Sequence[Fixed], n_qubits: int, made: Made) -> MonomialBlock:
    key = _run_key(content)
    if key not in made:
        made[key] = _merged(content, n_qubits)
    return made[key]


def _run_key(content: Sequence[Any]) -> tuple[Any, ...]:
    return tuple((gate.qubits, gate.matrix.tobytes()) for gate in content)


def _merged(content: Sequence[Fixed], n_qubits: int) -> MonomialBlock:
    index, phases = np.arange(2**n_qubits), np.ones(2**n_qubits, dtype=np.complex128)
    for gate in content:
        source, factor = _monomial_action(gate, n_qubits)
        index, phases = index[source], factor * phases[source]
    keeps_order = np.array_equal(index, np.arange(2**n_qubits))
    keeps_phase = bool(np.all(phases == 1))
    return MonomialBlock(None if keeps_order else index, None if keeps_phase else phases)


def _monomial_action(gate: Fixed, n_qubits: int) -> tuple[Int[np.ndarray, " dim"], Complex[np.ndarray, " dim"]]:
    """From where in the old state each amplitude of the new one comes, and its phase."""
    basis = np.arange(2**n_qubits)
    row = sum(((basis >> qubit) & 1) << k for k, qubit in enumerate(gate.qubits))
    source_of_row = np.argmax(np.abs(gate.matrix), axis=1)
    column = source_of_row[row]
    source = basis & ~sum(1 << qubit for qubit in gate.qubits)
    for k, qubit in enumerate(gate.qubits):
        source |= ((column >> k) & 1) << qubit
    return source, gate.matrix[row, column]


def _diagonal(content: Sequence[Rotation], n_qubits: int, made: Made) -> DiagonalBlock:
    masks = tuple(PauliString.of(operation.pauli, operation.qubits).z for operation in content)
    if masks not in made:
        made[masks] = Signs(masks, np.eye(len(masks)), n_qubits, stored=len(masks) << n_qubits <= STORED_ENTRIES)
    return DiagonalBlock([operation.slot for operation in content], made[masks])


def _pauli(content: Sequence[Rotation], n_qubits: int, made: Made) -> PauliBlock:
    (operation,) = content
    string = PauliString.of(operation.pauli, operation.qubits)
    if string not in made:
        made[string] = PauliAction(string, n_qubits, stored=1 << n_qubits <= STORED_ENTRIES >> 8)
    return PauliBlock(operation.slot, made[string])


def _dense(content: Sequence[Fixed], n_qubits: int, made: Made) -> DenseBlock:
    (gate,) = content
    return DenseBlock(gate.qubits, gate.matrix)


_MAKE: dict[type, Callable[[Any, int, Made], Block]] = {
    LocalBlock: _local,
    MonomialBlock: _monomial,
    DiagonalBlock: _diagonal,
    PauliBlock: _pauli,
    DenseBlock: _dense,
}
