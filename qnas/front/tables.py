"""The front as tables: `front.csv` for people and spreadsheets, `front.json` for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def write_front(directory: Path, table: pd.DataFrame, details: list[dict[str, Any]]) -> None:
    """Write `front.csv` and `front.json` into a directory that exists, each at once or not at all.

    Args:
        directory: where to write.
        table: one row per member of the front; its index is not written. Floats keep every bit, what is missing
            stays empty, booleans read true and false, lists are JSON.
        details: one record per member, of anything JSON can carry; floats that are not finite become null.
    """
    _write_at_once(directory / "front.csv", _as_csv(table))
    _write_at_once(directory / "front.json", json.dumps(_plain(details), indent=2, allow_nan=False) + "\n")


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
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value)
    return str(value)


def _plain(value: Any) -> Any:
    """What JSON can carry: numpy scalars and arrays become Python's, missing and non-finite numbers None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _write_at_once(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)
