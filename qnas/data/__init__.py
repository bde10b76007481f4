"""Data sets, bundled and the user's own, and their fixed-seed splits."""

from qnas.data import bundled, file  # noqa: F401 - importing them registers their data sets
from qnas.data.dataset import Dataset, Split, Splits, dataset, datasets
from qnas.data.settings import DataSettings
from qnas.data.splits import load_splits

__all__ = ["DataSettings", "Dataset", "Split", "Splits", "dataset", "datasets", "load_splits"]
