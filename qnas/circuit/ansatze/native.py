"""Layers of the gates and pairs that a backend has, so that nothing needs routing or translation.

Hardware-efficient circuits (Kandala et al. 2017, arXiv 1704.05041), made from a backend's own description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.transpiler import Target

from qnas.circuit.ansatze.layers import ONE_QUBIT, Weights, in_order, weight_source
from qnas.circuit.ansatze.registry import ansatz
from qnas.circuit.ansatze.rotations import check_count
from qnas.circuit.backends import ENTANGLERS, GENERIC, BackendChoice, find_backend
from qnas.circuit.topologies import Pairs
from qnas.errors import ConfigurationError, DesignError, unknown
from qnas.references import cites

EDGES = ("all", "matching")


@ansatz("native")
@cites("kandala2017")
def native(
    n_qubits: int,
    backend: str = GENERIC,
    rotation: str = "rz_sx_rz",
    edges: str = "all",
    n_layers: int = 1,
    *,
    topology: str | None = None,
    entangler: str | None = None,
) -> QuantumCircuit:
    """Layers of one-qubit gates on all qubits, then the backend's two-qubit gate on its pairs.

    Qubit k of the circuit is qubit k of the backend.

    Args:
        n_qubits: the width.
        backend: "generic", as wide as the circuit, or a snapshot, e.g. "fake_manila"; see `BackendChoice`.
        rotation: the backend's one-qubit gates in order, joined with _, such as rz_sx_rz; RX, RY and RZ have weights.
        edges: "all" pairs in every layer, or one "matching" after the other, layer by layer: pairs without a common
            qubit, whose gates act at once.
        n_layers: how many layers.
        topology, entangler: of the generic backend only; see `BackendChoice`.

    Raises:
        DesignError: there is no such backend or gate, or the first qubits of the backend are not connected.
        CircuitError: the backend has too few qubits.
    """
    check_count("n_layers", n_layers)
    if edges not in EDGES:
        raise DesignError(unknown("value of edges", edges, EDGES))
    own = {key: value for key, value in (("topology", topology), ("entangler", entangler)) if value is not None}
    target = _target(n_qubits, backend, own)
    turns, (gate, pairs) = _one_qubit_gates(rotation, target), _native_pairs(n_qubits, target)
    if not connected(n_qubits, pairs):
        raise DesignError(
            f"qubits 0 to {n_qubits - 1} of the backend {backend!r} are not connected by its pairs {pairs}; "
            "choose another number of qubits, or another backend."
        )
    circuit, weights = QuantumCircuit(n_qubits), weight_source()
    for joined in islice(cycle(_pairs_of_layers(pairs, edges)), n_layers):
        _turn(circuit, turns, weights)
        for pair in joined:
            circuit.append(gate, pair)
    return in_order(circuit)


def matched(pairs: Pairs) -> list[Pairs]:
    """The pairs shared out among few matchings, each pair to the first one that it shares no qubit with."""
    matchings: list[Pairs] = []
    for pair in pairs:
        free = (one for one in matchings if not any({*pair} & {*other} for other in one))
        fitting = next(free, None)
        if fitting is None:
            matchings.append([pair])
        else:
            fitting.append(pair)
    return matchings


def _pairs_of_layers(pairs: Pairs, edges: str) -> list[Pairs]:
    """What is joined in one layer after the other, until it starts again."""
    matchings = matched(pairs) or [[]]
    return matchings if edges == "matching" else [[pair for matching in matchings for pair in matching]]


def connected(n_qubits: int, pairs: Pairs) -> bool:
    """Whether the pairs lead from qubit 0 to every other one."""
    reached = {0}
    for _ in range(n_qubits):
        reached |= {qubit for pair in pairs if reached & {*pair} for qubit in pair}
    return len(reached) == n_qubits


def _target(n_qubits: int, backend: str, own: Mapping[str, Any]) -> Target:
    try:
        return find_backend(BackendChoice(backend, **own), n_qubits).target
    except ConfigurationError as error:
        raise DesignError(str(error)) from error


def _one_qubit_gates(rotation: str, target: Target) -> list[Gate]:
    operations = {name: target.operation_from_name(name) for name in target.operation_names}
    allowed = {
        name: operation
        for name, operation in operations.items()
        if isinstance(operation, Gate) and operation.num_qubits == 1 and len(operation.params) == (name in ONE_QUBIT)
    }
    for name in rotation.split("_"):
        if name not in allowed:
            raise DesignError(unknown("one-qubit gate of the backend", name, sorted(allowed), "Join several with _."))
    return [allowed[name] for name in rotation.split("_")]


def _native_pairs(n_qubits: int, target: Target) -> tuple[Gate | None, Pairs]:
    """The backend's two-qubit gate, and the pairs of the first qubits that have it, each once, rather upwards."""
    name = next((name for name in ENTANGLERS if name in target.operation_names), None)
    if name is None:
        return None, []
    edges = sorted(edge for edge in target[name] if max(edge) < n_qubits)
    return target.operation_from_name(name), [(a, b) for a, b in edges if a < b or (b, a) not in edges]


def _turn(circuit: QuantumCircuit, turns: Sequence[Gate], weights: Weights) -> None:
    for gate in turns:
        for qubit in range(circuit.num_qubits):
            circuit.append(gate.base_class(*([next(weights)] if gate.params else [])), [qubit])
