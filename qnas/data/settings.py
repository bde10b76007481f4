"""What a user may say about the data: the typed schema of the configuration group `data`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataSettings:
    """Which data set, and how it becomes training, validation and test splits.

    Args:
        name: a data set by short name, `file`, the path of a Python file that registers one, or `module:attribute`.
        path: the CSV, Parquet or NPZ file that the data set `file` reads.
        target: the file's target column (default: the last one); in NPZ the target array (default: `y` or `targets`).
        task: "classification", "regression" or "auto" (the data decide).
        validation: the fraction of all samples for validation, in (0, 1).
        test: the fraction of all samples for the final test, in (0, 1).
        n_samples: use a stratified subset of this many samples.
        n_components: keep this many principal components of the training split, scaled again.
        scaler: "standard" (zero mean, unit variance), "minmax" (0 to 1) or "none"; fitted on the training split.
        seed: of the subset and the split; it is apart from the run's seed, so runs share their splits.
    """

    name: str = "digits"
    path: str | None = None
    target: str | None = None
    task: str = "auto"
    validation: float = 0.2
    test: float = 0.2
    n_samples: int | None = None
    n_components: int | None = None
    scaler: str = "standard"
    seed: int = 0
