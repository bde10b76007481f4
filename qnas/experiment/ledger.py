"""The ledger: every evaluation of a run, in a storage of Optuna's, so that Optuna's dashboard opens it.

One study, one trial per evaluation. Genes are parameters, objectives are values; what Optuna has no place for is in
the user attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from qnas.architecture import Architecture
from qnas.config import Config, LedgerSettings
from qnas.errors import RunError, RunFolderError
from qnas.experiment.database import Database
from qnas.experiment.evaluation import Evaluation, State
from qnas.experiment.folder import RunFolder, differences, what_not_where
from qnas.experiment.journal import Journal
from qnas.experiment.store import Store, quiet
from qnas.model.classical import explicit_networks
from qnas.objectives import Objective
from qnas.references import cites
from qnas.space import Space
from qnas.space.genes import Scalar

VERSION = 2
"""Of what is written: 1, which says nothing of it, had neither `stopped_at` nor `reused`."""
_VERSION, _N_DESIGNS, _CONFIGURATION = "version", "n_designs", "configuration"
_FIELDS = ("reason", "n_parameters", "n_live_weights", "remark", "seconds", "seed", "stopped_at", "reused")
_MAPPINGS = ("values", "errors", "details")


@cites("akiba2019")
class Ledger:
    """Append evaluations, and read back what a run holds.

    Opening a ledger mends what a killed process left, so only the process that holds the run folder may do so; anyone
    may read it at any time with `open_ledger`, which writes nothing and waits for no lock.

    Args:
        store: where it is kept, by its path if in a journal; made if it is not there.
        objectives: of the run, in order.
        space: of the run; its genes become Optuna's parameters.
        read_only: write nothing, not even to mend.

    Raises:
        UsageError: it cannot be read, or a later qnas wrote it.
    """

    def __init__(
        self, store: Path | Store, objectives: Sequence[Objective], space: Space, *, read_only: bool = False
    ) -> None:
        self._store: Store = Journal(store) if isinstance(store, Path) else store
        self._objectives = objectives
        self._space = space
        self._distributions = {gene.name: CategoricalDistribution(tuple(gene.values)) for gene in space.genes}
        attributes = self._store.attributes()
        self._is_begun = attributes is not None
        self._attributes = attributes or {}
        self._writer: _Writer | None = None
        self._n_designs = self._attributes.get(_N_DESIGNS)
        _check_version(self._store.place, self._attributes.get(_VERSION, 1))
        if not read_only:
            with quiet(), self._store.writing():
                self._writer = _Writer(self._store, objectives)
            self._is_begun = True

    def append(self, design_id: int, evaluation: Evaluation) -> None:
        """Write one evaluation. Raises RunError, which says how to go on, if it cannot be written."""
        genes = gene_values(self._space, evaluation.architecture)
        chosen: dict[str, BaseDistribution] = {name: self._distributions[name] for name in genes}
        complete = evaluation.complete
        trial = optuna.trial.create_trial(
            state=TrialState.COMPLETE if complete else TrialState.FAIL,
            values=[evaluation.values[objective.name] for objective in self._objectives] if complete else None,
            params=dict(genes),
            distributions=chosen,
            user_attrs=_attributes(design_id, evaluation),
        )
        if trial.datetime_complete is not None:  # dashboards show how long it took
            trial.datetime_start = trial.datetime_complete - timedelta(seconds=evaluation.seconds)
        with self._writing() as writer:
            writer.add(trial)
        if self._n_designs is not None and design_id >= self._n_designs:
            self.keep_first(design_id + 1)

    def keep_first(self, n_designs: int) -> None:
        """Leave out, from now on, what an interrupted run wrote under higher ids before it took another course."""
        with self._writing() as writer:
            writer.set(_N_DESIGNS, n_designs)
        self._n_designs = n_designs

    @contextmanager
    def _writing(self) -> Iterator[_Writer]:
        """Raises RunError, which says how to go on, where something within could not be written."""
        assert self._writer is not None, "this ledger was opened to be read"
        try:
            with self._store.writing():
                yield self._writer
        except KeyError as error:  # Optuna's, e.g. after a click in its dashboard
            raise RunError(
                f"somebody has deleted the study {self._store.study!r} from the ledger {self._store.place!r}; "
                "`qnas resume` begins it anew."
            ) from error

    def evaluations(self) -> Iterator[tuple[int, Evaluation]]:
        """The designs of the run; see `latest`."""
        return self.latest(self.entries())

    def latest(self, entries: Iterable[tuple[int, Evaluation]]) -> Iterator[tuple[int, Evaluation]]:
        """The last evaluation under each id, in the order in which the ids were first written.

        A run that took another course when it was resumed has given ids again; a design then has its last id only.

        Args:
            entries: all of this ledger.
        """
        found: dict[int, Evaluation] = {}
        ids: dict[Architecture, int] = {}
        for design_id, evaluation in entries:
            if (before := ids.get(evaluation.architecture, design_id)) != design_id:
                del found[before]
            if design_id in found:
                ids.pop(found[design_id].architecture)
            found[design_id], ids[evaluation.architecture] = evaluation, design_id
        for design_id, evaluation in found.items():
            if self._n_designs is None or design_id < self._n_designs:
                yield design_id, evaluation

    def entries(self) -> Iterator[tuple[int, Evaluation]]:
        """Everything that was ever evaluated, in the order in which it was written, each with its id."""
        return ((int(record["id"]), _evaluation(record)) for record in self._records())

    def _records(self) -> Iterator[dict[str, Any]]:
        return _records(self._store) if self._is_begun else iter(())

    def claim(self, config: Config) -> None:
        """Note whose ledger this is, for dashboards; in a database it could also be that of another run.

        Raises:
            RunFolderError: it is of a run with another configuration.
        """
        asked = what_not_where(config)
        held = self._attributes.get(_CONFIGURATION)
        if held is None:
            with self._writing() as writer:
                writer.set(_CONFIGURATION, asked)
        elif found := differences(held, {**asked, "space": held.get("space")}):  # which moves with its folder
            raise RunFolderError(
                f"the study {self._store.study!r} of the ledger {self._store.place!r} is of a run with another "
                f"configuration ({'; '.join(found)}); choose another run_dir."
            )

    def close(self) -> None:
        """Leave no connection open."""
        self._store.close()


class _Writer:
    """The study of a ledger, made if it is not there, and completed if a killed process had begun it."""

    def __init__(self, store: Store, objectives: Sequence[Objective]) -> None:
        self._storage = store.storage()
        try:
            study = optuna.load_study(study_name=store.study, storage=self._storage)
        except KeyError:
            directions = [StudyDirection[objective.direction.upper()] for objective in objectives]
            study = optuna.create_study(study_name=store.study, storage=self._storage, directions=directions)
        if study.metric_names is None:
            study.set_metric_names([objective.name for objective in objectives])
        self._study_id = self._storage.get_study_id_from_name(store.study)
        if study.user_attrs.get(_VERSION) != VERSION:
            self.set(_VERSION, VERSION)

    def set(self, name: str, value: Any) -> None:
        """Set an attribute of the study."""
        self._storage.set_study_user_attr(self._study_id, name, value)

    def add(self, trial: FrozenTrial) -> None:
        """Add a trial that is checked; Optuna's study would read all others to check it again."""
        self._storage.create_new_trial(self._study_id, template_trial=trial)


