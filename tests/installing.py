"""Environments outside of the checkout: wheels of packages, beside the dependencies that are installed here."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

PIP = (sys.executable, "-m", "pip")


def run(*command, cwd):
    """What a command prints; nothing on the way to a checkout is seen by it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    command = [str(part) for part in command]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def built(source, folder):
    """The wheel of a package."""
    folder.mkdir(exist_ok=True)
    before = set(folder.glob("*.whl"))
    run(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source, cwd=folder)
    (wheel,) = set(folder.glob("*.whl")) - before
    return wheel


def environment(folder, *wheels):
    """The Python of a new environment that sees the dependencies installed here, but these packages as wheels alone."""
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])", cwd=folder).strip())
    run(*PIP, "--python", python, "install", "--quiet", "--no-deps", *wheels, cwd=folder)
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return python
