"""The suite of topologies: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest

from qnas.circuit.topologies import topologies, topology
from qnas.errors import DesignError
from qnas.testing import TopologyConformance
from tests.testing.bundled import suites
from tests.testing.failing import failures

globals().update(suites(TopologyConformance, topologies))


def failing(pairs, **attributes):
    topology("mine")(pairs)
    return failures(TopologyConformance, **{"name": "mine", **attributes})


def test_a_good_topology_passes():
    assert failing(lambda n_qubits: [(k + 1, k) for k in range(0, n_qubits - 1, 2)]) == {}
    assert failing(lambda n_qubits: []) == {}


@pytest.mark.parametrize(
    "pairs",
    [
        lambda n_qubits: ((0, 1),),
        lambda n_qubits: [[0, 1]],
        lambda n_qubits: [(0, 1, 2)],
        lambda n_qubits: [(np.int64(0), 1)],
        lambda n_qubits: np.array([(0, 1)]),
    ],
)
def test_something_else_than_a_list_of_pairs(pairs):
    found = failing(pairs, n_qubits=(3,))["it_is_a_list_of_pairs_of_qubits"]
    assert "the topology 'mine' on 3 qubits is " in found and found.endswith("(control, target), each a plain int.")


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        (lambda n_qubits: [(0, n_qubits)], "on 1 qubit joins [(0, 1)]; join two different qubits of 0 to 0."),
        (lambda n_qubits: [(0, 0)], "on 1 qubit joins [(0, 0)]; join two different qubits"),
        (lambda n_qubits: [(0, -1)], "on 1 qubit joins [(0, -1)]; join two different qubits"),
        (lambda n_qubits: [(0, 1), (1, 0), (0, 1)], "on 2 qubits joins [(0, 1)] more than once in one layer"),
    ],
)
def test_pairs_that_cannot_be_joined(pairs, text):
    found = failing(pairs, n_qubits=(2,) if "once" in text else (1,))
    assert text in found["pairs_join_two_qubits_of_the_register"]


def test_a_list_that_all_calls_share():
    shared = [(0, 1)]
    found = failing(lambda n_qubits: shared, n_qubits=(2,))
    assert "gives another list when it is called again; make a new one" in found["equal_calls_give_equal_lists"]


def test_randomness():
    rng = np.random.default_rng(0)
    found = failing(lambda n_qubits: [(0, int(rng.integers(1, n_qubits)))], n_qubits=(9,))
    assert list(found) == ["equal_calls_give_equal_lists"]


def test_a_topology_that_cannot_make_a_layer():
    def refusing(n_qubits):
        raise DesignError("it needs 10 qubits.")

    found = failing(refusing)
    assert list(found) == ["layers_are_built_on_it"]
    assert "is built on none of [1, 2, 3, 4, 5, 6] qubits (it needs 10 qubits.; " in found.popitem()[1]
