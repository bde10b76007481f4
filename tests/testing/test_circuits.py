"""What suites ask of circuits, on circuits whose answers are known."""

from itertools import product

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import Pauli, Statevector

from qnas.circuit.encodings import encodings
from qnas.errors import CircuitError
from qnas.testing.circuits import (
    Built,
    after_any_state,
    any_state,
    as_qiskit_has_it,
    derivatives,
    matters,
    overlap,
    read_back,
)

X, W = tuple(ParameterVector("x", 3)), tuple(ParameterVector("w", 2))


def on_one_qubit(**angles):
    """Rotations in this order; inputs x[0] and x[1], weight w[0]."""
    circuit = QuantumCircuit(1)
    for gate, angle in angles.items():
        getattr(circuit, gate)(angle, 0)
    return Built(circuit, X[:2], W[:1])


@pytest.mark.parametrize(
    ("angles", "expected"),
    [
        ({"ry": X[0]}, [True, False, False]),
        ({"rz": X[0]}, [False, False, False]),
        ({"rz": X[0], "ry": X[1], "p": W[0]}, [False, True, True]),
        ({"ry": X[0].sign() * np.pi / 2 + W[0]}, [True, False, True]),
        ({"ry": X[0] * X[1]}, [True, True, False]),
    ],
)
def test_which_parameters_the_state_depends_on(angles, expected):
    assert matters(on_one_qubit(**angles)).tolist() == expected


def test_no_parameters():
    assert matters(Built(QuantumCircuit(1), (), ())).tolist() == []


def test_after_any_state_a_phase_gate_matters_and_a_global_phase_does_not():
    built = on_one_qubit(rz=X[0])
    built.circuit.append(QuantumCircuit(1, global_phase=W[0]).to_gate(), [0])
    assert matters(after_any_state(built)).tolist() == [True, False, False]


@pytest.mark.parametrize("n_qubits", [1, 2, 6])
def test_any_state_is_no_eigenstate_of_a_pauli(n_qubits):
    state = Statevector(any_state(n_qubits))
    for qubit, pauli in product(range(n_qubits), "XYZ"):
        assert abs(state.expectation_value(Pauli(pauli), [qubit])) < 0.99


def test_values_are_in_general_position_and_the_same_each_time():
    built = on_one_qubit(ry=X[0])
    assert np.array_equal(built.values(5), built.values(5))
    assert np.abs(built.values(100)).max() < np.pi
    assert len(np.unique(built.values(5))) == 15


def test_states_are_those_of_qiskit():
    built = on_one_qubit(ry=X[0], rz=X[1] * W[0])
    (values,) = built.values()
    assert overlap(built.states(values[None])[0], as_qiskit_has_it(built.bound(values))) == pytest.approx(1, abs=1e-12)


def test_amplitudes_as_qiskit_has_them():
    built = Built(encodings["amplitude"].build(list(X), 2), X, ())
    state = as_qiskit_has_it(built.bound(np.array([3.0, 0.0, -4.0])))
    np.testing.assert_allclose(state, [0.6, 0, -0.8, 0], rtol=0, atol=1e-12)


def test_derivatives_of_one_rotation():
    """<X> = sin x, <Y> = 0, <Z> = cos x after RY(x)."""
    built = on_one_qubit(ry=X[0])
    x = built.values()[0, 0]
    for found in derivatives(built):
        np.testing.assert_allclose(found[:, 0], [np.cos(x), 0, -np.sin(x)], rtol=0, atol=1e-10)
        assert not found[:, 1:].any()


def test_derivatives_are_in_units_of_the_angle_that_changes_most():
    x, factor = on_one_qubit(ry=X[0]).values()[0, 0], 3.0**4
    for found in derivatives(on_one_qubit(ry=factor * X[0])):
        np.testing.assert_allclose(found[:, 0], [np.cos(factor * x), 0, -np.sin(factor * x)], rtol=0, atol=1e-10)


def test_functions_and_products_are_read_back():
    built = on_one_qubit(ry=X[0].sign() + X[1].arctan(), rz=X[0] * W[0] - 1)
    (values,) = built.values()
    again = read_back(built.circuit, dict(zip(built.parameters, values.tolist(), strict=True)))
    assert not again.parameters
    assert overlap(as_qiskit_has_it(again), as_qiskit_has_it(built.bound(values))) == pytest.approx(1, abs=1e-12)


def test_amplitudes_are_read_back_by_the_comment():
    circuit = encodings["amplitude"].build(list(X), 2)
    circuit.ry(W[0], 1)
    built = Built(circuit, X, W[:1])
    (values,) = built.values()
    again = read_back(circuit, dict(zip(built.parameters, values.tolist(), strict=True)))
    assert overlap(as_qiskit_has_it(again), as_qiskit_has_it(built.bound(values))) == pytest.approx(1, abs=1e-12)


def test_a_parameter_that_is_forgotten_is_a_mistake():
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("forgotten"), 0)
    with pytest.raises(CircuitError, match="neither inputs nor weights: forgotten"):
        Built(circuit, X, ()).program  # noqa: B018
