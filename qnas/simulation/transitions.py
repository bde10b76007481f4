"""One-qubit transition matrices <lambda_i|psi_j>, several qubits from one matrix product.

The register is cut into windows of at most four neighbouring qubits; the transition matrix of a window is one matrix
product over everything else, and those of its qubits are partial traces of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Complex, Int

from qnas.simulation.contract import States

_LARGEST_WINDOW = 4


@dataclass(frozen=True, eq=False)
class Window:
    """Neighbouring qubits `start`, ..., `start + size - 1`, and where their 2x2 blocks lie in the window's matrix."""

    start: int
    size: int
    entries: Int[np.ndarray, "rest qubits 2 2"]

    def transitions(self, psi: States, bra: States, *, keep_batch: bool) -> Complex[np.ndarray, "b q 2 2"]:
        """<lambda_i|psi_j> for each qubit of the window, per sample or summed over the batch (then b = 1).

        Args:
            psi: states.
            bra: the complex conjugates of lambda.
            keep_batch: whether samples are kept apart.
        """
        dim, batch = 2**self.size, psi.shape[0]
        if self.start == 0:
            shape = (batch, -1, dim) if keep_batch else (1, -1, dim)
            matrix = np.matmul(bra.reshape(shape).swapaxes(1, 2), psi.reshape(shape))
        else:
            inner = (-1, dim, 2**self.start)
            parts = np.matmul(bra.reshape(inner), psi.reshape(inner).swapaxes(1, 2))
            matrix = parts.reshape(batch if keep_batch else 1, -1, dim, dim).sum(axis=1)
        return matrix.reshape(-1, dim * dim).take(self.entries, axis=1).sum(axis=1)


def windows(n_qubits: int) -> list[Window]:
    """Windows of nearly equal size that cover the register."""
    count = -(-n_qubits // _LARGEST_WINDOW)
    edges = [round(k * n_qubits / count) for k in range(count + 1)]
    return [Window(low, high - low, _entries(high - low)) for low, high in pairwise(edges)]


def _entries(size: int) -> Int[np.ndarray, "rest qubits 2 2"]:
    """Flat positions (row * 2^size + column) that sum to entry (i, j) of each qubit's partial trace."""
    dim = 2**size
    basis = np.arange(dim)
    found = np.zeros((dim // 2, size, 2, 2), dtype=np.int64)
    for qubit in range(size):
        rest = basis[(basis >> qubit) & 1 == 0]
        for i in range(2):
            for j in range(2):
                found[:, qubit, i, j] = (rest | i << qubit) * dim + (rest | j << qubit)
    return found
