"""The suite of readouts: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator, SparsePauliOp

from qnas.circuit.readouts import Mixture, readout, readouts
from qnas.errors import DesignError
from qnas.testing import ReadoutConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

OPTIONS = {
    "pauli_mixture": [{}, {"locality": 1}],
    "probabilities": [{"partition": "contiguous"}, {"partition": "parity"}],
}

globals().update(suites(ReadoutConformance, readouts, OPTIONS))


class TestBlocksOfManyOutputs(ReadoutConformance):
    name = "probabilities"
    n_qubits = (2, 3)
    n_outputs = 3


def failing(build, **attributes):
    """The failures of a readout on 2 qubits, or as the attributes say."""
    readout("mine")(build)
    return failures(ReadoutConformance, **{"name": "mine", "n_qubits": (2,), **attributes})


def every(label):
    """A readout of this one observable."""
    return lambda n_qubits: [SparsePauliOp(label * n_qubits)]


def test_a_good_readout_passes():
    assert failing(every("X"), n_qubits=(1, 2, 3)) == {}
    assert failing(lambda n_qubits, n_outputs: every("Z")(n_qubits) * n_outputs) == {}
    assert failing(lambda n_qubits, n_outputs: Mixture(tuple(every("Z")(n_qubits)), n_outputs)) == {}


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda n_qubits: [], "the readout 'mine' on 2 qubits is []; return a list of SparsePauliOp, one at least"),
        (lambda n_qubits: ["ZZ"], "is ['ZZ']; return a list of SparsePauliOp"),
        (lambda n_qubits: [Operator.from_label("ZZ")], "; return a list of SparsePauliOp"),
        (lambda n_qubits: tuple(every("Z")(n_qubits)), "; return a list of SparsePauliOp"),
        (lambda n_qubits: [SparsePauliOp("Z")], "acts on [1] qubits; give labels of n_qubits letters."),
    ],
)
def test_something_else_than_observables_of_the_circuit(build, text):
    assert text in failing(build)["it_is_a_list_of_pauli_sums"]


@pytest.mark.parametrize("observable", [SparsePauliOp("ZZ", 1j), SparsePauliOp(["XI", "YI"], [1, 1j])])
def test_an_observable_that_is_not_hermitian(observable):
    found = failing(lambda n_qubits: [SparsePauliOp("ZI"), observable])
    assert "has an observable 1 that is not Hermitian; give real coeff" in found["observables_are_hermitian"]


@pytest.mark.parametrize("observable", [SparsePauliOp("II", 2.0), SparsePauliOp(["ZZ", "ZZ", "II"], [1, -1, 1])])
def test_a_constant(observable):
    found = failing(lambda n_qubits: [observable])
    assert "has an observable 0 that is the same for all states; leave it out." in found["no_observable_is_a_constant"]


def test_randomness():
    rng = np.random.default_rng(0)
    found = failing(lambda n_qubits: [SparsePauliOp("ZZ", rng.normal())])
    assert list(found) == ["equal_calls_give_equal_observables"]
    assert "on 2 qubits differs from call to call" in found.popitem()[1]


def test_values_that_qnas_would_get_wrong(monkeypatch):
    """Qiskit's own is the second opinion."""
    wrong = SparsePauliOp("ZZ")
    monkeypatch.setattr("qnas.testing.readouts.Statevector.expectation_value", lambda *_: wrong.coeffs[0])
    assert list(failing(every("Z"))) == ["values_are_those_of_qiskit"]


def test_a_part_that_is_never_built_fails():
    def refusing(n_qubits):
        raise DesignError("it needs 10 qubits.")

    assert "is built on none of [2] qubits (it needs 10 qubits.)" in failing(refusing)["a_model_with_it_learns"]
