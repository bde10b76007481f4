"""What earlier runs have evaluated under the conditions of this one, which need not be evaluated again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from qnas.architecture import Architecture
from qnas.config import Config
from qnas.errors import ConfigurationError, RunFolderError
from qnas.experiment.evaluation import Evaluation
from qnas.experiment.folder import RunFolder, differences
from qnas.experiment.ledger import read_history, store_of
from qnas.experiment.store import NOTES
from qnas.experiment.versions import QNAS
from qnas.objectives import Objective
from qnas.objectives.objective import TRAINED

_COMPUTING = (
    QNAS, "qiskit", "qiskit-aer", "qiskit-machine-learning", "torch", "numpy", "scikit-learn",
)  # fmt: skip
"""Packages of which another version may compute another value."""


@dataclass(frozen=True)
class Earlier:
    """What may be used again, by network; of several runs the first one counts.

    Attributes:
        found: each evaluation, as this run would have made it, and the weights file of the run that made it.
    """

    found: Mapping[Architecture, tuple[Evaluation, Path]] = field(default_factory=dict)

    def evaluation(self, architecture: Architecture) -> Evaluation | None:
        """The evaluation of a network, with the weights of its trained model if it has been trained."""
        if architecture not in self.found:
            return None
        evaluation, weights = self.found[architecture]
        return replace(evaluation, weights=weights.read_bytes() if weights.is_file() else None)


def check_reuse(config: Config) -> None:
    """Raise UsageError if `ledger.reuse` names a folder that is no run, or whose ledger cannot be opened.

    A run that has begun goes on without an earlier one that is no longer there; what it took from it, it keeps itself.
    """
    begun = RunFolder(Path(config.run_dir)).config_file.is_file()
    for run in config.ledger.reuse:
        folder = RunFolder(Path(run))
        if folder.path.resolve() == Path(config.run_dir).resolve():
            raise ConfigurationError(f"ledger.reuse names {run!r}, which is this run itself; leave it out.")
        try:
            store_of(folder, folder.read_config().ledger).attributes()
        except RunFolderError as error:
            if not begun:
                raise RunFolderError(f"ledger.reuse names a folder that cannot be used: {error}") from error


def earlier_evaluations(config: Config, objectives: Sequence[Objective]) -> Earlier:
    """All that the runs in `ledger.reuse` have evaluated as this one would; a warning names each that does not fit.

    Args:
        config: of this run, whose folder has been claimed.
        objectives: of this run.
    """
    found: dict[Architecture, tuple[Evaluation, Path]] = {}
    for run in config.ledger.reuse:
        folder = RunFolder(Path(run))
        if reasons := misfits(folder, config):
            NOTES.warning("nothing of the run %r is reused: %s", run, "; ".join(reasons))
            continue
        for evaluation in _usable(folder, run, objectives):
            weights = folder.weights_file(evaluation.architecture.fingerprint)
            found.setdefault(evaluation.architecture, (evaluation, weights))
    return Earlier(found)


def _usable(folder: RunFolder, run: str, objectives: Sequence[Objective]) -> Iterator[Evaluation]:
    is_trained = any(objective.cost == TRAINED for objective in objectives)
    names = [objective.name for objective in objectives]
    for evaluation in read_history(store_of(folder, folder.read_config().ledger)):
        weights = folder.weights_file(evaluation.architecture.fingerprint)
        if _is_whole(evaluation, names) and (weights.is_file() or not is_trained):
            yield _narrowed(evaluation, names, run)


def _is_whole(evaluation: Evaluation, names: Sequence[str]) -> bool:
    """Whether an evaluation is what this run would find: not a failure, which the machine, a limit or a budget of the
    other run may have caused, and with the full budget of training.
    """
    return evaluation.complete and evaluation.stopped_at is None and evaluation.values.keys() >= set(names)


def _narrowed(evaluation: Evaluation, names: Sequence[str], run: str) -> Evaluation:
    """Without what other objectives have found, and with the run that it was first evaluated in."""
    return replace(
        evaluation,
        values={name: evaluation.values[name] for name in names},
        errors={name: error for name, error in evaluation.errors.items() if name in names},
        details={k: one for k, one in evaluation.details.items() if k in names or k not in evaluation.values},
        reused=evaluation.reused or run,
    )


def misfits(folder: RunFolder, config: Config) -> list[str]:
    """Why values of an earlier run are not those that this one would find, in a few words each; empty if they are."""
    ours = RunFolder(Path(config.run_dir))
    try:
        theirs = folder.read_config()
        there, here = (json.loads(one.environment_file.read_text()) for one in (folder, ours))
        return [
            *_other_objectives(theirs, config),
            *differences(_settings(theirs, config), _settings(config, config)),
            *_other_files(_Run(theirs, there), _Run(config, here)),
            *_other_versions(there["versions"], here["versions"]),
        ]
    except RunFolderError as error:
        return [str(error).rstrip(".")]
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        return [f"its environment.json is not what qnas wrote ({type(error).__name__}: {error})"]


@dataclass(frozen=True)
class _Run:
    """A configuration, and the environment in which its run began."""

    config: Config
    environment: Mapping[str, Any]

    @property
    def parts(self) -> dict[str, str | None]:
        """The files of parts that are not of qnas itself, by kind and name."""
        return dict(self.environment["parts"])

    def digest(self, key: str) -> str | None:
        """Of the file that a key names, None if it names none."""
        return self.environment["files"].get(key, {}).get("sha256")

    def objective_files(self) -> dict[str, str | None]:
        """Of objectives by name."""
        names = self.config.objectives.names
        return {name: self.digest(f"objectives.names[{k}]") for k, name in enumerate(names)}

    def added_files(self) -> set[str | None]:
        """Of `objectives.add`."""
        return {self.digest(f"objectives.add[{k}]") for k in range(len(self.config.objectives.add))}


def _other_objectives(theirs: Config, ours: Config) -> Iterator[str]:
    missing = [name for name in ours.objectives.names if name not in theirs.objectives.names]
    if missing:
        yield f"it has no objective {' or '.join(map(repr, missing))}"


def _settings(config: Config, ours: Config) -> dict[str, Any]:
    """What decides on values, but for files, which are compared by content, and the memory that a design may take."""
    data = {key: value for key, value in asdict(config.data).items() if key != "path"}
    if Path(config.data.name).suffix or ":" in config.data.name:
        del data["name"]
    names = (*ours.objectives.names, *ours.objectives.options)
    return {
        "data": data,
        "simulation": asdict(replace(config.simulation, memory_gib=None)),
        "training": asdict(config.training),
        "objectives": {"options": {name: config.objectives.options.get(name, {}) for name in names}},
    }


def _other_files(theirs: _Run, ours: _Run) -> Iterator[str]:
    for key in ("data.name", "data.path"):
        if theirs.digest(key) != ours.digest(key):
            yield f"the file of {key} has another content"
    held = theirs.objective_files()
    for name, digest in ours.objective_files().items():
        if name in held and held[name] != digest:
            yield f"the file of the objective {name!r} has another content"
    if not ours.added_files() <= theirs.added_files():
        yield "a file of objectives.add has another content there, or was not added"
    for name, digest in (theirs.parts | ours.parts).items():
        if theirs.parts.get(name) != digest or ours.parts.get(name) != digest:
            yield f"the file of the {name} is not the same"


def _other_versions(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[str]:
    for name in _COMPUTING:
        if theirs.get(name) != ours.get(name):
            yield f"{name} was {theirs.get(name)} and is {ours.get(name)}"
