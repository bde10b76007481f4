"""Product states and their Pauli vectors, against the same states taken as any others."""

from functools import reduce

import numpy as np
import pytest

from qnas.simulation.product import ProductState
from qnas.simulation.transitions import windows


@pytest.mark.parametrize("n_qubits", [1, 2, 4, 5, 7, 9])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_amplitudes_and_vectors(n_qubits, n_samples):
    rng = np.random.default_rng(n_qubits)
    columns, bra = (
        rng.normal(size=shape) + 1j * rng.normal(size=shape)
        for shape in ((n_samples, n_qubits, 2), (n_samples, 2**n_qubits))
    )
    cover = windows(n_qubits)
    state = ProductState(columns, cover)
    expected = [reduce(np.kron, reversed(sample)) for sample in columns]
    np.testing.assert_allclose(state.amplitudes, expected, rtol=0, atol=1e-11)
    for window, found in zip(cover, state.vectors(bra), strict=True):
        general = window.vectors(np.array(expected), bra, keep_batch=True)
        np.testing.assert_allclose(found, general, rtol=1e-11, atol=1e-11)
