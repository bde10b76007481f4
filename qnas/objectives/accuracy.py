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

    The standard error is that of `fraction_error`, for R^2 a bootstrap over samples. It says what other validation
    samples would do to this trained model, not what another training would. The test split is not touched.
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
    return value, fraction_error(value, len(targets))


def fraction_error(fraction: float, n_samples: int) -> float:
    """Binomial, with two successes and two failures added, so that it is not 0 where all samples are right.

    Agresti and Coull 1998, doi 10.1080/00031305.1998.10480550.
    """
    smoothed = (fraction * n_samples + 2) / (n_samples + 4)
    return float(np.sqrt(smoothed * (1 - smoothed) / n_samples))


def _bootstrap(outputs: torch.Tensor, targets: torch.Tensor, rng: np.random.Generator) -> float | None:
    """The spread of R^2 over resamples; those whose targets are all equal have none and are left out."""
    rows = torch.from_numpy(rng.integers(len(targets), size=(_N_RESAMPLES, len(targets))))
    scores = np.array([score(outputs[drawn], targets[drawn], "regression") for drawn in rows])
    usable = scores[np.isfinite(scores)]
    return float(usable.std(ddof=1)) if len(usable) > 1 else None
