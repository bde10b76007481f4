"""The templates of Sim et al. 2019 against their figure 2."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator, Pauli, Statevector

from qnas.circuit.ansatze import sim2019
from qnas.errors import DesignError
from tests.circuit.ansatze.listing import listed, names

CHAIN = [(3, 2), (2, 1), (1, 0)]
RING = [(3, 0), (2, 3), (1, 2), (0, 1)]
RING_BACK = [(3, 2), (0, 3), (1, 0), (2, 1)]
ALL = [(3, 2), (3, 1), (3, 0), (2, 3), (2, 1), (2, 0), (1, 3), (1, 2), (1, 0), (0, 3), (0, 2), (0, 1)]
EVEN, ODD, BRICK = [(1, 0), (3, 2)], [(2, 1)], [(1, 0), (3, 2), (2, 1)]


def on_all(*names):
    return [(name, (qubit,)) for name in names for qubit in range(4)]


def on_inner(*names):
    return [(name, (qubit,)) for name in names for qubit in (1, 2)]


def on_pairs(name, pairs):
    return [(name, pair) for pair in pairs]


RXRZ = on_all("rx", "rz")
TEMPLATES = {
    1: RXRZ,
    2: RXRZ + on_pairs("cx", CHAIN),
    3: RXRZ + on_pairs("crz", CHAIN),
    4: RXRZ + on_pairs("crx", CHAIN),
    5: RXRZ + on_pairs("crz", ALL) + RXRZ,
    6: RXRZ + on_pairs("crx", ALL) + RXRZ,
    7: RXRZ + on_pairs("crz", EVEN) + RXRZ + on_pairs("crz", ODD),
    8: RXRZ + on_pairs("crx", EVEN) + RXRZ + on_pairs("crx", ODD),
    9: on_all("h") + on_pairs("cz", CHAIN) + on_all("rx"),
    10: on_all("ry") + on_pairs("cz", [*CHAIN, (3, 0)]) + on_all("ry"),
    11: on_all("ry", "rz") + on_pairs("cx", EVEN) + on_inner("ry", "rz") + on_pairs("cx", ODD),
    12: on_all("ry", "rz") + on_pairs("cz", EVEN) + on_inner("ry", "rz") + on_pairs("cz", ODD),
    13: on_all("ry") + on_pairs("crz", RING) + on_all("ry") + on_pairs("crz", RING_BACK),
    14: on_all("ry") + on_pairs("crx", RING) + on_all("ry") + on_pairs("crx", RING_BACK),
    15: on_all("ry") + on_pairs("cx", RING) + on_all("ry") + on_pairs("cx", RING_BACK),
    16: RXRZ + on_pairs("crz", BRICK),
    17: RXRZ + on_pairs("crx", BRICK),
    18: RXRZ + on_pairs("crz", RING),
    19: RXRZ + on_pairs("crx", RING),
}
"""One layer of each on four qubits, gate by gate."""

COUNTS = {
    1: (8, 0), 2: (8, 3), 3: (11, 3), 4: (11, 3), 5: (28, 12), 6: (28, 12), 7: (19, 3), 8: (19, 3), 9: (4, 3),
    10: (8, 4), 11: (12, 3), 12: (12, 3), 13: (16, 8), 14: (16, 8), 15: (8, 8), 16: (11, 3), 17: (11, 3),
    18: (12, 4), 19: (12, 4),
}  # fmt: skip
"""Parameters and two-qubit gates of one layer on four qubits, the table of the paper."""


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_template_gate_by_gate(template):
    assert listed(sim2019(4, template)) == TEMPLATES[template]


@pytest.mark.parametrize("template", COUNTS)
def test_parameters_and_two_qubit_gates(template):
    circuit = sim2019(4, template)
    assert (circuit.num_parameters, circuit.num_nonlocal_gates()) == COUNTS[template]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("n_layers", [1, 3])
def test_weights_are_numbered_in_the_order_of_application(template, n_layers):
    circuit = sim2019(4, template, n_layers)
    assert names(circuit) == [f"w[{k}]" for k in range(circuit.num_parameters)]
    assert [p.name for p in circuit.parameters] == names(circuit)


@pytest.mark.parametrize("template", TEMPLATES)
def test_layers_repeat(template):
    once, thrice = listed(sim2019(4, template)), listed(sim2019(4, template, 3))
    first = on_all("ry") if template == 10 else []
    assert thrice == first + 3 * once[len(first) :]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_templates_of_any_width_touch_every_qubit(template, n_qubits):
    circuit = sim2019(n_qubits, template)
    touched = {qubit for _, qubits in listed(circuit) for qubit in qubits}
    assert touched == set(range(n_qubits))


def test_circuit_9_is_a_graph_state_up_to_local_rotations():
    state = Statevector(sim2019(4, 9).assign_parameters(np.zeros(4)))
    for qubit in range(4):
        neighbours = [k for k in (qubit - 1, qubit + 1) if 0 <= k < 4]
        label = "".join("X" if k == qubit else "Z" if k in neighbours else "I" for k in reversed(range(4)))
        assert state.expectation_value(Pauli(label)) == pytest.approx(1.0, abs=1e-12)


def test_an_unknown_template():
    with pytest.raises(DesignError, match=r"unknown template of sim2019 '20': .*Allowed: 1, 2, 3, "):
        sim2019(4, 20)


@pytest.mark.parametrize("n_qubits", [3, 4, 5])
def test_templates_3_and_16_differ_in_the_order_of_gates_that_commute(n_qubits):
    """Diagonal gates on the same pairs, in another order and so with their weights in another order."""
    first, second = sim2019(n_qubits, 3), sim2019(n_qubits, 16)
    values = np.random.default_rng(0).uniform(0, 2 * np.pi, first.num_parameters)
    at = dict(zip(first.parameters, values, strict=True))
    weights = {pair: at[weight] for pair, weight in controlled(first)}
    moved = dict(zip(second.parameters, values, strict=True)) | {w: weights[pair] for pair, w in controlled(second)}
    assert [pair for pair, _ in controlled(first)] != [pair for pair, _ in controlled(second)]
    assert Operator(first.assign_parameters(at)) == Operator(second.assign_parameters(moved))


def controlled(circuit):
    """The pair and the weight of each CRZ."""
    chosen = [i for i in circuit.data if i.operation.name == "crz"]
    return [(tuple(circuit.find_bit(q).index for q in i.qubits), i.operation.params[0]) for i in chosen]


@pytest.mark.parametrize("template", range(1, 20))
def test_one_qubit_has_no_pairs(template):
    assert sim2019(1, template).num_nonlocal_gates() == 0
