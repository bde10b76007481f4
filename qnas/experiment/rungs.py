"""Early stopping for several objectives: successive halving of each generation over the epochs of training.

Successive halving is of Jamieson and Talwalkar 2016 (arXiv 1502.07943); designs are ranked by non-dominated sorting and
crowding instead of by one loss. `Extrapolation` ranks by what learning curves promise, as Baker et al. 2017
(arXiv 1705.10823) do, learnt from the designs of the same run that were trained to their end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from qnas.config import Config, EarlyStoppingSettings
from qnas.errors import ConfigurationError, unknown
from qnas.experiment.citations import EARLY_STOPPING
from qnas.experiment.evaluation import Evaluation
from qnas.experiment.losses import losses_of, violation_of
from qnas.front.pareto import ranked
from qnas.objectives import Objective
from qnas.objectives.constraint import Constraint
from qnas.objectives.objective import TRAINED
from qnas.search import Searcher, searchers

_SCORE = "accuracy"
_MIN_CURVES = 8
"""How many designs must have been trained to their end before their curves teach anything."""


def check_early_stopping(config: Config, objectives: Sequence[Objective], searcher: Searcher) -> None:
    """Raise ConfigurationError for settings that are impossible, alone or with the rest of the configuration."""
    settings = config.early_stopping
    if settings.name not in EARLY_STOPPING:
        raise ConfigurationError(
            unknown("value of early_stopping.name", settings.name, EARLY_STOPPING, "Choose one of these.")
        )
    if settings.name == "off":
        _check_nothing_is_set(settings)
        return
    about = f"early_stopping={settings.name}"
    if not 0 < settings.first < config.training.epochs:
        raise ConfigurationError(
            f"early_stopping.first is {settings.first}; allowed are whole numbers of at least 1 that are less than "
            f"training.epochs, which is {config.training.epochs}."
        )
    if settings.factor < 2:
        raise ConfigurationError(
            f"early_stopping.factor is {settings.factor}; allowed are whole numbers of at least 2."
        )
    if searcher.max_pending > 1 or "window" in searchers[config.search.name].takes:
        raise ConfigurationError(
            f"{about} ranks generations, which search={config.search.name} has not; choose another."
        )
    if config.search.population == 1:
        raise ConfigurationError(f"{about} ranks generations, but search.population is 1; raise it.")
    if not any(objective.cost == TRAINED for objective in objectives):
        raise ConfigurationError(f"{about} stops training, but no objective of the run needs any; leave it out.")
    if settings.name == "extrapolation" and _SCORE not in [objective.name for objective in objectives]:
        raise ConfigurationError(f"{about} extrapolates {_SCORE}, which is no objective of the run; use halving.")


def _check_nothing_is_set(settings: EarlyStoppingSettings) -> None:
    for key in ("first", "factor"):
        value = getattr(settings, key)
        if value != getattr(EarlyStoppingSettings, key):
            raise ConfigurationError(
                f"early_stopping.{key} is {value}, but early_stopping=off does not use it; leave it out, or use "
                "early_stopping=halving or early_stopping=extrapolation."
            )


class Rungs:
    """Decides for how many epochs designs are trained.

    Args:
        settings: of early stopping.
        epochs: of a training that is not stopped.
        objectives: of the run.
        constraints: on them.
    """

    def __init__(
        self,
        settings: EarlyStoppingSettings,
        epochs: int,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint],
    ) -> None:
        self._settings, self._epochs = settings, epochs
        self._objectives, self._constraints = objectives, constraints
        self._curves = Extrapolation() if settings.name == "extrapolation" else None

    def stages(self) -> list[int | None]:
        """The epochs of each rung for the next generation; None, the last one, for training to its end."""
        if self._settings.name == "off" or (self._curves is not None and not self._curves.is_taught):
            return [None]
        stages: list[int | None] = []
        epochs = self._settings.first
        while epochs < self._epochs:
            stages.append(epochs)
            epochs *= self._settings.factor
        return [*stages, None]

    def promoted(self, evaluations: Mapping[int, Evaluation], n_asked: int, rung: int) -> list[int]:
        """The ids of designs that train on after a rung, in order of their ids.

        Args:
            evaluations: of the designs that reached this rung.
            n_asked: how many designs the generation has.
            rung: 0 for the first one.
        """
        complete = {design_id: one for design_id, one in evaluations.items() if one.complete}
        losses = np.array([self._losses(one) for one in complete.values()]).reshape(-1, len(self._objectives))
        violations = np.array([violation_of(one, self._constraints) for one in complete.values()])
        n_kept = ceil(n_asked / self._settings.factor ** (rung + 1))
        ids = list(complete)
        return sorted(ids[k] for k in ranked(losses, violations)[:n_kept])

    def learn(self, evaluation: Evaluation) -> None:
        """Take in a design whose training has come to its own end."""
        if self._curves is not None and evaluation.complete and evaluation.stopped_at is None:
            self._curves.learn(_curve(evaluation), evaluation.values[_SCORE])

    def _losses(self, evaluation: Evaluation) -> list[float]:
        losses = losses_of(evaluation, self._objectives)
        if self._curves is None or evaluation.stopped_at is None:
            return losses
        score = self._curves.final(_curve(evaluation))
        return [o.sign * score if o.name == _SCORE else loss for o, loss in zip(self._objectives, losses, strict=True)]


Curve = Sequence[Mapping[str, float]]
"""Epoch by epoch, as the objective accuracy keeps it."""


def _curve(evaluation: Evaluation) -> Curve:
    found: Curve = evaluation.details[_SCORE]["learning_curve"]
    return found


class Extrapolation:
    """The score at the end of training from the epochs so far, by a ridge regression on curves that are complete."""

    def __init__(self) -> None:
        self._curves: list[Curve] = []
        self._finals: list[float] = []

    @property
    def is_taught(self) -> bool:
        """Whether there are enough curves."""
        return len(self._curves) >= _MIN_CURVES

    def learn(self, curve: Curve, final: float) -> None:
        """Take in a complete curve and the score that its design ended with."""
        self._curves.append(curve)
        self._finals.append(final)

    def final(self, curve: Curve) -> float:
        """The score that a design will end with whose training has a curve so far."""
        model = make_pipeline(StandardScaler(), Ridge())
        model.fit(np.array([_features(known[: len(curve)]) for known in self._curves]), self._finals)
        return float(model.predict(_features(curve)[None])[0])


def _features(curve: Curve) -> Float[np.ndarray, " features"]:
    """Score and losses at the end, the best score, and what the second half brought."""
    last, middle = curve[-1], curve[(len(curve) - 1) // 2]
    best = max(epoch["validation_score"] for epoch in curve)
    score, loss = last["validation_score"], last["validation_loss"]
    gains = score - middle["validation_score"], loss - middle["validation_loss"]
    return np.array([score, loss, last["train_loss"], best, *gains])
