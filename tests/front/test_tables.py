"""The tables of a front can be read back bit for bit."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qnas.front.tables import as_json, write_front


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_kind_of_value_has_its_spelling(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["a1", "b2"],
            "accuracy": [0.1 + 0.2, np.nan],
            "reupload": [True, False],
            "axis": ["x", None],
            "repeats": pd.array([3, None], dtype="Int64"),
            "hidden": [(16, 8), ()],
            "limit": [np.inf, -np.inf],
            "mixed": [np.bool_(True), np.float64(0.5)],
            "quoted": ['a "b", c', "d\ne"],
        }
    )
    write_front(tmp_path, table, [])
    assert [list(row.values()) for row in rows_of(tmp_path / "front.csv")] == [
        ["a1", "0.30000000000000004", "true", "x", "3", "[16, 8]", "inf", "true", 'a "b", c'],
        ["b2", "", "false", "", "", "[]", "-inf", "0.5", "d\ne"],
    ]


@given(values=st.lists(st.floats(allow_nan=False), min_size=1))
def test_floats_keep_every_bit(tmp_path_factory, values):
    folder = tmp_path_factory.mktemp("front")
    write_front(folder, pd.DataFrame({"flops": values}), [])
    again = [float(row["flops"]) for row in rows_of(folder / "front.csv")]
    assert np.array(again).tobytes() == np.array(values).tobytes()


def test_an_empty_front_has_a_header(tmp_path):
    write_front(tmp_path, pd.DataFrame({"id": [], "accuracy": []}), [])
    assert (tmp_path / "front.csv").read_text() == "id,accuracy\n"
    assert json.loads((tmp_path / "front.json").read_text()) == []


def test_json_writes_what_is_not_a_number_as_null(tmp_path):
    record = {"accuracy": np.float64("nan"), "parts": {"flops": (np.int64(3), np.inf)}, "gradient": np.array([0.5, 1])}
    write_front(tmp_path, pd.DataFrame({"id": [1]}), [record])
    text = (tmp_path / "front.json").read_text()
    assert json.loads(text) == [{"accuracy": None, "parts": {"flops": [3, None]}, "gradient": [0.5, 1.0]}]
    assert text.startswith('[\n  {\n    "accuracy": null')


def test_a_write_that_fails_leaves_the_old_table(tmp_path, monkeypatch):
    write_front(tmp_path, pd.DataFrame({"id": [1]}), [])

    def fail(*paths: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_front(tmp_path, pd.DataFrame({"id": [2]}), [])
    assert (tmp_path / "front.csv").read_text() == "id\n1\n"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({1: np.float32(0.5), "t": (True, None, pd.NA)}, {"1": 0.5, "t": [True, None, None]}),
        (torch.tensor([1.0, float("inf")]), [1.0, None]),
        (np.float64("nan"), None),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
    ],
)
def test_what_json_can_carry(value, plain):
    assert as_json(value) == plain


@pytest.mark.parametrize("value", [{1, 2}, 1j, np.array([1j])])
def test_what_json_cannot_carry_is_refused(value):
    with pytest.raises(TypeError, match=r"JSON cannot carry a (set|complex): "):
        as_json(value)
