"""The circuits of arXiv 2406.18316: strings and numbers of the paper, and what makes them what they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp
from scipy.linalg import expm

from qnas.circuit.ansatze import non_symmetric, slpa, symmetric
from qnas.circuit.ansatze.slpa import on_ring, stabilizer_group
from qnas.errors import DesignError
from qnas.objectives import gradient_efficiency, lie_algebra_dim
from tests.circuit.ansatze.listing import rotation_labels
from tests.circuit.reference import unitary
from tests.circuit.strategies import few, seeds
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC

X0X1 = SparsePauliOp("IIXX")


def whole(circuit, seed=0):
    return unitary(circuit.assign_parameters(np.random.default_rng(seed).uniform(0, 6, circuit.num_parameters)))


@pytest.mark.parametrize(
    ("circuit", "strings"),
    [(symmetric(4, 2), SYMMETRIC * 2), (slpa(4, n_blocks=12), SLPA), (non_symmetric(4, 2), NON_SYMMETRIC * 2)],
    ids=["symmetric", "slpa", "non_symmetric"],
)
def test_the_strings_of_the_paper(circuit, strings):
    assert rotation_labels(circuit) == strings
    assert circuit.num_parameters == len(strings)


@pytest.mark.parametrize(
    ("circuit", "limit", "bound", "dimension"),
    [(symmetric(4, 8), 1, 4, 60), (slpa(4, n_blocks=96), 4, 4, 60), (non_symmetric(4, 8), 1, 1, 255)],
    ids=["symmetric", "slpa", "non_symmetric"],
)
def test_the_numbers_of_the_paper(circuit, limit, bound, dimension):
    found = gradient_efficiency(circuit, X0X1)
    assert lie_algebra_dim(circuit) == found.lie_algebra_dim == dimension
    assert found.value == pytest.approx(limit, rel=0.1)
    assert found.bound == pytest.approx(bound, abs=1e-9)


@pytest.mark.parametrize("n_qubits", [4, 6])
def test_the_product_ansatz_has_the_algebra_of_the_symmetric_one(n_qubits):
    """All that commutes with X on all and Z on all, but for these two, their product and the identity."""
    expected = 4**n_qubits // 4 - 4
    assert lie_algebra_dim(symmetric(n_qubits)) == expected
    assert lie_algebra_dim(slpa(n_qubits, n_blocks=3 * n_qubits)) == expected


def test_one_stabilizer_and_logicals_of_several_lengths():
    """The parity of Z: blocks of two, about Z of a qubit and XX of neighbours."""
    found = rotation_labels(slpa(3, stabilizers="Z", logicals="Z_XX", n_blocks=6))
    blocks = ["ZII", "IZZ", "XIX", "YZY", "IZI", "ZIZ", "XXI", "YYZ", "IIZ", "ZZI", "IXX", "ZYY"]
    assert found == blocks


def test_blocks_start_again_after_the_last_logical():
    once, more = (rotation_labels(slpa(4, "X", "ZZ", n_blocks)) for n_blocks in (4, 6))
    assert more == [*once, "ZZII", "YYXX", "IIZZ", "XXYY"]


def test_without_stabilizers_a_block_is_one_rotation():
    assert rotation_labels(slpa(4, stabilizers="", n_blocks=12)) == SYMMETRIC


@pytest.mark.parametrize("n_qubits", [4, 6])
def test_a_block_turns_about_signed_products(n_qubits):
    """The product of X and Z on 6 qubits is -YYYYYY, on 4 qubits +YYYY."""
    weights = [0.3, -0.7, 1.1, 0.9]
    x, z, logical = (
        Pauli(label).to_matrix() for label in ("X" * n_qubits, "Z" * n_qubits, "I" * (n_qubits - 2) + "XX")
    )
    strings = [logical, logical @ x, logical @ z, logical @ x @ z]
    expected = expm(-0.5j * sum(weight * string for weight, string in zip(weights, strings, strict=True)))
    assert unitary(slpa(n_qubits).assign_parameters(weights)) == pytest.approx(expected, abs=1e-12)


def test_the_group_keeps_its_signs():
    assert [str(one) for one in stabilizer_group(["XX", "ZZ"], 2)] == ["II", "XX", "ZZ", "-YY"]
    assert [str(one) for one in stabilizer_group(["ZII", "IZI", "IIZ"], 3)] == [
        "III", "ZII", "IZI", "ZZI", "IIZ", "ZIZ", "IZZ", "ZZZ"
    ]  # fmt: skip


words = st.lists(st.sampled_from(["XX", "YY", "ZZ", "XIX", "ZIIZ", "XYYX"]), min_size=1, max_size=3, unique=True)


@few
@given(words, st.sampled_from([4, 6]), st.integers(1, 5), seeds)
def test_the_circuit_commutes_with_its_stabilizers(logicals, n_qubits, n_blocks, seed):
    made = whole(slpa(n_qubits, logicals="_".join(logicals), n_blocks=n_blocks), seed)
    for letter in "XZ":
        stabilizer = Pauli(letter * n_qubits).to_matrix()
        assert made @ stabilizer == pytest.approx(stabilizer @ made, abs=1e-12)


@few
@given(words, st.integers(4, 7))
def test_a_ring_holds_every_word_at_every_place_once(chosen, n_qubits):
    turned = {word + "I" * (n_qubits - len(word)) for word in chosen}
    expected = {label[k:] + label[:k] for label in turned for k in range(n_qubits)}
    found = on_ring(chosen, n_qubits)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_the_circuits_it_is_compared_with_have_any_width(n_qubits):
    assert symmetric(n_qubits).num_parameters == (3 if n_qubits == 2 else 3 * n_qubits)
    assert non_symmetric(n_qubits).num_parameters == (5 if n_qubits == 2 else 3 * n_qubits)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(n_qubits=3), "the stabilizers XXX and ZZZ do not commute; leave one of them out."),
        (
            dict(n_qubits=4, stabilizers="XX_Z_Y"),
            "the stabilizer YYYY is a product of those before it; leave it out.",
        ),
        (
            dict(n_qubits=4, stabilizers="XXX"),
            "the stabilizer 'XXX' has 3 letters, which do not repeat to 4 qubits; give a word whose length divides 4.",
        ),
        (
            dict(n_qubits=4, logicals="ZZ_X"),
            "the logical IIXI and the stabilizer ZZZZ do not commute; leave one of them out.",
        ),
        (
            dict(n_qubits=2),
            "the logical XX belongs to the stabilizer group, so that one of its rotations would do nothing; use more "
            "qubits, or leave out it or a stabilizer.",
        ),
        (
            dict(n_qubits=4, logicals="ZA"),
            "'ZA' is no Pauli word on 4 qubits; write at most 4 letters of I, X, Y, Z that are not all I.",
        ),
        (
            dict(n_qubits=4, stabilizers="I"),
            "'I' is no Pauli word on 4 qubits; write at most 4 letters of I, X, Y, Z that are not all I.",
        ),
        (
            dict(n_qubits=2, logicals="ZZZ"),
            "'ZZZ' is no Pauli word on 2 qubits; write at most 2 letters of I, X, Y, Z that are not all I.",
        ),
        (
            dict(n_qubits=4, logicals="ZZ_"),
            "'' is no Pauli word on 4 qubits; write at most 4 letters of I, X, Y, Z that are not all I.",
        ),
        (dict(n_qubits=4, logicals=""), "there are no words of logicals; give at least one, e.g. ZZ."),
        (dict(n_qubits=4, n_blocks=0), "n_blocks is 0; it must be at least 1."),
    ],
)
def test_what_is_no_stabilizer_group_with_logicals(options, text):
    with pytest.raises(DesignError) as refusal:
        slpa(**options)
    assert str(refusal.value) == text


@pytest.mark.parametrize("ansatz", [symmetric, non_symmetric])
def test_circuits_without_layers(ansatz):
    with pytest.raises(DesignError, match="n_layers is 0; it must be at least 1"):
        ansatz(4, 0)
