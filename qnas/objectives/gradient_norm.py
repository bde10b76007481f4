"""The size of the gradient along training, the view of trainability that needs a training run."""

from __future__ import annotations

import numpy as np

from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.trainability import ROUNDING
from qnas.references import cites


@objective("maximize", "log10", cost="trained", reference="arXiv 2605.25768")
@cites("kashif2026")
def gradient_norm(design: Design) -> Estimate:
    """log10 of the root mean square, over trained weights and all steps of training, of the loss's derivatives.

    Unlike `trainability` it follows one start, and sees gradients vanish where training leads.

    Raises:
        CircuitError: no weight is trained, or the loss does not depend on any.
    """
    by_epoch = [epoch.gradient for epoch in design.trained.curve]
    if max(by_epoch) ** 2 < ROUNDING:
        raise CircuitError("the loss does not depend on any trained weight, so its gradient has no logarithm.")
    return Estimate(float(np.log10(np.sqrt(np.mean(np.square(by_epoch))))), None, {"by_epoch": by_epoch})
