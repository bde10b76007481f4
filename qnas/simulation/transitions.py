"""Im <lambda| P |psi> of the Paulis X, Y, Z of every qubit, several qubits from one matrix product.

The register is cut into windows of a few neighbouring qubits; the transition matrix <lambda_a|psi_b> of a window is one
matrix product over everything else, and what is asked of its qubits is linear in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Complex, Float, Int

from qnas.simulation.cells import PAULIS
from qnas.simulation.contract import States

_LARGEST_WINDOW = 4


@dataclass(frozen=True, eq=False)
class Window:
    """Neighbouring qubits `start`, ..., `start + size - 1`.

    Attributes:
        weights: real and imaginary parts of a transition matrix @ weights = Im tr of it with each Pauli, by qubit.
        flips: all basis states with no bit flipped, then with each bit flipped: all pairs that Paulis connect.
        flip_weights: `weights` for these pairs alone.
        bits: by qubit and basis state, where the qubit's amplitude stands among the columns of the register.
    """

    start: int
    size: int
    weights: Float[np.ndarray, "parts qubits_times_3"]
    flips: Int[np.ndarray, " pairs"]
    flip_weights: Float[np.ndarray, "pair_parts qubits_times_3"]
    bits: Int[np.ndarray, "qubits k"]

    def vectors(self, psi: States, bra: States, *, keep_batch: bool) -> Float[np.ndarray, "b qubits 3"]:
        """Im <lambda| (X, Y, Z) |psi> for each qubit of the window, per sample or summed over the batch (then b = 1).

        Args:
            psi: states.
            bra: the complex conjugates of lambda.
            keep_batch: whether samples are kept apart.
        """
        dim, batch = 2**self.size, psi.shape[0]
        if keep_batch and psi.shape[1] == dim:
            return self.of_product(psi, bra)
        if self.start == 0:
            shape = (batch, -1, dim) if keep_batch else (-1, dim)
            matrix = bra.reshape(shape).swapaxes(-2, -1) @ psi.reshape(shape)
        else:
            inner = (-1, dim, 2**self.start)
            parts = bra.reshape(inner) @ psi.reshape(inner).swapaxes(1, 2)
            matrix = parts.reshape(batch if keep_batch else 1, -1, dim, dim).sum(axis=1)
        parts = matrix.reshape(-1, dim * dim).view(np.float64)
        return (parts @ self.weights).reshape(-1, self.size, 3)

    def of_product(
        self, psi: Complex[np.ndarray, "batch k"], bra: Complex[np.ndarray, "batch k"]
    ) -> Float[np.ndarray, "batch qubits 3"]:
        """The same, per sample, where psi and lambda live on the window alone."""
        batch = len(psi)
        pairs = psi.take(self.flips, axis=1).reshape(batch, -1, psi.shape[1])
        pairs *= bra[:, None]
        return (pairs.reshape(batch, -1).view(np.float64) @ self.flip_weights).reshape(batch, -1, 3)

    def product(self, columns: Complex[np.ndarray, "batch qubits 2"]) -> Complex[np.ndarray, "batch k"]:
        """The product of the window's one-qubit states."""
        factors = columns.reshape(len(columns), -1).take(self.bits, axis=1)
        return np.multiply.reduce(factors, axis=1)


def windows(n_qubits: int) -> list[Window]:
    """Windows of nearly equal size that cover the register."""
    count = -(-n_qubits // _LARGEST_WINDOW)
    edges = [round(k * n_qubits / count) for k in range(count + 1)]
    return [_window(low, high - low) for low, high in pairwise(edges)]


def _window(start: int, size: int) -> Window:
    basis, qubits = np.arange(2**size), np.arange(size)
    flips = np.stack([basis, *(basis ^ (1 << qubit) for qubit in range(size))])
    weights = _weights(size)
    # pair (a, b) is entry (a, b) of the transition matrix; those of the diagonal are the same for all qubits
    pairs = weights.reshape(len(basis), len(basis), 2, -1)[basis, flips]
    bits = 2 * (start + qubits)[:, None] + ((basis >> qubits[:, None]) & 1)
    return Window(start, size, weights, flips.ravel(), pairs.reshape(-1, 3 * size), bits)


def _weights(size: int) -> Float[np.ndarray, "parts qubits_times_3"]:
    """Im(P K) = Re P Im K + Im P Re K, entry by entry."""
    columns = []
    for qubit in range(size):
        for name in "XYZ":
            matrix = np.kron(np.kron(np.eye(2 ** (size - 1 - qubit)), PAULIS[name]), np.eye(2**qubit))
            columns.append(np.stack([matrix.imag, matrix.real], axis=-1).ravel())
    return np.stack(columns, axis=1)
