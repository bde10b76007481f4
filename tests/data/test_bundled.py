"""The bundled data sets: stated shapes, the same every time."""

import numpy as np
import pytest

from qnas.data import DataSettings, datasets, load_splits

SHAPES = {  # samples, features, classes
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "breast_cancer": (569, 30, 2),
    "digits": (1797, 64, 10),
    "mnist": (5000, 784, 10),
    "moons": (600, 2, 2),
    "circles": (600, 2, 2),
    "spirals": (600, 2, 2),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shape_and_classes(name):
    data = datasets[name](DataSettings(name=name))
    n, d, n_classes = SHAPES[name]
    assert data.features.shape == (n, d)
    assert data.features.dtype == np.float64
    assert data.targets.dtype == np.int64
    assert sorted(set(data.targets)) == list(range(n_classes))
    assert len(data.class_names) == n_classes
    assert (data.name, data.task) == (name, "classification")


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "mnist"])
def test_loads_as_splits(name):
    splits = load_splits(DataSettings(name=name))
    assert (splits.n_features, splits.n_outputs) == SHAPES[name][1:]


def test_file_is_the_only_other_data_set():
    assert {*SHAPES, "file"} <= set(datasets)


@pytest.mark.parametrize("name", ["moons", "circles", "spirals"])
def test_generated_data_do_not_depend_on_the_split_seed(name):
    first, second = (datasets[name](DataSettings(name=name, seed=seed)) for seed in (0, 1))
    np.testing.assert_array_equal(first.features, second.features)


def test_spirals_are_two_separable_arms():
    from sklearn.neighbors import KNeighborsClassifier

    data = datasets["spirals"](DataSettings(name="spirals"))
    neighbours = KNeighborsClassifier(3).fit(data.features[:400], data.targets[:400])
    assert neighbours.score(data.features[400:], data.targets[400:]) > 0.97
    assert np.linalg.norm(data.features, axis=1).max() < 1.2
