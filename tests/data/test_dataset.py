"""Data sets by name, and what a data set may not be."""

import dataclasses

import jaxtyping
import numpy as np
import pytest

from qnas.data import Dataset, DataSettings, bundled, dataset, datasets, load_splits
from qnas.errors import DataError, PluginError

RINGS = """
import numpy as np
from qnas.data import Dataset, dataset

@dataset("{name}")
def rings(settings):
    return Dataset("rings", np.arange(40.0).reshape(20, 2), np.arange(20) % 2, class_names=("even", "odd"))
"""


def test_the_decorator_registers_and_returns_the_function(monkeypatch):
    monkeypatch.setattr(datasets, "_parts", dict(datasets._parts))
    loader = dataset("own")(lambda settings: Dataset("own", np.ones((2, 1)), np.ones((2, 1)), "regression"))
    assert datasets["own"] is loader


def test_a_python_file_is_a_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_parts", dict(datasets._parts))
    path = tmp_path / "rings.py"
    path.write_text(RINGS.format(name="rings_of_a_file"))
    for _ in range(2):  # the second time, the module is already there
        assert load_splits(DataSettings(name=str(path))).class_names == ("even", "odd")


def test_a_python_file_must_register_one_data_set(tmp_path):
    path = tmp_path / "none.py"
    path.write_text("")
    with pytest.raises(PluginError, match=r"none.py' registers 0 data sets; give a file with one `@dataset\(name\)`"):
        load_splits(DataSettings(name=str(path)))


def test_module_and_attribute_are_a_data_set():
    assert load_splits(DataSettings(name="qnas.data.bundled:iris")).n_features == 4


def test_unknown_name():
    with pytest.raises(PluginError, match=r"unknown data set 'irsi': did you mean 'iris'\? Allowed: breast_cancer, "):
        load_splits(DataSettings(name="irsi"))


GOOD = Dataset("toy", np.ones((2, 1)), np.array([0, 1]), "classification", ("a", "b"))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"task": "ranking"}, "its task is 'ranking', not classification or regression"),
        ({"features": np.ones((2, 0))}, "it has no samples or no features"),
        ({"features": np.full((2, 1), np.nan)}, "some features are not finite"),
        ({"targets": np.full((2, 1), np.inf), "task": "regression", "class_names": ()}, "some targets are not finite"),
        ({"class_names": ("a",)}, "it has 1 class names, but needs two at least; some targets do not index"),
        ({"targets": np.ones((2, 1)), "task": "regression"}, "it has 2 class names, but is for regression"),
        ({"features": np.full((2, 1), -1e151)}, "some features are larger than 1e+150; change their unit."),
        (
            {"targets": np.full((2, 1), 1e151), "task": "regression", "class_names": ()},
            "some targets are larger than 1e+150; change their unit.",
        ),
        ({"targets": np.array([0, 2])}, "some targets do not index its class names"),
    ],
)
def test_a_data_set_does_not_contradict_itself(change, text):
    with pytest.raises(DataError) as caught:
        dataclasses.replace(GOOD, **change)
    assert str(caught.value).startswith(f"the data set 'toy' cannot be used: {text}")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"features": np.ones((3, 1))}, "features and targets differ in length."),
        ({"features": np.ones(2)}, "its features are float64 (2,), not float64 (n, d)."),
        (
            {"targets": np.array([0.0, 1.0])},
            "its targets are float64 (2,), not int64 (n,) class indices or ",
        ),
        ({"features": [[1.0], [2.0]]}, "its features are a list, not float64 (n, d)."),
        ({"features": np.array([["a"], ["b"]])}, "its features are <U1 (2, 1), not float64 (n, d)."),
        ({"features": np.array(1.0)}, "its features are float64 (), not float64 (n, d)."),
        ({"targets": None}, "its targets are a NoneType, not int64 (n,) class indices or float64 (n, k) values."),
        ({"class_names": None}, "its class names are None, not a tuple."),
    ],
)
def test_shapes_are_checked_in_use_as_well(change, text, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as in use, where signatures are not enforced
    with pytest.raises(DataError) as caught:
        dataclasses.replace(GOOD, **change)
    assert str(caught.value).startswith(f"the data set 'toy' cannot be used: {text}")


@pytest.mark.parametrize(
    ("loader", "text"),
    [
        ([1], "is a list; give a function (settings) -> Dataset."),
        (lambda settings: 1 / 0, "cannot be loaded: ZeroDivisionError: division by zero."),
        (lambda settings: (np.ones((2, 1)), np.ones(2)), "returns a tuple; return a qnas.data.Dataset."),
    ],
)
def test_what_is_no_data_set(monkeypatch, loader, text):
    monkeypatch.setattr(bundled, "mine", loader, raising=False)
    with pytest.raises(PluginError) as caught:
        load_splits(DataSettings(name="qnas.data.bundled:mine"))
    assert str(caught.value) == f"the data set 'qnas.data.bundled:mine' {text}"
