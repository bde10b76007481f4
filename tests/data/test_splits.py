"""Splits: disjoint, stratified, seeded, and fitted on the training split only."""

import dataclasses

import numpy as np
import pytest

from qnas.data import Dataset, DataSettings, datasets, load_splits
from qnas.errors import ConfigurationError, DataError, QnasError

RAW = {"scaler": "none"}


@pytest.fixture
def numbered(monkeypatch):
    """120 samples, whose first feature is their row, in classes of 60, 40 and 20."""
    rows = np.arange(120.0)
    features = np.column_stack([rows, np.sin(rows), 1e3 + 50 * np.cos(3 * rows)])
    made = Dataset("numbered", features, np.repeat([0, 1, 2], [60, 40, 20]), "classification", ("a", "b", "c"))
    monkeypatch.setattr(datasets, "_parts", {**datasets._parts, "numbered": lambda settings: made})
    return made


@pytest.fixture
def line(monkeypatch):
    """50 samples, two targets to regress on."""
    x = np.linspace(0, 1, 50)[:, None]
    made = Dataset("line", x, np.hstack([3 * x + 7, -x]), "regression")
    monkeypatch.setattr(datasets, "_parts", {**datasets._parts, "line": lambda settings: made})
    return made


def parts(splits):
    return {"train": splits.train, "validation": splits.validation, "test": splits.test}


def rows(splits):
    return {key: part.features[:, 0].astype(int) for key, part in parts(splits).items()}


def test_every_sample_is_in_one_split(numbered):
    found = rows(load_splits(DataSettings("numbered", **RAW)))
    assert {key: len(part) for key, part in found.items()} == {"train": 72, "validation": 24, "test": 24}
    assert sorted(np.concatenate(list(found.values()))) == list(range(120))


def test_every_split_is_stratified_and_targets_follow_their_features(numbered):
    splits = load_splits(DataSettings("numbered", **RAW))
    counts = {key: np.bincount(part.targets).tolist() for key, part in parts(splits).items()}
    assert counts == {"train": [36, 24, 12], "validation": [12, 8, 4], "test": [12, 8, 4]}
    for key, part in parts(splits).items():
        np.testing.assert_array_equal(part.targets, numbered.targets[rows(splits)[key]])


def test_the_seed_decides_the_split(numbered):
    first, again, other = (rows(load_splits(DataSettings("numbered", seed=seed, **RAW))) for seed in (3, 3, 4))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        assert set(first[key]) != set(other[key])


def test_a_subset_is_stratified_and_seeded(numbered):
    splits = load_splits(DataSettings("numbered", n_samples=30, **RAW))
    assert np.bincount(np.concatenate([part.targets for part in parts(splits).values()])).tolist() == [15, 10, 5]
    assert [len(part.targets) for part in parts(splits).values()] == [18, 6, 6]
    assert len(set(np.concatenate(list(rows(splits).values())))) == 30


@pytest.mark.parametrize("n_samples", [119, 120])
def test_a_subset_may_be_nearly_everything(numbered, n_samples):
    splits = load_splits(DataSettings("numbered", n_samples=n_samples))
    assert sum(len(part.targets) for part in parts(splits).values()) == n_samples


def test_scaler_statistics_come_from_the_training_split(numbered):
    raw, scaled = (load_splits(DataSettings("numbered", scaler=scaler)) for scaler in ("none", "standard"))
    mean, deviation = raw.train.features.mean(axis=0), raw.train.features.std(axis=0)
    for key, part in parts(scaled).items():
        np.testing.assert_allclose(part.features, (parts(raw)[key].features - mean) / deviation, atol=1e-10)
    assert np.abs(scaled.test.features.mean(axis=0)).max() > 1e-3


def test_minmax_puts_the_training_split_between_0_and_1(numbered):
    train = load_splits(DataSettings("numbered", scaler="minmax")).train.features
    np.testing.assert_allclose([train.min(axis=0), train.max(axis=0)], [[0] * 3, [1] * 3], atol=1e-12)


def test_principal_components_are_scaled_again():
    splits = load_splits(DataSettings("digits", n_components=6))
    assert splits.n_features == 6
    np.testing.assert_allclose(splits.train.features.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(splits.train.features.T, ddof=0), np.eye(6), atol=1e-10)
    assert np.abs(splits.test.features.mean(axis=0)).max() > 1e-3


def test_regression_targets_are_scaled_by_the_training_split(line):
    splits = load_splits(DataSettings("line"))
    assert (splits.task, splits.n_outputs, splits.class_names) == ("regression", 2, ())
    np.testing.assert_allclose(splits.train.targets.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(splits.train.targets.std(axis=0), 1)
    np.testing.assert_allclose(splits.test.targets, np.hstack([splits.test.features, -splits.test.features]))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"validation": 0.0}, "data.validation is 0.0, but must be a fraction between 0 and 1, such as 0.2."),
        ({"test": 20.0}, "data.test is 20.0, but must be a fraction between 0 and 1, such as 0.2."),
        ({"test": 0.6, "validation": 0.4}, "data.validation and data.test are 0.4 and 0.6, which leaves no training"),
        ({"scaler": "minmaks"}, "unknown scaler 'minmaks': did you mean 'minmax'? Allowed: standard, minmax, none."),
        ({"task": "clasification"}, "unknown task 'clasification': did you mean 'classification'? Allowed: auto, "),
        ({"n_samples": 0}, "data.n_samples is 0, but must be at least 1."),
        ({"n_components": 0}, "data.n_components is 0, but must be at least 1."),
        ({"seed": -1}, "data.seed is -1, but must be at least 0."),
        ({"path": "my.csv"}, "data.path is 'my.csv', but the data set 'iris' reads no file; set data=file."),
    ],
)
def test_impossible_settings(changes, text):
    with pytest.raises(ConfigurationError) as caught:
        load_splits(dataclasses.replace(DataSettings("iris"), **changes))
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            DataSettings("iris", task="regression"),
            "data.task is 'regression', but the data set 'iris' is for classification; set data.task=auto.",
        ),
        (
            DataSettings("iris", n_samples=151),
            "data.n_samples is 151, but the data set 'iris' has 150 samples; lower it.",
        ),
        (
            DataSettings("iris", n_components=5),
            "data.n_components is 5, but the training split of 'iris' has 4 features that vary in 4 independent "
            "directions; give at most 4.",
        ),
        (
            DataSettings("digits", n_components=64),
            "data.n_components is 64, but the training split of 'digits' has 64 ",
        ),
        (
            DataSettings("iris", n_samples=5),
            "5 samples of the data set 'iris' are too few for test, validation and training splits of 2 at least; "
            "they get 1, 1, 3. Use more samples.",
        ),
        (
            DataSettings("digits", n_samples=30),
            "the class '0' of the data set 'digits' has 3 of 30 samples, too few to appear in the test, validation "
            "and training splits; add samples, remove the class, or raise ",
        ),
    ],
)
def test_settings_that_do_not_suit_the_data(settings, text):
    with pytest.raises(DataError) as caught:
        load_splits(settings)
    # which class is the scarcest depends on the seed
    assert str(caught.value)[:11] == text[:11]
    assert str(caught.value)[12:].startswith(text[12:])


def test_a_constant_regression_target(line, monkeypatch):
    constant = dataclasses.replace(line, targets=np.full((50, 1), 0.1))
    monkeypatch.setitem(datasets._parts, "line", lambda settings: constant)
    with pytest.raises(QnasError, match="a regression target of 'line' is the same for all training samples"):
        load_splits(DataSettings("line"))
