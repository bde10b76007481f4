"""What qnas takes beside the evaluations themselves: time and memory for each of 10,000, and reading them all back.

Wall-clock, so it needs a quiet machine; `make bench` runs it, too. It writes `overhead.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import tempfile
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import psutil

import qnas
from benchmarks.command import HERE, parsed, parser, write_page
from benchmarks.report import table, versions
from qnas.config import Config
from qnas.experiment.database import shown
from qnas.experiment.folder import RunFolder, processor
from qnas.experiment.ledger import begin_ledger
from qnas.experiment.results import Findings
from qnas.objectives import choose_objectives
from qnas.space import Space, choice, load_space, repeat

POPULATION = 100
OVERHEAD_MS, GROWTH, RELOAD_S = 10.0, 0.1, 3.0
"""The targets: milliseconds per evaluation, growth of the resident set between the marks, seconds."""
_MIB = 2**20

JOB = (
    "data=iris",
    f"search.population={POPULATION}",
    f"objectives.add=[{HERE / 'nothing.py'}]",
    "objectives.names=[]",
)
SPACE = Space(
    n_qubits=2,
    encoding="angle",
    layers=repeat(
        1, 4, rotation=choice("rx", "ry", "rz", "ry_rz", "rx_ry", "rx_ry_rz"), entangler=choice("cx", "cz", "crx"),
        topology="line",
    ),
    coupling="serial",
)  # fmt: skip
"""111,150 designs."""


@dataclass(frozen=True)
class Case:
    """A way to run the job.

    Attributes:
        name: of it.
        overrides: that make it.
        n_workers: how many evaluate at once.
    """

    name: str
    overrides: tuple[str, ...]
    n_workers: int = 1


SERIAL = Case("`search=nsga2 executor=serial`", ("executor=serial",))
CASES = (
    SERIAL,
    Case("`search=steady_state executor=serial`", ("search=steady_state", "executor=serial")),
    Case("`search=nsga2 executor=local executor.workers=2`", ("executor=local", "executor.workers=2"), 2),
)


@dataclass(frozen=True)
class Mark:
    """How far a run has come.

    Attributes:
        n: evaluations.
        seconds: since it began.
        evaluating: of these, of all workers.
        processor: seconds of processor time of the main process.
        memory: resident set of the main process, in bytes.
    """

    n: int
    seconds: float
    evaluating: float
    processor: float
    memory: int


@dataclass(frozen=True)
class Outcome:
    """Of one run.

    Attributes:
        case: what was run.
        marks: after a tenth of the evaluations, after nine tenths, and after all.
        results: seconds from there to the end: front, figures, designs.
        n_members: of the front.
        reload: seconds to open the ledger and to read all evaluations.
    """

    case: Case
    marks: tuple[Mark, ...]
    results: float
    n_members: int
    reload: float

    def overhead(self, first: int = 0, last: int = -1) -> float:
        """Milliseconds per evaluation, between two marks, beyond those in which the workers evaluate."""
        a, b = self.marks[first], self.marks[last]
        lost = (b.seconds - a.seconds) - (b.evaluating - a.evaluating) / self.case.n_workers
        return 1e3 * lost / (b.n - a.n)

    @property
    def evaluating(self) -> float:
        """Milliseconds that one evaluation takes, between the first mark and the last."""
        a, b = self.marks[0], self.marks[-1]
        return 1e3 * (b.evaluating - a.evaluating) / (b.n - a.n)

    @property
    def processor(self) -> float:
        """Milliseconds of processor time of the main process per evaluation."""
        a, b = self.marks[0], self.marks[-1]
        return 1e3 * (b.processor - a.processor) / (b.n - a.n)

    @property
    def growth(self) -> float:
        """Of the resident set from the first mark to the last, as a part of that at the first."""
        return self.marks[-1].memory / self.marks[0].memory - 1


class Watch(qnas.Callbacks):
    """Notes marks."""

    def __init__(self, n: int) -> None:
        self.marks: list[Mark] = []
        self._n, self._began, self._evaluating = n, time.perf_counter(), 0.0

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """Note one where it is due."""
        self._evaluating += findings.evaluations[design_id].seconds
        n = len(findings.evaluations)
        if n in (self._n // 10, self._n * 9 // 10, self._n):
            memory = psutil.Process().memory_info().rss
            seconds = time.perf_counter() - self._began
            self.marks.append(Mark(n, seconds, self._evaluating, time.process_time(), memory))


def outcome(case: Case, n: int, url: str | None) -> Outcome:
    """Run a job of so many evaluations, with its ledger in a database or in its folder."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder) / "run"
        given = [*JOB, *case.overrides, f"search.generations={n // POPULATION}", f"run_dir={run_dir}"]
        watch = Watch(n)
        began = time.perf_counter()
        result = qnas.search([*given, *([f"ledger={url}"] if url else [])], watch, space=SPACE)
        seconds = time.perf_counter() - began
        reload = min(reloading(RunFolder(run_dir).read_config(), n) for _ in range(3))
    return Outcome(case, tuple(watch.marks), seconds - watch.marks[-1].seconds, len(result.front), reload)


