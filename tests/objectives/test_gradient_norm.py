"""The gradient along training."""

import numpy as np
import pytest

from qnas.errors import CircuitError
from qnas.objectives.gradient_norm import gradient_norm
from qnas.testing.designs import design


def test_it_is_the_root_mean_square_over_epochs():
    candidate = design(epochs=3)
    curve = candidate.trained.curve
    found = gradient_norm(candidate)
    assert found.value == pytest.approx(np.log10(np.mean([epoch.gradient**2 for epoch in curve])) / 2, rel=1e-12)
    assert found.details["by_epoch"] == [epoch.gradient for epoch in curve]


def test_a_loss_without_weights_has_none():
    """RZ on |0> and diagonal gates: nothing that is trained matters, but for rounding."""
    layers = [dict(rotation="rz", entangler="cz", topology="line")]
    candidate = design("pqc", encoding=dict(name="angle", axis="z"), layers=layers, coupling="quantum", hidden=())
    with pytest.raises(CircuitError, match="the loss does not depend on any trained weight"):
        gradient_norm(candidate)
