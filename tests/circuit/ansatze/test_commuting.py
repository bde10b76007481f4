"""Commuting-block circuits: which strings they turn about, and that those of a block commute."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp
from scipy.linalg import expm

from qnas.circuit.ansatze import commuting
from qnas.errors import DesignError
from qnas.objectives import gradient_efficiency
from tests.circuit.ansatze.listing import rotation_labels
from tests.circuit.reference import unitary
from tests.circuit.strategies import few, seeds


def test_the_strings_of_two_blocks():
    found = rotation_labels(commuting(3))
    assert found == [
        "ZII", "IZI", "IIZ", "ZZI", "ZIZ", "IZZ",
        "XII", "IXI", "IIX", "XXI", "XIX", "IXX",
    ]  # fmt: skip


@few
@given(st.text("xyz", min_size=1, max_size=4), st.integers(1, 5), st.data())
def test_generators_of_a_block_commute_and_are_all_there(blocks, n_qubits, data):
    max_weight = data.draw(st.integers(1, n_qubits))
    found = rotation_labels(commuting(n_qubits, blocks, max_weight))
    n_strings = sum(comb(n_qubits, weight) for weight in range(1, max_weight + 1))
    for k, letter in enumerate(blocks):
        block = found[k * n_strings : (k + 1) * n_strings]
        assert {*"".join(block)} <= {"I", letter.upper()}
        assert len(set(block)) == n_strings
        assert all(Pauli(one).commutes(Pauli(other)) for one, other in combinations(block, 2))
    assert len(found) == n_strings * len(blocks)


@few
@given(st.text("xyz", min_size=1, max_size=3), seeds)
def test_a_block_is_the_exponential_of_one_sum(blocks, seed):
    circuit = commuting(3, blocks, 3)
    weights = np.random.default_rng(seed).uniform(-3, 3, (len(blocks), 7))
    expected = np.eye(8)
    for letter, own in zip(blocks.upper(), weights, strict=True):
        labels = [label.replace("Z", letter)[::-1] for label in ("ZII", "IZI", "IIZ", "ZZI", "ZIZ", "IZZ", "ZZZ")]
        expected = expm(-0.5j * SparsePauliOp(labels, own).to_matrix()) @ expected
    assert unitary(circuit.assign_parameters(weights.ravel())) == pytest.approx(expected, abs=1e-12)


def test_all_derivatives_of_one_block_are_measured_together():
    """The point of the family: each string anticommutes with the readout, or has no effect on it."""
    found = gradient_efficiency(commuting(4, "x", 2), SparsePauliOp("IIIZ"))
    assert found.n_groups == 1
    assert found.value == 4  # X on qubit 0, alone and with each other one


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(blocks="zw"), "blocks is 'zw'; write one letter of x, y, z per block, e.g. zx."),
        (dict(blocks=""), "blocks is ''; write one letter of x, y, z per block, e.g. zx."),
        (dict(max_weight=4), "max_weight is 4; it must be from 1 to 3."),
        (dict(max_weight=0), "max_weight is 0; it must be from 1 to 3."),
    ],
)
def test_blocks_that_cannot_be(options, text):
    with pytest.raises(DesignError) as refusal:
        commuting(3, **options)
    assert str(refusal.value) == text
