"""The data set `file`: a user's own CSV, Parquet or NPZ."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from qnas.data.dataset import Dataset, dataset
from qnas.data.settings import DataSettings
from qnas.errors import ConfigurationError, DataError, unknown

if TYPE_CHECKING:
    import pandas as pd

_UNREADABLE = (ValueError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What pandas, pyarrow and numpy raise on a bad file."""
MAX_INTEGER_CLASSES = 20  # integer targets with more distinct values than this are quantities


@dataset("file")
def file(settings: DataSettings) -> Dataset:
    """Read `settings.path`: every column but the target is a feature.

    CSV needs a header line. NPZ holds arrays `x` or `features` (samples along the first axis, the others are
    flattened) and `y` or `targets`. With the task "auto", targets that are no numbers, and integers or booleans with
    at most 20 distinct values, are classes; all others are regressed on.

    Raises:
        ConfigurationError: no path was given.
        DataError: the file cannot be read or used as it is; the text says what to do.
    """
    path = _existing(settings.path)
    frame, target_columns = _read(path, settings.target)
    _refuse_cells(path, frame.isna(), "missing")
    features, targets = frame.drop(columns=target_columns), frame[target_columns]
    _refuse_text(path, features)
    for numbers in (features, targets.loc[:, _numeric(targets)]):
        _refuse_cells(path, numbers.astype(np.float64).isin([np.inf, -np.inf]), "infinite")
    make = _classification if _has_classes(targets, settings.task) else _regression
    return make(path, features.to_numpy(np.float64), targets)


def _existing(given: str | None) -> Path:
    if not given:
        raise ConfigurationError("the data set 'file' needs data.path; give a CSV, Parquet or NPZ file.")
    path = Path(given).expanduser()
    if not path.is_file():
        raise DataError(f"there is no file {given!r} (data.path, looked up as {str(path.resolve())!r}); correct it.")
    if path.suffix.lower() not in READERS:
        allowed = ", ".join(READERS)
        raise DataError(f"{given!r} ends in {path.suffix!r}, but data.path must end in one of {allowed}; convert it.")
    return path


