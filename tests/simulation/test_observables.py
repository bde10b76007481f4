"""Observables as bit flips and diagonals, against their matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp

from qnas.errors import CircuitError
from qnas.simulation.observables import Observables, pauli_action
from tests.circuit.strategies import observables, quick, seeds

widths = st.integers(1, 4)


def random_states(n_qubits, n, seed):
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(n, 2**n_qubits)) + 1j * rng.normal(size=(n, 2**n_qubits))
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def only_diagonal(operators):
    return operators[:1]


@quick
@given(widths, seeds, st.sampled_from([list, only_diagonal]))
def test_expectations_are_those_of_the_matrices(n_qubits, seed, choose):
    operators = choose(observables(n_qubits, seed))
    states = random_states(n_qubits, 3, seed)
    expected = [[np.vdot(s, operator.to_matrix() @ s).real for operator in operators] for s in states]
    found = Observables(operators, n_qubits).expectations(states)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@quick
@given(widths, seeds, st.sampled_from([list, only_diagonal]))
def test_apply_is_the_weighted_sum_of_the_matrices(n_qubits, seed, choose):
    operators = choose(observables(n_qubits, seed))
    states = random_states(n_qubits, 3, seed)
    cotangent = np.random.default_rng(seed).normal(size=(3, len(operators)))
    found = Observables(operators, n_qubits).apply(states, cotangent)
    expected = [
        sum(g * operator.to_matrix() @ s for g, operator in zip(row, operators, strict=True))
        for row, s in zip(cotangent, states, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@quick
@given(widths, seeds, st.sampled_from([list, only_diagonal]))
def test_observables_before_a_permutation_with_phases(n_qubits, seed, choose):
    """<U psi|O|U psi> = <psi|U^dagger O U|psi>."""
    before = random_states(n_qubits, 3, seed)
    rng = np.random.default_rng(seed)
    index, phases = rng.permutation(2**n_qubits), np.exp(1j * rng.uniform(-3, 3, 2**n_qubits))
    made = Observables(choose(observables(n_qubits, seed)), n_qubits)
    for where, factor in ((index, phases), (index, None), (None, phases)):
        after = before[:, slice(None) if where is None else where] * (1 if factor is None else factor)
        found = made.before(where, factor).expectations(before)
        np.testing.assert_allclose(found, made.expectations(after), rtol=0, atol=1e-13)


@quick
@given(st.lists(st.sampled_from("IXYZ"), min_size=1, max_size=4))
def test_pauli_action_is_the_matrix(symbols):
    n_qubits = len(symbols)
    touched = [(symbol, qubit) for qubit, symbol in enumerate(symbols) if symbol != "I"][::-1]
    index, phases = pauli_action("".join(s for s, _ in touched), [q for _, q in touched], n_qubits)
    matrix = np.zeros((2**n_qubits, 2**n_qubits), dtype=complex)
    matrix[np.arange(2**n_qubits), index] = phases
    np.testing.assert_array_equal(matrix, Pauli("".join(symbols)[::-1]).to_matrix())


def test_a_string_that_occurs_twice_is_added():
    state = np.array([[1.0 + 0j, 0.0]])
    assert Observables([SparsePauliOp(["Z", "Z", "I"], [0.5, 0.25, 2.0])], 1).expectations(state) == [[2.75]]


@pytest.mark.parametrize(
    ("operators", "text"),
    [
        ([], "there is no observable; give at least one SparsePauliOp."),
        (
            [SparsePauliOp("ZZ"), SparsePauliOp("ZZZ")],
            "observable 1 acts on 3 qubits, but the circuit has 2.",
        ),
        ([SparsePauliOp("ZZ", 0.5j)], "observable 0 has complex coefficients [0.+0.5j]; it must be Hermitian."),
    ],
)
def test_observables_that_cannot_be_read(operators, text):
    with pytest.raises(CircuitError) as caught:
        Observables(operators, 2)
    assert str(caught.value) == text
