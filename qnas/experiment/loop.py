"""The search loop: ask, evaluate what the ledger does not hold, tell, until the budget is spent."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from qnas.architecture import Architecture
from qnas.config import Config
from qnas.errors import ConfigurationError, DesignError, RunError, UsageError
from qnas.experiment.budgets import budgeted
from qnas.experiment.candidates import EXCLUSIONS, Candidates, check_candidate, exclusions
from qnas.experiment.citations import cited_by_space
from qnas.experiment.evaluation import Evaluation, Task, failure, splits_of
from qnas.experiment.executor import Executor, check_executor, make_executor
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import Ledger, begin_ledger, check_ledger
from qnas.experiment.results import OWN_COLUMNS, Findings, constraints_of, losses_of, violation_of, write_results
from qnas.experiment.reuse import Earlier, check_reuse, earlier_evaluations
from qnas.experiment.store import writing
from qnas.model.training import effective
from qnas.objectives import Design, Objective, choose_objectives
from qnas.search import Searcher, make_searcher
from qnas.simulation import make_simulator
from qnas.space import Genotype, Space, load_space

_LOG = logging.getLogger("qnas")
_N_PROBES, _N_BUILT = 500, 100
"""How many designs are drawn, and how many could not be built, before a space counts as having none to evaluate."""


@runtime_checkable
class Callbacks(Protocol):
    """What watches a run."""

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Nothing has been evaluated; workers start when there is something to evaluate."""

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """One more design has a result; `known` if it came from the ledger."""

    def on_end(self, findings: Findings) -> None:
        """The results are written."""


