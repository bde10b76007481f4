"""Pareto local search: what it tries, when it starts again, and what it finds."""

import numpy as np

from qnas.search import SearchSettings, make_searcher
from qnas.space import Space, choice, integer
from tests.search.faulty import faulty, front_found, losses_of, told


def test_the_front_is_found():
    assert len(front_found("local", 0)) == 10


def test_every_design_is_a_neighbour_of_one_that_nothing_had_beaten():
    searcher = make_searcher(SearchSettings("local", population=1, evaluations=40), faulty, 2, 0)
    asked = told(searcher)
    losses = losses_of(asked)
    for k in range(1, 40):
        before = losses[:k]
        beaten = [((before <= one).all(axis=1) & (before < one).any(axis=1)).any() for one in before]
        parents = [g for g, lost in zip(asked[:k], beaten, strict=True) if not lost]
        assert any(np.array_equal(asked[k], n) for parent in parents for n in faulty.neighbours(parent))


def test_it_starts_again_when_all_neighbours_are_tried():
    """Two hills without a way between them: the neighbours of an even design beat it in nothing."""
    space = Space(n=integer(0, 1000))
    searcher = make_searcher(SearchSettings("local", population=1, evaluations=60), space, 1, 0)
    asked = [int(g[0]) for g in told(searcher, losses_of=lambda gs: np.array([[float(g[0] % 2)] for g in gs]))]
    starts = [k for k in range(1, 60) if min(abs(asked[k] - n) for n in asked[:k]) > 1]
    assert len(starts) >= 15
    assert all(abs(asked[k + 1] - asked[k]) == 1 for k in starts if k < 59 and 0 < asked[k] < 1000)


def test_a_start_that_fails_is_followed_by_another():
    space = Space(kind=choice("p", "q"), n=integer(0, 50))
    searcher = make_searcher(SearchSettings("local", population=2, evaluations=102), space, 1, 0)
    losses = {"losses_of": lambda genotypes: np.array([[float(g[1])] for g in genotypes])}
    assert len(told(searcher, failing=lambda g: g[0] == 0, **losses)) == 102


def test_of_designs_as_near_to_the_constraints_the_dominating_ones_stay():
    searcher = make_searcher(SearchSettings("local", population=6), faulty, 2, 0)
    losses = np.array([[1.0, 1.0], [0.0, 2.0], [1.0, 2.0], [0.0, 0.0], [np.nan, np.nan], [np.nan, np.nan]])
    searcher.tell(searcher.ask(), losses, np.array([0.5, 0.5, 0.5, 1.0, 0.5, np.inf]))
    kept = [member.losses.tolist() for member in searcher._archive]
    assert kept[:2] == [[1.0, 1.0], [0.0, 2.0]] and len(kept) == 3, "of the third nothing is known"
