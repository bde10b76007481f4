"""The folder of a run: its configuration, environment, weights, and where everything lies."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qnas.config import Config, to_config
from qnas.errors import RunFolderError, UsageError
from qnas.experiment.sources import changes, record_of
from qnas.front.files import write_at_once
from qnas.space import Space

_QNAS = "qnas-hqnn"
_PACKAGES = (
    _QNAS, "qiskit", "qiskit-aer", "qiskit-machine-learning", "torch", "pymoo", "numpy", "optuna", "hydra-core",
    "scikit-learn", "distributed",
)  # fmt: skip
_WHERE_NOT_WHAT = ("run_dir", "executor", "ledger.url")
"""Keys that say where a run happens and do not change its front."""


class RunFolder:
    """Paths and bookkeeping of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file = path / "config.yaml"
        self.space_file = path / "space.json"
        self.ledger_file = path / "ledger.jsonl"
        self.environment_file = path / "environment.json"
        self.weights = path / "weights"
        self.checkpoints = path / "checkpoints"
        self.designs = path / "designs"
        self.figures = path / "figures"
        self.references_file = path / "references.bib"
        self.log_file = path / "log.txt"

    @classmethod
    def claim(cls, config: Config, space: Space | None = None) -> RunFolder:
        """The folder of a configuration, made if need be.

        Args:
            config: of the run.
            space: an object in memory, which is written to `space.json` if that is what `config.space` names.

        Raises:
            RunFolderError: it holds something else.
        """
        folder = cls(Path(config.run_dir))
        folder.check(config, space)
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            if not folder.config_file.exists():
                write_at_once(folder.config_file, OmegaConf.to_yaml(OmegaConf.create(asdict(config))))
        except OSError as error:
            raise RunFolderError(f"run_dir {config.run_dir!r} cannot be made: {error}; choose another.") from error
        if space is not None and folder.keeps(config):
            write_at_once(folder.space_file, space.to_json() + "\n")
        if not folder.environment_file.exists():
            began = {**environment(), "files": record_of(config)}
            write_at_once(folder.environment_file, json.dumps(began, indent=2) + "\n")
        folder.weights.mkdir(exist_ok=True)
        return folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process. Raises RunFolderError if another process is at work in it."""
        with self.held_if_free() as held:
            if not held:
                raise RunFolderError(
                    f"another qnas is running in {str(self.path)!r}; wait for it, or choose another run_dir."
                )
            yield

    @contextmanager
    def held_if_free(self) -> Iterator[bool]:
        """Hold the folder for this process unless another one is at work in it; says whether it is held.

        Raises:
            RunFolderError: there is no run in the folder.
        """
        self._check_is_run()
        with self.config_file.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
            except BlockingIOError:
                held = False
            else:
                held = True
            yield held

    def keeps(self, config: Config) -> bool:
        """Whether the folder itself keeps the space of a configuration."""
        return Path(config.space) == self.space_file.resolve()

    def check(self, config: Config, space: Space | None = None) -> None:
        """Write nothing, but see whether a run of this configuration may begin or go on in the folder.

        Args:
            config: of the run.
            space: an object in memory that it searches.

        Raises:
            RunFolderError: it holds another configuration, or files that are no run; or what its run depends on, a file
                or qnas itself, is not what it was when the run began.
        """
        if self.config_file.exists():
            differences = _differences(asdict(self.read_config()), asdict(config))
            if differences:
                raise RunFolderError(
                    f"{str(self.path)!r} already holds a run with another configuration ({'; '.join(differences)}); "
                    "choose another run_dir, or continue that run with `qnas resume`."
                )
            self._check_unchanged(config)
            if space is not None and self.keeps(config) and self.space_file.exists():
                self._check_space(space)
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunFolderError(f"{str(self.path)!r} exists and is not the folder of a run; choose another run_dir.")

    def _check_space(self, space: Space) -> None:
        if self.space_file.read_text(encoding="utf-8").rstrip() != space.to_json():
            raise RunFolderError(
                f"{str(self.path)!r} already holds a run of another space ({self.space_file.name} in it); choose "
                "another run_dir, or continue that run with `qnas resume`."
            )

    def _check_unchanged(self, config: Config) -> None:
        if not self.environment_file.exists() and not self.ledger_file.exists():
            return  # killed at its very beginning
        try:
            began = json.loads(self.environment_file.read_text())
            begun_with, changed = began["versions"][_QNAS], changes(began["files"], config)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise RunFolderError(
                f"{str(self.environment_file)!r} is not what qnas wrote: {reason}. "
                "Restore it, or choose another run_dir."
            ) from error
        if begun_with != (present := version(_QNAS)):
            changed.append(f"qnas {begun_with} has become {present}")
        if changed:
            raise RunFolderError(
                f"{'; '.join(changed)} since the run in {str(self.path)!r} began, and one front must not mix both; "
                "restore what it began with, or choose another run_dir."
            )

    def read_config(self) -> Config:
        """The configuration of the run in this folder, which may have moved. Raises RunFolderError if there is none."""
        self._check_is_run()
        try:
            config = to_config(OmegaConf.load(self.config_file))
            space = str(self.space_file.resolve()) if self.space_file.is_file() else config.space
            return replace(config, run_dir=str(self.path), space=space)
        except (OmegaConfBaseException, yaml.YAMLError, UsageError) as error:
            reason = str(error).splitlines()[0]
            raise RunFolderError(f"{str(self.config_file)!r} is not what qnas wrote: {reason}. Restore it.") from error

    def _check_is_run(self) -> None:
        if not self.config_file.is_file():
            raise RunFolderError(f"{str(self.path)!r} holds no run: there is no config.yaml in it.")

    def weights_file(self, fingerprint: str) -> Path:
        """Where the trained weights of a design lie."""
        return self.weights / f"{fingerprint}.safetensors"

    def checkpoint_file(self, fingerprint: str) -> Path:
        """Where the training of a design may be taken up again."""
        return self.checkpoints / f"{fingerprint}.pt"

    def save_checkpoint(self, fingerprint: str, content: bytes) -> None:
        """Write a checkpoint at once or not at all."""
        self.checkpoints.mkdir(exist_ok=True)
        write_at_once(self.checkpoint_file(fingerprint), content)

    def remove_checkpoints(self) -> None:
        """No training is to be taken up again."""
        if self.checkpoints.is_dir():
            shutil.rmtree(self.checkpoints)

    def save_weights(self, fingerprint: str, content: bytes) -> None:
        """Write weights at once or not at all."""
        write_at_once(self.weights_file(fingerprint), content)


def environment() -> dict[str, Any]:
    """Versions, processor, threads and the state of the code."""
    return {
        "versions": {name: version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "n_cores": os.cpu_count(),
        "threads": {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
        "git": _git(),
    }


def processor() -> str:
    """The name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _git() -> dict[str, Any] | None:
    """Commit and cleanliness of the checkout qnas runs from; None for an installed package."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        commit, status = (
            subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.strip(), "clean": not status.strip()}


def _differences(held: dict[str, Any], asked: dict[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key, value in asked.items():
        name = f"{prefix}{key}"
        if name in _WHERE_NOT_WHAT or held.get(key) == value:
            continue
        if isinstance(value, dict) and isinstance(held.get(key), dict):
            found += _differences(held[key], value, f"{name}.")
        else:
            found.append(f"{name} is {held.get(key)!r} there and {value!r} here")
    return found
