"""The circuit that prepares real amplitudes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit.program import Fixed
from qnas.simulation.preparation import preparation, preparation_angles
from tests.circuit.strategies import quick, seeds


def prepared(amplitudes):
    n_qubits = len(amplitudes).bit_length() - 1
    (angles,) = preparation_angles(amplitudes[None])
    state = Statevector.from_int(0, 2**n_qubits)
    for operation in preparation(n_qubits, first_slot=0):
        if isinstance(operation, Fixed):
            gate = operation.matrix
        else:
            half = angles[operation.slot] / 2
            gate = np.array([[np.cos(half), -np.sin(half)], [np.sin(half), np.cos(half)]])
        state = state.evolve(Operator(gate), operation.qubits)
    return state.data


@quick
@given(st.integers(1, 5), seeds, st.floats(0, 0.9))
def test_it_prepares_them(n_qubits, seed, share_of_zeros):
    rng = np.random.default_rng(seed)
    amplitudes = rng.normal(size=2**n_qubits) * (rng.random(2**n_qubits) >= share_of_zeros)
    amplitudes[rng.integers(2**n_qubits)] = -1.0
    expected = amplitudes / np.linalg.norm(amplitudes)
    np.testing.assert_allclose(prepared(amplitudes), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_qubits", [1, 3])
def test_zeros_stay_at_the_start(n_qubits):
    assert not preparation_angles(np.zeros((2, 2**n_qubits))).any()


def test_its_size():
    operations = preparation(4, first_slot=3)
    slots = [operation.slot for operation in operations if not isinstance(operation, Fixed)]
    assert slots == list(range(3, 3 + 15))
    assert len(operations) - len(slots) == 2**4 - 2
