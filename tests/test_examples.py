"""The packages in examples/ are installed outside of the checkout, searched with, and pass their own tests there."""

import csv
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.installing import built, environment, run

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "qnas-fourier"
COMMANDS = re.findall(r"^(?:qnas|pytest|pip) ?.*$", (EXAMPLE / "README.md").read_text(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The commands of an environment with qnas and the example, and a copy of the example's folder."""
    folder = tmp_path_factory.mktemp("examples")
    copy = shutil.copytree(EXAMPLE, folder / EXAMPLE.name, ignore=shutil.ignore_patterns("dist", "runs", "__pycache__"))
    python = environment(folder, *(built(source, folder / source.name) for source in (ROOT, copy)))
    return python, copy


def test_what_the_readme_says_to_run():
    assert [command.split()[0] for command in COMMANDS] == ["pip", "qnas", "qnas", "pip", "pytest"]


@pytest.mark.slow
def test_the_installed_parts_are_found_and_searched_with(installed):
    python, folder = installed
    listed, searched = (shlex.split(command)[1:] for command in COMMANDS if command.startswith("qnas"))
    assert re.search(r"fourier +│ qnas_fourier\.space:space", run(python.parent / "qnas", *listed, cwd=folder))
    run(python.parent / "qnas", *searched, "training.epochs=2", cwd=folder)
    with (folder / "runs" / "fourier" / "front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(float(row["n_frequencies"]) >= 3 for row in rows)
    assert {"accuracy", "encoding", "encoding.fourier.base"} <= set(rows[0])


@pytest.mark.slow
def test_the_packages_own_tests_pass(installed):
    python, folder = installed
    assert re.search(r"\d+ passed", run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder))
