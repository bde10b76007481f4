"""Circuits of one gradient: by parameter shift, by commuting groups and SLPA blocks (arXiv 2406.18316), by SPSA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, Pauli, PauliList, SparsePauliOp

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram, Rotation
from qnas.objectives.generators import as_clifford, string_of
from qnas.objectives.gradient_operators import Groups, measured_together
from qnas.simulation.measurement import measurement

Slots = Bool[np.ndarray, " slots"]
METHODS = ("parameter_shift", "commuting_groups", "slpa_blocks", "spsa")
_NO_INPUTS = np.empty(0)


@dataclass(frozen=True)
class GradientCost:
    """Circuits that yield all derivatives of one expectation value; each is run for as many shots as are wanted.

    Weights that have no effect are left out, and blocks in which all are.

    Attributes:
        parameter_shift: two for each rotation that a weight turns and for each setting that measures the observable,
            where strings that commute qubit by qubit share one: what sampled simulation runs (arXiv 1803.00745).
        commuting_groups: one for each group of commuting gradient operators, measured in their common eigenbasis: the
            fewest there can be, though the circuit that leads to that basis may be as deep as the circuit itself.
        slpa_blocks: one for each block and for each group of commuting strings of the observable, with one ancilla and
            no deeper than the circuit, as for the stabilizer-logical product ansatz.
        spsa: two for each setting, at both ends of one random step of all weights (Spall 1992). Unlike the others it
            yields no derivative: each one that it estimates is off by as much as all others together, at any number of
            shots, and only the mean over many gradients is right.
        groups, blocks: the names of the weights whose derivatives one such circuit yields. A weight that turns
            rotations in several blocks needs all of them.
    """

    parameter_shift: int
    commuting_groups: int
    slpa_blocks: int
    spsa: int
    groups: Groups
    blocks: Groups


def gradient_cost(circuit: QuantumCircuit, observable: SparsePauliOp, seed: int = 0) -> GradientCost:
    """Count the circuits of one gradient of <observable> in four ways; every parameter is a weight.

    A block is a set of rotations G_1, G_2, ... that follow one another and commute, such that all products G_1 G_j
    commute with every rotation behind the block and with the observable. Then S_j = G_1 G_j can be moved to the end,
    and one circuit reads all derivatives: an ancilla in |0> + |1> controls G_1 in its place, and in the end Y on the
    ancilla times O S_j is measured for all j; these strings commute. Blocks of the stabilizer-logical product ansatz
    are such blocks. Rotations in front of a fixed gate that is no Clifford gate are each a block of their own.

    Args:
        circuit: plain Qiskit that lowers, with parameters.
        observable: as wide as the circuit.
        seed: of the weights at which gradient operators are compared.

    Raises:
        CircuitError: as `gradient_efficiency`, but for its Lie algebra.
    """
    program = lower(circuit, [], list(circuit.parameters))
    names = [parameter.name for parameter in circuit.parameters]
    groups = measured_together(program, _NO_INPUTS, observable, names, np.random.default_rng(seed))
    return counted(program, observable, names, groups)


def counted(program: CircuitProgram, observable: SparsePauliOp, names: Sequence[str], groups: Groups) -> GradientCost:
    """The cost of a gradient by the weights of these names, of which `groups` are measured together."""
    alive = np.isin(names, [name for group in groups for name in group])
    depends = program.angles.depends[program.n_inputs :] & alive[:, None]
    turned = np.asarray(depends.any(axis=0))
    by_slot = blocks(program, turned, observable)
    n_settings = len(measurement([observable], program.n_qubits).groups)
    return GradientCost(
        parameter_shift=2 * int(turned.sum()) * n_settings,
        commuting_groups=len(groups),
        slpa_blocks=len(by_slot) * _n_commuting_groups(observable.paulis),
        spsa=2 * n_settings,
        groups=groups,
        blocks=tuple(tuple(np.array(names)[depends[:, block].any(axis=1)].tolist()) for block in by_slot),
    )


def blocks(program: CircuitProgram, turned: Slots, observable: SparsePauliOp) -> list[list[int]]:
    """The slots whose derivatives one ancilla reads together, of those that are `turned`; see `gradient_cost`."""
    alone, slots, strings = _at_the_end(program)
    anticommute = _anticommuting([*strings, *observable.paulis])[: len(strings)]
    found = [[slot] for slot in alone if turned[slot]]
    for start, end in _runs(anticommute, turned[slots]):
        behind = anticommute[start:end, end:]
        _, owner = np.unique(behind, axis=0, return_inverse=True)
        found += [[slots[start + k] for k in np.flatnonzero(owner.ravel() == one)] for one in np.unique(owner)]
    return sorted(found)


def _at_the_end(program: CircuitProgram) -> tuple[list[int], list[int], list[Pauli]]:
    """Slots in front of a gate that is no Clifford gate; the other slots in order, and their strings moved to the end
    of the circuit, through the fixed gates behind them."""
    frame = Clifford(np.eye(2 * program.n_qubits, dtype=bool))
    slots, strings = list[int](), list[Pauli]()
    for place in reversed(range(len(program.operations))):
        operation = program.operations[place]
        if isinstance(operation, Rotation):
            slots.append(operation.slot)
            strings.append(string_of(operation, program.n_qubits).evolve(frame, frame="s"))
        elif (gate := as_clifford(operation.matrix.tobytes(), len(operation.qubits))) is not None:
            frame = frame.compose(gate, qargs=operation.qubits, front=True)
        else:
            alone = [one.slot for one in program.operations[:place] if isinstance(one, Rotation)]
            return alone, slots[::-1], strings[::-1]
    return [], slots[::-1], strings[::-1]


def _anticommuting(strings: Sequence[Pauli]) -> Bool[np.ndarray, "strings strings"]:
    x, z = (np.array(bits, dtype=np.int64) for bits in ([one.x for one in strings], [one.z for one in strings]))
    return (x @ z.T + z @ x.T) % 2 == 1


def _runs(anticommute: Bool[np.ndarray, "strings _"], turned: Bool[np.ndarray, " strings"]) -> list[tuple[int, int]]:
    """From where to where rotations that are turned follow one another and commute."""
    runs: list[tuple[int, int]] = []
    for k in np.flatnonzero(turned).tolist():
        if runs and runs[-1][1] == k and not anticommute[k, runs[-1][0] : k].any():
            runs[-1] = (runs[-1][0], k + 1)
        else:
            runs.append((k, k + 1))
    return runs


def _n_commuting_groups(strings: PauliList) -> int:
    """The identity needs no measurement."""
    return len(strings[(strings.x | strings.z).any(axis=1)].group_commuting())
