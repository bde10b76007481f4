"""Parts by short name, entry point, file and module."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest
from qiskit import QuantumCircuit

from qnas import plugins
from qnas.circuit.encodings import encodings
from qnas.errors import PluginError
from qnas.plugins import Registry, bundled_directory, load_attribute, load_module, located, registering


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
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def advertise(monkeypatch, **loaders):
    def entry_points(group):
        assert group == "test.shapes"
        return [
            type("Point", (EntryPoint,), {"load": staticmethod(load)})(name, f"test:{name}", group)
            for name, load in loaders.items()
        ]

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


def test_a_broken_entry_point_hinders_no_other_name(shapes, monkeypatch):
    advertise(monkeypatch, broken=lambda: 1 / 0, oval=lambda: 5)
    assert shapes["oval"] == 5
    with pytest.raises(PluginError, match="did you mean 'oval'") as caught:
        shapes["ovall"]
    assert "Allowed: broken, oval, round, square." in str(caught.value)


def test_advertised_names_are_listed_and_not_loaded(shapes, monkeypatch):
    advertise(monkeypatch, broken=lambda: 1 / 0, round=lambda: 1 / 0)
    assert shapes.names() == ["broken", "round", "square"]
    assert list(shapes) == ["round", "square"]


@dataclass(frozen=True)
class Record:
    """What a decorator makes of a function."""

    build: Callable
    width: int = 1


@pytest.fixture
def records():
    made = Registry("record", "test.shapes", Record)
    made.add("round", Record(lambda: 1))
    return made


def test_an_entry_point_finds_the_part_that_its_decorator_calls_otherwise(shapes, records, monkeypatch):
    def oval():
        return 5

    def load():
        if "ellipse" not in shapes:
            shapes.add("ellipse", oval)
            records.add("ellipse", Record(oval, width=2))
        return oval

    advertise(monkeypatch, oval=load)
    for _ in range(2):
        assert shapes["oval"] is oval
        assert records["oval"] is records["ellipse"]
        assert records["oval"].width == 2


def test_an_entry_point_of_a_module_that_registers_the_part(shapes, monkeypatch):
    advertise(monkeypatch, oval=lambda: shapes.add("oval", 6) and plugins)
    assert shapes["oval"] == 6


def test_a_whole_record_is_a_part_without_a_decorator(records, monkeypatch):
    record = Record(lambda: 5)
    advertise(monkeypatch, oval=lambda: record)
    assert records["oval"] is record


@pytest.mark.parametrize(("loaded", "kind"), [(lambda: 5, "function"), (plugins, "module")])
def test_an_entry_point_that_names_no_part(records, monkeypatch, loaded, kind):
    advertise(monkeypatch, oval=lambda: loaded)
    text = (
        f"the entry point 'oval' of the group 'test.shapes' names a {kind} that is not a part; name what carries the "
        "record decorator."
    )
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            records["oval"]
        assert str(caught.value) == text
    assert list(records) == ["round"]


def test_a_module_without_its_decorator_is_no_bare_part_either(shapes, monkeypatch):
    advertise(monkeypatch, oval=lambda: plugins)
    with pytest.raises(PluginError, match="names a module that is not a part"):
        shapes["oval"]


def test_encodings_hold_records(monkeypatch):
    def fourier(features, n_qubits):
        return QuantumCircuit(n_qubits)

    point = type("Point", (EntryPoint,), {"load": lambda self: fourier})("fourier", "test:fourier", "qnas.encodings")
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point])
    with pytest.raises(PluginError, match="names a function that is not a part; name what carries the encoding dec"):
        encodings["fourier"]


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


@pytest.fixture
def folder(tmp_path, monkeypatch, imported):
    """A working folder with a module and a package, which is not on the path for imports."""
    (tmp_path / "my_shapes_module.py").write_text("import my_shapes_package\nvalue = my_shapes_package.VALUE")
    (tmp_path / "my_shapes_package").mkdir()
    (tmp_path / "my_shapes_package" / "__init__.py").write_text("VALUE = 1")
    (tmp_path / "my_shapes_package" / "inner.py").write_text(
        "from . import VALUE\ndef later():\n    import my_shapes_module\n    return my_shapes_module.value + VALUE"
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_module_of_the_working_folder(folder):
    assert load_attribute("my_shapes_module:value") == 1


def test_a_module_may_import_its_neighbours_when_it_is_called(folder):
    assert load_attribute("my_shapes_package.inner:later")() == 2


@pytest.mark.parametrize("reference", ["my_shapes_module:value", "my_shapes_package.inner:VALUE"])
def test_a_located_module_is_found_from_elsewhere(folder, monkeypatch, reference):
    there = located(reference)
    assert there == f"{folder}/{reference}"
    monkeypatch.chdir(folder / "elsewhere")
    assert located(reference) == reference
    assert located(f"../{reference}") == located(there) == there
    assert load_attribute(there) == 1


def test_a_console_script_finds_a_module_of_the_working_folder(folder):
    """The folder of the script is first on the path then, not the working folder; -P leaves that out."""
    code = "from qnas.plugins import load_attribute; print(load_attribute('my_shapes_module:value'))"
    root = bundled_directory("conf").parent
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True
    )
    assert (found.stdout, found.stderr) == ("1\n", "")


def test_files_are_located_and_names_are_not(folder):
    (folder / "iris").write_text("not a data set")
    assert located("my_shapes_module.py") == f"{folder}/my_shapes_module.py"
    assert located("my_shapes_module.py:value") == f"{folder}/my_shapes_module.py:value"
    for name in ("iris", "hybrid", "none.py", "qnas.plugins:Registry", "none:value", ":value", "a/b:c", "..:value"):
        assert located(name) == name


def test_two_modules_of_one_name_are_not_mistaken(folder, monkeypatch):
    assert load_attribute("my_shapes_module:value") == 1
    (folder / "elsewhere" / "my_shapes_module.py").write_text("value = 2")
    monkeypatch.chdir(folder / "elsewhere")
    with pytest.raises(PluginError) as caught:
        load_attribute("my_shapes_module:value")
    assert str(caught.value) == (
        f"the module of 'my_shapes_module:value' is '{folder}/elsewhere/my_shapes_module.py', but one of the same name "
        f"is imported from '{folder}/my_shapes_module.py'; rename yours."
    )


def test_a_located_module_that_is_gone(folder):
    with pytest.raises(PluginError) as caught:
        load_attribute(f"{folder}/my_module:value")
    assert str(caught.value) == (
        f"the module of '{folder}/my_module:value' cannot be imported: there is no module 'my_module' in '{folder}'."
    )


@pytest.mark.parametrize("name", ["conf", "search_spaces"])
def test_bundled_directories_exist(name):
    assert bundled_directory(name).is_dir()
