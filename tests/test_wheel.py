"""A wheel built from the checkout runs outside of it: it carries conf/ and search_spaces/."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment that sees this one's dependencies, but has qnas from the wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip")
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("qnas_hqnn-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder).strip())
    run(*pip, "--python", python, "install", "--quiet", "--no-deps", wheel, cwd=folder)
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python, folder


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
