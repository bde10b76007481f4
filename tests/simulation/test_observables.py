"""Observables as bit flips and diagonals, against their matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.simulation import observables as room
from qnas.simulation.observables import Observables
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


@pytest.mark.parametrize("choose", [list, only_diagonal])
def test_signs_that_are_made_when_needed_are_those_that_are_kept(monkeypatch, choose):
    operators, states = choose(observables(4, 0)), random_states(4, 3, 0)
    cotangent = np.random.default_rng(0).normal(size=(3, len(operators)))
    kept = Observables(operators, 4)
    monkeypatch.setattr(room, "STORED_ENTRIES", 0)
    made = Observables(operators, 4)
    np.testing.assert_allclose(made.expectations(states), kept.expectations(states), rtol=0, atol=1e-14)
    np.testing.assert_allclose(made.apply(states, cotangent), kept.apply(states, cotangent), rtol=0, atol=1e-14)


@quick
@given(widths, seeds)
def test_diagonal_observables_before_a_permutation_with_phases(n_qubits, seed):
    """<U psi|O|U psi> = <psi|U^dagger O U|psi>."""
    before = random_states(n_qubits, 3, seed)
    rng = np.random.default_rng(seed)
    index, phases = rng.permutation(2**n_qubits), np.exp(1j * rng.uniform(-3, 3, 2**n_qubits))
    made = Observables([SparsePauliOp("Z" * n_qubits), SparsePauliOp("I" * n_qubits, 0.5)], n_qubits)
    for where in (index, None):
        after = (before if where is None else before[:, where]) * phases
        pulled = made.before(where)
        np.testing.assert_allclose(pulled.expectations(before), made.expectations(after), rtol=0, atol=1e-13)
        cotangent = rng.normal(size=(3, 2))
        expected = np.empty_like(before)
        applied = made.apply(after, cotangent) / phases
        expected[:, slice(None) if where is None else where] = applied
        np.testing.assert_allclose(pulled.apply(before, cotangent), expected, rtol=0, atol=1e-13)


def test_observables_that_are_not_diagonal_stay_behind_a_permutation():
    assert Observables([SparsePauliOp("X")], 1).before(np.array([1, 0])) is None


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
        (
            [SparsePauliOp("ZZ", complex(np.nan, np.nan))],
            "observable 0 has coefficients [nan+nanj], which are not finite numbers.",
        ),
        (
            [SparsePauliOp("ZZ", np.array([Parameter("a")]))],
            "observable 0 has coefficients with parameters; bind them with its assign_parameters.",
        ),
    ],
)
def test_observables_that_cannot_be_read(operators, text):
    with pytest.raises(CircuitError) as caught:
        Observables(operators, 2)
    assert str(caught.value) == text
