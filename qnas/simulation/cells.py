"""The one-qubit matrices of a circuit, all at once.

A cell is the product of all gates on one qubit between two entangling steps. Each gate of a cell is written as
cos(phi/2) A + sin(phi/2) B, with A the identity and B = -iP for a rotation, and phi = 0 for a fixed matrix A, so that
every matrix of the circuit, and every derivative, comes from a few array operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from qnas.circuit.program import Fixed, Rotation

PAULIS: dict[str, Complex[np.ndarray, "2 2"]] = {
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}
_NOWHERE = -1


@dataclass(frozen=True, eq=False)
class CellMatrices:
    """One batch: `product` is each cell's matrix, `after[c, k]` the product of the gates after gate k."""

    product: Complex[np.ndarray, "cells batch 2 2"]
    after: Complex[np.ndarray, "cells depth batch 2 2"]


class Cells:
    """Some cells of a circuit, each a list of gates in the order of application.

    Attributes:
        slots: the slot of each gate, -1 for fixed gates and padding, shape (n_cells, depth).
    """

    def __init__(self, cells: Sequence[Sequence[Rotation | Fixed]]) -> None:
        depth = max((len(cell) for cell in cells), default=1)
        self.slots: Int[np.ndarray, "cells depth"] = np.full((len(cells), depth), _NOWHERE)
        self._even = np.zeros((len(cells), depth, 2, 2), dtype=np.complex128)
        self._even[:] = np.eye(2)
        self._pauli = np.zeros((len(cells), depth, 2, 2), dtype=np.complex128)
        for c, cell in enumerate(cells):
            for k, gate in enumerate(cell):
                self._write(c, k, gate)
        self.rotates: Bool[np.ndarray, "cells depth"] = self.slots != _NOWHERE

    def _write(self, c: int, k: int, gate: Rotation | Fixed) -> None:
        if isinstance(gate, Rotation):
            self.slots[c, k] = gate.slot
            self._pauli[c, k] = PAULIS[gate.pauli]
        else:
            self._even[c, k] = gate.matrix

    def __len__(self) -> int:
        return int(self.slots.shape[0])

    def matrices(self, angles: Float[np.ndarray, "batch slots_and_zero"]) -> CellMatrices:
        """The matrices for a batch of angles whose last column is 0 (where fixed gates look)."""
        half = 0.5 * np.moveaxis(angles[:, self.slots], 0, -1)[..., None, None]
        gates = np.cos(half) * self._even[:, :, None] + np.sin(half) * (-1j * self._pauli)[:, :, None]
        after = np.empty_like(gates)
        product = np.empty_like(gates[:, 0])
        product[:] = np.eye(2)
        for k in reversed(range(gates.shape[1])):
            after[:, k] = product
            product = np.einsum("cbij,cbjk->cbik", product, gates[:, k])
        return CellMatrices(product, after)

    def derivatives(
        self, matrices: CellMatrices, transitions: Complex[np.ndarray, "cells batch 2 2"]
    ) -> Float[np.ndarray, "cells depth batch"]:
        """Im <lambda| P' |psi> for each gate, P' its Pauli seen from behind the cell.

        Args:
            matrices: of the same angles.
            transitions: C[i, j] = <lambda_i|psi_j> of each cell's qubit, the other qubits summed over.
        """
        after = matrices.after
        seen = np.einsum("ckbij,ckjl->ckbil", after, self._pauli)
        seen = np.einsum("ckbil,ckbml->ckbim", seen, after.conj())
        return np.einsum("ckbim,cbim->ckb", seen, transitions).imag
