"""The one-qubit matrices of a circuit, all at once.

A cell is the product of all gates on one qubit between two entangling steps. A cell whose angles all samples share is
one chain of gates. A cell that varies is a product of stages: a leading gate, which differs per sample, and a tail, the
chain of shared gates up to the next such gate; so the work per sample does not grow with the tails.

Each gate is cos(phi/2) A - i sin(phi/2) P, with A the identity for a rotation, and P = 0 for a fixed matrix A.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from qnas.circuit.program import Fixed, Rotation

PAULIS: dict[str, Complex[np.ndarray, "2 2"]] = {
    "X": np.array([[0, 1], [1, 0]], dtype=np.complex128),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=np.complex128),
    "Z": np.array([[1, 0], [0, -1]], dtype=np.complex128),
}
NO_SLOT = -1
Gate = Rotation | Fixed
_IDENTITY = Fixed("id", (0,), np.eye(2, dtype=np.complex128))


@dataclass(frozen=True, eq=False)
class Gates:
    """Lists of gates side by side, padded with identities.

    Attributes:
        slots: the slot of each gate, -1 for fixed gates and padding.
        even, pauli: A and P of each gate.
    """

    slots: Int[np.ndarray, "depth lists"]
    even: Complex[np.ndarray, "depth lists 2 2"]
    pauli: Complex[np.ndarray, "depth lists 2 2"]

    @classmethod
    def of(cls, lists: Sequence[Sequence[Gate]]) -> Gates:
        """The k-th gates of all lists are row k."""
        depth = max((len(gates) for gates in lists), default=0)
        slots = np.full((depth, len(lists)), NO_SLOT)
        even = np.tile(_IDENTITY.matrix, (depth, len(lists), 1, 1))
        pauli = np.zeros((depth, len(lists), 2, 2), dtype=np.complex128)
        for c, gates in enumerate(lists):
            for k, gate in enumerate(gates):
                if isinstance(gate, Rotation):
                    slots[k, c], pauli[k, c] = gate.slot, PAULIS[gate.pauli]
                else:
                    even[k, c] = gate.matrix
        return cls(slots, even, pauli)


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells of a circuit.

    Attributes:
        chains: the shared cells, then the tails of the varying cells, stage by stage.
        leads: the leading gates of the varying cells, one row per stage.
        n_shared: the number of shared cells.
    """

    chains: Gates
    leads: Gates
    n_shared: int

    @classmethod
    def of(
        cls, shared: Sequence[Sequence[Gate]], varying: Sequence[Sequence[Gate]], varies: Bool[np.ndarray, " slots"]
    ) -> Cells:
        """Cells of these gates in the order of application; `varies` marks the slots that differ per sample."""
        staged = [_stages(cell, varies) for cell in varying]
        n_stages = max((len(stages) for stages in staged), default=0)
        idle: tuple[Gate, list[Gate]] = (_IDENTITY, [])
        padded = [stages + [idle] * (n_stages - len(stages)) for stages in staged]
        tails = [stages[k][1] for k in range(n_stages) for stages in padded]
        return cls(
            Gates.of([*shared, *tails]), Gates.of([[lead for lead, _ in stages] for stages in padded]), len(shared)
        )


def _stages(cell: Sequence[Gate], varies: Bool[np.ndarray, " slots"]) -> list[tuple[Gate, list[Gate]]]:
    """Leading gates and tails; what comes before the first gate that varies leads, too."""
    found: list[tuple[Gate, list[Gate]]] = []
    for gate in cell:
        if not found or (isinstance(gate, Rotation) and varies[gate.slot]):
            found.append((gate, []))
        else:
            found[-1][1].append(gate)
    return found


class Matrices(NamedTuple):  # a frozen dataclass takes 2 us to make
    """The matrices of all cells at some angles.

    Attributes:
        shared, varying: of the cells.
        stages: the factors of the varying ones.
        after: the product of the gates behind each gate of a chain; row 0 is the whole chain.
    """

    shared: Complex[np.ndarray, "shared 2 2"]
    varying: Complex[np.ndarray, "varying batch 2 2"]
    stages: Complex[np.ndarray, "stages varying batch 2 2"]
    after: Complex[np.ndarray, "depth_and_1 chains 2 2"]


