"""Pauli strings on states, against their matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli

from qnas.simulation.paulis import PauliAction, PauliString, Signs
from tests.circuit.strategies import quick

stored = pytest.mark.parametrize("stored", [True, False])


@stored
@quick
@given(symbols=st.lists(st.sampled_from("IXYZ"), min_size=1, max_size=4))
def test_the_action_is_the_matrix(symbols, stored):
    n_qubits = len(symbols)
    touched = [(symbol, qubit) for qubit, symbol in enumerate(symbols) if symbol != "I"][::-1]
    string = PauliString.of("".join(s for s, _ in touched), [q for _, q in touched])
    action = PauliAction(string, n_qubits, stored=stored)
    columns = action(np.eye(2**n_qubits, dtype=np.complex128))
    np.testing.assert_array_equal(columns.T, Pauli("".join(symbols)[::-1]).to_matrix())


@stored
def test_signs_project_and_combine_as_their_matrix_does(stored):
    rng = np.random.default_rng(0)
    masks, weights = [0b000, 0b101, 0b010], rng.normal(size=(3, 2)) + 1j * rng.normal(size=(3, 2))
    signs = [[(-1) ** (i & mask).bit_count() for mask in masks] for i in range(8)]
    matrix = np.array(signs) @ weights
    found = Signs(masks, weights, 3, stored=stored)
    values, coefficients = rng.normal(size=(5, 8)), rng.normal(size=(5, 2))
    np.testing.assert_allclose(found.project(values), values @ matrix, rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.combine(coefficients), coefficients @ matrix.T, rtol=0, atol=1e-13)