class Silent:
    """Watches nothing."""

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Nothing."""

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """Nothing."""

    def on_end(self, findings: Findings) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Plan:
    """What a configuration names, checked."""

    space: Space
    objectives: tuple[Objective, ...]
    candidates: Candidates
    searcher: Searcher


def run_search(config: Config, callbacks: Callbacks | None = None, space: Space | None = None) -> Findings:
    """Run a search to its end, or go on with one that was interrupted, and write its results.

    Everything that the user may have got wrong is checked before the run folder is made.

    Args:
        config: of the run.
        callbacks: watches it.
        space: what `config.space` names, if it is at hand; see `RunFolder.claim`.

    Raises:
        UsageError: of the configuration, the space, the data, the objectives or the run folder.
        RunError: no design of the first generation could be evaluated.
    """
    watcher = callbacks or Silent()
    plan = check_run(config, space)
    folder = RunFolder.claim(config, space)
    with (
        folder.held(),
        _log_file(folder),
        begin_ledger(folder, config, plan.objectives, plan.space) as ledger,
        make_executor(config.executor) as executor,
    ):
        watcher.on_start(config, n_evaluations=plan.searcher.n_evaluations, n_workers=executor.n_workers)
        findings = Findings(config, plan.space, plan.objectives, {})
        earlier = earlier_evaluations(config, plan.objectives)
        loop = _Loop(findings, folder, ledger, executor, watcher, earlier)
        loop.run(plan)
        if config.ledger.reuse:
            _LOG.info(
                "%d of %d designs are reused from earlier runs", loop.findings.n_reused, len(loop.findings.evaluations)
            )
        write_results(folder, loop.findings)
    watcher.on_end(loop.findings)
    return loop.findings


def check_run(config: Config, space: Space | None = None) -> Plan:
    """Everything that the user may have got wrong, checked without writing anything.

    Args:
        config: of the run.
        space: what `config.space` names, if it is at hand.

    Raises:
        UsageError: of the configuration, the space, the data, the objectives or the run folder.
    """
    RunFolder(Path(config.run_dir)).check(config, space)
    if config.seed < 0:
        raise ConfigurationError(f"seed is {config.seed}; allowed are whole numbers of at least 0.")
    space = space or load_space(config.space)
    objectives = choose_objectives(config.objectives.names, config.objectives.add, config.objectives.options)
    _check_columns(space, objectives)
    constraints_of(config.objectives, objectives)
    if not config.objectives.n_standard_errors >= 0:
        raise ConfigurationError(
            f"objectives.n_standard_errors is {config.objectives.n_standard_errors}; allowed are numbers of at least 0."
        )
    for name in space.budgets:
        budgeted(name)
    cited_by_space(config)
    config.training.check()
    check_executor(config.executor)
    check_ledger(config.ledger)
    check_reuse(config)
    candidates = Candidates(space, splits_of(config.data), config.training)
    searcher = make_searcher(config.search, space, len(objectives), config.seed, candidates.network_of)
    check_space(space, config)
    return Plan(space, objectives, candidates, searcher)


def _check_columns(space: Space, objectives: Sequence[Objective]) -> None:
    """Raise ConfigurationError if two columns of front.csv, or of the table of all evaluations, have one name."""
    columns = [(name, "a column of every run") for name in OWN_COLUMNS]
    columns += [(gene.name, "a gene of the space") for gene in space.genes]
    columns += [(objective.name, "an objective") for objective in objectives]
    columns += [(f"{one.name}_se", f"the standard error of the objective {one.name!r}") for one in objectives]
    taken: dict[str, str] = {}
    for name, what in columns:
        if name in taken:
            raise ConfigurationError(
                f"front.csv would have two columns {name!r}, {taken[name]} and {what}; rename the gene, or the "
                "objective with @qnas.objective(..., name='another_name')."
            )
        taken[name] = what


@dataclass(frozen=True)
class _Batch:
    """What was asked at once, and the networks that it means."""

    genotypes: Sequence[Genotype]
    architectures: Sequence[Architecture]


class _Loop:
    """One run on its way."""

    def __init__(
        self,
        findings: Findings,
        folder: RunFolder,
        ledger: Ledger,
        executor: Executor,
        watcher: Callbacks,
        earlier: Earlier,
    ) -> None:
        self.findings = findings
        self._config, self._folder, self._ledger = findings.config, folder, ledger
        self._executor, self._watcher, self._earlier = executor, watcher, earlier
        found = [evaluation for evaluation in ledger.history() if evaluation.state.about_design]
        self._held = {evaluation.architecture: evaluation for evaluation in found}
        self._written = {design_id: evaluation.architecture for design_id, evaluation in ledger.evaluations()}
        self._ids: dict[Architecture, int] = {}

    def run(self, plan: Plan) -> None:
        """Ask as early as the searcher allows, tell in the order of asking, until it has nothing more to ask."""
        pending: deque[_Batch] = deque()
        while True:
            while len(pending) < plan.searcher.max_pending and (genotypes := plan.searcher.ask()):
                pending.append(self._begun(genotypes))
            if not pending:
                break
            self._tell(plan.searcher, pending.popleft())
        if any(design_id >= len(self._ids) for design_id in self._written):
            self._ledger.keep_first(len(self._ids))
        self._note_shortfall(plan)

    def _begun(self, genotypes: Sequence[Genotype]) -> _Batch:
        """Have an evaluation of each on its way, unless the ledger holds one."""
        architectures = [self._architecture(genotype) for genotype in genotypes]
        for architecture in dict.fromkeys(architectures):
            if architecture in self._held:
                self._write_if_moved(architecture)
                self._note(architecture, known=True)
            elif (reused := self._earlier.evaluation(architecture)) is not None:
                self._record(architecture, reused)
            else:
                self._executor.submit(self._ids[architecture], self._task(architecture))
        return _Batch(genotypes, architectures)

    def _tell(self, searcher: Searcher, batch: _Batch) -> None:
        """Wait for the results of a batch, and hand them in."""
        while not all(architecture in self._held for architecture in batch.architectures):
            _, evaluation = self._executor.take()
            self._record(evaluation.architecture, evaluation)
        evaluations = [self._held[architecture] for architecture in batch.architectures]
        losses = np.array([losses_of(evaluation, self.findings.objectives) for evaluation in evaluations])
        violations = [violation_of(evaluation, self.findings.constraints) for evaluation in evaluations]
        searcher.tell(batch.genotypes, losses, np.array(violations))
        self._check_any_complete(evaluations)

    def _architecture(self, genotype: Genotype) -> Architecture:
        architecture = effective(self.findings.space.decode(genotype), self._config.training.configuration)
        self._ids.setdefault(architecture, len(self._ids))
        return architecture

    def _record(self, architecture: Architecture, evaluation: Evaluation) -> None:
        """Weights first, so that whatever the ledger holds has its weights."""
        if evaluation.weights is not None:
            self._folder.save_weights(architecture.fingerprint, evaluation.weights)
        self._ledger.append(self._ids[architecture], evaluation)
        self._held[architecture] = replace(evaluation, weights=None)
        level = logging.INFO if evaluation.complete else logging.WARNING
        result = dict(evaluation.values) if evaluation.complete else evaluation.reason
        origin = f", reused from {evaluation.reused}" if evaluation.reused else ""
        _LOG.log(level, "design %d %s: %s%s", self._ids[architecture], evaluation.state.value, result, origin)
        if evaluation.remark:
            _LOG.warning("design %d: %s", self._ids[architecture], evaluation.remark)
        self._note(architecture, known=False)

    def _write_if_moved(self, architecture: Architecture) -> None:
        """What was lost before may be found now, and the search then takes another course and gives other ids."""
        design_id = self._ids[architecture]
        if self._written.get(design_id) != architecture:
            self._ledger.append(design_id, self._held[architecture])

    def _note(self, architecture: Architecture, *, known: bool) -> None:
        design_id, evaluation = self._ids[architecture], self._held[architecture]
        evaluations = dict(sorted({**self.findings.evaluations, design_id: evaluation}.items()))
        self.findings = replace(self.findings, evaluations=evaluations)
        self._watcher.on_evaluation(self.findings, design_id, known=known)

    def _task(self, architecture: Architecture) -> Task:
        config = self._config
        return Task(
            architecture,
            space=config.space,
            data=config.data,
            objectives=config.objectives,
            simulation=config.simulation,
            training=config.training,
            seed=config.seed,
        )

    def _note_shortfall(self, plan: Plan) -> None:
        """Say why the search has ended before its budget was spent."""
        n, wanted = len(self._ids), plan.searcher.n_evaluations
        if n == wanted:
            return
        excluded = plan.candidates.excluded()
        remark = f"the search ended after {n} of {wanted} designs, because it found no others that are new"
        remark += f"; {excluded}." if excluded else "."
        if not n:
            raise RunError(remark)
        _LOG.warning(remark)
        self.findings = replace(self.findings, remark=remark)

    def _check_any_complete(self, evaluations: Sequence[Evaluation]) -> None:
        if not any(evaluation.complete for evaluation in self._held.values()):
            first = evaluations[0]
            reason = first.reason.splitlines()[0].rstrip(".")
            raise RunError(
                f"all {len(evaluations)} designs of the first generation failed, so there is nothing to search with; "
                f"the first one ({first.state.value}): {reason}. See {self._folder.log_file}."
            )


def check_space(space: Space, config: Config) -> None:
    """Raise what is wrong if none of some sampled designs can be built on these data, this machine and its budgets."""
    splits, simulator = splits_of(config.data), make_simulator(config.simulation)
    excluded: list[DesignError] = []
    problems: list[BaseException] = []
    rng = np.random.default_rng(0)
    for _ in range(_N_PROBES):
        architecture = effective(space.decode(space.random_genotype(rng)), config.training.configuration)
        try:
            check_candidate(space.budgets, architecture, splits, config.training)
            design = Design(architecture, splits, config.training, seed=config.seed, simulator=lambda _: simulator)
            design.initial_model()
        except EXCLUSIONS as error:
            excluded.append(error)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a part of the user's may raise anything, also a panic in Rust
            problems.append(error)
            if len(problems) >= _N_BUILT:
                break
        else:
            return
    drawn = f"none of {len(excluded) + len(problems)} sampled designs of the space {config.space!r}"
    reasons = [failure(problems[0])[1].splitlines()[0].rstrip(".")] if problems else []
    reasons += [exclusions(excluded)] if excluded else []
    raise UsageError(f"{drawn} can be {'built' if problems else 'evaluated'}: {'; '.join(reasons)}.")


class _LogFile(logging.FileHandler):
    """On a full disk it lacks lines; what stops the run is that its ledger cannot be written."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging calls it so
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


@contextmanager
def _log_file(folder: RunFolder) -> Iterator[None]:
    """Write the log of this run to log.txt."""
    with writing(folder.path):
        handler = _LogFile(folder.log_file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = _LOG.level
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOG.removeHandler(handler)
        _LOG.setLevel(level)
        handler.close()
