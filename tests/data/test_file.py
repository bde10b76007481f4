"""The data set `file`: what it reads, and what it says when it cannot."""

import io

import numpy as np
import pandas as pd
import pytest

from qnas.data import DataSettings, datasets, load_splits
from qnas.errors import ConfigurationError, DataError

N = 60
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(N, 3))
CLASSES = np.arange(N) % 3
NAMES = np.array(["ant", "bee", "cat"])
VALUES = FEATURES @ [1.0, -2.0, 0.5]


def frame(target=None):
    table = pd.DataFrame(FEATURES, columns=["a", "b", "c"])
    return table.assign(kind=NAMES[CLASSES] if target is None else target)


def write_csv(path, table):
    table.to_csv(path, index=False)


def write_parquet(path, table):
    table.to_parquet(path)


def write_npz(path, table):
    np.savez(path, x=table.iloc[:, :-1].to_numpy(), y=table.iloc[:, -1].to_numpy(dtype=str))


def read(path, **settings):
    return datasets["file"](DataSettings("file", path=str(path), **settings))


@pytest.mark.parametrize(
    ("suffix", "write"), [(".csv", write_csv), (".parquet", write_parquet), (".npz", write_npz), (".CSV", write_csv)]
)
def test_round_trip(tmp_path, suffix, write):
    path = tmp_path / f"mine{suffix}"
    write(path, frame())
    data = read(path)
    np.testing.assert_allclose(data.features, FEATURES, rtol=1e-14)
    np.testing.assert_array_equal(data.targets, CLASSES)
    assert (data.name, data.task, data.class_names) == (str(path), "classification", ("ant", "bee", "cat"))


def test_the_splits_of_a_file(tmp_path):
    write_csv(tmp_path / "mine.csv", frame())
    splits = load_splits(DataSettings("file", path=str(tmp_path / "mine.csv")))
    assert (splits.n_features, splits.n_outputs, len(splits.train.targets)) == (3, 3, 36)


def test_the_target_may_be_any_column(tmp_path):
    write_csv(tmp_path / "mine.csv", frame()[["kind", "a", "b", "c"]])
    data = read(tmp_path / "mine.csv", target="kind")
    np.testing.assert_allclose(data.features, FEATURES, rtol=1e-14)
    assert data.class_names == ("ant", "bee", "cat")


def test_nullable_parquet_columns(tmp_path):
    write_parquet(tmp_path / "mine.parquet", frame(CLASSES).convert_dtypes())
    np.testing.assert_array_equal(read(tmp_path / "mine.parquet").targets, CLASSES)


def test_npz_flattens_samples_and_takes_several_targets(tmp_path):
    images, pairs = RNG.normal(size=(N, 4, 4)), np.column_stack([VALUES, -VALUES])
    np.savez(tmp_path / "mine.npz", features=images, targets=pairs, other=CLASSES)
    data = read(tmp_path / "mine.npz")
    np.testing.assert_array_equal(data.features, images.reshape(N, 16))
    np.testing.assert_array_equal(data.targets, pairs)
    np.testing.assert_array_equal(read(tmp_path / "mine.npz", target="other").targets, CLASSES)


@pytest.mark.parametrize(
    ("target", "task", "expected", "class_names"),
    [
        (NAMES[CLASSES], "auto", "classification", ("ant", "bee", "cat")),
        (CLASSES + 5, "auto", "classification", ("5", "6", "7")),
        (CLASSES > 0, "auto", "classification", ("False", "True")),
        (np.arange(N) % 20, "auto", "classification", tuple(map(str, range(20)))),
        (np.arange(N) % 21, "auto", "regression", ()),
        (VALUES, "auto", "regression", ()),
        (CLASSES / 2, "auto", "regression", ()),
        (CLASSES / 2, "classification", "classification", ("0.0", "0.5", "1.0")),
        (CLASSES, "regression", "regression", ()),
    ],
)
def test_the_target_decides_the_task(tmp_path, target, task, expected, class_names):
    write_csv(tmp_path / "mine.csv", frame(target))
    data = read(tmp_path / "mine.csv", task=task)
    assert (data.task, data.class_names) == (expected, class_names)
    assert data.targets.shape == ((N,) if class_names else (N, 1))


def refusal(path, **settings):
    with pytest.raises(DataError) as caught:
        load_splits(DataSettings("file", path=str(path), **settings))
    text = str(caught.value)
    assert "\n" not in text
    return text.replace(repr(str(path)), "FILE")


def test_no_path():
    with pytest.raises(ConfigurationError, match=r"the data set 'file' needs data.path; give a CSV, Parquet or NPZ"):
        load_splits(DataSettings("file"))


def test_no_such_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = f"there is no file FILE (data.path, looked up as {str(tmp_path / 'my.csv')!r}); correct it."
    assert refusal("my.csv") == expected


