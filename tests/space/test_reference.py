"""A space in memory is found again by other processes, or a sentence says how to make it so."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

from qnas.errors import SpaceError
from qnas.space import Space, integer, load_space
from qnas.space import reference as room
from qnas.space.reference import reference_to

DECLARATION = """
from qnas.space import Space, integer

space = Space(n_qubits=integer(2, 5)).where(lambda a: a.n_qubits != 3, because="three is a crowd")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in a folder of its own, and a module beside it that imports its space."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("")
    (tmp_path / "mine" / "spaces.py").write_text(DECLARATION)
    (tmp_path / "beside.py").write_text("from mine.spaces import space\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("mine", "mine.spaces", "beside"):
        sys.modules.pop(name, None)


def test_a_module_of_a_package(package):
    space = importlib.import_module("mine.spaces").space
    assert reference_to(space) == f"{package}/mine.spaces:space"
    assert load_space(f"{package}/mine.spaces:space") is space


def test_an_installed_module_goes_by_its_name(package, monkeypatch):
    monkeypatch.setattr(room, "_INSTALLED", (package,))
    assert reference_to(importlib.import_module("mine.spaces").space) == "mine.spaces:space"


def test_a_file_that_qnas_has_loaded(tmp_path, package):
    file = tmp_path / "another.py"
    file.write_text(DECLARATION.replace("space =", "narrow ="))
    space = load_space(f"{file}:narrow")
    sys.modules["beside"] = ModuleType("beside")
    sys.modules["beside"].taken = space
    assert reference_to(space) == f"{file}:narrow"


def test_a_bundled_space():
    space = load_space("hybrid")
    assert reference_to(space).endswith("/search_spaces/hybrid.py:space")
    assert load_space(reference_to(space)) is space


def test_a_space_that_stands_nowhere():
    space = Space(n=integer(1, 2)).where(lambda a: a.n, because="it is some").where(lambda a: True, because="it is so")
    with pytest.raises(SpaceError) as error:
        reference_to(space)
    assert str(error.value) == (
        "the space has constraints ('it is some', 'it is so'), whose predicates other processes can only import, but "
        "it is not at the top level of a module; write it to a file, my_space.py, as space = Space(...).where(...), "
        "and search with the override space=my_space.py."
    )


def run(*command, folder):
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, check=True).stdout


SCRIPT = f"""{DECLARATION}
from qnas.space.reference import reference_to

if __name__ == "__main__":
    print(reference_to(space))
"""


def test_a_script_and_a_module_that_runs(package):
    (package / "study.py").write_text(SCRIPT)
    (package / "mine" / "study.py").write_text(SCRIPT)
    assert run("study.py", folder=package) == f"{package}/study.py:space\n"
    assert run("-m", "mine.study", folder=package) == f"{package}/mine.study:space\n"
    (package / "study.py").write_text(SCRIPT.replace(DECLARATION, "from beside import space\n"))
    assert run("study.py", folder=package) in (f"{package}/{name}:space\n" for name in ("beside", "mine.spaces"))


def test_a_space_that_is_another_one_when_it_is_imported(package):
    (package / "study.py").write_text(SCRIPT.replace("(2, 5)", '(2, 5 if __name__ == "__main__" else 4)'))
    with pytest.raises(subprocess.CalledProcessError) as error:
        run("study.py", folder=package)
    said = f"the space is '{package}/study.py:space' to other processes, but it is another one there; declare it so"
    assert said in error.value.stderr


def test_what_a_notebook_declares_stands_nowhere(package):
    """Its module is __main__ without a file."""
    program = SCRIPT.replace("print(", "print(__name__, ")
    with pytest.raises(subprocess.CalledProcessError) as error:
        run("-c", program, folder=package)
    assert "is not at the top level of a module; write it to a file, my_space.py" in error.value.stderr
