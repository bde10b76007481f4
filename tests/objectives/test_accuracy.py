"""Accuracy, counted by hand from the trained model on the validation split, and blind to the test split."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import binom

from qnas.data import Split, Splits
from qnas.model.training import TrainingSettings, predict
from qnas.objectives import Design
from qnas.objectives.accuracy import accuracy, fraction_error
from qnas.simulation import SampledSimulator
from qnas.testing.designs import architecture, classes, design, quantities
from tests.objectives.coverage import is_honest, share_held


class Sealed(Splits):
    """Splits whose test split cannot be read."""

    def __getattribute__(self, name):
        if name == "test":
            raise RuntimeError("the test split was touched")
        return super().__getattribute__(name)


def outputs(candidate):
    """Of the trained model, sample by sample."""
    rows = torch.from_numpy(candidate.splits.validation.features)
    with torch.no_grad():
        return np.stack([candidate.trained.model(row[None])[0].numpy() for row in rows])


def predicting(n_wrong):
    """A design whose trained model is wrong on exactly `n_wrong` samples of 24.

    After one epoch the model does not depend on the validation targets, so these can be what it says.
    """
    first = design(epochs=1)
    labels = outputs(first).argmax(axis=1)
    labels[:n_wrong] = 1 - labels[:n_wrong]
    validation = Split(first.splits.validation.features, labels)
    return design(epochs=1, splits=replace(first.splits, validation=validation))


@pytest.mark.parametrize("coupling", ["serial", "mac", "quantum", "classical"])
def test_it_is_the_fraction_of_validation_samples_that_are_right(coupling):
    candidate = design(coupling=coupling, epochs=3)
    right = [
        row.argmax() == label
        for row, label in zip(outputs(candidate), candidate.splits.validation.targets, strict=True)
    ]
    assert accuracy(candidate).value == sum(right) / 24
    assert 0.3 < sum(right) / 24 < 1


def test_on_shots_another_use_of_the_trained_model_changes_nothing():
    def on_shots():
        training = TrainingSettings(epochs=1)
        return Design(architecture(), classes(), training, simulator=lambda seed: SampledSimulator(8, seed=seed))

    alone, shared = on_shots(), on_shots()
    expected = accuracy(alone).value
    trained = shared.spent.n_shots
    for _ in range(3):
        predict(shared.trained.model, shared.splits.validation)
    assert accuracy(shared).value == expected
    assert trained == 0 < alone.spent.n_shots < shared.spent.n_shots


@pytest.mark.parametrize("n_wrong", [0, 1, 6, 24])
def test_value_and_standard_error_of_a_known_number_of_mistakes(n_wrong):
    """The binomial error with two successes and two failures more, so that all right is not certain."""
    found = accuracy(predicting(n_wrong))
    p = (24 - n_wrong + 2) / 28
    assert found.value == (24 - n_wrong) / 24
    assert found.standard_error == pytest.approx(math.sqrt(p * (1 - p) / 24))
    assert found.standard_error > 0.03


@pytest.mark.parametrize("n_targets", [1, 3])
def test_regression_is_scored_by_r_squared(n_targets):
    candidate = design(splits=quantities(n_targets=n_targets), epochs=3)
    targets, predicted = candidate.splits.validation.targets, outputs(candidate)
    scores = []
    for k in range(n_targets):
        mean = sum(targets[:, k]) / len(targets)
        residual = sum((t - p) ** 2 for t, p in zip(targets[:, k], predicted[:, k], strict=True))
        scores.append(1 - residual / sum((t - mean) ** 2 for t in targets[:, k]))
    assert accuracy(candidate).value == pytest.approx(np.mean(scores), rel=1e-12)


def test_the_error_of_r_squared_is_a_bootstrap_over_samples():
    """Two bootstraps of 200 differ by 5 % each; three times that of their difference is 22 %."""
    candidate = design(splits=quantities(), epochs=3)
    targets, predicted = candidate.splits.validation.targets[:, 0], outputs(candidate)[:, 0]
    rng, scores = np.random.default_rng(0), []
    for _ in range(200):
        rows = rng.integers(24, size=24)
        residual = np.sum((targets[rows] - predicted[rows]) ** 2)
        scores.append(1 - residual / np.sum((targets[rows] - targets[rows].mean()) ** 2))
    assert accuracy(candidate).standard_error == pytest.approx(np.std(scores, ddof=1), rel=0.22)


@pytest.mark.parametrize("n_samples", [30, 36, 100, 360])
def test_95_percent_intervals_hold_the_probability_of_being_right(n_samples):
    """Exactly, by the binomial law. Where fewer than 5 mistakes are expected, intervals may hold it more often."""
    counts = np.arange(n_samples + 1)
    errors = np.array([fraction_error(count / n_samples, n_samples) for count in counts])
    for p in np.arange(0.5, 0.995, 0.005):
        holds = np.abs(counts / n_samples - p) <= 1.96 * errors
        share = binom.pmf(counts, n_samples, p)[holds].sum()
        assert share >= 0.9
        assert share <= 0.98 or n_samples * (1 - p) < 5


@pytest.mark.slow
@pytest.mark.parametrize(("make", "n_samples"), [(classes, 100), (classes, 360), (quantities, 60), (quantities, 200)])
def test_95_percent_intervals_hold_the_score_on_very_many_samples(make, n_samples):
    """One trained model, and 200 validation splits drawn from 100,000 samples on which its score is known."""
    many = make(n_samples=100_000).validation
    candidate = design(splits=make(n_samples=100), epochs=20)
    exact, found = accuracy(on(candidate, many)).value, []
    for seed in range(200):
        rows = np.random.default_rng(seed).choice(100_000, n_samples, replace=False)
        found.append(accuracy(on(candidate, Split(many.features[rows], many.targets[rows]))))
    assert is_honest(share_held([one.value for one in found], [one.standard_error for one in found], exact))


def on(candidate, validation):
    """The same trained model, looked at on other validation samples."""
    trained = candidate.trained
    candidate.splits = replace(candidate.splits, validation=validation)
    candidate.trained = replace(trained, outputs=predict(trained.model, validation))
    return candidate


def test_the_test_split_is_never_touched():
    open_splits = classes()
    sealed = Sealed(
        **{name: getattr(open_splits, name) for name in ("train", "validation", "test", "task", "class_names")}
    )
    with pytest.raises(RuntimeError, match="was touched"):
        _ = sealed.test
    assert accuracy(design(splits=sealed)) == accuracy(design(splits=open_splits))


def test_other_test_splits_change_nothing():
    poisoned, other = classes(), replace(classes(), test=Split(np.ones((9, 3)), np.zeros(9, np.int64)))
    assert np.isnan(poisoned.test.features).all()
    assert accuracy(design(splits=poisoned)) == accuracy(design(splits=other))


def test_validation_samples_are_not_trained_on():
    """One epoch on other validation targets leaves the same weights."""
    first, second = predicting(0).trained.model.state_dict(), predicting(24).trained.model.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_learning_curve_goes_along_as_json():
    candidate = design(epochs=3)
    curve = accuracy(candidate).details["learning_curve"]
    assert json.loads(json.dumps(curve)) == curve
    assert [row["epoch"] for row in curve] == [1, 2, 3]
    best = min(curve, key=lambda row: row["validation_loss"])
    assert accuracy(candidate).value == best["validation_score"]
