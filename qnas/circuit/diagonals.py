"""Operators that are diagonal in the basis states, as sums of Z strings."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from qiskit.quantum_info import PauliList, SparsePauliOp


def z_string(qubits: tuple[int, ...], n_qubits: int) -> SparsePauliOp:
    """The product of Z on the given qubits."""
    return SparsePauliOp.from_sparse_list([("Z" * len(qubits), list(qubits), 1.0)], num_qubits=n_qubits)


def diagonal_operator(diagonal: Float[np.ndarray, " dim"]) -> SparsePauliOp:
    """The operator sum_i diagonal[i] |i><i| with real entries, one for each of 2^n basis states, in their order.

    The coefficient of the Z string on the qubits of a mask m is 2^-n sum_i (-1)^popcount(i & m) diagonal[i], a fast
    Walsh-Hadamard transform; strings without weight are left out.
    """
    n_qubits = len(diagonal).bit_length() - 1
    coefficients = diagonal
    for qubit in range(n_qubits):
        halves = coefficients.reshape(-1, 2, 2**qubit)
        coefficients = np.stack([halves[:, 0] + halves[:, 1], halves[:, 0] - halves[:, 1]], axis=1).ravel()
    masks = np.flatnonzero(coefficients)
    z = (masks[:, None] >> np.arange(n_qubits) & 1).astype(bool)
    return SparsePauliOp(PauliList.from_symplectic(z, np.zeros_like(z)), coefficients[masks] / len(diagonal))
