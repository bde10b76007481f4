"""A wheel built from the checkout runs outside of it: it carries conf/ and search_spaces/."""

import zipfile
from pathlib import Path

import pytest

from tests.installing import built, environment, run

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel):
    return environment(wheel.parent, wheel), wheel.parent


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_types_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"qnas", f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    assert {"qnas/py.typed", "qnas/__init__.pyi", "qnas/testing/__init__.py"} <= set(names)


@pytest.mark.slow
def test_the_wheel_runs_a_search_outside_the_checkout(installed):
    python, folder = installed
    where = run(python, "-c", "import qnas; print(qnas.__file__)", cwd=folder)
    assert str(folder) in where
    run(python.parent / "qnas", "search", "experiment=quick", "training.epochs=2", "run_dir=run", cwd=folder)
    lines = (folder / "run" / "front.csv").read_text().splitlines()
    assert lines[0].startswith("id,fingerprint,accuracy,") and len(lines) > 1


@pytest.mark.slow
def test_the_installed_commands_find_the_bundled_spaces(installed):
    python, folder = installed
    assert "hybrid" in run(python.parent / "qnas", "spaces", cwd=folder)
    assert "n_qubits" in run(python.parent / "qnas", "describe", "hybrid", cwd=folder)
