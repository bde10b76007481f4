"""Ansatze: whole parametrised circuits, and the layer that search spaces compose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from qnas.circuit.topologies import Pairs, topologies
from qnas.errors import DesignError, unknown
from qnas.plugins import Registry, registering

Ansatz = Callable[..., QuantumCircuit]
Weights = Iterator[Parameter]

ansatze: Registry[Ansatz] = Registry("ansatz", "qnas.ansatze")

ONE_QUBIT = ("rx", "ry", "rz")
ENTANGLERS = ("cx", "cy", "cz", "swap", "crx", "cry", "crz", "rxx", "ryy", "rzz")
TRAINABLE = frozenset({"crx", "cry", "crz", "rxx", "ryy", "rzz"})


def ansatz(name: str) -> Callable[[Ansatz], Ansatz]:
    """Register a function `(n_qubits, **options) -> QuantumCircuit` under a short name; all its parameters are weights.

    It serves as the whole trained circuit, `ansatz={"name": ..., options}`, and as one layer of several, an item
    `{"name": ..., options}` of `layers`, before each of which the encoding may be uploaded again. Each layer has
    weights of its own, in the order in which parameters first appear in the circuit, whatever their names. The
    function's parameters after `n_qubits` are the options; those without a default must be given.
    """
    return registering(ansatze, name)


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


def add_layer(circuit: QuantumCircuit, rotation: str, entangler: str, topology: str, weights: Weights) -> None:
    """One layer: rotations on all qubits, then the entangler on the pairs of a topology."""
    rotate(circuit, rotation, weights)
    entangle(circuit, entangler, topologies[topology](circuit.num_qubits), weights)


# --- the 19 templates of Sim, Johnson and Aspuru-Guzik 2019 (arXiv 1905.10876), written for any width ---------


def _chain(n: int) -> Pairs:
    return [(k, k - 1) for k in range(n - 1, 0, -1)]


def _ring(n: int) -> Pairs:
    return [(k, (k + 1) % n) for k in range(n - 1, -1, -1)]


def _ring_back(n: int) -> Pairs:
    return [((n - 1 + k) % n, (n - 2 + k) % n) for k in range(n)]


def _every_pair(n: int) -> Pairs:
    return [(i, j) for i in range(n - 1, -1, -1) for j in range(n - 1, -1, -1) if i != j]


def _even(n: int) -> Pairs:
    return [(k + 1, k) for k in range(0, n - 1, 2)]


def _odd(n: int) -> Pairs:
    return [(k + 1, k) for k in range(1, n - 1, 2)]


def _brick(n: int) -> Pairs:
    return _even(n) + _odd(n)


def _closed_chain(n: int) -> Pairs:
    return [*_chain(n), (n - 1, 0)]


_Step = tuple[str, Callable[[int], Pairs] | None]
_RXRZ: _Step = ("rx_rz", None)
_INNER: _Step = ("ry_rz inner", None)

SIM2019: dict[int, tuple[_Step, ...]] = {
    1: (_RXRZ,),
    2: (_RXRZ, ("cx", _chain)),
    3: (_RXRZ, ("crz", _chain)),
    4: (_RXRZ, ("crx", _chain)),
    5: (_RXRZ, ("crz", _every_pair), _RXRZ),
    6: (_RXRZ, ("crx", _every_pair), _RXRZ),
    7: (_RXRZ, ("crz", _even), _RXRZ, ("crz", _odd)),
    8: (_RXRZ, ("crx", _even), _RXRZ, ("crx", _odd)),
    9: (("h", None), ("cz", _chain), ("rx", None)),
    10: (("cz", _closed_chain), ("ry", None)),
    11: (("ry_rz", None), ("cx", _even), _INNER, ("cx", _odd)),
    12: (("ry_rz", None), ("cz", _even), _INNER, ("cz", _odd)),
    13: (("ry", None), ("crz", _ring), ("ry", None), ("crz", _ring_back)),
    14: (("ry", None), ("crx", _ring), ("ry", None), ("crx", _ring_back)),
    15: (("ry", None), ("cx", _ring), ("ry", None), ("cx", _ring_back)),
    16: (_RXRZ, ("crz", _brick)),
    17: (_RXRZ, ("crx", _brick)),
    18: (_RXRZ, ("crz", _ring)),
    19: (_RXRZ, ("crx", _ring)),
}
"""The steps of one layer of each template: rotations on all qubits, or an entangler with its pairs."""


@ansatz("sim2019")
def sim2019(n_qubits: int, template: int, n_layers: int = 1) -> QuantumCircuit:
    """A template of Sim et al. 2019, figure 2; `template` is its number there, 1 to 19."""
    if template not in SIM2019:
        raise DesignError(unknown("template of sim2019", template, SIM2019))
    circuit, weights = QuantumCircuit(n_qubits), weight_source()
    if template == 10:
        rotate(circuit, "ry", weights)
    for _ in range(n_layers):
        for gate, pairs in SIM2019[template]:
            _add_step(circuit, gate, pairs, weights)
    return in_order(circuit)


def _add_step(circuit: QuantumCircuit, gate: str, pairs: Callable[[int], Pairs] | None, weights: Weights) -> None:
    n_qubits = circuit.num_qubits
    if pairs is not None:
        entangle(circuit, gate, pairs(n_qubits), weights)
    elif gate == "h":
        circuit.h(range(n_qubits))
    elif gate.endswith(" inner"):
        rotate(circuit, gate.removesuffix(" inner"), weights, range(1, n_qubits - 1))
    else:
        rotate(circuit, gate, weights)


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
