"""What a data set is, what its splits are, and how a data set is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int64

from qnas.data.settings import DataSettings
from qnas.errors import DataError, PluginError
from qnas.plugins import Registry, load_attribute, load_module, registering


@dataclass(frozen=True)
class Dataset:
    """Samples as they come, neither split nor scaled.

    Args:
        features: (n, d), finite.
        targets: (n,) class indices into `class_names`, or (n, k) values to regress on.
        name: what messages call the data set.
        task: "classification" or "regression".
        class_names: the name of each class; empty for regression.

    Raises:
        DataError: the parts contradict each other or hold values that are not finite.
    """

    name: str
    features: Float64[np.ndarray, "n d"]
    targets: Int64[np.ndarray, " n"] | Float64[np.ndarray, "n k"]
    task: str = "classification"
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        classes, n_classes = self.task == "classification", len(self.class_names)
        wanted = ("int64", 1) if classes else ("float64", 2)
        faults = {
            f"its task is {self.task!r}, not classification or regression": self.task not in TASKS,
            f"its features are {_described(self.features)}, not float64 (n, d)": _kind(self.features) != ("float64", 2),
            f"its targets are {_described(self.targets)}, not int64 (n,) class indices or float64 (n, k) values": (
                _kind(self.targets) != wanted
            ),
            "it has no samples or no features": 0 in self.features.shape,
            "features and targets differ in length": len(self.features) != len(self.targets),
            "some features are not finite": not np.isfinite(self.features).all(),
            "some targets are not finite": not np.isfinite(self.targets).all(),
            f"it has {n_classes} class names, but needs two at least": classes and n_classes < 2,
            f"it has {n_classes} class names, but is for regression": not classes and n_classes > 0,
            "some targets do not index its class names": classes and not np.isin(self.targets, range(n_classes)).all(),
        }
        if found := [fault for fault, is_so in faults.items() if is_so]:
            raise DataError(f"the data set {self.name!r} cannot be used: {'; '.join(found)}.")


@dataclass(frozen=True)
class Split:
    """One part of a data set, scaled: features (n, d), targets (n,) class indices or (n, k) values."""

    features: Float64[np.ndarray, "n d"]
    targets: Int64[np.ndarray, " n"] | Float64[np.ndarray, "n k"]


@dataclass(frozen=True)
class Splits:
    """Disjoint parts of one data set; a search sees `train` and `validation`, only an audit reads `test`."""

    train: Split
    validation: Split
    test: Split
    task: str
    class_names: tuple[str, ...] = ()

    @property
    def n_features(self) -> int:
        return int(self.train.features.shape[1])

    @property
    def n_outputs(self) -> int:
        """One per class, or one per regression target."""
        return len(self.class_names) or int(self.train.targets.shape[1])


def _kind(array: np.ndarray) -> tuple[str, int]:
    return str(array.dtype), array.ndim


def _described(array: np.ndarray) -> str:
    return f"{array.dtype} {array.shape}"


TASKS = ("classification", "regression")
Loader: TypeAlias = Callable[[DataSettings], Dataset]

datasets: Registry[Loader] = Registry("data set", "qnas.datasets")


def dataset(name: str) -> Callable[[Loader], Loader]:
    """Register a function from settings to a `Dataset` under a short name: `@dataset("rings")`."""
    return registering(datasets, name)


def find_dataset(name: str) -> Loader:
    """The data set of a short name, of a Python file that registers one, or of `module:attribute`.

    Raises:
        PluginError: there is none, or the file registers none or several.
    """
    if name.endswith(".py"):
        return _registered_by(name)
    loader: Loader = load_attribute(name) if ":" in name else datasets[name]
    return loader


def _registered_by(path: str) -> Loader:
    module = load_module(path)
    found = [name for name in datasets if datasets[name].__module__ == module.__name__]
    if len(found) != 1:
        raise PluginError(f"{path!r} registers {len(found)} data sets; give a file with one `@dataset(name)` function.")
    return datasets[found[0]]
