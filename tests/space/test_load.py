import sys
from importlib.metadata import EntryPoint

import pytest

from qnas.errors import PluginError, SpaceError
from qnas.space import Space, integer, load, load_space, space_names

MY_SPACE = '''"""My own space.

More about it.
"""
from qnas.space import Space, integer
space = Space(n_qubits=integer(2, 3))
wide = Space(n_qubits=integer(4, 6))
number = 3
'''


@pytest.fixture
def my_space(tmp_path):
    path = tmp_path / "my_space.py"
    path.write_text(MY_SPACE)
    return path


@pytest.fixture
def advertised(monkeypatch):
    points = (EntryPoint("theirs", "tests.space.test_load:their_space", load.GROUP),)
    monkeypatch.setattr(load, "entry_points", lambda group: points if group == load.GROUP else ())


their_space = Space(n_qubits=integer(2, 9))


def test_a_space_is_itself():
    assert load_space(their_space) is their_space


def test_a_file_with_and_without_its_attribute(my_space):
    assert load_space(my_space).size == 2
    assert load_space(str(my_space)).size == 2
    assert load_space(f"{my_space}:wide").size == 3


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml", "mine.json"])
def test_a_file_of_text(tmp_path, name):
    path = tmp_path / name
    path.write_text('{"n_qubits": {"integer": [2, 4]}, "budgets": {"qubits": 3}}')
    assert load_space(path) == load_space(str(path)) == Space(n_qubits=integer(2, 4)).within(qubits=3)


def test_a_file_of_text_that_declares_no_space(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("layers: {repeat: [2, 1], gate: cx}")
    with pytest.raises(SpaceError, match=r"mine.yaml: at layers: repeat\(2, 1\) allows nothing"):
        load_space(path)


def test_a_file_that_is_no_text_in_utf_8(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("name: groß".encode("latin-1"))
    with pytest.raises(PluginError, match=r"mine.yaml' cannot be read: 'utf-8' codec .*; give a text in UTF-8\."):
        load_space(path)


def test_a_file_of_text_that_may_not_be_read(tmp_path, monkeypatch):
    def read_text(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "mine.json").write_text("{}")
    monkeypatch.setattr("pathlib.Path.read_text", read_text)
    with pytest.raises(PluginError, match=r"mine.json' cannot be read: .*Permission denied"):
        load_space(tmp_path / "mine.json")


def test_a_module_and_an_entry_point(advertised):
    assert load_space("tests.space.test_load:their_space").size == 8
    assert load_space("theirs").size == 8


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package with an entry point of that value; the working folder holds a module of the same name."""

    def install(value, text):
        for folder, content in (("site", text), ("work", "from qnas.space import Space\nspace = Space(a=1)")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "advertised_space.py").write_text(content)
        monkeypatch.syspath_prepend(tmp_path / "site")
        monkeypatch.chdir(tmp_path / "work")
        monkeypatch.setattr(load, "entry_points", lambda group: (EntryPoint("theirs", value, group),))

    monkeypatch.setattr("sys.path", list(sys.path))
    yield install
    sys.modules.pop("advertised_space", None)


@pytest.mark.parametrize("value", ["advertised_space", "advertised_space:space"])
def test_an_entry_point_goes_before_a_module_in_the_working_folder(installed, value):
    installed(value, MY_SPACE)
    assert load_space("theirs").size == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("advertised_space:number", "'advertised_space:number' is of type int, not a search space"),
        ("advertised_space:wider", "the entry point 'theirs' of the group 'qnas.search_spaces' cannot be loaded: Attr"),
        ("no_such_module:space", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_an_entry_point_that_names_no_space(installed, value, message):
    installed(value, MY_SPACE)
    with pytest.raises(PluginError, match=message):
        load_space("theirs")


def test_names_come_with_their_first_line(monkeypatch, tmp_path, my_space, advertised):
    (tmp_path / "_draft.py").write_text("raise RuntimeError")
    (tmp_path / "silent.py").write_text("raise RuntimeError('not imported')")
    monkeypatch.setattr(load, "bundled_directory", lambda name: tmp_path)
    assert space_names() == {
        "my_space": "My own space.", "silent": "", "theirs": "tests.space.test_load:their_space",
    }  # fmt: skip
    assert load_space("my_space").size == 2


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "hybird",
            r"unknown search space 'hybird': did you mean 'hybrid'\? Allowed: .*Give the path of a Python or YAML file",
        ),
        ("nowhere.py", "there is no file 'nowhere.py'"),
        ("nowhere.yaml", "there is no file 'nowhere.yaml'; give the path of a YAML or JSON file"),
        ("nowhere.json", "there is no file 'nowhere.json'; give the path of a YAML or JSON file"),
        ("no_such_module:space", "the module of 'no_such_module:space' cannot be imported"),
        ("math:pi", "'math:pi' is of type float, not a search space; declare it as Space"),
    ],
)
def test_what_cannot_be_loaded_is_explained(reference, message):
    with pytest.raises(PluginError, match=message):
        load_space(reference)


def test_a_file_without_the_attribute_lists_its_spaces(my_space):
    with pytest.raises(PluginError, match=r"'wider': did you mean 'wide'\? Allowed: space, wide"):
        load_space(f"{my_space}:wider")
    with pytest.raises(PluginError, match="number' is of type int, not a search space"):
        load_space(f"{my_space}:number")
