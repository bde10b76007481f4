"""The ledger: every evaluation of a run, in Optuna's journal storage, so that Optuna's dashboard opens it.

One study, one trial per evaluation. Genes are parameters, objectives are values; what Optuna has no place for is in
the user attributes.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from qnas.architecture import Architecture
from qnas.errors import RunFolderError
from qnas.experiment.evaluation import Evaluation, State
from qnas.model.classical import explicit_networks
from qnas.objectives import Objective
from qnas.references import cites
from qnas.space import Space
from qnas.space.genes import Scalar

STUDY = "qnas"
_N_DESIGNS = "n_designs"
_LOG = logging.getLogger("qnas")
_FIELDS = ("reason", "n_parameters", "n_live_weights", "remark", "seconds", "seed", "stopped_at")
_MAPPINGS = ("values", "errors", "details")


@cites("akiba2019")
class Ledger:
    """Append evaluations, and read back what a run holds.

    Opening a ledger mends what a killed process left, so only the process that holds the run folder may do so; anyone
    may read it at any time with `open_ledger`, which writes nothing and waits for no lock.

    Args:
        path: of the journal; made if it is not there.
        objectives: of the run, in order.
        space: of the run; its genes become Optuna's parameters.
        read_only: write nothing, not even to mend.
    """

    def __init__(self, path: Path, objectives: Sequence[Objective], space: Space, *, read_only: bool = False) -> None:
        self._objectives = objectives
        self._space = space
        self._read_only = read_only
        self._distributions = {gene.name: CategoricalDistribution(tuple(gene.values)) for gene in space.genes}
        with _quiet():
            self._study = _found_study(path) if read_only else _mended_study(path, objectives)
        self._n_designs = None if self._study is None else self._study.user_attrs.get(_N_DESIGNS)

    def append(self, design_id: int, evaluation: Evaluation) -> None:
        """Write one evaluation."""
        assert self._study is not None and not self._read_only, "this ledger was opened to be read"
        genes = gene_values(self._space, evaluation.architecture)
        chosen: dict[str, BaseDistribution] = {name: self._distributions[name] for name in genes}
        complete = evaluation.complete
        self._study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.COMPLETE if complete else TrialState.FAIL,
                values=[evaluation.values[objective.name] for objective in self._objectives] if complete else None,
                params=dict(genes),
                distributions=chosen,
                user_attrs=_attributes(design_id, evaluation),
            )
        )
        if self._n_designs is not None and design_id >= self._n_designs:
            self.keep_first(design_id + 1)

    def keep_first(self, n_designs: int) -> None:
        """Leave out, from now on, what an interrupted run wrote under higher ids before it took another course."""
        assert self._study is not None and not self._read_only, "this ledger was opened to be read"
        self._study.set_user_attr(_N_DESIGNS, n_designs)
        self._n_designs = n_designs

    def evaluations(self) -> Iterator[tuple[int, Evaluation]]:
        """The designs of the run: the last evaluation under each id, in the order in which the ids were first written.

        A run that took another course when it was resumed has given ids again; a design then has its last id only.
        """
        found: dict[int, FrozenTrial] = {}
        ids: dict[str, int] = {}
        for trial in self._trials():
            design_id, fingerprint = int(trial.user_attrs["id"]), trial.user_attrs["fingerprint"]
            if (before := ids.get(fingerprint, design_id)) != design_id:
                del found[before]
            if design_id in found:
                ids.pop(found[design_id].user_attrs["fingerprint"])
            found[design_id], ids[fingerprint] = trial, design_id
        for design_id, trial in found.items():
            if self._n_designs is None or design_id < self._n_designs:
                yield design_id, _evaluation(trial)

    def history(self) -> Iterator[Evaluation]:
        """Everything that was ever evaluated, in the order in which it was written."""
        return map(_evaluation, self._trials())

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False) if self._study is not None else []


def gene_values(space: Space, architecture: Architecture) -> dict[str, Scalar]:
    """What tables say of the genes of an evaluated design: no value where a gene has no effect."""
    return space.gene_values(explicit_networks(architecture))


def _found_study(path: Path) -> optuna.Study | None:
    """The study in a journal, None if its first line is not complete; Optuna ignores a last line that is not."""
    # absolute, because Optuna's lock is a symbolic link to it
    backend = JournalFileBackend(str(path.resolve()))
    try:
        return optuna.load_study(study_name=STUDY, storage=JournalStorage(backend))
    except ValueError as error:
        raise RunFolderError(f"the ledger {str(path)!r} cannot be read: {error}; restore it.") from error
    except KeyError:
        return None


def _mended_study(path: Path, objectives: Sequence[Objective]) -> optuna.Study:
    """The study in a journal, made complete after a kill; only a new one is written to otherwise."""
    _drop_unfinished_line(path)
    study = _found_study(path)
    if study is None:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(path.resolve()))),
            study_name=STUDY,
            directions=[StudyDirection[objective.direction.upper()] for objective in objectives],
        )
    if study.metric_names is None:
        study.set_metric_names([objective.name for objective in objectives])
    return study


def _drop_unfinished_line(path: Path) -> None:
    """A line that a killed process or a full disk cut short; the next line would be glued to it."""
    if path.is_file() and not (content := path.read_bytes()).endswith(b"\n") and content:
        kept = content.rfind(b"\n") + 1
        with path.open("r+b") as file:
            file.truncate(kept)
        _LOG.warning("the last line of %s was cut short; %d bytes are dropped", path.name, len(content) - kept)


def _attributes(design_id: int, evaluation: Evaluation) -> dict[str, Any]:
    kept = {name: getattr(evaluation, name) for name in _FIELDS}
    kept |= {name: dict(getattr(evaluation, name)) for name in _MAPPINGS}
    return {
        "id": design_id,
        "fingerprint": evaluation.architecture.fingerprint,
        "architecture": evaluation.architecture.to_dict(),
        "state": evaluation.state.name,
        **kept,
    }


def _evaluation(trial: FrozenTrial) -> Evaluation:
    kept = trial.user_attrs
    return Evaluation(
        architecture=Architecture(kept["architecture"]),
        state=State[kept["state"]],
        **{name: kept[name] for name in (*_FIELDS, *_MAPPINGS) if name in kept},
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Optuna's log lines and its notes on experimental functions, off for a while."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def break_lock(path: Path) -> None:
    """Remove the lock that a killed process left, for which Optuna waits half a minute; only while the run is held."""
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)


def open_ledger(path: Path, objectives: Sequence[Objective], space: Space) -> Ledger:
    """The ledger of a run, only to be read; a search may be writing it. Raises RunFolderError if there is none."""
    if not path.is_file():
        raise RunFolderError(f"there is no ledger at {str(path)!r}; give the folder of a run that qnas search made.")
    return Ledger(path, objectives, space, read_only=True)