class Rows:
    """The cells of a circuit at one batch size: all matrices and all derivatives from a few array operations.

    Args:
        cells: of the circuit.
        batch: how often a varying cell exists.
        places: where in the flat vector of angles each slot lies: shape (n_slots,) for sample 0; varying slots are
            `stride` further for each sample; -1 is its last entry, which is 0.
        stride: how far apart samples lie in the flat vector; zero for shared slots.
    """

    def __init__(
        self,
        cells: Cells,
        batch: int,
        places: Int[np.ndarray, " slots_and_zero"],
        stride: Int[np.ndarray, " slots_and_zero"],
    ) -> None:
        chains, leads = cells.chains, cells.leads
        self.n_shared, (n_stages, self.n_varying) = cells.n_shared, leads.slots.shape
        tails = (n_stages, self.n_varying)
        self._tail_shape, self._basis_shape = (*tails, 1, 2, 2), (*tails, 2, 8)
        self._stage_shape, self._axes_shape = (*tails, batch, 2, 2), (*tails, 3, 1)
        self._chain_shape = (*chains.slots.shape, 2, 2)
        self._length = int(places[-1]) + 1
        own = places[leads.slots][..., None] + stride[leads.slots][..., None] * np.arange(batch)
        self._lead_trig = np.stack([own, own + self._length], axis=-1)
        self._basis = np.stack([leads.even, -1j * leads.pauli], axis=2)
        odd = _floats(-1j * chains.pauli)
        self._chain_trig = places[chains.slots][..., None] + self._length * (odd != 0)
        self._chain_signs = _floats(chains.even) * (odd == 0) + odd
        of_leads = np.concatenate([np.zeros((self.n_shared, 2, 2)), leads.pauli.reshape(-1, 2, 2)])
        self._pauli = np.concatenate([of_leads[None], chains.pauli])
        self._flat_index = np.concatenate([places[chains.slots].ravel(), own.ravel()])

    def matrices(self, angles: Float[np.ndarray, " flat"]) -> Matrices:
        """The matrices at these angles."""
        trig = np.empty((2, self._length))
        half = 0.5 * angles
        np.cos(half, out=trig[0])
        np.sin(half, out=trig[1])
        flat = trig.ravel()
        gates = flat.take(self._chain_trig)  # an entry of a rotation is one of 0, +-cos, +-sin, real or imaginary
        gates *= self._chain_signs
        after = self._after(gates.view(np.complex128).reshape(self._chain_shape))
        basis = after[0, self.n_shared :].reshape(self._tail_shape) @ self._basis
        mixed = flat.take(self._lead_trig) @ basis.view(np.float64).reshape(self._basis_shape)
        stages = mixed.view(np.complex128).reshape(self._stage_shape)
        varying = stages[0] if len(stages) == 1 else _product(stages)
        return Matrices(after[0, : self.n_shared], varying, stages, after)

    def _after(self, gates: Complex[np.ndarray, "depth chains 2 2"]) -> Complex[np.ndarray, "depth_and_1 chains 2 2"]:
        depth = len(gates)
        after = np.empty_like(self._pauli)
        after[depth] = _IDENTITY.matrix
        if depth:
            after[depth - 1] = gates[depth - 1]
        for k in reversed(range(depth - 1)):
            np.matmul(after[k + 1], gates[k], out=after[k])
        return after

    def derivatives(
        self,
        matrices: Matrices,
        shared: Float[np.ndarray, "shared 3"],
        varying: Float[np.ndarray, "varying batch 3"],
    ) -> Float[np.ndarray, " flat"]:
        """Im <lambda| P |psi> of each gate, P its Pauli seen from behind its chain, added up by angle.

        Args:
            matrices: of the same angles.
            shared, varying: Im <lambda| (X, Y, Z) |psi> on the qubit of each cell, right behind it.
        """
        after = matrices.after
        seen = after @ self._pauli @ after.conj().swapaxes(-1, -2)
        axes = _bloch(seen)
        behind = varying[None] if len(matrices.stages) == 1 else _behind_stages(matrices.stages, varying)
        chains = np.concatenate([shared, behind.sum(axis=2).reshape(-1, 3)])
        by_gate = np.vecdot(axes[1:], chains)
        by_lead = behind @ axes[0, self.n_shared :].reshape(self._axes_shape)
        found = np.bincount(
            self._flat_index, np.concatenate([by_gate.ravel(), by_lead.ravel()]), minlength=self._length
        )
        return found.astype(np.float64, copy=False)  # numpy counts nothing in integers


def _floats(matrices: Complex[np.ndarray, "*rows 2 2"]) -> Float[np.ndarray, "*rows 8"]:
    return matrices.view(np.float64).reshape(*matrices.shape[:-2], 8)


def _bloch(hermitian: Complex[np.ndarray, "*rows 2 2"]) -> Float[np.ndarray, "*rows 3"]:
    """(x, y, z) of x X + y Y + z Z, which stand at Re 10, Im 10 and Re 00."""
    return _floats(hermitian).take([4, 5, 0], axis=-1)


_SPIN = np.stack([_floats(PAULIS[name]) for name in "XYZ"])


def _product(stages: Complex[np.ndarray, "stages varying batch 2 2"]) -> Complex[np.ndarray, "varying batch 2 2"]:
    if not len(stages):
        return np.empty(stages.shape[1:], dtype=np.complex128)
    total = stages[0]
    for stage in stages[1:]:
        total = stage @ total
    return total


def _behind_stages(
    stages: Complex[np.ndarray, "stages varying batch 2 2"], behind: Float[np.ndarray, "varying batch 3"]
) -> Float[np.ndarray, "stages varying batch 3"]:
    """The vectors right behind each stage, from those behind the cells."""
    found = np.empty((*stages.shape[:3], 3))
    found[-1:] = behind
    for k in reversed(range(1, len(stages))):
        spin = (found[k] @ _SPIN).view(np.complex128).reshape(stages[k].shape)
        found[k - 1] = _bloch(stages[k].conj().swapaxes(-1, -2) @ spin @ stages[k])
    return found
