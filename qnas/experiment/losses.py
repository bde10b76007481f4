"""Values become losses, and losses the hypervolume of a run, in the unit of the box that its first generation spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float

from qnas.experiment.evaluation import Evaluation, State
from qnas.front.pareto import GrowingHypervolume
from qnas.objectives import Objective
from qnas.objectives.constraint import Constraint

Box = tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]
"""The worst and the best of each loss."""


def losses_of(evaluation: Evaluation, objectives: Sequence[Objective]) -> list[float]:
    """The one place where values become losses: signs turned so that smaller is better; NaN if there are none."""
    if not evaluation.complete:
        return [float("nan")] * len(objectives)
    return [objective.sign * evaluation.values[objective.name] for objective in objectives]


def violation_of(evaluation: Evaluation, constraints: Sequence[Constraint]) -> float:
    """The sum over constraints on what was measured; infinite if the evaluation failed."""
    if not evaluation.complete and evaluation.state is not State.EXCLUDED:
        return float("inf")
    known = [constraint for constraint in constraints if constraint.name in evaluation.values]
    return sum((constraint.violation(evaluation.values) for constraint in known), start=0.0)


def box_of(losses: Float[np.ndarray, "k m"]) -> Box:
    """The worst and the best of each loss, apart even where all are equal."""
    if np.isnan(losses).all():
        return np.ones(losses.shape[1]), np.zeros(losses.shape[1])
    worst, best = np.nanmax(losses, axis=0), np.nanmin(losses, axis=0)
    return np.where(worst > best, worst, best + 1.0), best


def first_generation(losses: Float[np.ndarray, "k m"], n_first: int) -> slice:
    """The rows that span the box: `n_first` of them, the first ones or those of the first generation that has losses.

    It ends beyond the last row as long as it is not complete, or as no row has losses.
    """
    measured = np.flatnonzero(~np.isnan(losses).any(axis=1))
    begin = int(measured[0]) // n_first * n_first if len(measured) else len(losses)
    return slice(begin, begin + n_first)


def are_log(losses: Float[np.ndarray, "k m"], objectives: Sequence[Objective]) -> tuple[bool, ...]:
    """Which objectives are seen by their logarithms: those whose scale is log and whose values are all positive."""
    return tuple(o.scale == "log" and not (o.sign * losses[:, k] <= 0).any() for k, o in enumerate(objectives))


def on_scales(
    losses: Float[np.ndarray, "k m"], objectives: Sequence[Objective], logs: Sequence[bool]
) -> Float[np.ndarray, "k m"]:
    """Losses, of logarithms where an objective is seen so."""
    found = losses.copy()
    for k, objective in enumerate(objectives):
        if logs[k]:
            found[:, k] = objective.sign * np.log10(objective.sign * losses[:, k])
    return found


class Volumes:
    """The hypervolume after each evaluation of a run; what has been seen is not looked at again.

    Args:
        objectives: of the run.
        constraints: designs that do not meet them add nothing.
        n_first: how many evaluations a generation has, see `first_generation`.
    """

    def __init__(self, objectives: Sequence[Objective], constraints: Sequence[Constraint], n_first: int) -> None:
        self._objectives, self._constraints, self._n_first = objectives, constraints, n_first
        self._losses = np.empty((0, len(objectives)))
        self._met: list[bool] = []
        self._scale: tuple[tuple[bool, ...], Box] | None = None
        self._spanning = slice(0, n_first)

    @property
    def is_scaled(self) -> bool:
        """Whether no later evaluation changes the box, which gives hypervolumes their unit."""
        return len(self._met) >= self._spanning.stop

    def after(self, evaluations: Mapping[int, Evaluation]) -> Sequence[float]:
        """One number for each evaluation.

        Args:
            evaluations: those of the last call, and then new ones.
        """
        n_seen = len(self._met)
        new = list(islice(evaluations.values(), n_seen, None))
        rows = np.array([losses_of(one, self._objectives) for one in new]).reshape(-1, len(self._objectives))
        self._met += [violation_of(one, self._constraints) == 0 for one in new]
        known = (True,) * len(self._objectives) if self._scale is None else self._scale[0]
        logs = tuple(a and b for a, b in zip(known, are_log(rows, self._objectives), strict=True))
        self._losses = np.concatenate([self._losses, rows])
        if n_seen < self._spanning.stop or logs != known:
            self._begin(logs)
        self._grow()
        return self._history

    def _begin(self, logs: tuple[bool, ...]) -> None:
        """Scales or box are other ones than before."""
        self._spanning = first_generation(self._losses, self._n_first)
        self._scale = logs, box_of(on_scales(self._losses[self._spanning], self._objectives, logs))
        self._growing = GrowingHypervolume(np.ones(len(self._objectives)))
        self._history: list[float] = []

    def _grow(self) -> None:
        assert self._scale is not None
        logs, (worst, best) = self._scale
        n_done = len(self._history)
        scaled = (on_scales(self._losses[n_done:], self._objectives, logs) - best) / (worst - best)
        for row, met in zip(scaled, self._met[n_done:], strict=True):
            self._history.append(self._growing.add(row) if met else self._growing.value)
