"""Products of one-qubit gates, and the derivatives seen through them."""

import numpy as np
import pytest
from qiskit.circuit.library import HGate, RXGate, RYGate, RZGate, SGate
from qiskit.quantum_info import random_statevector

from qnas.circuit.program import Fixed, Rotation
from qnas.simulation.cells import PAULIS, Cells, Rows

H, S = (Fixed(gate.name, (0,), gate.to_matrix()) for gate in (HGate(), SGate()))
GATES = {"X": RXGate, "Y": RYGate, "Z": RZGate}
SHARED = (
    (Rotation("X", (0,), 0), H, Rotation("Z", (0,), 1), Rotation("Y", (0,), 2)),
    (H,),
)
VARYING = ((S, Rotation("Y", (1,), 3), Rotation("X", (1,), 0)), (Rotation("Z", (1,), 4),))
BATCH = 3
PLACES, STRIDE = np.array([0, 1, 2, 3, 4, 9]), np.array([0, 0, 0, 2, 2, 0])
"""Slots 0 to 2 are shared; slots 3 and 4 follow, sample by sample; last comes a zero."""
FLAT = np.append(np.random.default_rng(5).uniform(-3, 3, size=3 + 2 * BATCH), 0.0)


def rows(shared=SHARED, varying=VARYING, depth=4):
    return Rows(Cells.of(shared, depth), Cells.of(varying, depth), BATCH, PLACES, STRIDE)


def existences():
    """Each row: its gates, and where in the flat vector the angle of each lies."""
    found = [(cell, 0) for cell in SHARED] + [(cell, sample) for cell in VARYING for sample in range(BATCH)]
    return [(cell, {slot: PLACES[slot] + STRIDE[slot] * sample for slot in range(5)}) for cell, sample in found]


def product(cell, where, flat):
    total = np.eye(2)
    for gate in cell:
        matrix = gate.matrix if isinstance(gate, Fixed) else GATES[gate.pauli](flat[where[gate.slot]]).to_matrix()
        total = matrix @ total
    return total


def test_shared_cells_exist_once_and_varying_ones_once_per_sample():
    found, _ = rows().matrices(FLAT)
    assert (rows().n_shared, rows().n_varying) == (2, 2)
    expected = [product(cell, where, FLAT) for cell, where in existences()]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_derivatives_are_those_of_the_expectation():
    """With lambda = O psi for a Hermitian O, d<O>/dphi by the shift rule, added up where rows share an angle."""
    operator, start = PAULIS["Y"] + 0.3 * PAULIS["Z"], random_statevector(2, seed=3).data

    def finals(flat):
        return np.array([product(cell, where, flat) @ start for cell, where in existences()])

    def expectations(flat):
        psi = finals(flat)
        return np.einsum("ri,ij,rj->", psi.conj(), operator, psi).real

    made = rows()
    _, after = made.matrices(FLAT)
    transitions = np.array([np.outer((operator @ psi).conj(), psi) for psi in finals(FLAT)])
    found = made.derivatives(after, transitions, len(FLAT))
    assert found.shape == FLAT.shape
    # slot 0 occurs in two kinds of rows, so its angle has more than one frequency: differences of fourth order
    for k in range(len(FLAT) - 1):
        step = 1e-3 * np.eye(len(FLAT))[k]
        near, far = (expectations(FLAT + n * step) - expectations(FLAT - n * step) for n in (1, 2))
        assert found[k] == pytest.approx((8 * near - far) / 12e-3, abs=1e-10)


def test_padding_beyond_the_longest_cell_changes_nothing():
    np.testing.assert_allclose(rows(depth=7).matrices(FLAT)[0], rows().matrices(FLAT)[0], rtol=0, atol=1e-14)


def test_slots_say_where_rotations_are():
    assert len(Cells.of(SHARED, 4)) == 2
    assert Cells.of(SHARED, 4).slots.tolist() == [[0, -1, 1, 2], [-1] * 4]


def test_no_cells():
    found, after = rows(shared=(), varying=()).matrices(FLAT)
    assert found.shape == (0, 2, 2)
    assert after.shape == (2, 2, 4, 0)
