"""NSGA-III: directions as the paper has them, and the spread that it is for."""

import numpy as np
import pytest

from qnas.search import SearchSettings, make_searcher
from qnas.search.nsga3 import less_violating, reference_directions
from qnas.search.operators import Population
from tests.search.faulty import faulty, front_found, told


@pytest.mark.parametrize(("n_objectives", "n"), [(3, 91), (5, 210), (8, 156), (10, 275), (15, 135)])
def test_there_are_as_many_directions_as_in_table_one_of_the_paper(n_objectives, n):
    """For 8 objectives and more of two layers; with one place less there are fewer."""
    directions = reference_directions(n_objectives, n)
    assert directions.shape == (n, n_objectives)
    assert len(np.unique(directions.round(9), axis=0)) == n
    assert directions.sum(axis=1) == pytest.approx(1) and directions.min() >= 0
    assert len(reference_directions(n_objectives, n - 1)) < n


def test_a_second_layer_lies_halfway_to_the_centre():
    directions = reference_directions(4, 24)
    inner = directions[(directions > 0).all(axis=1)]
    assert sorted(map(tuple, inner)) == sorted(map(tuple, (np.eye(4) + 1 / 4) / 2))


def test_too_few_places_for_a_direction_to_each_axis():
    assert reference_directions(4, 3).tolist() == [[0.25] * 4]
    assert reference_directions(1, 24).tolist() == [[1.0]]


def test_of_two_parents_the_one_nearer_to_the_constraints_mates_and_equals_at_random():
    parents = Population.new(G=np.array([[0.0], [2.0], [5.0], [0.0]]))
    pairs = np.array([[0, 1], [2, 1], *[[0, 3]] * 40])
    chosen = less_violating(parents, pairs, random_state=np.random.default_rng(0)).ravel()
    assert chosen[:2].tolist() == [0, 1]
    assert set(chosen[2:]) == {0, 3}


def test_most_of_the_front_is_found():
    assert len(front_found("nsga3", 0)) >= 8


def test_one_survivor_for_each_direction_of_a_front_that_is_found():
    """The front is a simplex, with 3 directions to its corners and 3 to its edges."""

    def losses_of(genotypes):
        place = np.array([[g[0] + 1, 3 * g[1] + 1, 3 * g[2:].sum() + 1] for g in genotypes], dtype=float)
        return place / place.sum(axis=1)[:, None]  # every design is on the front

    searcher = make_searcher(SearchSettings("nsga3", population=6, generations=20), faulty, 3, 0)
    told(searcher, losses_of=losses_of)
    survivors = searcher._algorithm.pop.get("F")
    low, high = survivors.min(axis=0), survivors.max(axis=0)
    scaled = (survivors - low) / (high - low)
    nearest = [_nearest(loss, reference_directions(3, 6)) for loss in scaled]
    assert sorted(nearest) == list(range(6))


def _nearest(loss, directions):
    """The direction at the least perpendicular distance."""
    along = directions / np.linalg.norm(directions, axis=1)[:, None]
    return int(np.argmin(np.linalg.norm(loss - (along @ loss)[:, None] * along, axis=1)))
