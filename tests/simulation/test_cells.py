"""Products of one-qubit gates, and the derivatives seen through them."""

import numpy as np
import pytest
from qiskit.circuit.library import HGate, RXGate, RYGate, RZGate, SGate
from qiskit.quantum_info import random_statevector

from qnas.circuit.program import Fixed, Rotation
from qnas.simulation.cells import PAULIS, Cells, Gates, Rows

H, S = (Fixed(gate.name, (0,), gate.to_matrix()) for gate in (HGate(), SGate()))
GATES = {"X": RXGate, "Y": RYGate, "Z": RZGate}
SHARED = (
    (Rotation("X", (0,), 0), H, Rotation("Z", (0,), 1), Rotation("Y", (0,), 2)),
    (H,),
)
VARYING = (
    (S, Rotation("Y", (1,), 3), Rotation("X", (1,), 0), H, Rotation("X", (1,), 4), S, Rotation("Z", (1,), 2)),
    (Rotation("Z", (1,), 4),),
)
BATCH = 3
PLACES, STRIDE = np.array([0, 1, 2, 3, 4, 9]), np.array([0, 0, 0, 2, 2, 0])
"""Slots 0 to 2 are shared; slots 3 and 4 follow, sample by sample; last comes a zero."""
FLAT = np.append(np.random.default_rng(5).uniform(-3, 3, size=3 + 2 * BATCH), 0.0)


VARIES = np.array([False, False, False, True, True])


def rows(shared=SHARED, varying=VARYING):
    return Rows(Cells.of(shared, varying, VARIES), BATCH, PLACES, STRIDE)


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
    matrices = rows().matrices(FLAT)
    assert (matrices.shared.shape, matrices.varying.shape) == ((2, 2, 2), (2, BATCH, 2, 2))
    expected = [product(cell, where, FLAT) for cell, where in existences()]
    found = np.concatenate([matrices.shared, matrices.varying.reshape(-1, 2, 2)])
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
    paulis = [PAULIS[name] for name in "XYZ"]
    vectors = np.array([[np.vdot(operator @ psi, p @ psi).imag for p in paulis] for psi in finals(FLAT)])
    found = made.derivatives(made.matrices(FLAT), vectors[:2], vectors[2:].reshape(2, BATCH, 3))
    assert found.shape == FLAT.shape
    # slot 0 occurs in two kinds of rows, so its angle has more than one frequency: differences of fourth order
    for k in range(len(FLAT) - 1):
        step = 1e-3 * np.eye(len(FLAT))[k]
        near, far = (expectations(FLAT + n * step) - expectations(FLAT - n * step) for n in (1, 2))
        assert found[k] == pytest.approx((8 * near - far) / 12e-3, abs=1e-10)


def test_cells_of_one_stage():
    single = ((Rotation("Y", (1,), 3), H, Rotation("X", (1,), 0)),)
    matrices = rows(varying=single).matrices(FLAT)
    where = [{0: 0, 3: 3 + 2 * sample} for sample in range(BATCH)]
    expected = [product(single[0], places, FLAT) for places in where]
    np.testing.assert_allclose(matrices.varying[0], expected, rtol=0, atol=1e-14)


def test_stages_begin_at_the_gates_that_vary():
    cells = Cells.of(SHARED, VARYING, VARIES)
    assert cells.n_shared == 2
    assert cells.leads.slots.tolist() == [[-1, 4], [3, -1], [4, -1]]
    tails = cells.chains.slots[:, cells.n_shared :].T.tolist()
    assert tails == [[-1] * 4, [-1] * 4, [0, -1, -1, -1], [-1] * 4, [-1, 2, -1, -1], [-1] * 4]


def test_slots_say_where_rotations_are():
    assert Gates.of(SHARED).slots.T.tolist() == [[0, -1, 1, 2], [-1] * 4]


def test_no_cells():
    made = rows(shared=(), varying=())
    matrices = made.matrices(FLAT)
    assert (matrices.shared.shape, matrices.varying.shape) == ((0, 2, 2), (0, BATCH, 2, 2))
    found = made.derivatives(matrices, np.zeros((0, 3)), np.zeros((0, BATCH, 3)))
    assert not found.any()
    assert found.dtype == np.float64
