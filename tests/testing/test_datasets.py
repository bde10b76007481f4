"""The suite of data sets: the bundled ones pass it, and each of its tests fails on a part that deserves it."""

import numpy as np
import pytest

from qnas.data import Dataset, dataset
from qnas.testing import DatasetConformance
from tests.testing.failing import failures


class TestIris(DatasetConformance):
    name = "iris"


class TestMoons(DatasetConformance):
    name = "moons"
    options = ({}, {"n_samples": 60, "seed": 3})


def rings(settings):
    rng = np.random.default_rng(settings.seed)
    targets = rng.integers(2, size=90)
    angles = rng.uniform(0, 2 * np.pi, 90)
    features = (1 + targets)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Dataset("rings", features, targets, class_names=("in", "out"))


def failing(loader, **attributes):
    dataset("mine")(loader)
    return failures(DatasetConformance, **{"name": "mine", **attributes})


def test_a_good_data_set_passes():
    assert failing(rings, options=[{}, {"seed": 1}]) == {}


def test_something_else_than_a_data_set():
    found = failing(lambda settings: (np.ones((9, 2)), np.ones(9)))
    assert "the data set 'mine' is a tuple; return a qnas.data.Dataset." in found["it_is_a_data_set"]


def test_parts_that_contradict_each_other():
    found = failing(lambda settings: Dataset("rings", np.ones((9, 2)), np.ones(9, np.int64), class_names=("a",)))
    text = "the data set 'mine': the data set 'rings' cannot be used: it has 1 class names, but needs two at least"
    assert text in found["it_is_a_data_set"] and found["it_is_a_data_set"].endswith(". See qnas.data.Dataset.")


def test_randomness():
    rng = np.random.default_rng(0)
    names = ("a", "b")
    found = failing(lambda settings: Dataset("noise", rng.normal(size=(20, 2)), np.arange(20) % 2, class_names=names))
    assert list(found) == ["equal_calls_give_equal_samples"]
    assert "differs from call to call; draw from np.random.default_rng(settings.seed)." in found.popitem()[1]


@pytest.mark.parametrize("n_samples", [5, 91])
def test_too_few_samples(n_samples):
    found = failing(rings, options=[{"n_samples": n_samples}])
    assert list(found) == ["it_can_be_split"]
    assert "the data set 'mine' with n_samples=" in found.popitem()[1]
