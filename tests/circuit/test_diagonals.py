"""Diagonal operators as sums of Z strings."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.diagonals import diagonal_operator, z_string


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 5])
def test_the_matrix_is_the_diagonal(n_qubits):
    diagonal = np.random.default_rng(n_qubits).normal(size=2**n_qubits)
    np.testing.assert_allclose(diagonal_operator(diagonal).to_matrix(), np.diag(diagonal), rtol=0, atol=1e-14)


def test_strings_without_weight_are_left_out():
    assert diagonal_operator(np.array([1.0, 0.0, 1.0, 0.0])) == SparsePauliOp(["II", "IZ"], [0.5, 0.5])
    assert diagonal_operator(np.array([1.0, -1.0, -1.0, 1.0])) == SparsePauliOp("ZZ")


def test_a_string_on_chosen_qubits():
    assert z_string((0, 3), 4) == SparsePauliOp("ZIIZ")
    assert z_string((), 2) == SparsePauliOp("II")
