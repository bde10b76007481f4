"""The suite of ansatze: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector

from qnas.circuit.ansatze import ansatz, ansatze, sim2019
from qnas.errors import DesignError
from qnas.front.openqasm import to_openqasm
from qnas.testing import AnsatzConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

SEQUENCE = [{"name": "ry", "qubit": 0}, {"name": "h", "qubit": 1}, {"name": "crx", "pair": [1, 0]}]
OPTIONS = {
    "commuting": [{}, {"blocks": "xyz", "max_weight": 1}],
    "gates": [{"sequence": SEQUENCE}],
    "native": [{}, {"rotation": "sx_rz", "edges": "matching", "topology": "ring", "entangler": "ecr", "n_layers": 2}],
    "orthogonal": [{}, {"layout": "butterfly", "n_layers": 2}],
    "qasm": [{"text": to_openqasm(sim2019(2, 3))}],
    "sim2019": [{"template": 5}, {"template": 10, "n_layers": 2}, {"template": 15}],
    "slpa": [{}, {"stabilizers": "X", "logicals": "YY_ZZ", "n_blocks": 3}],
}
ATTRIBUTES = {"qasm": {"n_qubits": (2,)}, "sim2019": {"n_qubits": (2, 3)}, "slpa": {"n_qubits": (2, 3, 4)}}

globals().update(suites(AnsatzConformance, ansatze, OPTIONS, ATTRIBUTES))


def failing(build, **attributes):
    """The failures of an ansatz on 1 and 2 qubits, or as the attributes say."""
    ansatz("mine")(build)
    return failures(AnsatzConformance, **{"name": "mine", "n_qubits": (1, 2), **attributes})


def turns(n_qubits, axis="y"):
    circuit = QuantumCircuit(n_qubits)
    for qubit, weight in enumerate(ParameterVector("w", n_qubits)):
        getattr(circuit, f"r{axis}")(weight, qubit)
    return circuit


def test_a_good_ansatz_passes():
    assert failing(turns) == {}
    assert failing(lambda n_qubits: turns(n_qubits, "z")) == {}


def test_options_reach_the_ansatz():
    assert failing(turns, options=[{"axis": "x"}]) == {}


def test_a_weight_without_effect():
    def idle(n_qubits):
        circuit = turns(n_qubits)
        circuit.append(QuantumCircuit(1, global_phase=Parameter("phase")).to_gate(), [0])
        return circuit

    found = failing(idle)
    text = "the ansatz 'mine' on 1 qubit has weights without effect on any state: phase; leave them out"
    assert text in found["every_weight_has_an_effect"]
    assert "every_weight_has_an_effect" not in failing(idle, idle_weights=True)


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda n_qubits: turns(n_qubits + 1), "on 1 qubit has 2 qubits; build it on n_qubits."),
        (lambda n_qubits: turns(n_qubits).to_gate(), "on 1 qubit is a Gate; return a QuantumCircuit."),
        (lambda n_qubits: turns(n_qubits).measure_all(inplace=False), "on 1 qubit has classical bits; qnas adds"),
    ],
)
def test_something_else_than_a_circuit_on_all_qubits(build, text):
    assert text in failing(build)["it_is_a_circuit_on_all_qubits"]


def test_randomness():
    rng = np.random.default_rng(0)

    def random(n_qubits):
        circuit = turns(n_qubits)
        circuit.rx(rng.normal(), 0)
        return circuit

    assert "differs from call to call" in failing(random)["equal_calls_give_equal_circuits"]


def test_a_gate_that_cannot_be_lowered():
    def opaque(n_qubits):
        circuit = turns(n_qubits)
        circuit.append(Gate("oracle", 1, []), [0])
        return circuit

    found = failing(opaque)
    for test in ("it_lowers_to_what_qiskit_computes", "gradients_are_those_of_differences", "it_survives_openqasm"):
        assert "the ansatz 'mine' on 1 qubit: " in found[test] and "oracle" in found[test]
    assert "a model with the ansatz 'mine' on 2 qubits cannot be trained: " in found["a_model_with_it_learns"]


def test_angles_that_jump():
    def jumping(n_qubits):
        circuit = turns(n_qubits)
        jump = {weight: weight + (1e6 * weight).sin().sign() for weight in circuit.parameters}
        return circuit.assign_parameters(jump)

    found = failing(jumping)
    assert "has a derivative by w[0] that differs from differences by " in found["gradients_are_those_of_differences"]


def test_options_that_the_signature_does_not_name():
    found = failing(lambda n_qubits, **options: turns(n_qubits, **options), options=[{"axis": "x"}])
    text = (
        "mine' with axis='x' on 1 qubit: unknown option of the ansatz 'mine', 'axis': Allowed: none. Let its signature"
    )
    assert text in found["it_serves_whole_and_as_a_layer"]
    assert "cannot be trained: unknown option of the ansatz" in found["a_model_with_it_learns"]


def test_a_part_that_is_never_built_fails():
    def refusing(n_qubits):
        raise DesignError("it needs a device.")

    found = failing(refusing)
    assert list(found) == ["a_model_with_it_learns"]
    assert "the ansatz 'mine' is built on none of [1, 2] qubits (it needs a device.; it" in found.popitem()[1]
