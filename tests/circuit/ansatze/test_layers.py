"""The layer that spaces compose, and weights in the order of application."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qnas.circuit.ansatze import ENTANGLERS, TRAINABLE, add_layer, in_order, weight_source
from qnas.errors import DesignError, PluginError
from tests.circuit.ansatze.listing import listed, names


@pytest.mark.parametrize("entangler", ENTANGLERS)
def test_a_layer_is_rotations_then_entanglers(entangler):
    circuit = QuantumCircuit(3)
    add_layer(circuit, "ry_rz", entangler, "line", weight_source())
    expected = [("ry", (k,)) for k in range(3)] + [("rz", (k,)) for k in range(3)]
    assert listed(circuit) == [*expected, (entangler, (0, 1)), (entangler, (1, 2))]
    n_weights = 6 + (2 if entangler in TRAINABLE else 0)
    assert names(circuit) == [f"w{k}" for k in range(n_weights)]


@pytest.mark.parametrize(
    ("rotation", "entangler", "topology", "kind", "text"),
    [
        ("ry_rw", "cx", "line", DesignError, "unknown rotation 'rw': did you mean .* Join several with _, e.g. ry_rz."),
        ("ry", "cnot", "line", DesignError, "unknown entangler 'cnot': .*Allowed: cx, cy, cz, "),
        ("ry", "cx", "lime", PluginError, r"unknown topology 'lime': did you mean 'line'\? Allowed: all, grid, "),
    ],
)  # fmt: skip
def test_parts_of_a_layer_that_are_not_known(rotation, entangler, topology, kind, text):
    with pytest.raises(kind, match=text):
        add_layer(QuantumCircuit(2), rotation, entangler, topology, weight_source())


def test_in_order_follows_the_gates_not_the_names():
    a, b = Parameter("b_first"), Parameter("a_second")
    circuit = QuantumCircuit(1)
    circuit.rx(a, 0)
    circuit.ry(2 * b, 0)
    circuit.rz(a, 0)
    renamed = in_order(circuit, "v")
    assert names(renamed) == ["v[0]", "v[1]", "v[0]"]
    assert str(renamed.data[1].operation.params[0]) == "2*v[1]"
