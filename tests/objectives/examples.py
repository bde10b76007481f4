"""Small architectures, splits and designs that the tests of the objectives share."""

import numpy as np

from qnas.architecture import Architecture
from qnas.data import Split, Splits
from qnas.model.training import TrainingSettings
from qnas.objectives import Design

LAYER = dict(rotation="ry_rz", entangler="cx", topology="ring")


def architecture(**changes):
    """3 qubits, RY encoding, one layer, serial, one hidden layer of 4."""
    values = dict(n_qubits=3, encoding=dict(name="angle", axis="y"), layers=[LAYER], coupling="serial", hidden=(4,))
    return Architecture(values | dict(readout="z") | changes)


def classes(seed=0, n_samples=24, n_features=3):
    """Two classes that overlap a little; the test split is poison."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(2, size=2 * n_samples)
    features = rng.normal(size=(2 * n_samples, n_features)) + 0.7 * targets[:, None]
    poison = Split(np.full((4, n_features), np.nan), np.full(4, -1))
    train, validation = Split(features[::2], targets[::2]), Split(features[1::2], targets[1::2])
    return Splits(train, validation, poison, "classification", ("low", "high"))


def quantities(seed=0, n_samples=24, n_targets=1):
    """A noisy linear map of 3 features; the test split is poison."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2 * n_samples, 3))
    targets = features @ rng.normal(size=(3, n_targets)) + 0.3 * rng.normal(size=(2 * n_samples, n_targets))
    poison = Split(np.full((4, 3), np.nan), np.full((4, n_targets), np.nan))
    return Splits(Split(features[::2], targets[::2]), Split(features[1::2], targets[1::2]), poison, "regression")


def design(configuration="end_to_end", *, splits=None, seed=1, repeat=0, epochs=2, **changes):
    """A design of `architecture(**changes)`, trained for a moment only."""
    training = TrainingSettings(configuration, epochs=epochs, batch_size=8)
    return Design(architecture(**changes), splits or classes(), training, seed=seed, repeat=repeat)
