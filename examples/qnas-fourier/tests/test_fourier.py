"""The parts keep what qnas relies on, and the numbers of frequencies are those of the paper."""

import pytest

from qnas.testing import EncodingConformance, ObjectiveConformance, SpaceConformance, design
from qnas_fourier.objective import n_frequencies


class TestEncoding(EncodingConformance):
    name = "fourier"
    options = ({}, {"base": 1}, {"base": 2})


class TestObjective(ObjectiveConformance):
    name = "n_frequencies"


class TestSpace(SpaceConformance):
    name = "fourier"


@pytest.mark.parametrize(("base", "n_found"), [(1, 7), (2, 15), (3, 27)])
def test_frequencies_of_three_qubits(base, n_found):
    """2m + 1, 2^(m+1) - 1 and 3^m on m qubits."""
    made = design(n_qubits=3, encoding={"name": "fourier", "base": base})
    assert n_frequencies(made).value == n_found
