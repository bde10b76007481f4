"""Pauli vectors of every qubit against partial traces written out."""

import numpy as np
import pytest

from qnas.simulation.cells import PAULIS
from qnas.simulation.transitions import windows


def random_states(n_qubits, n_samples, seed):
    rng = np.random.default_rng(seed)
    shape = (n_samples, 2**n_qubits)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def vector(psi, lam, qubit):
    """Im <lambda| (X, Y, Z) |psi> on one qubit, the others summed over."""
    by_qubit = [state.reshape(-1, 2, 2**qubit) for state in (lam.conj(), psi)]
    return [np.einsum("aib,ij,ajb->", by_qubit[0], PAULIS[name], by_qubit[1]).imag for name in "XYZ"]


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4, 5, 7, 9])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_vectors_of_every_qubit(n_qubits, n_samples):
    psi, lam = random_states(n_qubits, n_samples, 1), random_states(n_qubits, n_samples, 2)
    for window in windows(n_qubits):
        found = window.vectors(psi, lam.conj(), keep_batch=True)
        total = window.vectors(psi, lam.conj(), keep_batch=False)
        assert found.shape == (n_samples, window.size, 3)
        assert total.shape == (1, window.size, 3)
        for k in range(window.size):
            expected = [vector(*pair, window.start + k) for pair in zip(psi, lam, strict=True)]
            np.testing.assert_allclose(found[:, k], expected, rtol=0, atol=1e-11)
            np.testing.assert_allclose(total[0, k], np.sum(expected, axis=0), rtol=0, atol=1e-11)


@pytest.mark.parametrize("n_qubits", range(1, 14))
def test_windows_cover_the_register(n_qubits):
    covered = [window.start + k for window in windows(n_qubits) for k in range(window.size)]
    assert covered == list(range(n_qubits))
