"""Readouts: labels with qubit 0 rightmost."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector, random_statevector

from qnas.circuit.readouts import Mixture, readouts
from qnas.errors import DesignError


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("z", ["IIZ", "IZI", "ZII"]),
        ("zz", ["IZZ", "ZIZ", "ZZI"]),
        ("z_first", ["IIZ"]),
        ("parity", ["IIZ", "IZZ", "ZZZ"]),
    ],
)
def test_observables_on_three_qubits(name, labels):
    assert readouts[name](3) == [SparsePauliOp(label) for label in labels]


def test_one_qubit_for_each_output():
    assert readouts["z_classes"](3, n_outputs=2) == [SparsePauliOp("IIZ"), SparsePauliOp("IZI")]
    assert readouts["z_classes"](2, n_outputs=2) == readouts["z"](2)


def expected_probabilities(n_qubits, n_outputs, partition, state):
    """By hand from the probabilities of the basis states."""
    found = np.zeros(n_outputs)
    for index, probability in enumerate(state.probabilities()):
        sizes = [2**n_qubits // n_outputs + (k < 2**n_qubits % n_outputs) for k in range(n_outputs)]
        block = index.bit_count() % n_outputs
        if partition == "contiguous":
            block = next(k for k in range(n_outputs) if index < sum(sizes[: k + 1]))
        found[block] += probability
    return found


@pytest.mark.parametrize("partition", ["contiguous", "parity"])
@pytest.mark.parametrize(("n_qubits", "n_outputs"), [(1, 2), (2, 2), (2, 3), (3, 2), (3, 3), (4, 3), (4, 5)])
def test_probabilities_of_blocks_of_basis_states(n_qubits, n_outputs, partition):
    state = random_statevector(2**n_qubits, seed=n_outputs)
    operators = readouts["probabilities"](n_qubits, n_outputs=n_outputs, partition=partition)
    found = [state.expectation_value(operator).real for operator in operators]
    np.testing.assert_allclose(found, expected_probabilities(n_qubits, n_outputs, partition, state), atol=1e-14)
    assert sum(found) == pytest.approx(1, abs=1e-13)


def test_blocks_are_consecutive_and_the_first_ones_larger():
    operators = readouts["probabilities"](3, n_outputs=3)
    basis = [Statevector.from_int(k, 8) for k in range(8)]
    blocks = [[round(state.expectation_value(operator).real) for operator in operators].index(1) for state in basis]
    assert blocks == [0, 0, 0, 1, 1, 1, 2, 2]


def test_parity_of_two_outputs_is_the_product_of_all_z():
    even, odd = readouts["probabilities"](4, n_outputs=2, partition="parity")
    assert even - odd == SparsePauliOp(["IIII", "ZZZZ", "IIII", "ZZZZ"], [0.5, 0.5, -0.5, 0.5])
    assert (even + odd).simplify() == SparsePauliOp("IIII")


@pytest.mark.parametrize(
    ("n_qubits", "options", "expected"), [(1, {}, 3), (2, {}, 15), (4, {}, 66), (3, {"locality": 1}, 9)]
)
def test_a_mixture_of_all_strings_up_to_a_length(n_qubits, options, expected):
    mixture = readouts["pauli_mixture"](n_qubits, n_outputs=3, **options)
    labels = [operator.paulis[0].to_label() for operator in mixture.observables]
    assert isinstance(mixture, Mixture) and mixture.n_values == 3
    assert len(set(labels)) == len(labels) == expected
    lengths = {sum(symbol != "I" for symbol in label) for label in labels}
    assert lengths == set(range(1, min(options.get("locality", 2), n_qubits) + 1))
    assert all(operator.coeffs == 1 for operator in mixture.observables)


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("zz", dict(n_qubits=1), "the readout 'zz' needs at least 2 qubits, but n_qubits is 1; use the readout 'z'."),
        (
            "z_classes",
            dict(n_qubits=2, n_outputs=3),
            "the readout 'z_classes' needs a qubit for each output, but there are 3 outputs and n_qubits is 2; use "
            "more qubits, or the readout 'z'.",
        ),
        (
            "probabilities",
            dict(n_qubits=2, n_outputs=5),
            "the readout 'probabilities' with the partition 'contiguous' divides the basis states of 2 qubits into at "
            "most 4 blocks, but there are 5 outputs; use more qubits.",
        ),
        (
            "probabilities",
            dict(n_qubits=2, n_outputs=4, partition="parity"),
            "the readout 'probabilities' with the partition 'parity' divides the basis states of 2 qubits into at most "
            "3 blocks, but there are 4 outputs; use more qubits.",
        ),
        (
            "probabilities",
            dict(n_qubits=2, n_outputs=1),
            "the readout 'probabilities' of one output is always 1; use another readout.",
        ),
        (
            "probabilities",
            dict(n_qubits=2, n_outputs=2, partition="party"),
            "unknown partition of the readout 'probabilities', 'party': did you mean 'parity'? Allowed: contiguous, "
            "parity.",
        ),
        (
            "pauli_mixture",
            dict(n_qubits=2, n_outputs=2, locality=0),
            "the option locality of the readout 'pauli_mixture' is 0; it must be at least 1.",
        ),
    ],
)  # fmt: skip
def test_readouts_that_cannot_be(name, arguments, text):
    with pytest.raises(DesignError) as caught:
        readouts[name](**arguments)
    assert str(caught.value) == text
