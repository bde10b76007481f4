"""The layer that search spaces compose, and weights in the order of application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from qnas.circuit.topologies import Pairs, topologies
from qnas.errors import DesignError, unknown
from qnas.references import cites

Weights = Iterator[Parameter]

ONE_QUBIT = ("rx", "ry", "rz")
ENTANGLERS = ("cx", "cy", "cz", "swap", "crx", "cry", "crz", "rxx", "ryy", "rzz")
TRAINABLE = frozenset({"crx", "cry", "crz", "rxx", "ryy", "rzz"})


def weight_source() -> Weights:
    """Weights w0, w1, ... as many as are taken."""
    k = 0
    while True:
        yield Parameter(f"w{k}")
        k += 1


def rotate(circuit: QuantumCircuit, rotation: str, weights: Weights, qubits: Iterable[int] | None = None) -> None:
    """Rotations such as "ry_rz": RY on every qubit, then RZ on every qubit, each with its own weight."""
    for gate in rotation.split("_"):
        if gate not in ONE_QUBIT:
            raise DesignError(unknown("rotation", gate, ONE_QUBIT, "Join several with _, e.g. ry_rz."))
        for qubit in range(circuit.num_qubits) if qubits is None else qubits:
            getattr(circuit, gate)(next(weights), qubit)


def entangle(circuit: QuantumCircuit, gate: str, pairs: Pairs, weights: Weights) -> None:
    """The two-qubit gate on every (control, target) in order, each with its own weight if it has one."""
    if gate not in ENTANGLERS:
        raise DesignError(unknown("entangler", gate, ENTANGLERS))
    for control, target in pairs:
        if gate in TRAINABLE:
            getattr(circuit, gate)(next(weights), control, target)
        else:
            getattr(circuit, gate)(control, target)


@cites("kandala2017")
def add_layer(circuit: QuantumCircuit, rotation: str, entangler: str, topology: str, weights: Weights) -> None:
    """One layer: rotations on all qubits, then the entangler on the pairs of a topology."""
    rotate(circuit, rotation, weights)
    entangle(circuit, entangler, topologies[topology](circuit.num_qubits), weights)


def in_order(circuit: QuantumCircuit, name: str = "w") -> QuantumCircuit:
    """The circuit with its parameters renamed to one vector, in the order in which they first appear."""
    own = parameters_in_order(circuit)
    return circuit.assign_parameters(dict(zip(own, ParameterVector(name, len(own)), strict=True)))


def parameters_in_order(circuit: QuantumCircuit) -> list[Parameter]:
    """All parameters, in the order in which they first appear; those of the global phase alone come last."""
    seen: dict[Parameter, None] = {}
    for instruction in circuit.data:
        for value in instruction.operation.params:
            for parameter in sorted(getattr(value, "parameters", ()), key=lambda p: p.name):
                seen.setdefault(parameter)
    return list(seen | dict.fromkeys(circuit.parameters))
