"""Backends by name; those of IBM only where qiskit-ibm-runtime is installed."""

import pickle

import pytest

from qnas.errors import CircuitError, ConfigurationError
from qnas.simulation import backends
from qnas.simulation.backends import BackendChoice, device


def test_the_generic_backend_is_as_wide_as_the_circuit_unless_told():
    assert [device(BackendChoice(), n).backend.num_qubits for n in (1, 2, 5)] == [1, 2, 5]
    assert device(BackendChoice(n_qubits=4), 2).backend.num_qubits == 4


def test_a_backend_is_made_once():
    assert device(BackendChoice(), 3) is device(BackendChoice(), 3)
    assert device(BackendChoice(n_qubits=3), 2) is device(BackendChoice(), 3)
    assert device(BackendChoice(seed=1), 3) is not device(BackendChoice(), 3)


def test_the_seed_draws_the_error_rates():
    def readout(seed):
        return device(BackendChoice(seed=seed), 2).backend.target["measure"][(0,)].error

    assert readout(0) != readout(1)
    backends._device.cache_clear()
    first = readout(0)
    backends._device.cache_clear()
    assert readout(0) == first


def test_a_choice_crosses_processes():
    assert pickle.loads(pickle.dumps(BackendChoice(n_qubits=4))) == BackendChoice(n_qubits=4)


def test_a_circuit_that_is_too_wide():
    with pytest.raises(
        CircuitError, match="the circuit has 3 qubits, but the backend 'generic' has 2; choose a larger"
    ):
        device(BackendChoice(n_qubits=2), 3)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"name": "genric"}, r"unknown backend 'genric': did you mean 'generic'\? Allowed: generic"),
        ({"n_qubits": 0}, "the backend has 0 qubits; it needs at least 1"),
        ({"seed": -1}, "the backend's seed is -1; it must not be negative"),
    ],
)
def test_choices_that_cannot_be(choice, text):
    with pytest.raises(ConfigurationError, match=text):
        BackendChoice(**choice)


def test_without_ibms_package_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(backends, "_snapshots", dict)
    with pytest.raises(
        ConfigurationError, match=r"fake_manila': .*Allowed: generic\. .* pip install 'qnas-hqnn\[ibm\]'"
    ):
        BackendChoice("fake_manila")


def test_a_snapshot():
    pytest.importorskip("qiskit_ibm_runtime")
    assert device(BackendChoice("fake_manila"), 3).backend.num_qubits == 5
    with pytest.raises(CircuitError, match="the circuit has 6 qubits, but the backend 'fake_manila' has 5"):
        device(BackendChoice("fake_manila"), 6)
    with pytest.raises(ConfigurationError, match="unknown backend 'fake_manilla': did you mean 'fake_manila'"):
        BackendChoice("fake_manilla")
    with pytest.raises(ConfigurationError, match="'fake_manila' is as it was measured; its number of qubits"):
        BackendChoice("fake_manila", n_qubits=5)
