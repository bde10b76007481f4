"""What suites ask of whole models: that they learn, and that nothing outside them changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from qnas.architecture import Architecture
from qnas.data import Splits
from qnas.model.hybrid import HybridModel, ModelBuilder
from qnas.model.training import loss_function, tensors
from qnas.testing.conformance import explained
from qnas.testing.designs import classes

N_STEPS = 10


def model(architecture: Architecture, splits: Splits | None = None, seed: int = 0) -> HybridModel:
    """The model of an architecture for some data, by default those of `classes()`."""
    splits = splits or classes()
    builder = ModelBuilder(architecture, splits.n_features, splits.n_outputs)
    builder.fit(torch.from_numpy(splits.train.features))
    return builder.build(seed)


def check_learns(about: str, architecture: Architecture, splits: Splits | None = None) -> None:
    """Fail unless the loss on the training split falls within a few steps."""
    splits = splits or classes()
    with explained(f"a model with {about} cannot be trained", "Take all inputs between -pi and pi, and all weights."):
        found = losses(model(architecture, splits), splits)
    assert found[-1] < found[0], (
        f"a model with {about} does not learn: its loss was {found[0]:.4f} and is {found[-1]:.4f} after {N_STEPS} "
        f"steps. It is {architecture.to_json(indent=None)}."
    )


def losses(trained: HybridModel, splits: Splits) -> list[float]:
    """The loss on the training split before each of some steps of Adam, and after them."""
    optimiser = torch.optim.Adam(trained.parameters(), lr=0.02)
    criterion, (features, targets) = loss_function(splits.task), tensors(splits.train)
    found = []
    for _ in range(N_STEPS + 1):
        optimiser.zero_grad()
        loss = criterion(trained(features), targets)
        torch.autograd.backward(loss)
        optimiser.step()
        found.append(loss.item())
    return found


@contextmanager
def nothing_global_changes(about: str) -> Iterator[None]:
    """Fail if global generators or settings are other ones than before."""
    before = _global_state()
    yield
    changed = [name for name, value in _global_state().items() if value != before[name]]
    assert not changed, (
        f"{about} changes {', '.join(changed)} of the whole process; draw from a generator of its own, and leave "
        "settings as they are."
    )


def _global_state() -> dict[str, object]:
    return {
        "the random numbers of numpy": repr(np.random.get_state()),  # noqa: NPY002 - to see whether anybody draws them
        "the random numbers of torch": torch.random.get_rng_state().tolist(),
        "the default dtype of torch": torch.get_default_dtype(),
        "whether torch records gradients": torch.is_grad_enabled(),
        "the number of threads of torch": torch.get_num_threads(),
    }
