"""Topologies: the pairs of each, and the smallest registers."""

import pytest

from qnas.circuit.topologies import topologies


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("line", [(0, 1), (1, 2), (2, 3)]),
        ("ring", [(0, 1), (1, 2), (2, 3), (3, 0)]),
        ("all", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
        ("star", [(0, 1), (0, 2), (0, 3)]),
    ],
)
def test_pairs_on_four_qubits(name, expected):
    assert topologies[name](4) == expected


@pytest.mark.parametrize("name", list(topologies))
@pytest.mark.parametrize("n_qubits", [1, 2, 3, 5])
def test_pairs_join_two_qubits_of_the_register_once(name, n_qubits):
    pairs = topologies[name](n_qubits)
    assert all(0 <= qubit < n_qubits for pair in pairs for qubit in pair)
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(len(set(pair)) == 2 for pair in pairs)
    assert {qubit for pair in pairs for qubit in pair} == (set(range(n_qubits)) if n_qubits > 1 else set())
