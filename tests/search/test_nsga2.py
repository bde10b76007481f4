"""NSGA-II on a problem whose front is known."""

import numpy as np
import pytest

from qnas.search import SearchSettings, make_searcher
from tests.search.faulty import faulty, front_found, losses_of


@pytest.mark.parametrize("seed", [0, 1])
def test_most_of_the_front_is_found_and_random_search_finds_less(seed):
    assert len(front_found("nsga2", seed)) >= 8
    assert len(front_found("random", seed)) <= 4


def test_failed_designs_do_not_mislead_it():
    assert len(front_found("nsga2", 0, failing=lambda g: g[0] % 4 == 1)) >= 5


def test_the_survivors_are_feasible_once_there_are_enough():
    searcher = make_searcher(SearchSettings(population=8, generations=6), faulty, 2, 0)
    while genotypes := searcher.ask():
        feasible = np.array([g[2] == 0 for g in genotypes])
        searcher.tell(
            genotypes, np.where(feasible[:, None], losses_of(genotypes), np.nan), np.where(feasible, 0.0, np.inf)
        )
    survivors = searcher._algorithm.pop.get("X")
    assert not survivors[:, 2].any()


def test_designs_that_meet_the_constraints_survive_and_then_those_that_come_nearest():
    searcher = make_searcher(SearchSettings(population=8, generations=8), faulty, 2, 0)
    while genotypes := searcher.ask():
        violations = np.array([max(0.0, 7.0 - g[0]) for g in genotypes])
        violations[[g[1] == 2 for g in genotypes]] = np.inf
        searcher.tell(genotypes, losses_of(genotypes), violations)
    survivors = searcher._algorithm.pop.get("X")
    assert (survivors[:, 0] >= 7).all()
    assert (survivors[:, 1] < 2).all()
