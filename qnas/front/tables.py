"""The front as tables: `front.csv` for people and spreadsheets, `front.json` for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from qnas.front.files import write_at_once


def write_front(directory: Path, table: pd.DataFrame, details: list[dict[str, Any]]) -> None:
    """Write `front.csv` and `front.json` into a directory that exists, each at once or not at all.

    Args:
        directory: where to write.
        table: one row per member of the front; its index is not written. Floats keep every bit, what is missing
            stays empty, booleans read true and false, lists are JSON.
        details: one record per member, of anything JSON can carry; floats that are not finite become null.
    """
    write_csv(directory / "front.csv", table)
    write_at_once(directory / "front.json", json.dumps(as_json(details), indent=2, allow_nan=False) + "\n")


def write_csv(file: Path, table: pd.DataFrame) -> None:
    """Write a table at once or not at all, by the rules of `front.csv`."""
    write_at_once(file, _as_csv(table))


def _as_csv(table: pd.DataFrame) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    columns = [table[name].tolist() for name in table.columns]
    writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return text.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, float) and math.isinf(value):
        return repr(float(value))
    value = as_json(value)
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value)
    return str(value)


def as_json(value: Any) -> Any:
    """What JSON can carry: scalars and arrays of numpy and torch become Python's, missing and non-finite numbers None.

    Raises:
        TypeError: JSON has nothing for such a value.
    """
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if hasattr(value, "tolist"):
        return as_json(value.tolist())
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"JSON cannot carry a {type(value).__name__}: {value!r}")
