"""The suite of encodings: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import re

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import RYGate

from qnas.circuit.encodings import encoding, encodings
from qnas.errors import DesignError
from qnas.testing import EncodingConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

OPTIONS = {
    "angle": [{}, {"axis": "x", "scale": 2.0}, {"trainable": True}],
    "iqp": [{"repeats": 2}],
}
ATTRIBUTES = {"amplitude": {"least_features": 2}}

globals().update(suites(EncodingConformance, encodings, OPTIONS, ATTRIBUTES))


class TestAngleAboutZ(EncodingConformance):
    name = "angle"
    options = ({"axis": "z"},)
    n_qubits = (1, 3)
    needs_reuploading = True


def failing(build, width=lambda n_qubits: n_qubits, reuploads=True, **attributes):
    """The failures of an encoding on 2 qubits, or as the attributes say."""
    encoding("mine", width, reuploads)(build)
    return failures(EncodingConformance, **{"name": "mine", "n_qubits": (2,), **attributes})


def angle(features, n_qubits):
    circuit = QuantumCircuit(n_qubits)
    for qubit, feature in enumerate(features):
        circuit.ry(feature, qubit)
    return circuit


def test_a_good_encoding_passes():
    assert failing(angle) == {}


def test_a_global_phase():
    def phase(features, n_qubits):
        circuit = QuantumCircuit(n_qubits)
        for qubit, feature in enumerate(features):
            circuit.rz(feature, qubit)
        return circuit

    found = failing(phase)
    assert list(found) == ["the_state_depends_on_every_parameter"]
    assert "the encoding 'mine' on 2 qubits prepares a state that does not depend on x[0]; rotate" in found.popitem()[1]
    assert failing(phase, needs_reuploading=True) == {}


def test_a_weight_without_effect():
    def padded(features, n_qubits):
        circuit = angle(features, n_qubits)
        circuit.global_phase = Parameter("w")
        return circuit

    found = failing(padded)
    assert "does not depend on w; rotate" in found["the_state_depends_on_every_parameter"]


def test_amplitudes_of_one_feature_depend_on_nothing():
    found = failures(EncodingConformance, name="amplitude", n_qubits=(2,))
    assert list(found) == ["the_state_depends_on_every_parameter"]


def test_a_feature_that_is_left_out():
    found = failing(lambda features, n_qubits: angle(features[:1], n_qubits))
    assert "leaves out x[1] of 2 features; use each, or let its width be smaller." in found["it_takes_fewer_features"]


@pytest.mark.parametrize("width", [0, 1.5, np.int64(2)])
def test_a_width_that_is_no_count(width):
    found = failing(angle, lambda n_qubits: width)
    assert f"takes {width!r} features; let its width be a whole number" in found["its_width_is_a_number_of_features"]


def test_more_features_than_there_are_qubits_for():
    found = failing(angle, width=lambda n_qubits: n_qubits + 1)
    assert "Index 2 out of range" in found["it_takes_fewer_features"]


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda features, n_qubits: angle(features, n_qubits + 1), "has 3 qubits; build it on n_qubits."),
        (lambda features, n_qubits: angle(features, n_qubits).to_gate(), "is a Gate; return a QuantumCircuit."),
        (lambda features, n_qubits: angle(features, n_qubits).measure_all(inplace=False), "has classical bits; qnas"),
    ],
)
def test_something_else_than_a_circuit_on_all_qubits(build, text):
    assert text in failing(build)["it_is_a_circuit_on_all_qubits"]


def test_randomness():
    rng = np.random.default_rng(0)

    def random(features, n_qubits):
        circuit = angle(features, n_qubits)
        circuit.rx(rng.normal(), 0)
        return circuit

    found = failing(random)
    assert "differs from call to call; take what is random from an option" in found["equal_calls_give_equal_circuits"]


def test_names_that_count_on():
    made = iter(range(1000))

    def counting(features, n_qubits):
        circuit = angle(features, n_qubits)
        circuit.ry(Parameter(f"w{next(made)}"), 0)
        return circuit

    found = failing(counting, n_qubits=(2,))
    text = (
        r"names its parameters \['w\d', 'x\[0\]'\] in one call and \['w\d', 'x\[0\]'\] in the next; count them from 0"
    )
    assert re.search(text, found["equal_calls_give_equal_circuits"])


def test_a_gate_that_cannot_be_lowered():
    def opaque(features, n_qubits):
        circuit = angle(features, n_qubits)
        circuit.append(Gate("oracle", 1, []), [0])
        return circuit

    found = failing(opaque)
    for test in ("it_lowers_to_what_qiskit_computes", "gradients_are_those_of_differences", "it_survives_openqasm"):
        assert "the encoding 'mine' on 2 qubits: " in found[test] and "oracle" in found[test]


class Lying(RYGate):
    """A rotation whose definition is another one than its matrix."""

    def __init__(self, angle):
        super().__init__(angle)
        self.name = "lying"

    @property
    def base_class(self):
        return Lying

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.rx(self.params[0], 0)


def test_a_gate_whose_definition_is_not_its_matrix():
    def lying(features, n_qubits):
        circuit = QuantumCircuit(n_qubits)
        for qubit, feature in enumerate(features):
            circuit.append(Lying(feature), [qubit])
        return circuit

    found = failing(lying)
    assert "has another state in qnas than in Qiskit (fidelity 0." in found["it_lowers_to_what_qiskit_computes"]
    assert "is another circuit after OpenQASM 3 (fidelity 0." in found["it_survives_openqasm"]


def test_angles_that_jump():
    def jumping(features, n_qubits):
        return angle([(1e6 * feature).sin().sign() + feature for feature in features], n_qubits)

    found = failing(jumping)
    assert "has a derivative by x[0] that differs from differences by " in found["gradients_are_those_of_differences"]


def test_amplitudes_cannot_be_uploaded_again():
    build = encodings["amplitude"].build
    found = failing(build, lambda n_qubits: 2**n_qubits, n_qubits=(2,), least_features=2)
    assert list(found) == ["it_can_be_uploaded_again"]
    assert "it must come first and act on all qubits" in found["it_can_be_uploaded_again"]
    assert found["it_can_be_uploaded_again"].endswith("declare it with reuploads=False.")


def test_an_encoding_that_does_not_take_all_inputs():
    found = failing(lambda features, n_qubits: angle([feature.log() for feature in features], n_qubits))
    text = "a model with the encoding 'mine' on 2 qubits cannot be trained: an angle of the circuit is nan"
    assert text in found["a_model_with_it_learns"]
    assert "an angle of the circuit is nan" in found["it_lowers_to_what_qiskit_computes"]


def refusing(features, n_qubits):
    if n_qubits < 3:
        raise DesignError("it needs 3 qubits.")
    return angle(features, n_qubits)


def test_a_size_that_is_refused_is_skipped():
    assert failing(refusing, n_qubits=(2, 3)) == {}


def test_a_part_that_is_never_built_fails():
    found = failing(refusing, n_qubits=(1, 2))
    assert "is built on none of [1, 2] qubits (it needs 3 qubits.; it needs" in found["a_model_with_it_learns"]
