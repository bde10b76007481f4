"""Orthogonal circuits: the gate in closed form, the Hamming weight, and the matrix on states of weight 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qnas.circuit.ansatze import orthogonal
from qnas.circuit.ansatze.orthogonal import LAYOUTS, beam_splitter
from qnas.errors import DesignError
from qnas.objectives import lie_algebra_dim
from tests.circuit.reference import state, unitary
from tests.circuit.strategies import few, seeds


def bound(circuit, seed=0):
    return circuit.assign_parameters(np.random.default_rng(seed).uniform(0, 2 * np.pi, circuit.num_parameters))


def plane_rotations(n_qubits, pairs, weights):
    """What the circuit does to states of Hamming weight 1, as a product of plane rotations."""
    matrix = np.eye(n_qubits)
    for (i, j), weight in zip(pairs, weights, strict=True):
        step = np.eye(n_qubits)
        step[np.ix_([i, j], [i, j])] = [[np.cos(weight), -np.sin(weight)], [np.sin(weight), np.cos(weight)]]
        matrix = step @ matrix
    return matrix


@few
@given(st.floats(-7, 7))
def test_the_gate_in_closed_form(weight):
    """Rows and columns 00, 10, 01, 11, the first qubit left."""
    circuit = QuantumCircuit(2)
    beam_splitter(circuit, 0, 1, w := Parameter("w"))
    c, s = np.cos(weight), np.sin(weight)
    expected = [[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1]]
    assert unitary(circuit.assign_parameters({w: weight})) == pytest.approx(np.array(expected), abs=1e-12)


def test_the_layouts():
    assert LAYOUTS["pyramid"](4) == [(0, 1), (1, 2), (2, 3), (0, 1), (1, 2), (0, 1)]
    assert LAYOUTS["brick"](5) == [(0, 1), (2, 3), (1, 2), (3, 4)]
    assert LAYOUTS["butterfly"](4) == [(0, 2), (1, 3), (0, 1), (2, 3)]
    assert LAYOUTS["butterfly"](5) == [(0, 4), (0, 2), (1, 3), (0, 1), (2, 3)]


@pytest.mark.parametrize("n_qubits", [2, 3, 6, 8])
def test_a_pyramid_has_a_gate_for_every_dimension_of_the_orthogonal_group(n_qubits):
    circuit = orthogonal(n_qubits)
    assert circuit.num_parameters == n_qubits * (n_qubits - 1) // 2
    assert bound(circuit).depth(lambda step: len(step.qubits) == 2) == 2 * (2 * n_qubits - 3)


layouts = st.sampled_from(sorted(LAYOUTS))


@few
@given(layouts, st.integers(2, 5), st.integers(1, 2), st.data())
def test_the_hamming_weight_stays(layout, n_qubits, n_layers, data):
    hamming_weight = data.draw(st.integers(1, n_qubits - 1))
    circuit = bound(orthogonal(n_qubits, layout, n_layers, hamming_weight), data.draw(seeds))
    weights = np.array([index.bit_count() for index in range(2**n_qubits)])
    probabilities = np.abs(state(circuit)) ** 2
    assert probabilities[weights == hamming_weight].sum() == pytest.approx(1, abs=1e-12)
    gates = QuantumCircuit(n_qubits)
    for step in circuit.data:
        if step.operation.name != "x":
            gates.append(step)
    mixes = np.abs(unitary(gates)) > 1e-12
    assert not mixes[weights[:, None] != weights[None, :]].any()


@few
@given(layouts, st.integers(2, 5), seeds)
def test_on_hamming_weight_1_it_is_a_product_of_plane_rotations(layout, n_qubits, seed):
    circuit = orthogonal(n_qubits, layout)
    weights = np.random.default_rng(seed).uniform(0, 2 * np.pi, circuit.num_parameters)
    unary = [2**qubit for qubit in range(n_qubits)]
    found = state(circuit.assign_parameters(weights))[unary]
    expected = plane_rotations(n_qubits, LAYOUTS[layout](n_qubits), weights)
    assert expected @ expected.T == pytest.approx(np.eye(n_qubits), abs=1e-12)
    assert found == pytest.approx(expected[:, 0], abs=1e-12)


@pytest.mark.parametrize("layout", ["pyramid", "brick"])
@pytest.mark.parametrize("n_qubits", [2, 3, 4, 5])
def test_on_neighbours_the_algebra_is_that_of_rotations(layout, n_qubits):
    """so(n), of dimension n (n - 1)/2."""
    assert lie_algebra_dim(orthogonal(n_qubits, layout)) == n_qubits * (n_qubits - 1) // 2


@pytest.mark.parametrize(
    ("n_qubits", "hamming_weight", "flipped"), [(4, 1, [0]), (4, 2, [0, 2]), (5, 2, [0, 2]), (5, 4, [0, 1, 2, 3])]
)
def test_which_qubits_are_flipped(n_qubits, hamming_weight, flipped):
    circuit = orthogonal(n_qubits, hamming_weight=hamming_weight)
    assert [circuit.find_bit(step.qubits[0]).index for step in circuit.data if step.operation.name == "x"] == flipped


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            dict(layout="pyramids"),
            "unknown layout of the ansatz 'orthogonal', 'pyramids': did you mean 'pyramid'? Allowed: pyramid, brick, "
            "butterfly.",
        ),
        (dict(n_qubits=1), "the ansatz 'orthogonal' needs at least 2 qubits, but n_qubits is 1."),
        (dict(hamming_weight=3), "hamming_weight is 3; it must be from 1 to 2."),
        (dict(hamming_weight=0), "hamming_weight is 0; it must be from 1 to 2."),
        (dict(n_layers=0), "n_layers is 0; it must be at least 1."),
    ],
)
def test_circuits_that_cannot_be(options, text):
    with pytest.raises(DesignError) as refusal:
        orthogonal(**{"n_qubits": 3, **options})
    assert str(refusal.value) == text
