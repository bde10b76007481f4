"""The suites under pytest, as the author of a plug-in sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

import qnas.testing
from qnas.testing import EncodingConformance

ROOT = Path(__file__).resolve().parents[2]

PLUGIN = """
import qnas
from qiskit import QuantumCircuit
from qnas.errors import DesignError
from qnas.testing import EncodingConformance

@qnas.encoding("mine")
def mine(features, n_qubits, axis="y"):
    if n_qubits == 2:
        raise DesignError("two qubits are an odd number of qubits.")
    circuit = QuantumCircuit(n_qubits)
    for qubit, feature in enumerate(features):
        getattr(circuit, f"r{axis}")(feature, qubit)
    return circuit

class TestMine(EncodingConformance):
    name = "mine"
    options = ({}, {"axis": "z"})
    n_qubits = (1, 2, 3)
"""


def run_pytest(folder, text, *arguments):
    (folder / "test_mine.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rsf", *arguments, "test_mine.py"]
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "400"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment).stdout


@pytest.mark.slow
def test_failures_and_refusals_read_well(tmp_path):
    shown = run_pytest(tmp_path, PLUGIN)
    failed = [line for line in shown.splitlines() if line.startswith("FAILED")]
    test = "FAILED test_mine.py::TestMine::test_the_state_depends_on_every_parameter[axis='z'-n_qubits="
    text = (
        "- AssertionError: the encoding 'mine' with axis='z' on 1 qubit prepares a state that does not depend on x[0]; "
    )
    assert [line.startswith(test) for line in failed] == [True, True]
    assert text in failed[0]
    assert "two qubits are an odd number of qubits." in shown
    assert "2 failed, 38 passed, 16 skipped" in shown


def test_a_suite_without_a_name_says_so():
    unnamed, metafunc = type("Unnamed", (EncodingConformance,), {}), object.__new__(pytest.Metafunc)
    with pytest.raises(pytest.fail.Exception) as failure:
        unnamed().pytest_generate_tests(metafunc)
    assert str(failure.value) == "Unnamed does not say what it tests; set name = '...', that of the encoding."


def test_only_what_an_author_inherits_is_collected():
    assert not [name for name in qnas.testing.__all__ if name.lower().startswith("test")]


@pytest.mark.parametrize(
    ("options", "about", "part"),
    [
        ({}, "the encoding 'mine' on 1 qubit", "mine"),
        ({"axis": "x", "n": 2}, "the encoding 'mine' with axis='x', n=2 on 1 qubit", dict(name="mine", axis="x", n=2)),
    ],
)
def test_how_a_case_is_called(options, about, part):
    suite = type("Suite", (EncodingConformance,), {"name": "mine"})()
    assert (suite.on(options, 1), suite.part(options)) == (about, part)
    assert suite.on(options, 2) == about.replace("1 qubit", "2 qubits")