def test_unknown_suffix(tmp_path):
    (tmp_path / "mine.xlsx").touch()
    expected = "FILE ends in '.xlsx', but data.path must end in one of .csv, .parquet, .npz; convert it."
    assert refusal(tmp_path / "mine.xlsx") == expected


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "FILE cannot be read as .csv: No columns to parse from file; repair the file."),
        ("a,b\n1,2\n1,2,3,4\n", "FILE cannot be read as .csv: Error tokenizing data."),
        (
            "a,y\n1,2,0\n3,4,1\n",
            "FILE cannot be read as .csv: Error tokenizing data. C error: Expected 2 fields in line 2, saw 3",
        ),
        ("a,b\n", "FILE has no samples; add rows."),
        ("a;b\n1;2\n", "FILE has no features beside its target 'a;b'; are the columns comma-separated?"),
        (
            "5.1,3.5,ant\n4.9,3.0,bee\n",
            "the first line of FILE holds numbers; add a header line that names the columns.",
        ),
        (",a,y\n0,0.3,ant\n", "column 0 of FILE, counted from 0, has no name; name it, or drop a row index."),
        (
            "a,b,y\n1,,0\n1,2,0\n,,\n",
            "4 values are missing in FILE, in the columns 'a', 'b', 'y', first in data row 1 ",
        ),
        ("a,b,y\n1,2,0\n1,inf,1\n", "one value is infinite in FILE, in the columns 'b', first in data row 2 ("),
        ("a,y\n1,0.5\n1,-inf\n", "one value is infinite in FILE, in the columns 'y', first in data row 2 ("),
        ("a,b,y\nred,1,0\nblue,1,1\n", "FILE has features that are no numbers, in 'a', such as 'red'; encode them "),
        ("a,y\n1,7\n2,7\n", "the target 'y' of FILE has the one class '7', but needs two at least; choose another "),
    ],
)
def test_bad_csv(tmp_path, content, text):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    assert refusal(path).startswith(text)


def test_many_columns_are_not_all_listed(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(",".join(f"c{k}" for k in range(9)) + "\n" + ",".join(["1"] + [""] * 8) + "\n")
    assert "8 values are missing in FILE, in the columns 'c1', 'c2', 'c3', 'c4', 'c5' and 3 more, first" in refusal(
        path
    )


def test_numbers_may_name_columns(tmp_path):
    write_csv(tmp_path / "mine.csv", pd.DataFrame(np.column_stack([FEATURES, VALUES])))
    assert read(tmp_path / "mine.csv").features.shape == (N, 3)


def test_unknown_target_column(tmp_path):
    write_csv(tmp_path / "mine.csv", frame())
    text = refusal(tmp_path / "mine.csv", target="kinds")
    assert text.startswith(
        "unknown target column of FILE, 'kinds': did you mean 'kind'? Allowed: a, b, c, kind. Correct "
    )


def test_text_cannot_be_regressed_on(tmp_path):
    write_csv(tmp_path / "mine.csv", frame())
    text = refusal(tmp_path / "mine.csv", task="regression")
    assert text.startswith("the target 'kind' of FILE holds 'ant', which is no number; choose another data.target, or ")


def test_a_class_too_small_to_stratify(tmp_path):
    write_csv(tmp_path / "mine.csv", frame(["dot", "dot", *NAMES[CLASSES][2:]]))
    text = refusal(tmp_path / "mine.csv")
    assert text.startswith("the class 'dot' of the data set FILE has 2 of 60 samples, too few to appear in the test, ")


@pytest.mark.parametrize("suffix", [".parquet", ".npz"])
def test_files_of_another_format(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    path.write_text("a,b\n1,2\n")
    assert refusal(path).startswith(f"FILE cannot be read as {suffix}: ")


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"X": FEATURES, "y": CLASSES}, "FILE has no array 'x' or 'features'; it has 'X', 'y'. Rename one."),
        ({"x": FEATURES, "label": CLASSES}, "FILE has no array 'y' or 'targets'; it has 'x', 'label'. Rename one."),
        ({"x": FEATURES, "y": CLASSES[1:]}, "FILE has 60 samples, but 59 targets; give each sample one."),
        ({"x": FEATURES[:0], "y": CLASSES[:0]}, "FILE has no samples; add rows."),
        ({"x": FEATURES + 1j, "y": CLASSES}, "FILE has features that are no numbers, in 'x[0]', 'x[1]', 'x[2]', such "),
        (
            {"x": FEATURES, "y": np.eye(3, dtype=int)[CLASSES]},
            "the targets of FILE have 3 columns, but classes need one",
        ),
        (
            {"x": np.array([[1, None]]), "y": np.array([1])},
            "FILE cannot be read as .npz: Object arrays cannot be loaded",
        ),
    ],
)
def test_bad_npz(tmp_path, arrays, text):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    assert refusal(path).startswith(text)


def compressed_npz():
    file = io.BytesIO()
    np.savez_compressed(file, x=FEATURES, y=CLASSES)
    return file.getvalue()


def a_single_array():
    file = io.BytesIO()
    np.save(file, FEATURES)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        a_single_array(),
        compressed_npz()[:-50],
        compressed_npz()[:60] + b"\xff" * 140 + compressed_npz()[200:],
    ],
    ids=["empty", "text", "one array", "cut off", "damaged"],
)
def test_a_damaged_npz(tmp_path, content):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    text = refusal(path)
    assert text.startswith("FILE cannot be read as .npz: ")
    assert text.endswith("; repair the file.")
