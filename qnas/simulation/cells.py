"""The one-qubit matrices of a circuit, all at once.

A cell is the product of all gates on one qubit between two entangling steps. Cells whose angles all samples share
exist once, those that vary exist once per sample; each existence is a row. Each gate of a row is written as
cos(phi/2) A + sin(phi/2) B, with A the identity and B = -iP for a rotation, and phi = 0 for a fixed matrix A, so that
every matrix of the circuit, and every derivative, comes from a few array operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int

from qnas.circuit.program import Fixed, Rotation

PAULIS: dict[str, Complex[np.ndarray, "2 2"]] = {
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}
NO_SLOT = -1


@dataclass(frozen=True, eq=False)
class Cells:
    """Some cells, each a list of gates in the order of application, padded to one depth.

    Attributes:
        slots: the slot of each gate, -1 for fixed gates and padding.
        even, pauli: A and P of each gate.
    """

    slots: Int[np.ndarray, "cells depth"]
    even: Complex[np.ndarray, "cells depth 2 2"]
    pauli: Complex[np.ndarray, "cells depth 2 2"]

    @classmethod
    def of(cls, cells: Sequence[Sequence[Rotation | Fixed]], depth: int) -> Cells:
        """The cells of these gates, at most `depth` each."""
        slots = np.full((len(cells), depth), NO_SLOT)
        even = np.tile(np.eye(2, dtype=np.complex128), (len(cells), depth, 1, 1))
        pauli = np.zeros((len(cells), depth, 2, 2), dtype=np.complex128)
        for c, cell in enumerate(cells):
            for k, gate in enumerate(cell):
                if isinstance(gate, Rotation):
                    slots[c, k], pauli[c, k] = gate.slot, PAULIS[gate.pauli]
                else:
                    even[c, k] = gate.matrix
        return cls(slots, even, pauli)

    def __len__(self) -> int:
        return int(self.slots.shape[0])


class Rows:
    """All existences of the cells of a circuit at one batch size: shared ones first, then each varying cell's samples.

    Args:
        shared, varying: the cells; of one depth.
        batch: how often a varying cell exists.
        places: where in the flat vector of angles each slot lies: shape (n_slots,) for sample 0; varying slots are
            `stride` further for each sample; -1 is its last entry, which is 0.
        stride: how far apart samples lie in the flat vector; zero for shared slots.
    """

    def __init__(
        self,
        shared: Cells,
        varying: Cells,
        batch: int,
        places: Int[np.ndarray, " slots_and_zero"],
        stride: Int[np.ndarray, " slots_and_zero"],
    ) -> None:
        samples = np.arange(batch)[:, None]
        own = places[varying.slots][:, None] + stride[varying.slots][:, None] * samples
        depth = shared.slots.shape[1]
        self._index = np.concatenate([places[shared.slots], own.reshape(-1, depth)]).T.copy()
        self._flat_index = self._index.ravel()
        self._even = _matrices_first(shared.even, varying.even, batch)
        self._pauli = _matrices_first(shared.pauli, varying.pauli, batch)
        self._odd = -1j * self._pauli
        self.n_shared, self.n_varying, self.batch = len(shared), len(varying), batch

    def matrices(
        self, angles: Float[np.ndarray, " flat"]
    ) -> tuple[Complex[np.ndarray, "rows 2 2"], Complex[np.ndarray, "2 2 depth rows"]]:
        """The matrix of each row, and the product of the gates after each of its gates."""
        half = (0.5 * angles)[self._index]
        gates = np.cos(half) * self._even
        gates += np.sin(half) * self._odd
        depth = gates.shape[2]
        after = np.empty_like(gates)
        after[:, :, depth - 1] = _IDENTITY
        product = gates[:, :, depth - 1]
        for k in reversed(range(depth - 1)):
            after[:, :, k] = product
            product = _product(product, gates[:, :, k])
        return np.ascontiguousarray(product.transpose(2, 0, 1)), after

    def derivatives(
        self,
        after: Complex[np.ndarray, "2 2 depth rows"],
        transitions: Complex[np.ndarray, "rows 2 2"],
        length: int,
    ) -> Float[np.ndarray, " flat"]:
        """Im <lambda| P' |psi> of each gate, P' its Pauli seen from behind the row, added up by angle.

        Args:
            after: of the same angles.
            transitions: C[i, j] = <lambda_i|psi_j> of each row's qubit, everything else summed over.
            length: of the flat vector of angles.
        """
        seen = _product(_product(after, self._pauli), after.conj().swapaxes(0, 1))
        seen *= transitions.transpose(1, 2, 0)[:, :, None]
        found = np.bincount(self._flat_index, seen.sum(axis=(0, 1)).imag.ravel(), minlength=length)
        return found.astype(np.float64, copy=False)  # numpy counts nothing in integers


_IDENTITY = np.eye(2, dtype=np.complex128)[:, :, None]


def _matrices_first(
    shared: Complex[np.ndarray, "shared depth 2 2"], varying: Complex[np.ndarray, "varying depth 2 2"], batch: int
) -> Complex[np.ndarray, "2 2 depth rows"]:
    """The rows' matrices with the long axis last, where numpy is quick."""
    rows = np.concatenate([shared, np.repeat(varying, batch, axis=0)])
    return np.ascontiguousarray(rows.transpose(2, 3, 1, 0))


def _product(
    left: Complex[np.ndarray, "2 2 *batch"], right: Complex[np.ndarray, "2 2 *batch"]
) -> Complex[np.ndarray, "2 2 *batch"]:
    """Many products of 2x2 matrices; numpy's matmul and einsum take several times longer on these."""
    found = left[:, :1] * right[:1]
    found += left[:, 1:] * right[1:]
    return found
