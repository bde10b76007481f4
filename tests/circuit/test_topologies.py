"""Topologies: the pairs of each, and the smallest registers."""

import pytest
from qiskit.transpiler import CouplingMap

from qnas.circuit.topologies import topologies


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("line", [(0, 1), (1, 2), (2, 3)]),
        ("ring", [(0, 1), (1, 2), (2, 3), (3, 0)]),
        ("all", [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]),
        ("star", [(0, 1), (0, 2), (0, 3)]),
        ("grid", [(0, 1), (0, 2), (1, 3), (2, 3)]),
        ("heavy_hex", [(0, 1), (0, 2), (0, 3)]),
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


@pytest.mark.parametrize(("n_qubits", "rows"), [(2, 1), (6, 2), (9, 3), (12, 3)])
def test_a_grid_of_full_rows(n_qubits, rows):
    expected = CouplingMap.from_grid(rows, n_qubits // rows, bidirectional=False).get_edges()
    assert sorted(topologies["grid"](n_qubits)) == sorted(tuple(edge) for edge in expected)


def test_a_grid_may_end_in_a_shorter_row():
    assert topologies["grid"](5) == [(0, 1), (0, 3), (1, 2), (1, 4), (3, 4)]


@pytest.mark.parametrize("n_qubits", [5, 12, 19, 30, 57])
def test_a_patch_of_heavy_hexagons(n_qubits):
    """Connected, at most three neighbours each, and no two corners side by side."""
    patch = CouplingMap(topologies["heavy_hex"](n_qubits))
    patch.make_symmetric()
    degrees = [len(patch.neighbors(qubit)) for qubit in range(n_qubits)]
    assert patch.is_connected()
    assert max(degrees) == degrees[0] == 3
    assert all(degrees[a] < 3 or degrees[b] < 3 for a, b in patch.get_edges())


def test_a_whole_lattice_of_heavy_hexagons():
    assert len(topologies["heavy_hex"](19)) == len(CouplingMap.from_heavy_hex(3, bidirectional=False).get_edges())
