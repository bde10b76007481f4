"""The names of section 10 of the design: they resolve when used, and `import qnas` is quick."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import qnas

FIRM = {
    "Architecture", "QuantumLayer", "build_circuit", "build_model", "expressibility", "flops", "gradient_variance",
    "load_space", "objective", "encoding", "search", "lie_algebra_dim", "gradient_efficiency", "entangling_capability",
}  # fmt: skip
SLOW = ("torch", "qiskit", "qiskit_aer", "numpy", "pandas", "matplotlib", "hydra", "optuna", "distributed", "pymoo")


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_firm_names_are_public():
    assert set(qnas.__all__) >= FIRM


@pytest.mark.parametrize("name", qnas.__all__)
def test_a_public_name_resolves_to_something_of_qnas_with_a_docstring(name):
    found = getattr(qnas, name)
    assert not inspect.ismodule(found)
    assert found.__module__.startswith("qnas.") and found.__name__ == name
    assert found.__doc__


def test_public_names_are_listed():
    assert dir(qnas) == sorted(qnas.__all__)


def test_type_checkers_see_the_public_names_where_they_are():
    stub = Path(qnas.__file__).with_suffix(".pyi")
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    assert {alias.asname: node.module for node in imports for alias in node.names} == qnas._HOMES
    assert stub.with_name("py.typed").exists()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'qnas' has no attribute 'serch'"):
        qnas.serch  # noqa: B018
    assert not hasattr(qnas, "serch")


def test_importing_qnas_imports_nothing_slow():
    loaded = in_a_new_process("import sys, qnas; print(*sys.modules)").split()
    assert "qnas" in loaded and not set(SLOW) & set(loaded)


def test_the_command_line_imports_nothing_slow_to_describe_a_space():
    code = "import sys; from qnas.cli import main; main(['spaces']); print(*sys.modules)"
    assert not {"torch", "qiskit", "distributed"} & set(in_a_new_process(code).split())


@pytest.mark.slow
def test_search_is_the_function_whatever_was_imported():
    """There is a room of that name, which Python makes an attribute of the package when it is imported."""
    printed = in_a_new_process(
        """
import importlib, qnas
def show(): print(type(qnas.search).__name__, qnas.search.__module__)
import qnas.search
show()
from qnas.search import Searcher
show()
importlib.reload(importlib.import_module("qnas.search"))
show()
import qnas.launch
show()
print(Searcher.__module__)
"""
    )
    assert printed.splitlines() == ["function qnas.launch"] * 4 + ["qnas.search.searcher"]


def test_other_attributes_can_be_set(monkeypatch):
    monkeypatch.setattr(qnas, "flops", "a stand-in", raising=False)
    assert qnas.flops == "a stand-in"
