"""Accuracy on the validation split after training."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from qnas.model.training import score, tensors
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective

_N_RESAMPLES = 200


@objective("maximize", "fraction", cost="trained", reference="validation split, after training")
def accuracy(design: Design) -> Estimate:
    """The fraction of validation samples classified correctly, or R^2 for regression.

    The standard error is binomial with one success and one failure added to the fraction, so that it is not 0 where
    all samples are right; for R^2 it is a bootstrap over samples. The test split is not touched.
    """
    value, error = validation_score(design.trained.outputs, design, "accuracy")
    return Estimate(value, error, {"learning_curve": [asdict(epoch) for epoch in design.trained.curve]})


def validation_score(outputs: torch.Tensor, design: Design, purpose: str) -> tuple[float, float | None]:
    """The score of outputs for the validation split, and its standard error as `accuracy` has it.

    Args:
        outputs: one row per validation sample.
        design: whose split it is.
        purpose: of the random numbers that the bootstrap draws.
    """
    _, targets = tensors(design.splits.validation)
    value = score(outputs, targets, design.splits.task)
    if design.splits.task == "regression":
        return value, _bootstrap(outputs, targets, design.rng(purpose))
    n_samples = len(targets)
    smoothed = (value * n_samples + 1) / (n_samples + 2)
    return value, float(np.sqrt(smoothed * (1 - smoothed) / n_samples))


def _bootstrap(outputs: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator) -> float | None:
    """The spread of R^2 over resamples; those whose targets are all equal have none and are left out."""
    rows = torch.from_numpy(rng.integers(len(targets), size=(_N_RESAMPLES, len(targets))))
    scores = np.array([score(outputs[drawn], targets[drawn], "regression") for drawn in rows])
    usable = scores[np.isfinite(scores)]
    return float(usable.std(ddof=1)) if len(usable) > 1 else None
