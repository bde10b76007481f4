"""One-qubit transition matrices against partial traces written out."""

import numpy as np
import pytest

from qnas.simulation.transitions import windows


def random_states(n_qubits, n_samples, seed):
    rng = np.random.default_rng(seed)
    shape = (n_samples, 2**n_qubits)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def transition(psi, lam, qubit):
    """<lambda_i|psi_j> of one qubit, the others summed over."""
    by_qubit = [vector.reshape(-1, 2, 2**qubit) for vector in (lam.conj(), psi)]
    return np.einsum("aib,ajb->ij", *by_qubit)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4, 5, 7, 9])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_transitions_of_every_qubit(n_qubits, n_samples):
    psi, lam = random_states(n_qubits, n_samples, 1), random_states(n_qubits, n_samples, 2)
    for window in windows(n_qubits):
        found = window.transitions(psi, lam.conj(), keep_batch=True)
        total = window.transitions(psi, lam.conj(), keep_batch=False)
        assert found.shape == (n_samples, window.size, 2, 2)
        assert total.shape == (1, window.size, 2, 2)
        for k in range(window.size):
            expected = [transition(*pair, window.start + k) for pair in zip(psi, lam, strict=True)]
            np.testing.assert_allclose(found[:, k], expected, rtol=0, atol=1e-11)
            np.testing.assert_allclose(total[0, k], np.sum(expected, axis=0), rtol=0, atol=1e-11)


@pytest.mark.parametrize("n_qubits", range(1, 14))
def test_windows_cover_the_register(n_qubits):
    covered = [window.start + k for window in windows(n_qubits) for k in range(window.size)]
    assert covered == list(range(n_qubits))
