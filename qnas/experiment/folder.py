"""The folder of a run: its configuration, environment, weights, and where everything lies."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from qnas.config import Config, to_config
from qnas.errors import RunFolderError, UsageError
from qnas.experiment.database import HIDDEN, checked_url, has_password, place_of, shown, without_password
from qnas.experiment.sources import changes, own_parts, record_of
from qnas.experiment.store import writing
from qnas.experiment.versions import QNAS, versions
from qnas.front.files import unfinished, write_at_once
from qnas.space import Space

_WHERE_NOT_WHAT = ("run_dir", "executor", "stop")
"""Keys that say where a run happens and how much of it, and do not change what it finds until then."""


class RunFolder:
    """Paths and bookkeeping of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_file = path / "config.yaml"
        self.space_file = path / "space.json"
        self.ledger_file = path / "ledger.jsonl"
        self.study_file = path / "ledger.json"
        self.secret_file = path / "ledger.url"
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
            with folder._alone():
                folder.check(config, space)  # another one may have begun just now
                folder._begin(config, space)
        except OSError as error:
            raise RunFolderError(f"run_dir {config.run_dir!r} cannot be made: {error}; choose another.") from error
        return folder

    def _begin(self, config: Config, space: Space | None) -> None:
        """Write what is not there yet; a file that says how the run began, and where its ledger is, never changes."""
        if config.ledger.url is not None and has_password(config.ledger.url):
            write_at_once(self.secret_file, config.ledger.url + "\n", private=True)
        if not self.config_file.exists():
            write_at_once(self.config_file, OmegaConf.to_yaml(OmegaConf.create(without_secrets(config))))
        if space is not None and self.keeps(config):
            write_at_once(self.space_file, space.to_json() + "\n")
        if not self.environment_file.exists():
            if config.ledger.url is not None and not self.study_file.exists():
                study = {"study": f"{self.path.resolve().name} {uuid4().hex[:8]}"}
                write_at_once(self.study_file, json.dumps(study, indent=2) + "\n")
            began = {**environment(), "files": record_of(config), "parts": own_parts()}
            write_at_once(self.environment_file, json.dumps(began, indent=2) + "\n")
        self.weights.mkdir(exist_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of two runs that begin at once, one waits; not on file systems that lock no folders."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

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
            RunFolderError: there is no run in the folder, or its file system has no locks.
        """
        self._check_is_run()
        mode = "r+" if os.access(self.config_file, os.W_OK) else "r"  # NFS locks only what may be written
        with self.config_file.open(mode) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with the process, however that ends
            except BlockingIOError:
                held = False
            except OSError as error:
                raise RunFolderError(
                    f"{str(self.path)!r} cannot be locked against a second qnas ({error.strerror}); choose a run_dir "
                    "on a file system with locks."
                ) from error
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
            differences = differences_of(self.read_config(), config)
            if differences:
                raise RunFolderError(
                    f"{str(self.path)!r} already holds a run with another configuration ({'; '.join(differences)}); "
                    "choose another run_dir, where ledger.reuse takes over what this run has found, or continue that "
                    "run with `qnas resume`."
                )
            self._check_unchanged(config)
            if space is not None and self.keeps(config) and self.space_file.exists():
                self._check_space(space)
        elif self.path.exists() and not (self.path.is_dir() and self._is_hardly_begun()):
            raise RunFolderError(f"{str(self.path)!r} exists and is not the folder of a run; choose another run_dir.")

    def _is_hardly_begun(self) -> bool:
        """Whether there is nothing but what a run that is killed leaves before its configuration is written."""
        first = {self.secret_file.name, *(unfinished(file).name for file in (self.secret_file, self.config_file))}
        return {path.name for path in self.path.iterdir()} <= first

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
            begun_with, changed = began["versions"][QNAS], changes(began["files"], config)
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise RunFolderError(
                f"{str(self.environment_file)!r} is not what qnas wrote: {reason}. "
                "Restore it, or choose another run_dir."
            ) from error
        if begun_with != (present := version(QNAS)):
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
            ledger = replace(config.ledger, url=self._url(config.ledger.url))
            return replace(config, run_dir=str(self.path), space=space, ledger=ledger)
        except (OmegaConfBaseException, yaml.YAMLError, UsageError) as error:
            reason = str(error).splitlines()[0]
            raise RunFolderError(f"{str(self.config_file)!r} is not what qnas wrote: {reason}. Restore it.") from error

    def _url(self, shown_url: str | None) -> str | None:
        """With the password that was given, or without any if the file that keeps it is not there."""
        if shown_url is None or HIDDEN not in shown_url:
            return shown_url
        if self.secret_file.is_file():
            return checked_url(self.secret_file.read_text(encoding="utf-8").strip())
        return without_password(shown_url)

    def study(self) -> str:
        """The name of the study in a database that is the ledger of this run. Raises RunFolderError if it is lost."""
        try:
            return str(json.loads(self.study_file.read_text(encoding="utf-8"))["study"])
        except (OSError, ValueError, TypeError, LookupError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise RunFolderError(
                f"{str(self.study_file)!r}, which names the ledger of the run in its database, is not what qnas wrote: "
                f"{reason}. Restore it."
            ) from error

    def _check_is_run(self) -> None:
        if not self.config_file.is_file():
            raise RunFolderError(f"{str(self.path)!r} holds no run: there is no config.yaml in it.")

    def weights_file(self, fingerprint: str) -> Path:
        """Where the trained weights of a design lie."""
        return self.weights / f"{fingerprint}.safetensors"

    def checkpoint_file(self, fingerprint: str, epochs: int | None) -> Path:
        """Where the training of a design that stopped after so many epochs may be taken up again.

        Each has a file of its own, since a killed run may leave one that its ledger knows nothing of.
        """
        return self.checkpoints / f"{fingerprint}-{epochs}.pt"

    def save_checkpoint(self, fingerprint: str, epochs: int | None, content: bytes) -> None:
        """Write a checkpoint at once or not at all. Raises RunError as `save_weights` does."""
        with writing(self.path):
            self.checkpoints.mkdir(exist_ok=True)
            write_at_once(self.checkpoint_file(fingerprint, epochs), content)

    def remove_checkpoints_of(self, fingerprint: str) -> None:
        """The training of this design is not to be taken up again."""
        for file in self.checkpoints.glob(f"{fingerprint}-*.pt"):
            file.unlink(missing_ok=True)

    def remove_checkpoints(self) -> None:
        """No training is to be taken up again."""
        if self.checkpoints.is_dir():
            shutil.rmtree(self.checkpoints)

    def save_weights(self, fingerprint: str, content: bytes) -> None:
        """Write weights at once or not at all. Raises RunError, which says how to go on, if they cannot be written."""
        with writing(self.path):
            write_at_once(self.weights_file(fingerprint), content)


def environment() -> dict[str, Any]:
    """Versions, processor, threads and the state of the code."""
    return {
        "versions": versions(),
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


def without_secrets(config: Config) -> dict[str, Any]:
    """A configuration as plain containers, in which no password stands."""
    url = config.ledger.url
    return asdict(replace(config, ledger=replace(config.ledger, url=None if url is None else shown(url))))


def differences_of(held: Config, asked: Config) -> list[str]:
    """What makes two configurations those of different runs.

    A ledger in a database stays where it is, but may be opened by another user or driver.
    """
    places = [None if config.ledger.url is None else place_of(config.ledger.url) for config in (held, asked)]
    moved = [] if places[0] == places[1] else [f"ledger.url is {places[0]!r} there and {places[1]!r} here"]
    return differences(what_not_where(held), what_not_where(asked)) + moved


def what_not_where(config: Config) -> dict[str, Any]:
    """What decides on the front of a run, as plain containers."""
    kept = {key: value for key, value in asdict(config).items() if key not in _WHERE_NOT_WHAT}
    return {**kept, "ledger": {key: value for key, value in kept["ledger"].items() if key != "url"}}


def differences(held: Mapping[str, Any], asked: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The keys whose values are not the same, each with both."""
    found: list[str] = []
    for key, value in asked.items():
        name = f"{prefix}{key}"
        if held.get(key) == value:
            continue
        if isinstance(value, dict) and isinstance(held.get(key), dict):
            found += differences(held[key], value, f"{name}.")
        else:
            found.append(f"{name} is {held.get(key)!r} there and {value!r} here")
    return found
