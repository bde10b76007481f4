"""Pauli strings on state vectors: (P psi)[i] = factor * (-1)^popcount(i & z) * psi[i ^ x], with bit masks x and z.

Signs and indices are kept as arrays where these are small, and made when they are needed where they are not, so that
wide circuits cost time instead of memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int, Num

STORED_ENTRIES = 2**20
"""Larger arrays of signs or indices are not kept."""


@dataclass(frozen=True)
class PauliString:
    """A Pauli string as bit masks; Y = i X Z contributes to both and to the factor."""

    x: int
    z: int
    factor: complex

    @classmethod
    def of(cls, pauli: str, qubits: Sequence[int]) -> PauliString:
        """The string with `pauli[k]` on `qubits[k]`."""
        masks = {"X": 0, "Y": 0, "Z": 0}
        for symbol, qubit in zip(pauli, qubits, strict=True):
            masks[symbol] |= 1 << qubit
        return cls(masks["X"] | masks["Y"], masks["Z"] | masks["Y"], (-1j) ** masks["Y"].bit_count())


def signs(mask: int, n_qubits: int) -> Float[np.ndarray, " dim"]:
    """(-1)^popcount(i & mask) for every basis state i."""
    odd = np.bitwise_count(np.arange(2**n_qubits, dtype=np.uint64) & np.uint64(mask)) & 1
    return 1.0 - 2.0 * odd


def flipped(mask: int, n_qubits: int) -> Int[np.ndarray, " dim"]:
    """i ^ mask for every basis state i."""
    return np.arange(2**n_qubits) ^ mask


class Flip:
    """psi[i ^ mask] of states."""

    def __init__(self, mask: int, n_qubits: int, *, stored: bool) -> None:
        self.mask, self._n_qubits = mask, n_qubits
        self._index = flipped(mask, n_qubits) if stored and mask else None

    def __call__(self, states: Complex[np.ndarray, "*batch dim"]) -> Complex[np.ndarray, "*batch dim"]:
        """A copy of the states, or the states themselves if nothing is flipped."""
        if not self.mask:
            return states
        return states[..., flipped(self.mask, self._n_qubits) if self._index is None else self._index]


class Signs:
    """The matrix M[i, k] = sum_t weights[t, k] (-1)^popcount(i & masks[t]), one row per basis state.

    Args:
        masks: one bit mask per term.
        weights: of each term in each column.
        n_qubits: there are 2^n_qubits rows.
        stored: keep `matrix`, or make each term's signs when they are needed.
    """

    def __init__(
        self, masks: Sequence[int], weights: Num[np.ndarray, "terms columns"], n_qubits: int, *, stored: bool
    ) -> None:
        self._masks, self._weights, self._n_qubits = masks, weights, n_qubits
        rows = (signs(mask, n_qubits) for mask in masks)
        self.matrix = np.stack(list(rows), axis=1) @ weights if stored else None

    def project(self, values: Num[np.ndarray, "batch dim"]) -> Num[np.ndarray, "batch columns"]:
        """values @ M"""
        if self.matrix is not None:
            return values @ self.matrix
        by_term = [values @ signs(mask, self._n_qubits) for mask in self._masks]
        return np.stack(by_term, axis=1) @ self._weights

    def combine(self, coefficients: Num[np.ndarray, "batch columns"]) -> Num[np.ndarray, "batch dim"]:
        """coefficients @ M.T"""
        if self.matrix is not None:
            return coefficients @ self.matrix.T
        by_term = coefficients @ self._weights.T
        total = np.zeros((len(coefficients), 2**self._n_qubits), dtype=by_term.dtype)
        for k, mask in enumerate(self._masks):
            total += by_term[:, k, None] * signs(mask, self._n_qubits)
        return total


class PauliAction:
    """P psi for one Pauli string."""

    def __init__(self, string: PauliString, n_qubits: int, *, stored: bool) -> None:
        self._flip = Flip(string.x, n_qubits, stored=stored)
        self._phases = Signs([string.z], np.array([[string.factor]]), n_qubits, stored=stored)

    def __call__(self, states: Complex[np.ndarray, "*batch dim"]) -> Complex[np.ndarray, "*batch dim"]:
        """The states with the string applied, newly made."""
        return self._flip(states) * self._phases.combine(_ONE)[0]


_ONE = np.ones((1, 1))
