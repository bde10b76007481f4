"""The noise of backends."""

import pytest

from qnas.circuit.backends import BackendChoice, find_backend
from qnas.errors import CircuitError
from qnas.simulation.backends import device


def test_a_device_is_a_backend_with_the_noise_of_its_gates_and_readout():
    found = device(BackendChoice(topology="line"), 3)
    assert found.backend is find_backend(BackendChoice(topology="line"), 3)
    noisy = {(name, qubits) for error in found.noise.to_dict()["errors"] for name, qubits in of(error)}
    assert {qubits for name, qubits in noisy if name == "cx"} == {(0, 1), (1, 0), (1, 2), (2, 1)}
    assert {qubits for name, qubits in noisy if name == "measure"} == {(0,), (1,), (2,)}


def of(error):
    return [(name, tuple(qubits)) for name in error["operations"] for qubits in error["gate_qubits"]]


def test_a_device_is_made_once():
    assert device(BackendChoice(), 3) is device(BackendChoice(n_qubits=3), 2)
    assert device(BackendChoice(seed=1), 3) is not device(BackendChoice(), 3)


def test_a_circuit_that_is_too_wide():
    with pytest.raises(CircuitError, match="the circuit has 3 qubits, but the backend 'generic' has 2"):
        device(BackendChoice(n_qubits=2), 3)
