"""SMS-EMOA: who survives, by a second method, and what it finds."""

from itertools import combinations

import numpy as np

from qnas.front.pareto import hypervolume
from qnas.search import SearchSettings, make_searcher
from tests.search.faulty import faulty, front_found


def test_most_of_the_front_is_found():
    assert len(front_found("sms_emoa", 0)) >= 8


def test_the_survivors_of_one_front_are_those_that_lose_least_hypervolume():
    """One goes: of all ways to leave out one, none keeps more."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0, np.pi / 2, 5)
    losses = 1 - np.column_stack([np.sin(angles), np.cos(angles)])  # nobody dominates anybody
    searcher = make_searcher(SearchSettings("sms_emoa", population=4, generations=2), faulty, 2, 0)
    searcher.tell(searcher.ask(), losses[:4], np.zeros(4))
    offspring = searcher.ask()
    beaten = np.full((4, 2), 2.0)
    beaten[0] = losses[4]
    searcher.tell(offspring, beaten, np.zeros(4))
    survivors = searcher._algorithm.pop.get("F")
    everyone = np.vstack([losses, beaten[1:]])
    low, high = everyone.min(axis=0), everyone.max(axis=0)
    kept = {
        four: hypervolume((losses[list(four)] - low) / (high - low), np.full(2, 11.0))
        for four in combinations(range(5), 4)
    }
    best = losses[list(max(kept, key=kept.get))]
    assert sorted(map(tuple, survivors)) == sorted(map(tuple, best))
