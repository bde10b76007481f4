"""Pareto fronts and the hypervolume they dominate (Zitzler and Thiele 1998). Losses: smaller is better."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from pymoo.indicators.hv import HV
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

from qnas.references import cites


def non_dominated(
    losses: Float[np.ndarray, "k m"], margins: Float[np.ndarray, "k m"] | None = None
) -> Bool[np.ndarray, " k"]:
    """Which rows no other row beats: none is at least as good everywhere and better somewhere.

    Args:
        losses: equal rows all stay; a row with a NaN (something was not measured) is never on the front.
        margins: the uncertainty of each loss: to beat a row, another must be better somewhere by more than the root of
            the sum of both squares; none by default.
    """
    if margins is not None and margins.any():
        return _clearly_non_dominated(losses, margins)
    on_front = np.zeros(len(losses), dtype=bool)
    measured = np.flatnonzero(~np.isnan(losses).any(axis=1))
    # In lexicographic order a row can be dominated by earlier rows only, hence by a member found so far.
    for k in measured[np.lexsort(losses[measured].T[::-1])]:
        members = losses[on_front]
        beaten = (members <= losses[k]).all(axis=1) & (members < losses[k]).any(axis=1)
        on_front[k] = not beaten.any()
    return on_front


def _clearly_non_dominated(
    losses: Float[np.ndarray, "k m"], margins: Float[np.ndarray, "k m"]
) -> Bool[np.ndarray, " k"]:
    """Row by row against all, since what beats a row may be beaten itself without its beater beating that row."""
    on_front = ~np.isnan(losses).any(axis=1)
    for k in np.flatnonzero(on_front):
        clear = losses[k] - losses > np.hypot(margins[k], margins)
        on_front[k] = not ((losses <= losses[k]).all(axis=1) & clear.any(axis=1)).any()
    return on_front


@cites("deb2002", "blank2020")
def ranked(losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]) -> list[int]:
    """Rows from the best to the worst: by violation, then by fronts, within a front the least crowded first.

    Args:
        losses: none is NaN.
        violations: how far each row is from meeting the constraints; 0 if it does.
    """
    ranks, crowding = np.zeros(len(losses)), np.zeros(len(losses))
    for violation in np.unique(violations):
        near = np.flatnonzero(violations == violation)
        for rank, front in enumerate(NonDominatedSorting().do(losses[near])):
            ranks[near[front]] = rank
            crowding[near[front]] = get_crowding_function("cd").do(losses[near[front]])
    return [int(k) for k in np.lexsort((np.arange(len(losses)), -crowding, ranks, violations))]


@cites("zitzler1998", "blank2020")
def hypervolume(losses: Float[np.ndarray, "k m"], reference_point: Float[np.ndarray, " m"]) -> float:
    """The volume between the rows and the reference point, exactly.

    Rows with a NaN, and rows that are not better than the reference point in every objective, add nothing.
    """
    inside = losses[(losses < reference_point).all(axis=1)]
    return float(HV(ref_point=reference_point)(inside)) if len(inside) else 0.0


class GrowingHypervolume:
    """The hypervolume of rows that come one by one; see `hypervolume`.

    Args:
        reference_point: of all.

    Attributes:
        value: of the rows so far.
    """

    def __init__(self, reference_point: Float[np.ndarray, " m"]) -> None:
        self._reference_point = reference_point
        self._members = np.empty((0, len(reference_point)))
        self.value = 0.0

    def add(self, row: Float[np.ndarray, " m"]) -> float:
        """The hypervolume with one row more."""
        if (row < self._reference_point).all() and not (self._members <= row).all(axis=1).any():
            self._members = np.vstack([self._members[~(row <= self._members).all(axis=1)], row])
            self.value = hypervolume(self._members, self._reference_point)
        return self.value
