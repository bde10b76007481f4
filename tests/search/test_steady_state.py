"""Steady state: what a design depends on, and what the search finds."""

import numpy as np
import pytest

from qnas.search import SearchSettings, make_searcher
from tests.search.faulty import faulty, front_found, losses_of, told


def test_most_of_the_front_is_found():
    assert len(front_found("steady_state", 0)) >= 8


def asked(n_same, window=5, n=30):
    """Every result from the n_same-th on is another one."""
    searcher = make_searcher(SearchSettings("steady_state", population=4, evaluations=n, window=window), faulty, 2, 0)
    results = iter(range(n))
    return np.array(
        told(searcher, losses_of=lambda genotypes: losses_of(genotypes) * (1 if next(results) < n_same else -1))
    )


@pytest.mark.parametrize("window", [1, 5])
def test_a_design_depends_on_the_results_before_its_window_and_on_no_others(window):
    """The one at position k is asked when the first k - window + 1 are told; positions count from 0."""
    whole = asked(30, window)
    for n_same in (8, 15):
        other = asked(n_same, window)
        n_equal = int(np.argmax((whole != other).any(axis=1)))
        assert n_same + window <= n_equal < 30


def test_who_survives_is_decided_after_every_result():
    searcher = make_searcher(SearchSettings("steady_state", population=3, evaluations=60, window=1), faulty, 2, 0)
    told(searcher)
    survivors = searcher._algorithm.pop.get("F")
    assert len(survivors) == 3
    assert survivors.sum(axis=1).tolist() == [9, 9, 9], "all are on the front"
    assert {0, 9} <= set(survivors[:, 0]), "crowding keeps both ends"
