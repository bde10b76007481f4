"""Generators: fixed gates move out of the way, rotations that turn together are one sum."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.lower import lower
from qnas.errors import CircuitError
from qnas.objectives.generators import generators


def of_weights(circuit):
    return generators(lower(circuit, [], list(circuit.parameters))).weights


def test_clifford_gates_between_rotations_turn_them():
    """Y before CX is Y; Y after CX is, seen from before, Y on the control and X on the target."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.ry(Parameter("b"), 0)
    assert [one.paulis.to_labels() for one in of_weights(circuit)] == [["IY"], ["XY"]]


def test_rotations_with_one_weight_in_one_place_are_one_generator():
    circuit = QuantumCircuit(2)
    w = Parameter("w")
    circuit.rx(w, 0)
    circuit.rx(2 * w + 0.3, 1)
    (generator,) = of_weights(circuit)
    assert (generator / generator.coeffs[0]).equiv(SparsePauliOp(["IX", "XI"], [1, 2]))


@pytest.mark.parametrize(
    ("gate", "strings"),
    [("crx", {"XI": 0.5, "XZ": -0.5}), ("cp", {"IZ": 0.5, "ZI": 0.5, "ZZ": -0.5})],
)
def test_a_controlled_rotation_is_one_sum(gate, strings):
    circuit = QuantumCircuit(2)
    getattr(circuit, gate)(Parameter("w"), 0, 1)
    (generator,) = of_weights(circuit)
    scale = 0.5 / max(generator.coeffs.real)
    assert dict((scale * generator).to_list()) == pytest.approx(strings)


def test_signs_of_turned_strings_count_in_sums():
    """X on qubit 0 is Y with a sign between S and its inverse, so that X0 and Y0 sum to X0 - Y0 or X0 + Y0."""
    for gate, sign in (("s", -1), ("sdg", 1)):
        circuit, w = QuantumCircuit(2), Parameter("w")
        circuit.rzz(Parameter("first"), 0, 1)
        getattr(circuit, gate)(0)
        circuit.rx(w, 0)
        circuit.rx(w, 1)
        generator = of_weights(circuit)[1]
        assert (generator / generator.coeffs[-1]).equiv(SparsePauliOp(["IY", "XI"], [sign, 1]))


def test_a_gate_that_is_no_clifford_gate_turns_a_string_into_a_sum():
    """T^dagger X T = (X - Y) / sqrt 2."""
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    circuit.t(0)
    circuit.rx(Parameter("b"), 0)
    first, second = of_weights(circuit)
    assert first.equiv(SparsePauliOp("X"))
    assert second.equiv(SparsePauliOp(["X", "Y"], [0.5**0.5, -(0.5**0.5)]))


def test_rotations_by_inputs_count_where_they_come_between_weights():
    circuit, x = QuantumCircuit(1), Parameter("x")
    circuit.rx(x, 0)
    circuit.rz(Parameter("w0"), 0)
    circuit.ry(x, 0)
    circuit.rz(Parameter("w1"), 0)
    circuit.rx(x, 0)
    found = generators(lower(circuit, [x], [p for p in circuit.parameters if p != x]))
    assert [one.paulis.to_labels() for one in found.weights] == [["Z"], ["Z"]]
    assert [one.paulis.to_labels() for one in found.inputs] == [["Y"]]


def test_wide_circuits_take_clifford_gates_only():
    circuit = QuantumCircuit(7)
    circuit.rx(Parameter("a"), 3)
    circuit.s(3)
    circuit.rx(Parameter("b"), 3)
    assert len(of_weights(circuit)) == 2
    circuit.t(3)
    assert len(of_weights(circuit)) == 2
    circuit.rx(Parameter("c"), 3)
    with pytest.raises(CircuitError, match=r"gate 't' on qubits \[3\] is no Clifford gate"):
        of_weights(circuit)
