"""From settings to splits: stratified, seeded, with everything that is fitted fitted on the training split."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from qnas.data import bundled
from qnas.data.dataset import TASKS, Dataset, Loader, Split, Splits, find_dataset
from qnas.data.settings import DataSettings
from qnas.errors import ConfigurationError, DataError, PluginError, QnasError, unknown

SCALERS = {"standard": "StandardScaler", "minmax": "MinMaxScaler", "none": "FunctionTransformer"}  # of scikit-learn


def load_splits(settings: DataSettings) -> Splits:
    """Load a data set and split it.

    Every class appears in every split. Features are scaled, and reduced if asked, by what the training split says;
    so are regression targets, to zero mean and unit variance.

    Raises:
        ConfigurationError: a setting is impossible.
        PluginError: there is no such data set.
        DataError: the data set cannot be used, or not with these settings.
    """
    _check(settings)
    data = _load(settings)
    test, validation, train = _divide(data, settings)
    transform = _fit(data, train, settings)
    targets = _scaled_targets(data, train)

    def split(rows: Int64[np.ndarray, " m"]) -> Split:
        return Split(np.asarray(transform.transform(data.features[rows]), np.float64), targets[rows])

    return Splits(split(train), split(validation), split(test), data.task, data.class_names)


def _check(settings: DataSettings) -> None:
    for key, allowed in (("task", ("auto", *TASKS)), ("scaler", SCALERS)):
        if (value := getattr(settings, key)) not in allowed:
            raise ConfigurationError(unknown(key, value, allowed, f"Correct data.{key}."))
    for key in ("validation", "test"):
        if not 0 < (value := getattr(settings, key)) < 1:
            raise ConfigurationError(f"data.{key} is {value}, but must be a fraction between 0 and 1, such as 0.2.")
    if settings.validation + settings.test >= 1:
        together = f"{settings.validation} and {settings.test}"
        raise ConfigurationError(f"data.validation and data.test are {together}, which leaves no training samples.")
    for key, least in (("n_samples", 1), ("n_components", 1), ("seed", 0)):
        if (value := getattr(settings, key)) is not None and value < least:
            raise ConfigurationError(f"data.{key} is {value}, but must be at least {least}.")


def _load(settings: DataSettings) -> Dataset:
    loader = find_dataset(settings.name)
    if settings.path and loader.__module__ == bundled.__name__:
        raise ConfigurationError(
            f"data.path is {settings.path!r}, but the data set {settings.name!r} reads no file; set data=file."
        )
    data = _call(loader, settings)
    if settings.task not in ("auto", data.task):
        raise DataError(
            f"data.task is {settings.task!r}, but the data set {data.name!r} is for {data.task}; set data.task=auto."
        )
    return data


def _call(loader: Loader, settings: DataSettings) -> Dataset:
    try:
        data: object = loader(settings)
    except QnasError:
        raise
    except Exception as error:
        raise PluginError(
            f"the data set {settings.name!r} cannot be loaded: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(data, Dataset):
        kind = type(data).__name__
        raise PluginError(f"the data set {settings.name!r} returns a {kind}; return a qnas.data.Dataset.")
    return data


def _divide(data: Dataset, settings: DataSettings) -> list[Int64[np.ndarray, " _"]]:
    """The rows of the test, validation and training splits."""
    n_all, n = len(data.features), settings.n_samples or len(data.features)
    if n > n_all:
        raise DataError(f"data.n_samples is {n}, but the data set {data.name!r} has {n_all} samples; lower it.")
    labels = data.targets if data.class_names else np.zeros(n_all, np.int64)
    rows = _stratified_order(labels, np.random.default_rng(settings.seed))[:n]
    n_test, n_validation = round(settings.test * n), round(settings.validation * n)
    parts = np.split(rows, [n_test, n_test + n_validation])
    _check_parts(data, parts)
    return parts


def _stratified_order(labels: Shaped[np.ndarray, " n"], generator: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """A random order through which every class is spread evenly, so that each stretch of it is stratified."""
    shuffled = generator.permutation(len(labels))
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = labels[shuffled] == label
        place[members] = (np.arange(members.sum()) + 0.5) / members.sum()
    return shuffled[np.argsort(place, kind="stable")]


def _check_parts(data: Dataset, parts: list[Int64[np.ndarray, " _"]]) -> None:
    n = sum(len(part) for part in parts)
    if min(len(part) for part in parts) < 2:
        raise DataError(
            f"{n} samples of the data set {data.name!r} are too few for test, validation and training splits "
            f"of 2 at least; they get {', '.join(str(len(part)) for part in parts)}. Use more samples."
        )
    counts = np.array([[np.sum(data.targets[part] == k) for part in parts] for k in range(len(data.class_names))])
    if counts.size and counts.min() == 0:
        scarce = int(counts.min(axis=1).argmin())
        raise DataError(
            f"the class {data.class_names[scarce]!r} of the data set {data.name!r} has {counts[scarce].sum()} of {n} "
            "samples, too few to appear in the test, validation and training splits; "
            "add samples, remove the class, or raise data.n_samples, data.test or data.validation."
        )


def _fit(data: Dataset, train: Int64[np.ndarray, " m"], settings: DataSettings) -> Any:
    """The scikit-learn pipeline that prepares features, fitted on the training split."""
    from sklearn import preprocessing
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline

    scaler = getattr(preprocessing, SCALERS[settings.scaler])
    features = data.features[train]
    if settings.n_components is None:
        return make_pipeline(scaler()).fit(features)
    _check_components(data, scaler().fit_transform(features), settings.n_components)
    pca = PCA(settings.n_components, svd_solver="covariance_eigh")  # no randomness, unlike "auto" on wide data
    return make_pipeline(scaler(), pca, scaler()).fit(features)


def _check_components(data: Dataset, scaled: Float64[np.ndarray, "m d"], n_components: int) -> None:
    """Components beyond the rank are rounding errors, which the second scaling would blow up."""
    centred = scaled - scaled.mean(axis=0)
    rank = int(np.linalg.matrix_rank(centred.T @ centred, hermitian=True))
    if n_components > rank:
        raise DataError(
            f"data.n_components is {n_components}, but the training split of {data.name!r} has {scaled.shape[1]} "
            f"features that vary in {rank} independent directions; give at most {rank}."
        )


def _scaled_targets(data: Dataset, train: Int64[np.ndarray, " m"]) -> Shaped[np.ndarray, "n ..."]:
    if data.class_names:
        return data.targets
    known = data.targets[train]
    if np.any(np.ptp(known, axis=0) == 0):
        raise DataError(f"a regression target of {data.name!r} is the same for all training samples; choose another.")
    return np.asarray((data.targets - known.mean(axis=0)) / known.std(axis=0))