def gene_values(space: Space, architecture: Architecture) -> dict[str, Scalar]:
    """What tables say of the genes of an evaluated design: no value where a gene has no effect."""
    return space.gene_values(explicit_networks(architecture))


def _check_version(place: str, version: object) -> None:
    if not isinstance(version, int) or version > VERSION:
        raise RunFolderError(
            f"the ledger {place!r} is of version {version!r}, which a later qnas wrote; this one reads versions up to "
            f"{VERSION}, so install the qnas that wrote it."
        )


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


def read_history(store: Store) -> Iterator[Evaluation]:
    """Everything that was ever evaluated in a run, also if its space and objectives are not at hand.

    Raises:
        UsageError: the ledger cannot be read, or a later qnas wrote it.
    """
    attributes = store.attributes()
    if attributes is not None:
        _check_version(store.place, attributes.get(_VERSION, 1))
        yield from map(_evaluation, _records(store))


def _records(store: Store) -> Iterator[dict[str, Any]]:
    """Of evaluations; whatever else somebody has put into the study says nothing of one."""
    return (record for record in store.records() if "fingerprint" in record)


def _evaluation(record: dict[str, Any]) -> Evaluation:
    """What an earlier version did not write yet has its default."""
    return Evaluation(
        architecture=Architecture(record["architecture"]),
        state=State[record["state"]],
        **{name: record[name] for name in (*_FIELDS, *_MAPPINGS) if name in record},
    )


def store_of(folder: RunFolder, settings: LedgerSettings) -> Store:
    """Where the ledger of a run is. Raises RunFolderError if its folder does not say."""
    if settings.url is None:
        return Journal(folder.ledger_file)
    return Database(settings.url, folder.study(), folder.path)


def check_ledger(settings: LedgerSettings) -> None:
    """Raise ConfigurationError if no ledger can be kept where the settings say; makes Optuna's tables in a database."""
    if settings.url is not None:
        Database(settings.url, "", Path()).check()


@contextmanager
def begin_ledger(folder: RunFolder, config: Config, objectives: Sequence[Objective], space: Space) -> Iterator[Ledger]:
    """The ledger of a run that this process holds, made if it is not there, for the length of the run.

    Raises:
        UsageError: it cannot be opened, or is of another run.
        RunError: it cannot be written.
    """
    Journal(folder.ledger_file).break_lock()
    ledger = Ledger(store_of(folder, config.ledger), objectives, space)
    try:
        ledger.claim(config)
        yield ledger
    finally:
        ledger.close()


def open_ledger(folder: RunFolder, settings: LedgerSettings, objectives: Sequence[Objective], space: Space) -> Ledger:
    """The ledger of a run, only to be read; a search may be writing it. Raises RunFolderError if there is none."""
    if settings.url is None and not folder.ledger_file.is_file():
        place = str(folder.ledger_file)
        raise RunFolderError(f"there is no ledger at {place!r}; give the folder of a run that qnas search made.")
    return Ledger(store_of(folder, settings), objectives, space, read_only=True)
