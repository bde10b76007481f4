"""The search loop: ask, evaluate what the ledger does not hold, tell, until the budget is spent."""

from __future__ import annotations

import logging
import platform
import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from sortedcontainers import SortedDict

from qnas.architecture import Architecture
from qnas.config import Config
from qnas.errors import RunError
from qnas.experiment.callbacks import Callbacks, Guarded
from qnas.experiment.evaluation import Evaluation, Task
from qnas.experiment.executor import Executor, make_executor
from qnas.experiment.folder import RunFolder
from qnas.experiment.ledger import Ledger, begin_ledger
from qnas.experiment.losses import losses_of, violation_of
from qnas.experiment.plan import Plan, check_run
from qnas.experiment.results import Findings, write_results
from qnas.experiment.reuse import Earlier, earlier_evaluations
from qnas.experiment.rungs import Rungs
from qnas.experiment.stopping import Stopping, TimeIsUpError
from qnas.experiment.store import NOTES, writing
from qnas.model.training import Stretch, effective
from qnas.search import Searcher
from qnas.space import Genotype, Space

_LOG = logging.getLogger("qnas")


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
        KeyboardInterrupt: as for all that ends a run early, the front of what was evaluated is written.
    """
    watcher = Guarded(callbacks)
    plan = check_run(config, space)
    folder = RunFolder.claim(config, space)
    with (
        folder.held(),
        _log_file(folder),
        begin_ledger(folder, config, plan.objectives, plan.space) as ledger,
        make_executor(config.executor) as executor,
    ):
        watcher.on_start(config, n_evaluations=plan.searcher.n_evaluations, n_workers=executor.n_workers)
        findings = Findings(config, plan.space, plan.objectives, SortedDict())
        earlier = earlier_evaluations(config, plan.objectives)
        loop = _Loop(findings, folder, ledger, executor, watcher, earlier)
        try:
            loop.run(plan)
        except BaseException as error:
            what = "the search was interrupted" if isinstance(error, KeyboardInterrupt) else "the search cannot go on"
            _LOG.error("%s: %s", what, str(error) or type(error).__name__)
            _write_what_there_is(folder, loop.findings)
            raise
        if config.ledger.reuse:
            n_reused, n = loop.findings.n_reused, len(loop.findings.evaluations)
            _LOG.info("%d of %d designs are reused from earlier runs", n_reused, n)
        write_results(folder, loop.findings)
        if loop.evaluates:
            _LOG.info("the search has ended after %d designs; its results are written", len(loop.findings.evaluations))
    watcher.on_end(loop.findings)
    return loop.findings


def _write_what_there_is(folder: RunFolder, findings: Findings) -> None:
    """The results of a run that was interrupted, or that cannot go on; what ended it is said, whatever happens here."""
    if any(evaluation.complete for evaluation in findings.evaluations.values()):
        NOTES.warning("the front so far is being written")
        try:
            write_results(folder, findings)
        except Exception:  # noqa: BLE001 - such as the full disk that ended the run
            _LOG.warning("the front so far could not be written", exc_info=True)


@dataclass(frozen=True)
class _Batch:
    """What was asked at once: the ids of its designs, and the epochs of the rungs that they are to climb."""

    genotypes: Sequence[Genotype]
    ids: Sequence[int]
    stages: Sequence[int | None]


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
        self._evaluations = cast("dict[int, Evaluation]", findings.evaluations)
        self._config, self._folder, self._ledger = findings.config, folder, ledger
        self._executor, self._watcher, self._earlier = executor, watcher, earlier
        self._rungs = Rungs(
            self._config.early_stopping, self._config.training.epochs, findings.objectives, findings.constraints
        )
        self._stopping = Stopping(self._config.stop)
        entries = list(ledger.entries())
        found = [evaluation for _, evaluation in entries if evaluation.state.about_design]
        self._held = {(evaluation.architecture, evaluation.stopped_at): evaluation for evaluation in found}
        self._written = {
            design_id: (evaluation.architecture, evaluation.stopped_at)
            for design_id, evaluation in ledger.latest(entries)
        }
        self._ids: dict[Architecture, int] = {}
        self._architectures: list[Architecture] = []
        self._waiting: set[int] = set()
        self._settled: dict[int, Evaluation] = {}
        self._told = replace(findings, evaluations=self._settled)
        """What the searcher knows: not what has come before its turn."""
        self._n_told = 0
        self.evaluates = False

    def run(self, plan: Plan) -> None:
        """Ask and tell until the search is over."""
        self._n_wanted = plan.searcher.n_evaluations
        try:
            reason = self._take_course(plan)
            if 0 < self._n_told < self._config.search.population:
                self._check_any_complete()
            self._leave_out_what_was_not_told()
            self._folder.remove_checkpoints()
        except TimeIsUpError as end:  # what was not told stays: a run that goes on tells it
            reason = str(end)
        self._note_end(plan, reason)

    def _take_course(self, plan: Plan) -> str:
        """Ask as early as the searcher allows, tell in the order of asking; why it ends before it has no more to ask.

        Raises:
            TimeIsUpError: the clock ends it, whatever is on its way.
        """
        pending: deque[_Batch] = deque()
        reason = ""
        while not reason:
            while len(pending) < plan.searcher.max_pending and (genotypes := plan.searcher.ask()):
                pending.append(self._begun(genotypes))
            if not pending:
                break
            if not self._n_told:
                self._note_idle_workers(plan.searcher, pending)
            self._tell(plan.searcher, pending.popleft())
            reason = self._stopping.reason(self._told)
        return reason

    def _note_idle_workers(self, searcher: Searcher, pending: Collection[_Batch]) -> None:
        """Say which setting keeps workers from having designs, where that is not the size of the space."""
        generations = searcher.max_pending == 1
        bound = self._config.search.population if generations else searcher.max_pending
        n_at_once = sum(len(batch.ids) for batch in pending)
        if n_at_once == bound < min(self._executor.n_workers, searcher.n_evaluations):
            _LOG.warning(
                "no more than %d of %d workers have a design at any time; raise search.%s",
                n_at_once, self._executor.n_workers, "population" if generations else "window",
            )  # fmt: skip

    def _begun(self, genotypes: Sequence[Genotype]) -> _Batch:
        """Have an evaluation of each on its way, unless the ledger holds one."""
        stages, ids = self._rungs.stages(), [self._id(genotype) for genotype in genotypes]
        for design_id in ids:
            self._advance(design_id, stages[0])
        return _Batch(genotypes, ids, stages)

    def _id(self, genotype: Genotype) -> int:
        architecture = effective(self.findings.space.decode(genotype), self._config.training.configuration)
        if architecture not in self._ids:
            self._ids[architecture] = len(self._ids)
            self._architectures.append(architecture)
        return self._ids[architecture]

    def _advance(self, design_id: int, until: int | None) -> None:
        """Have a design evaluated after so many epochs; None for all. It may be known, or have ended before."""
        architecture = self._architectures[design_id]
        known = self._held.get((architecture, until)) or self._held.get((architecture, None))
        if known is not None:
            self._note(design_id, known, known=True)
        elif (reused := self._earlier.evaluation(architecture)) is not None:
            self._record(design_id, reused)
        elif design_id not in self._waiting:
            self._waiting.add(design_id)
            self._note_beginning()
            self._executor.submit(design_id, self._task(design_id, until))

    def _tell(self, searcher: Searcher, batch: _Batch) -> None:
        """Wait for the results of a batch, rung by rung, and hand them in."""
        self._await(batch.ids)
        climbing = list(batch.ids)
        for rung, until in enumerate(batch.stages[1:]):
            reached = {design_id: self._evaluations[design_id] for design_id in climbing}
            climbing = self._rungs.promoted(reached, len(batch.ids), rung)
            for design_id in climbing:
                self._advance(design_id, until)
            self._await(climbing)
        evaluations = [self._evaluations[design_id] for design_id in batch.ids]
        for design_id, evaluation in zip(batch.ids, evaluations, strict=True):
            self._settle(design_id, evaluation)
        losses = np.array([losses_of(evaluation, self.findings.objectives) for evaluation in evaluations])
        violations = [violation_of(evaluation, self.findings.constraints) for evaluation in evaluations]
        searcher.tell(batch.genotypes, losses, np.array(violations))
        self._count(len(batch.ids))

    def _await(self, ids: Sequence[int]) -> None:
        while not self._waiting.isdisjoint(ids):
            self._stopping.check_clock()
            self._record(*self._executor.take())

    def _record(self, design_id: int, evaluation: Evaluation) -> None:
        """Weights first, so that whatever the ledger holds has its weights."""
        fingerprint = evaluation.architecture.fingerprint
        if evaluation.weights is not None:
            self._folder.save_weights(fingerprint, evaluation.weights)
        if evaluation.checkpoint is not None:
            self._folder.save_checkpoint(fingerprint, evaluation.stopped_at, evaluation.checkpoint)
        evaluation = replace(evaluation, weights=None, checkpoint=None)
        self._write(design_id, evaluation)
        self._waiting.discard(design_id)
        self._held[evaluation.architecture, evaluation.stopped_at] = evaluation
        level = logging.INFO if evaluation.complete else logging.WARNING
        result = dict(evaluation.values) if evaluation.complete else evaluation.reason
        stopped = f" up to epoch {evaluation.stopped_at}" if evaluation.stopped_at else ""
        origin = f", reused from {evaluation.reused}" if evaluation.reused else ""
        _LOG.log(level, "design %d %s%s: %s%s", design_id, evaluation.state.value, stopped, result, origin)
        if evaluation.remark and design_id not in self._evaluations:
            _LOG.warning("design %d: %s", design_id, evaluation.remark)
        self._note(design_id, evaluation, known=False)

    def _settle(self, design_id: int, evaluation: Evaluation) -> None:
        """A design stays as it is from now on.

        What was lost before may be found now, and the search then takes another course and gives other ids, so that
        the ledger may hold another design under this one.
        """
        self._settled[design_id] = evaluation
        self._folder.remove_checkpoints_of(evaluation.architecture.fingerprint)
        self._rungs.learn(evaluation)
        if self._written.get(design_id) != (evaluation.architecture, evaluation.stopped_at):
            self._write(design_id, evaluation)

    def _write(self, design_id: int, evaluation: Evaluation) -> None:
        self._ledger.append(design_id, evaluation)
        self._written[design_id] = evaluation.architecture, evaluation.stopped_at

    def _note(self, design_id: int, evaluation: Evaluation, *, known: bool) -> None:
        self._evaluations[design_id] = evaluation
        self._watcher.on_evaluation(self.findings, design_id, known=known)

    def _count(self, n_designs: int) -> None:
        """So many designs more have been told."""
        population, before = self._config.search.population, self._n_told
        self._n_told += n_designs
        if before < population <= self._n_told:
            self._check_any_complete()
        for generation in range(before // population + 1, self._n_told // population + 1):
            self._watcher.on_generation(self.findings, generation)

    def _leave_out_what_was_not_told(self) -> None:
        """What came while the search ended, or what an interrupted run asked for before it took another course."""
        self.findings = self._told
        if any(design_id >= self._n_told for design_id in self._written):
            self._ledger.keep_first(self._n_told)

    def _task(self, design_id: int, until: int | None) -> Task:
        config, begun = self._config, self._evaluations.get(design_id)
        stretch = Stretch(until=until)
        if begun is not None and begun.stopped_at is not None:
            kept = self._folder.checkpoint_file(begun.architecture.fingerprint, begun.stopped_at)
            if kept.is_file():
                stretch = Stretch(begun.stopped_at, until, kept.read_bytes())
        return Task(
            self._architectures[design_id],
            space=config.space,
            data=config.data,
            objectives=config.objectives,
            simulation=config.simulation,
            training=config.training,
            seed=config.seed,
            stretch=stretch,
            begun=begun,
        )

    def _note_beginning(self) -> None:
        """Once there is something to evaluate: a finished run that is looked at again has no history."""
        if self.evaluates:
            return
        self.evaluates = True
        config, executor = self._config, self._executor
        _LOG.info(
            "%s on %s with %s: %d designs, %d in the ledger; executor=%s, workers: %d, host: %s",
            config.space, config.data.name, config.search.name, self._n_wanted,
            len(self._written), config.executor.name, executor.n_workers, platform.node(),
        )  # fmt: skip

    def _note_end(self, plan: Plan, reason: str) -> None:
        """Say why the search has ended before its budget was spent."""
        n, wanted = len(self.findings.evaluations), plan.searcher.n_evaluations
        if n == wanted:
            return
        remark = f"the search ended after {n} of {wanted} designs, because "
        excluded = plan.candidates.excluded()
        remark += reason or "it found no others that are new" + (f"; {excluded}" if excluded else "")
        if not n:
            raise RunError(f"{remark}.")
        _LOG.warning("%s.", remark)
        self.findings = replace(self.findings, remark=f"{remark}.")

    def _check_any_complete(self) -> None:
        """A design that a constraint excludes is no failure: the search is told how far it is from meeting them."""
        evaluations = list(self._settled.values())
        if all(np.isinf(violation_of(one, self.findings.constraints)) for one in evaluations):
            first = evaluations[0]
            reason = first.reason.splitlines()[0].rstrip(".")
            raise RunError(
                f"all {len(evaluations)} designs of the first generation failed, so there is nothing to search with; "
                f"the first one ({first.state.value}): {reason}. See {self._folder.log_file}."
            )


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
