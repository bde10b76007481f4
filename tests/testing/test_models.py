"""What suites ask of whole models."""

import numpy as np
import pytest
import torch

from qnas.testing import architecture, classes, quantities
from qnas.testing.models import N_STEPS, check_learns, losses, model, nothing_global_changes


@pytest.mark.parametrize("splits", [classes(), quantities(n_targets=2)], ids=["classes", "quantities"])
def test_a_model_learns(splits):
    check_learns("nothing", architecture(), splits)
    found = losses(model(architecture(), splits), splits)
    assert len(found) == N_STEPS + 1
    assert found[-1] < 0.9 * found[0]


def test_losses_are_those_before_each_step():
    made, splits = model(architecture()), classes()
    with torch.no_grad():
        outputs = made(torch.from_numpy(splits.train.features))
        expected = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(splits.train.targets))
    assert losses(made, splits)[0] == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("change", "undo", "what"),
    [
        (lambda: np.random.seed(0), lambda: None, "the random numbers of numpy"),  # noqa: NPY002
        (lambda: np.random.rand(), lambda: None, "the random numbers of numpy"),  # noqa: NPY002
        (lambda: torch.manual_seed(0), lambda: None, "the random numbers of torch"),
        (
            lambda: torch.set_default_dtype(torch.float64),
            lambda: torch.set_default_dtype(torch.float32),
            "the default dtype of torch",
        ),
        (
            lambda: torch.set_grad_enabled(False),
            lambda: torch.set_grad_enabled(True),
            "whether torch records gradients",
        ),
        (lambda: torch.set_num_threads(3), lambda: torch.set_num_threads(1), "the number of threads of torch"),
    ],
)
def test_what_is_global(change, undo, what):
    numpy_state, n_threads = np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    try:
        text = f"^the part changes {what} of the whole process; draw from"
        with (
            torch.random.fork_rng(devices=[]),
            pytest.raises(AssertionError, match=text),
            nothing_global_changes("the part"),
        ):
            change()
    finally:
        undo()
        torch.set_num_threads(n_threads)
        np.random.set_state(numpy_state)  # noqa: NPY002


def test_generators_of_ones_own_are_not_global():
    with nothing_global_changes("the part"):
        np.random.default_rng(0).normal()
        torch.rand(2, generator=torch.Generator().manual_seed(0))