def _read(path: Path, target: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The whole file as one table, and which of its columns are targets."""
    try:
        frame, target_columns = READERS[path.suffix.lower()](path, target)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{str(path)!r} cannot be read as {path.suffix.lower()}: {reason}; repair the file.") from error
    if len(frame) == 0:
        raise DataError(f"{str(path)!r} has no samples; add rows.")
    if frame.shape[1] <= len(target_columns):
        columns = _listed(frame.columns)
        raise DataError(f"{str(path)!r} has no features beside its target {columns}; are the columns comma-separated?")
    return frame, target_columns


def _read_csv(path: Path, target: str | None) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    pd.read_csv(path, header=None, nrows=2)  # refuses rows longer than the header, whose first values would be an index
    frame = pd.read_csv(path, skipinitialspace=True, low_memory=False)
    nameless = [name for name in frame.columns if name.startswith("Unnamed: ")]
    if nameless:
        position = frame.columns.get_loc(nameless[0])
        raise DataError(
            f"column {position} of {str(path)!r}, counted from 0, has no name; name it, or drop a row index."
        )
    if all(_is_number(name) for name in frame.columns[:-1]) and not all(name.isdigit() for name in frame.columns[:-1]):
        raise DataError(f"the first line of {str(path)!r} holds numbers; add a header line that names the columns.")
    return frame, [_target_column(path, frame, target)]


def _read_parquet(path: Path, target: str | None) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    frame = pd.read_parquet(path)
    frame.columns = frame.columns.map(str)
    return frame, [_target_column(path, frame, target)] if len(frame.columns) else []


def _target_column(path: Path, frame: pd.DataFrame, target: str | None) -> str:
    if target is not None and target not in frame.columns:
        raise DataError(unknown(f"target column of {str(path)!r},", target, frame.columns, "Correct data.target."))
    return target or str(frame.columns[-1])


def _read_npz(path: Path, target: str | None) -> tuple[pd.DataFrame, list[str]]:
    import pandas as pd

    with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
        tables = [
            _table(path, arrays, names) for names in (("x", "features"), (target,) if target else ("y", "targets"))
        ]
    if len(tables[0]) != len(tables[1]):
        raise DataError(
            f"{str(path)!r} has {len(tables[0])} samples, but {len(tables[1])} targets; give each sample one."
        )
    return pd.concat(tables, axis=1), list(tables[1].columns)


def _table(path: Path, arrays: np.lib.npyio.NpzFile, names: Iterable[str]) -> pd.DataFrame:
    import pandas as pd

    name = next((name for name in names if name in arrays), None)
    if name is None:
        held = _listed(arrays.files)
        raise DataError(f"{str(path)!r} has no array {' or '.join(map(repr, names))}; it has {held}. Rename one.")
    array = np.atleast_1d(arrays[name])
    matrix = array.reshape(len(array), math.prod(array.shape[1:]))
    return pd.DataFrame(matrix, columns=[f"{name}[{k}]" for k in range(matrix.shape[1])])


READERS = {".csv": _read_csv, ".parquet": _read_parquet, ".npz": _read_npz}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numeric(frame: pd.DataFrame, kinds: str = "biuf") -> list[bool]:
    """Per column: do its values, by their numpy kind, count as numbers?"""
    return [getattr(dtype, "kind", "O") in kinds for dtype in frame.dtypes]


def _has_classes(targets: pd.DataFrame, task: str) -> bool:
    if task != "auto":
        return task == "classification"
    if not all(_numeric(targets)):
        return True
    return all(_numeric(targets, "biu")) and int(targets.nunique().max()) <= MAX_INTEGER_CLASSES


def _classification(path: Path, features: Float64[np.ndarray, "n d"], targets: pd.DataFrame) -> Dataset:
    import pandas as pd

    if targets.shape[1] != 1:
        raise DataError(
            f"the targets of {str(path)!r} have {targets.shape[1]} columns, but classes need one; "
            "give class indices, or set data.task=regression."
        )
    column = targets.iloc[:, 0]
    labels, classes = pd.factorize(column if all(_numeric(targets)) else column.astype(str), sort=True)
    if len(classes) < 2:
        raise DataError(
            f"the target {column.name!r} of {str(path)!r} has the one class {str(classes[0])!r}, but needs two at "
            "least; choose another data.target."
        )
    names = tuple(str(label) for label in classes)
    return Dataset(str(path), features, labels.astype(np.int64), "classification", names)


def _regression(path: Path, features: Float64[np.ndarray, "n d"], targets: pd.DataFrame) -> Dataset:
    if not all(_numeric(targets)):
        raise DataError(
            f"the target {_listed(targets.columns)} of {str(path)!r} holds {targets.iloc[0, 0]!r}, which is no number; "
            "choose another data.target, or set data.task=classification."
        )
    return Dataset(str(path), features, targets.to_numpy(np.float64), "regression")


def _refuse_text(path: Path, features: pd.DataFrame) -> None:
    text = features.loc[:, [not numeric for numeric in _numeric(features)]]
    if text.shape[1]:
        raise DataError(
            f"{str(path)!r} has features that are no numbers, in {_listed(text.columns)}, such as "
            f"{str(text.iloc[0, 0])!r}; encode them as numbers, drop them, or name the target with data.target."
        )


def _refuse_cells(path: Path, marked: pd.DataFrame, what: str) -> None:
    """Raise if any cell is marked."""
    per_column, per_row = marked.sum(), marked.any(axis=1)
    if per_row.any():
        count = "one value is" if per_column.sum() == 1 else f"{per_column.sum()} values are"
        columns, row = _listed(per_column.index[per_column > 0]), int(per_row.to_numpy().argmax()) + 1
        raise DataError(
            f"{count} {what} in {str(path)!r}, in the columns {columns}, first in data row {row} "
            "(counted from 1); fill them in or remove those rows or columns."
        )


def _listed(names: Iterable[str], most: int = 5) -> str:
    shown = [repr(str(name)) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more or "nothing"
