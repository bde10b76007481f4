"""Small designs and data sets for tests: milliseconds to build and to train, the same in every run."""

from __future__ import annotations

import numpy as np

from qnas.architecture import Architecture
from qnas.data import Split, Splits
from qnas.model.training import TrainingSettings
from qnas.objectives import Design

SEED = 1
LAYER = {"rotation": "ry_rz", "entangler": "cx", "topology": "ring"}


def architecture(**changes: object) -> Architecture:
    """3 qubits, RY encoding, one layer (or an ansatz), serial, one hidden layer of 4; with some values changed."""
    values = dict(n_qubits=3, encoding=dict(name="angle", axis="y"), coupling="serial", hidden=(4,), readout="z")
    layers = {} if "ansatz" in changes else {"layers": [LAYER]}
    return Architecture(values | layers | changes)


def classes(seed: int = 0, n_samples: int = 24, n_features: int = 3) -> Splits:
    """Two classes that overlap a little; the test split is poison."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(2, size=2 * n_samples)
    features = rng.normal(size=(2 * n_samples, n_features)) + 0.7 * targets[:, None]
    poison = Split(np.full((4, n_features), np.nan), np.full(4, -1))
    train, validation = Split(features[::2], targets[::2]), Split(features[1::2], targets[1::2])
    return Splits(train, validation, poison, "classification", ("low", "high"))


def quantities(seed: int = 0, n_samples: int = 24, n_targets: int = 1) -> Splits:
    """A noisy linear map of 3 features; the test split is poison."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2 * n_samples, 3))
    targets = features @ rng.normal(size=(3, n_targets)) + 0.3 * rng.normal(size=(2 * n_samples, n_targets))
    poison = Split(np.full((4, 3), np.nan), np.full((4, n_targets), np.nan))
    return Splits(Split(features[::2], targets[::2]), Split(features[1::2], targets[1::2]), poison, "regression")


def design(
    configuration: str = "end_to_end",
    *,
    splits: Splits | None = None,
    seed: int = SEED,
    repeat: int = 0,
    epochs: int = 2,
    **changes: object,
) -> Design:
    """A design of `architecture(**changes)` on `classes()`, trained for a moment only."""
    training = TrainingSettings(configuration, epochs=epochs, batch_size=8)
    return Design(architecture(**changes), splits or classes(), training, seed=seed, repeat=repeat)
