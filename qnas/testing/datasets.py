"""The suite of a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from qnas.data import Dataset, DataSettings, load_splits
from qnas.data.dataset import find_dataset
from qnas.testing.conformance import Conformance, Options, explained
from qnas.testing.models import nothing_global_changes


class DatasetConformance(Conformance):
    """What qnas relies on in a data set.

        class TestRings(DatasetConformance):
            name = "rings"

    Attributes:
        name: what `qnas search data.name=...` is given: a short name, a path, or "module:attribute".
        options: the settings that it is tested with, e.g. {"path": "rings.csv"}; see `DataSettings`.
    """

    kind = "data set"

    def settings(self, options: Options) -> DataSettings:
        """As a configuration gives them."""
        return DataSettings(name=self.name, **options)

    def load(self, options: Options) -> Any:
        """The samples as they come."""
        return find_dataset(self.name)(self.settings(options))

    def test_it_is_a_data_set(self, options: Options) -> None:
        """`Dataset` itself checks that features and targets fit together."""
        with explained(self.about(options), "See qnas.data.Dataset."):
            found = self.load(options)
        assert isinstance(found, Dataset), (
            f"{self.about(options)} is a {type(found).__name__}; return a qnas.data.Dataset."
        )

    def test_equal_calls_give_equal_samples(self, options: Options) -> None:
        """Every worker loads them, and a run that goes on does so again."""
        about = self.about(options)
        with nothing_global_changes(about):
            first, second = self.load(options), self.load(options)
        same = np.array_equal(first.features, second.features) and np.array_equal(first.targets, second.targets)
        assert same, f"{about} differs from call to call; draw from np.random.default_rng(settings.seed)."

    def test_it_can_be_split(self, options: Options) -> None:
        """Into training, validation and test, with every class in each."""
        with explained(self.about(options), "Give more samples, or settings under which it can be split."):
            splits = load_splits(self.settings(options))
        assert splits.n_features == self.load(options).features.shape[1]
