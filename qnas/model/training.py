"""Train a hybrid model: Adam, mini-batches, early stop on the validation loss."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from qnas.architecture import Architecture
from qnas.circuit.build import DIRECT, canonical
from qnas.data import Split, Splits
from qnas.errors import ConfigurationError, unknown
from qnas.model.classical import canonical_networks
from qnas.model.hybrid import HybridModel
from qnas.model.projection import fit_projections
from qnas.references import cites

CONFIGURATIONS = ("end_to_end", "quantum_only", "pqc")


@dataclass(frozen=True)
class TrainingSettings:
    """How a candidate is trained.

    Attributes:
        configuration: "end_to_end" trains all weights, "quantum_only" keeps classical weights at their seeded start,
            "pqc" is the circuit alone (coupling "quantum"). A learned mixture of observables belongs to the circuit.
        epochs: at most this many passes over the training split.
        patience: stop after this many epochs without a lower validation loss.
        batch_size: samples per step.
        learning_rate: of Adam.
    """

    configuration: str = "end_to_end"
    epochs: int = 25
    patience: int = 5
    batch_size: int = 32
    learning_rate: float = 0.01

    def check(self) -> None:
        """Raise ConfigurationError for values that are impossible."""
        if self.configuration not in CONFIGURATIONS:
            raise ConfigurationError(
                unknown("value of training.configuration", self.configuration, CONFIGURATIONS, "Choose one of these.")
            )
        for key in ("epochs", "patience", "batch_size", "learning_rate"):
            if not getattr(self, key) > 0:
                raise ConfigurationError(f"training.{key} is {getattr(self, key)}; it must be greater than 0.")


@dataclass(frozen=True)
class Epoch:
    """One point of the learning curve; losses are means over a split, the score is accuracy or R^2 on validation.

    `gradient` is the root mean square of the loss's derivatives over trained weights and steps; 0 if none is trained.
    """

    epoch: int
    train_loss: float
    gradient: float
    validation_loss: float
    validation_score: float


@dataclass(frozen=True)
class Stretch:
    """The part of training that is to be done now; by default all of it.

    Attributes:
        since: how many epochs were done before.
        until: stop after this epoch at the latest; None for the last one of the settings.
        checkpoint: where the part before ended, see `Trained.checkpoint`; None to train from the beginning.
    """

    since: int = 0
    until: int | None = None
    checkpoint: bytes | None = field(default=None, repr=False)


WHOLE = Stretch()


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model, restored to its epoch of lowest validation loss, its learning curve and validation outputs.

    The outputs are the model's first ones after training, so that no later use of the model changes their shots.
    `ended` says whether nothing is left to train, because all epochs are done or patience is at its end. Otherwise
    `checkpoint` is where training may be taken up again; the bits of the weights are then those of one training that
    was never interrupted, if its simulator is exact.
    """

    model: HybridModel
    curve: tuple[Epoch, ...]
    outputs: Float[Tensor, "samples outputs"]
    ended: bool
    checkpoint: bytes = field(repr=False)


def effective(architecture: Architecture, configuration: str) -> Architecture:
    """The canonical form of the network that a training configuration makes of this architecture.

    "pqc" leaves the circuit alone: the coupling becomes "quantum". What has no effect with a coupling, such as the
    hidden layers of a network that it does not have, is left out, whatever the architecture says. Architectures that
    mean one network have one effective architecture, so its fingerprint tells whether they do.
    """
    if configuration == "pqc":
        architecture = architecture.replace(coupling=DIRECT, hidden=())
    return canonical(canonical_networks(architecture))


def freeze(model: HybridModel, configuration: str) -> None:
    """Mark the weights that a configuration trains."""
    quantum = {id(weight) for weight in model.quantum_weights}
    for parameter in model.parameters():
        parameter.requires_grad_(configuration == "end_to_end" or id(parameter) in quantum)


