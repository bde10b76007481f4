"""The 19 templates of Sim, Johnson and Aspuru-Guzik 2019 (arXiv 1905.10876), written for any width."""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit

from qnas.circuit.ansatze.layers import Weights, entangle, in_order, rotate, weight_source
from qnas.circuit.ansatze.registry import ansatz
from qnas.circuit.topologies import Pairs
from qnas.errors import DesignError, unknown
from qnas.references import cites


def _chain(n: int) -> Pairs:
    return [(k, k - 1) for k in range(n - 1, 0, -1)]


def _ring(n: int) -> Pairs:
    return [(k, (k + 1) % n) for k in range(n - 1, -1, -1) if n > 1]


def _ring_back(n: int) -> Pairs:
    return [((n - 1 + k) % n, (n - 2 + k) % n) for k in range(n) if n > 1]


def _every_pair(n: int) -> Pairs:
    return [(i, j) for i in range(n - 1, -1, -1) for j in range(n - 1, -1, -1) if i != j]


def _even(n: int) -> Pairs:
    return [(k + 1, k) for k in range(0, n - 1, 2)]


def _odd(n: int) -> Pairs:
    return [(k + 1, k) for k in range(1, n - 1, 2)]


def _brick(n: int) -> Pairs:
    return _even(n) + _odd(n)


def _closed_chain(n: int) -> Pairs:
    return [*_chain(n), *([(n - 1, 0)] if n > 1 else [])]


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
@cites("sim2019")
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
