"""Parts by short name, entry point, file and module."""

import sys
from types import SimpleNamespace

import pytest

from qnas import plugins
from qnas.errors import PluginError
from qnas.plugins import Registry, bundled_directory, load_attribute, load_module, registering


@pytest.fixture
def shapes():
    made = Registry("shape", "test.shapes")
    made.add("round", 1)
    made.add("square", 2)
    return made


@pytest.fixture
def imported():
    """Forget the modules that a test loads."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def advertise(monkeypatch, **loaders):
    def entry_points(group):
        assert group == "test.shapes"
        return [SimpleNamespace(name=name, load=load) for name, load in loaders.items()]

    monkeypatch.setattr(plugins, "entry_points", entry_points)


def test_a_part_by_its_short_name(shapes):
    assert (shapes["round"], list(shapes), "square" in shapes, "oval" in shapes) == (
        1,
        ["round", "square"],
        True,
        False,
    )


def test_a_later_part_takes_the_place_of_an_earlier_one(shapes):
    shapes.add("round", 3)
    assert shapes["round"] == 3


def test_a_decorator_registers_and_returns(shapes):
    @registering(shapes, "oval")
    def oval():
        return 4

    assert shapes["oval"] is oval
    assert oval() == 4


@pytest.mark.parametrize("name", ["", "a b", "a-b", "a.py", "m:a"])
def test_names_that_look_like_paths_or_modules_are_refused(shapes, name):
    with pytest.raises(PluginError) as caught:
        shapes.add(name, 1)
    assert str(caught.value) == f"{name!r} cannot name shape: use letters, digits and underscores."


def test_an_unknown_name_says_what_there_is_and_what_to_do(shapes):
    with pytest.raises(PluginError) as caught:
        shapes["rund"]
    assert str(caught.value) == (
        "unknown shape 'rund': did you mean 'round'? Allowed: round, square. A part of your own needs its decorator, "
        "or an entry point in the group 'test.shapes'."
    )


def test_an_entry_point_is_loaded_when_it_is_asked_for(shapes, monkeypatch):
    loaded = []
    advertise(monkeypatch, oval=lambda: loaded.append("oval") or 5)
    assert shapes["round"] == 1
    assert loaded == []
    assert shapes["oval"] == 5
    assert shapes["oval"] == 5
    assert loaded == ["oval"]


def test_an_entry_point_whose_import_registers_the_part(shapes, monkeypatch):
    def load():
        shapes.add("oval", 6)
        return "the bare function"

    advertise(monkeypatch, oval=load)
    assert shapes["oval"] == 6


def test_a_registered_part_goes_before_an_entry_point(shapes, monkeypatch):
    advertise(monkeypatch, round=lambda: 7, oval=lambda: 8)
    assert (shapes["oval"], shapes["round"]) == (8, 1)


def test_an_entry_point_that_does_not_load(shapes, monkeypatch):
    def load():
        raise ImportError("no module named 'numpyy'")

    advertise(monkeypatch, oval=load)
    text = "the entry point 'oval' of the group 'test.shapes' cannot be loaded: ImportError: no module named 'numpyy'."
    with pytest.raises(PluginError) as caught:
        shapes["oval"]
    assert str(caught.value) == text


def test_a_file_is_imported_once(tmp_path, imported):
    file = tmp_path / "mine.py"
    file.write_text("value = object()")
    first = load_module(file)
    assert load_module(str(file)) is first
    assert sys.modules[first.__name__] is first
    assert first.__name__.startswith("qnas_plugin_mine_")


def test_a_file_that_changed_is_imported_again(tmp_path, imported):
    file = tmp_path / "mine.py"
    file.write_text("value = 1")
    first = load_module(file)
    file.write_text("value = 2")
    assert (first.value, load_module(file).value) == (1, 2)


def test_files_of_the_same_name_are_apart(tmp_path, imported):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(f"value = {folder!r}")
    assert [load_module(tmp_path / folder / "mine.py").value for folder in ("one", "two")] == ["one", "two"]


def test_a_path_from_home(tmp_path, monkeypatch, imported):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.py").write_text("value = 3")
    assert load_module("~/mine.py").value == 3


def test_files_that_cannot_be_imported(tmp_path, monkeypatch, imported):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("import json\nvalue = 1 / 0")
    (tmp_path / "typo.py").write_text("def f(:")
    (tmp_path / "notes.txt").write_text("value = 1")

    def text(path):
        with pytest.raises(PluginError) as caught:
            load_module(path)
        return str(caught.value)

    assert text("none.py") == "there is no file 'none.py'; give the path of a Python file."
    assert text(".") == "there is no file '.'; give the path of a Python file."
    assert text("notes.txt") == "'notes.txt' is not a Python file; its name must end in .py."
    assert text("broken.py") == "'broken.py' cannot be imported: ZeroDivisionError: division by zero."
    assert text("typo.py").startswith("'typo.py' cannot be imported: SyntaxError: ")
    assert not any(name.startswith(("qnas_plugin_broken", "qnas_plugin_typo")) for name in sys.modules)


def test_module_and_attribute():
    assert load_attribute("qnas.plugins:Registry") is Registry


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (
            "qnas.plugin:Registry",
            "the module of 'qnas.plugin:Registry' cannot be imported: ModuleNotFoundError: No mod",
        ),
        (
            "qnas.plugins:Registri",
            "unknown attribute of module 'qnas.plugins', 'Registri': did you mean 'Registry'? Al",
        ),
        ("qnas.plugins", "unknown attribute of module 'qnas.plugins', '': Allowed: "),
    ],
)
def test_references_to_nothing(reference, text):
    with pytest.raises(PluginError) as caught:
        load_attribute(reference)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("name", ["conf", "search_spaces"])
def test_bundled_directories_exist(name):
    assert bundled_directory(name).is_dir()
