"""Backends by name; those of IBM only where qiskit-ibm-runtime is installed."""

import pickle

import pytest

from qnas.circuit import backends
from qnas.circuit.backends import BackendChoice, find_backend
from qnas.circuit.topologies import topologies
from qnas.errors import CircuitError, ConfigurationError


def test_the_generic_backend_is_as_wide_as_the_circuit_unless_told():
    assert [find_backend(BackendChoice(), n).num_qubits for n in (1, 2, 5)] == [1, 2, 5]
    assert find_backend(BackendChoice(n_qubits=4), 2).num_qubits == 4


def test_a_backend_is_made_once():
    assert find_backend(BackendChoice(), 3) is find_backend(BackendChoice(), 3)
    assert find_backend(BackendChoice(n_qubits=3), 2) is find_backend(BackendChoice(), 3)
    assert find_backend(BackendChoice(seed=1), 3) is not find_backend(BackendChoice(), 3)


def test_the_seed_draws_the_error_rates():
    def readout(seed):
        return find_backend(BackendChoice(seed=seed), 2).target["measure"][(0,)].error

    assert readout(0) != readout(1)
    backends._backend.cache_clear()
    first = readout(0)
    backends._backend.cache_clear()
    assert readout(0) == first


@pytest.mark.parametrize("topology", ["all", "line", "ring", "star", "grid", "heavy_hex"])
@pytest.mark.parametrize("entangler", ["cx", "cz", "ecr"])
@pytest.mark.parametrize("n_qubits", [2, 3, 6])
def test_the_pairs_and_gates_of_the_generic_backend(topology, entangler, n_qubits):
    made = find_backend(BackendChoice(topology=topology, entangler=entangler), n_qubits)
    pairs = topologies[topology](n_qubits)
    assert set(made.target[entangler]) == {*pairs, *((b, a) for a, b in pairs)}
    assert {"rz", "sx", "x", entangler} <= set(made.operation_names)
    assert not {"cx", "cz", "ecr"} - {entangler} & set(made.operation_names)


def test_a_backend_of_one_qubit_has_no_pairs():
    made = find_backend(BackendChoice(topology="ring", entangler="cz"), 1)
    assert made.num_qubits == 1
    assert "cz" not in made.operation_names


def test_a_choice_crosses_processes():
    assert pickle.loads(pickle.dumps(BackendChoice(n_qubits=4))) == BackendChoice(n_qubits=4)


def test_a_circuit_that_is_too_wide():
    with pytest.raises(
        CircuitError, match="the circuit has 3 qubits, but the backend 'generic' has 2; choose a larger"
    ):
        find_backend(BackendChoice(n_qubits=2), 3)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"name": "genric"}, r"unknown backend 'genric': did you mean 'generic'\? Allowed: generic"),
        ({"n_qubits": 0}, "the backend has 0 qubits; it needs at least 1"),
        ({"seed": -1}, "the backend's seed is -1; it must not be negative"),
        ({"topology": "lime"}, r"unknown topology of the generic backend 'lime': did you mean 'line'\? Allowed: all, "),
        ({"entangler": "cy"}, "unknown entangler of the generic backend 'cy': .*Allowed: cx, cz, ecr"),
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
    assert find_backend(BackendChoice("fake_manila"), 3).num_qubits == 5
    with pytest.raises(CircuitError, match="the circuit has 6 qubits, but the backend 'fake_manila' has 5"):
        find_backend(BackendChoice("fake_manila"), 6)
    with pytest.raises(ConfigurationError, match="unknown backend 'fake_manilla': did you mean 'fake_manila'"):
        BackendChoice("fake_manilla")
    for own in (dict(n_qubits=5), dict(seed=1), dict(topology="line"), dict(entangler="cz")):
        with pytest.raises(ConfigurationError, match="'fake_manila' is as it was measured; its number of qubits"):
            BackendChoice("fake_manila", **own)
