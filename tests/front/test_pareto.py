"""Fronts and hypervolumes: closed forms, and the definitions written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qnas.front.pareto import GrowingHypervolume, hypervolume, non_dominated, ranked


def grid_losses(max_rows: int = 12):
    """Losses on a small grid, so that ties, equal rows and points beyond the reference point are common."""
    shapes = st.tuples(st.integers(0, max_rows), st.integers(1, 4))
    return shapes.flatmap(lambda shape: arrays(float, shape, elements=st.integers(0, 4).map(float)))


def dominates(a, b):
    return all(a <= b) and any(a < b)


def cells_covered(losses, size):
    """The hypervolume of integer losses below (size, ..., size): the unit cells that some row dominates."""
    corners = np.stack(np.meshgrid(*[np.arange(size)] * losses.shape[1]), axis=-1).reshape(-1, losses.shape[1])
    return sum(any((row <= corner).all() for row in losses) for corner in corners)


def test_a_staircase_with_a_dominated_point_and_a_tie():
    losses = np.array([[0.0, 3.0], [1.0, 1.0], [1.0, 1.0], [2.0, 2.0], [3.0, 0.0], [3.0, 0.5]])
    assert non_dominated(losses).tolist() == [True, True, True, False, True, False]


def test_rows_that_were_not_measured_are_never_on_the_front():
    losses = np.array([[0.0, np.nan], [1.0, 1.0], [np.nan, np.nan]])
    assert non_dominated(losses).tolist() == [False, True, False]
    assert hypervolume(losses, np.array([2.0, 2.0])) == 1.0


def test_no_rows():
    losses, reference_point = np.empty((0, 3)), np.ones(3)
    assert non_dominated(losses).shape == (0,)
    assert hypervolume(losses, reference_point) == 0.0
    assert GrowingHypervolume(reference_point).value == 0.0


@given(grid_losses())
def test_the_front_is_what_nobody_dominates(losses):
    expected = [not any(dominates(other, row) for other in losses) for row in losses]
    assert non_dominated(losses).tolist() == expected


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4, 5])
def test_one_point_spans_a_box(n_objectives):
    sides = np.linspace(0.5, 1.5, n_objectives)
    assert hypervolume(-sides[None, :], np.zeros(n_objectives)) == pytest.approx(np.prod(sides), rel=1e-14)


def test_two_overlapping_boxes():
    losses = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert hypervolume(losses, np.array([4.0, 4.0])) == pytest.approx(6 + 6 - 4)


def test_points_beyond_the_reference_point_add_nothing():
    inside, beyond = [1.0, 1.0], [[0.0, 2.0], [3.0, 0.0], [0.0, np.inf]]
    assert hypervolume(np.array([inside, *beyond]), np.array([2.0, 2.0])) == 1.0


@given(grid_losses())
def test_the_hypervolume_counts_dominated_cells(losses):
    assert hypervolume(losses, np.full(losses.shape[1], 4.0)) == pytest.approx(cells_covered(losses, 4))


@given(grid_losses(max_rows=8), st.integers(0, 7))
def test_a_hypervolume_that_grows_is_that_of_each_beginning(losses, k_missing):
    losses[k_missing : k_missing + 1] = np.nan
    reference_point = np.full(losses.shape[1], 3.5)
    expected = [hypervolume(losses[: k + 1], reference_point) for k in range(len(losses))]
    growing = GrowingHypervolume(reference_point)
    assert [growing.add(row) for row in losses] == pytest.approx(expected)
    assert growing.value == pytest.approx(hypervolume(losses, reference_point))


def test_a_row_is_not_beaten_by_less_than_its_margin():
    losses = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 0.0], [0.0, 1.0]])
    margins = np.array([[0.3, 0.0], [0.4, 0.0], [0.4, 0.0], [0.0, 0.0]])
    assert non_dominated(losses, margins).tolist() == [True, True, False, False]
    assert non_dominated(losses, 0 * margins).tolist() == [True, False, False, False]


def test_errors_count_as_the_root_of_both_squares():
    losses, margins = np.array([[0.0], [1.0]]), np.array([[0.6], [0.79]])
    assert non_dominated(losses, margins).tolist() == [True, False]
    assert non_dominated(losses, margins * 1.02).tolist() == [True, True]


def test_what_was_not_measured_beats_nothing_by_any_margin():
    losses, margins = np.array([[np.nan], [1.0]]), np.array([[0.1], [0.1]])
    assert non_dominated(losses, margins).tolist() == [False, True]


# --- ranking --------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(grid_losses(), st.randoms(use_true_random=False))
def test_ranking_is_by_violation_then_front_by_front(losses, random):
    violations = np.array([random.choice([0.0, 0.0, 1.5, 2.0]) for _ in losses])
    order = ranked(losses, violations)
    assert sorted(order) == list(range(len(losses)))
    assert [violations[k] for k in order] == sorted(violations)
    for violation in set(violations):
        left = [k for k in order if violations[k] == violation]
        while left:
            front = [k for k, kept in zip(left, non_dominated(losses[left]), strict=True) if kept]
            assert left[: len(front)] == front
            left = left[len(front) :]


def test_the_ends_of_a_front_come_before_its_crowded_middle():
    losses = np.array([[0.0, 10.0], [1.0, 5.0], [1.1, 4.9], [4.0, 1.0], [10.0, 0.0]])
    assert ranked(losses, np.zeros(5)) == [0, 4, 3, 2, 1]