def loss_function(task: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Cross entropy of logits, or mean squared error."""
    return nn.functional.cross_entropy if task == "classification" else nn.functional.mse_loss


def tensors(split: Split) -> tuple[Tensor, Tensor]:
    """Features and targets of a split as torch tensors."""
    return torch.from_numpy(split.features), torch.from_numpy(split.targets)


def score(outputs: Tensor, targets: Tensor, task: str) -> float:
    """Accuracy (fraction) of logits, or R^2 averaged over outputs."""
    if task == "classification":
        return float((outputs.argmax(dim=1) == targets).double().mean())
    residual = ((targets - outputs) ** 2).sum(dim=0)
    spread = ((targets - targets.mean(dim=0)) ** 2).sum(dim=0)
    return float((1 - residual / spread).mean())


def predict(model: HybridModel, split: Split) -> Tensor:
    """Outputs for a whole split, without gradients."""
    with torch.no_grad():
        return model(torch.from_numpy(split.features))


@cites("kingma2015", "paszke2019", by_option={"configuration": dict.fromkeys(("quantum_only", "pqc"), "kashif2026")})
def train(
    model: HybridModel, splits: Splits, settings: TrainingSettings, seed: int, stretch: Stretch = WHOLE
) -> Trained:
    """Train in place; principal components that are not fitted yet are fitted to the training split first.

    Args:
        model: freshly initialised.
        splits: train and validation are used, test is not.
        settings: see `TrainingSettings`.
        seed: of the order of samples.
        stretch: which epochs are trained now.

    Raises:
        FloatingPointError: a loss is not finite, or numbers that are not finite reached the circuit.
    """
    fit_projections(model, tensors(splits.train)[0])
    freeze(model, settings.configuration)
    state = _State(model, settings, seed)
    if stretch.checkpoint is not None:
        state.load(stretch.checkpoint)
    while len(state.curve) < (stretch.until or settings.epochs) and not state.ended(settings):
        train_loss, gradient = _train_epoch(model, splits, settings, state)
        state.note(Epoch(len(state.curve) + 1, train_loss, gradient, *_validate(model, splits)))
    checkpoint, ended = state.to_bytes(), state.ended(settings)
    model.load_state_dict(state.best_weights)
    return Trained(model, tuple(state.curve), predict(model, splits.validation), ended, checkpoint)


class _State:
    """All that the next epoch depends on."""

    def __init__(self, model: HybridModel, settings: TrainingSettings, seed: int) -> None:
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._model = model
        self.optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate) if parameters else None
        self.generator = torch.Generator().manual_seed(seed)
        self.curve: list[Epoch] = []
        self.best_weights = copy.deepcopy(model.state_dict())

    def note(self, epoch: Epoch) -> None:
        """Keep the weights of the epoch if no earlier one had as low a validation loss."""
        if all(epoch.validation_loss < before.validation_loss for before in self.curve):
            self.best_weights = copy.deepcopy(self._model.state_dict())
        self.curve.append(epoch)

    def ended(self, settings: TrainingSettings) -> bool:
        """Whether all epochs are done, or the last ones, `patience` of them, brought no lower validation loss."""
        losses = [epoch.validation_loss for epoch in self.curve]
        stalled = bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= settings.patience
        return stalled or len(losses) >= settings.epochs

    def to_bytes(self) -> bytes:
        """As `load` takes it."""
        file = io.BytesIO()
        torch.save(
            {
                "weights": self._model.state_dict(),
                "best_weights": self.best_weights,
                "optimiser": self.optimiser.state_dict() if self.optimiser else None,
                "generator": self.generator.get_state(),
                "curve": [asdict(epoch) for epoch in self.curve],
            },
            file,
        )
        return file.getvalue()

    def load(self, checkpoint: bytes) -> None:
        """Take up what `to_bytes` wrote."""
        kept = torch.load(io.BytesIO(checkpoint), weights_only=True)
        self._model.load_state_dict(kept["weights"])
        self.best_weights = kept["best_weights"]
        if self.optimiser is not None:
            self.optimiser.load_state_dict(kept["optimiser"])
        self.generator.set_state(kept["generator"])
        self.curve = [Epoch(**epoch) for epoch in kept["curve"]]


def _train_epoch(model: HybridModel, splits: Splits, settings: TrainingSettings, state: _State) -> tuple[float, float]:
    """The mean loss over samples, and the root mean square of its derivatives over weights and steps."""
    features, targets = tensors(splits.train)
    criterion, total, squares, optimiser = loss_function(splits.task), 0.0, [], state.optimiser
    for rows in _batches(len(features), settings.batch_size, state.generator):
        loss = criterion(model(features[rows]), targets[rows])
        _check_finite("training", loss.item())
        if optimiser is not None:
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            squares.append(_mean_square([weight.grad for weight in optimiser.param_groups[0]["params"]]))
            optimiser.step()
        total += loss.item() * len(rows)
    return total / len(features), math.sqrt(np.mean(squares)) if squares else 0.0


def _mean_square(gradients: Iterable[Tensor | None]) -> float:
    """Over all entries; a weight that the loss does not depend on may have no gradient."""
    found = [gradient.detach().numpy().ravel() for gradient in gradients if gradient is not None]
    entries = np.concatenate([np.empty(0), *found])
    return float(np.mean(np.square(entries))) if len(entries) else 0.0


def _batches(n_samples: int, batch_size: int, generator: torch.Generator) -> Iterator[Int[Tensor, " rows"]]:
    yield from torch.split(torch.randperm(n_samples, generator=generator), batch_size)


def _validate(model: HybridModel, splits: Splits) -> tuple[float, float]:
    """Loss and score on the validation split."""
    outputs, (_, targets) = predict(model, splits.validation), tensors(splits.validation)
    loss = loss_function(splits.task)(outputs, targets).item()
    _check_finite("validation", loss)
    return loss, score(outputs, targets, splits.task)


def _check_finite(name: str, loss: float) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(f"the {name} loss became {loss}; a smaller training.learning_rate may help.")
