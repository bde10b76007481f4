"""Readouts: labels with qubit 0 rightmost."""

import pytest
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.readouts import readouts, z_string
from qnas.errors import DesignError


@pytest.mark.parametrize(
    ("name", "labels"),
    [("z", ["IIZ", "IZI", "ZII"]), ("zz", ["IZZ", "ZIZ", "ZZI"]), ("z_first", ["IIZ"])],
)
def test_observables_on_three_qubits(name, labels):
    assert readouts[name](3) == [SparsePauliOp(label) for label in labels]


def test_pairs_need_two_qubits():
    with pytest.raises(DesignError) as caught:
        readouts["zz"](1)
    assert str(caught.value) == "the readout 'zz' needs at least 2 qubits, but n_qubits is 1; use the readout 'z'."


def test_a_string_on_chosen_qubits():
    assert z_string((0, 3), 4) == SparsePauliOp("ZIIZ")
    assert z_string((), 2) == SparsePauliOp("II")
