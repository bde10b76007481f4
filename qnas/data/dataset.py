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
        if found := self._faults_of_kind() or self._faults_of_content():
            raise DataError(f"the data set {self.name!r} cannot be used: {'; '.join(found)}.")

    def _faults_of_kind(self) -> list[str]:
        wanted = ("int64", 1) if self.task == "classification" else ("float64", 2)
        faults = {
            f"its task is {self.task!r}, not classification or regression": self.task not in TASKS,
            f"its features are {_described(self.features)}, not float64 (n, d)": _kind(self.features) != ("float64", 2),
            f"its targets are {_described(self.targets)}, not int64 (n,) class indices or float64 (n, k) values": (
                _kind(self.targets) != wanted
            ),
            f"its class names are {self.class_names!r}, not a tuple": not isinstance(self.class_names, tuple),
        }
        return [fault for fault, is_so in faults.items() if is_so]

    def _faults_of_content(self) -> list[str]:
        classes, n_classes = self.task == "classification", len(self.class_names)
        faults = {
            "it has no samples or no features": 0 in self.features.shape,
            "features and targets differ in length": len(self.features) != len(self.targets),
            "some features are not finite": not np.isfinite(self.features).all(),
            "some targets are not finite": not np.isfinite(self.targets).all(),
            f"some features are larger than {LARGEST:g}; change their unit": _too_large(self.features),
            f"some targets are larger than {LARGEST:g}; change their unit": not classes and _too_large(self.targets),
            f"it has {n_classes} class names, but needs two at least": classes and n_classes < 2,
            f"it has {n_classes} class names, but is for regression": not classes and n_classes > 0,
            "some targets do not index its class names": classes and not np.isin(self.targets, range(n_classes)).all(),
        }
        return [fault for fault, is_so in faults.items() if is_so]


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


def _kind(array: object) -> tuple[str, int]:
    return (str(array.dtype), array.ndim) if isinstance(array, np.ndarray) else ("", 0)


def _described(array: object) -> str:
    return f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"


def _too_large(array: np.ndarray) -> bool:
    """Infinite values are another fault."""
    sizes = np.abs(array)
    return bool(((sizes > LARGEST) & (sizes < np.inf)).any())


TASKS = ("classification", "regression")
LARGEST = 1e150
"""The squares of larger values, which scaling needs, are not finite."""
Loader: TypeAlias = Callable[[DataSettings], Dataset]

datasets: Registry[Loader] = Registry("data set", "qnas.datasets")


def dataset(name: str) -> Callable[[Loader], Loader]:
    """Register a function from settings to a `Dataset` under a short name: `@dataset("rings")`."""
    return registering(datasets, name)


def find_dataset(name: str) -> Loader:
    """The data set of a short name, of a Python file that registers one, or of `module:attribute`.

    Raises:
        PluginError: there is none, it is no function, or the file registers none or several.
    """
    if name.endswith(".py"):
        return _registered_by(name)
    loader: Loader = load_attribute(name) if ":" in name else datasets[name]
    if not callable(loader):
        raise PluginError(f"the data set {name!r} is a {type(loader).__name__}; give a function (settings) -> Dataset.")
    return loader


def _registered_by(path: str) -> Loader:
    module = load_module(path)
    found = [name for name in datasets if datasets[name].__module__ == module.__name__]
    if len(found) != 1:
        raise PluginError(f"{path!r} registers {len(found)} data sets; give a file with one `@dataset(name)` function.")
    return datasets[found[0]]