def reloading(config: Config, n: int) -> float:
    """Seconds to open the ledger of a run as one that goes on does."""
    space = load_space(config.space)
    objectives = choose_objectives(config.objectives.names, config.objectives.add, config.objectives.options)
    began = time.perf_counter()
    with begin_ledger(RunFolder(Path(config.run_dir)), config, objectives, space) as ledger:
        found = dict(ledger.latest(ledger.entries()))
    seconds = time.perf_counter() - began
    assert len(found) == n
    return seconds


def in_a_process(case: Case, n: int, url: str | None = None) -> Outcome:
    """Of its own, so that its memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(outcome, case, n, url).result()
    print(f"{case.name}: {found.overhead():.2f} ms per evaluation", flush=True)
    return found


def page(n: int, found: Sequence[Outcome], database: str | None) -> str:
    """The tables, and what they say."""
    worst = max(one.overhead() for one in found)
    growth, reload = max(one.growth for one in found), max(one.reload for one in found)
    marks = found[0].marks
    headings = [
        "", "overhead, ms", f"after {marks[1].n:,}", "evaluate, ms", "processor, ms", f"MiB at {marks[0].n:,}",
        f"at {marks[2].n:,}", "results, s", "reload, s",
    ]  # fmt: skip
    rows = [
        [
            one.case.name,
            f"{one.overhead():.2f}",
            f"{one.overhead(1, 2):.2f}",
            f"{one.evaluating:.2f}",
            f"{one.processor:.2f}",
            *(f"{one.marks[k].memory / _MIB:.0f}" for k in (0, 2)),
            f"{one.results:.1f} ({one.n_members} members)",
            f"{one.reload:.2f}",
        ]
        for one in found
    ]
    verdicts = [
        f"overhead under {OVERHEAD_MS:g} ms: {_met(worst < OVERHEAD_MS)} (at most {worst:.2f} ms)",
        f"memory flat, within {GROWTH:.0%} from {marks[0].n:,} to {marks[2].n:,}: {_met(growth < GROWTH)} "
        f"(at most {growth:+.1%})",
        f"a ledger of {n:,} reloaded in under {RELOAD_S:g} s: {_met(reload < RELOAD_S)} (at most {reload:.2f} s)",
    ]
    where = f" The last row has its ledger in a database, {database}." if database else ""
    return (
        f"# Overhead\n\n{n:,} evaluations of networks of two qubits by objectives that return at once "
        f"(`nothing.py`), on {processor()}, {versions()}. Overhead is the wall-clock per evaluation beyond that in "
        f"which all workers are in `evaluate`, from evaluation {marks[0].n:,} on: search, ledger with a flush to the "
        "disk, log, callbacks, processes. `evaluate` builds the network and counts its weights. Processor time, which "
        "other work on the machine inflates less, and memory, the resident set, are of the main process, in which "
        f"`serial` also evaluates. Reloading is what `qnas resume` does with the ledger.{where}\n\n"
        f"{table(headings, rows)}\n\n"
        f"Targets: {'; '.join(verdicts)}.\n"
    )


def _met(target: bool) -> str:
    return "met" if target else "**missed**"


def main() -> None:
    """Measure, and write the page."""
    known = parser("Measure what qnas takes beside evaluations.", "200 evaluations")
    known.add_argument("--ledger", metavar="URL", help="an empty database, for one case more")
    options = parsed(known)
    n = 200 if options.quick else 10_000
    found = [in_a_process(case, n) for case in CASES]
    database = None
    if options.ledger:
        found.append(in_a_process(Case("the first one, `ledger=...`", SERIAL.overrides), n, options.ledger))
        database = shown(options.ledger).partition(":")[0]
    text = page(n, found, database)
    write_page(options.output / "overhead.md", text)


if __name__ == "__main__":
    main()
