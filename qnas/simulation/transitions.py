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
    entries: Int[np.ndarray, "qubits 2 2 rest"]

    def transitions(self, states: States, cotangents: States, *, keep_batch: bool) -> Complex[np.ndarray, "b q 2 2"]:
        """<lambda_i|psi_j> for each qubit of the window, per sample or summed over them (then b = 1)."""
        dim = 2**self.size
        shape = (states.shape[0], -1, dim, 2**self.start)
        psi, lam = states.reshape(shape), cotangents.reshape(shape).conj()
        if keep_batch:
            matrix = np.matmul(lam, psi.swapaxes(2, 3)).sum(axis=1) if self.start else _matmul_low(lam, psi)
        else:
            matrix = np.tensordot(lam, psi, axes=([0, 1, 3], [0, 1, 3]))[None]
        return matrix.reshape(-1, dim * dim)[:, self.entries].sum(axis=-1)


def _matmul_low(
    lam: Complex[np.ndarray, "batch high dim 1"], psi: Complex[np.ndarray, "batch high dim 1"]
) -> Complex[np.ndarray, "batch dim dim"]:
    return np.matmul(lam[..., 0].swapaxes(1, 2), psi[..., 0])


def windows(n_qubits: int) -> list[Window]:
    """Windows of nearly equal size that cover the register."""
    count = -(-n_qubits // _LARGEST_WINDOW)
    edges = [round(k * n_qubits / count) for k in range(count + 1)]
    return [Window(low, high - low, _entries(high - low)) for low, high in pairwise(edges)]


def _entries(size: int) -> Int[np.ndarray, "qubits 2 2 rest"]:
    """Flat positions (row * 2^size + column) that sum to entry (i, j) of each qubit's partial trace."""
    dim = 2**size
    basis = np.arange(dim)
    found = np.zeros((size, 2, 2, dim // 2), dtype=np.int64)
    for qubit in range(size):
        rest = basis[(basis >> qubit) & 1 == 0]
        for i in range(2):
            for j in range(2):
                found[qubit, i, j] = (rest | i << qubit) * dim + (rest | j << qubit)
    return found
