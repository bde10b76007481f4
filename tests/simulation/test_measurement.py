"""Observables as groups of Pauli strings, and expectation values from counts."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.simulation.measurement import measurement


def test_strings_that_commute_qubit_by_qubit_share_a_circuit():
    found = measurement([SparsePauliOp(["ZI", "IZ"]), SparsePauliOp(["ZZ", "XX"], [2.0, 3.0])], 2)
    assert sorted(sorted(group.bases.items()) for group in found.groups) == [[(0, "X"), (1, "X")], [(0, "Z"), (1, "Z")]]


def test_all_z_readouts_are_one_circuit_that_measures_only_what_is_read():
    found = measurement([SparsePauliOp("IIZ"), SparsePauliOp("IZI")], 3)
    (group,) = found.groups
    assert group.ending(3).count_ops() == {"measure": 2}


def test_identities_and_strings_that_cancel_need_no_circuit():
    found = measurement([SparsePauliOp(["II", "XX", "XX"], [0.5, 1.0, -1.0]), SparsePauliOp("II", -1.0)], 2)
    assert found.groups == ()
    assert found.constant.tolist() == [0.5, -1.0]


def test_values_are_mean_parities():
    (group,) = measurement([SparsePauliOp(["ZZ", "IZ"], [2.0, 1.0]), SparsePauliOp("ZI")], 2).groups
    found = group.estimates([{"0x0": 6, "0x1": 2}, {"0x3": 5}])
    np.testing.assert_allclose(found, [[2 * (6 - 2) / 8 + (6 - 2) / 8, 1.0], [2.0 - 1.0, -1.0]])


@pytest.mark.parametrize(("pauli", "gates"), [("X", ["h"]), ("Y", ["sdg", "h"]), ("Z", [])])
def test_basis_changes(pauli, gates):
    (group,) = measurement([SparsePauliOp(pauli)], 1).groups
    assert [instruction.operation.name for instruction in group.ending(1)] == [*gates, "measure"]


def test_what_cannot_be_measured():
    with pytest.raises(CircuitError, match="it must be Hermitian"):
        measurement([SparsePauliOp("Z", 1j)], 1)
