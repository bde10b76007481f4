"""Throughput of two workers of this machine against one, on the main job.

Wall-clock, so it needs a quiet machine of two cores; `make bench` runs it after the others. It writes `workers.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import qnas
from benchmarks.command import parsed, parser, write_page
from benchmarks.report import table, versions
from qnas.experiment.executor import n_cores
from qnas.experiment.folder import processor

TARGET = 1.85
"""Times the throughput of one worker."""


@dataclass(frozen=True)
class Plan:
    """Overrides of the job, and how often it is searched in each way."""

    job: tuple[str, ...]
    n_rounds: int


FULL = Plan((), 2)
QUICK = Plan(
    (
        "data=iris",
        "search.population=4",
        "search.generations=1",
        "training.epochs=2",
        "objectives.options.expressibility.n_pairs=100",
        "objectives.options.trainability.n_starts=8",
    ),
    1,
)


@dataclass(frozen=True)
class Way:
    """Searches that begin at once.

    Attributes:
        name: of the way.
        n_searches: how many, each of the whole job.
        n_workers: of each.
    """

    name: str
    n_searches: int
    n_workers: int


ONE = Way("one worker", 1, 1)
TWO = Way("two workers", 1, 2)
APART = Way("two searches of one worker each", 2, 1)
WAYS = (ONE, TWO, APART)


@dataclass(frozen=True)
class Outcome:
    """Of the searches of one way.

    Attributes:
        n_designs: how many were evaluated.
        seconds: wall-clock from the command to the written results of all.
        busy: the share of the workers' time in which they evaluated.
        fronts: to be compared; without wall-clock.
    """

    n_designs: int
    seconds: float
    busy: float
    fronts: frozenset[str]

    @property
    def throughput(self) -> float:
        """Designs per minute."""
        return 60 * self.n_designs / self.seconds


def outcome(plan: Plan, way: Way, folder: Path) -> Outcome:
    """Search in one way. Raises SystemExit if a search fails."""
    runs = [folder / str(k) for k in range(way.n_searches)]
    search = [sys.executable, "-m", "qnas.cli", "search", *plan.job, "executor=local"]
    began = time.perf_counter()
    commands = [
        subprocess.Popen([*search, f"executor.workers={way.n_workers}", f"run_dir={run}"], stdout=subprocess.DEVNULL)
        for run in runs
    ]
    codes = [command.wait() for command in commands]
    if any(codes):
        raise SystemExit(f"a search of {way.name} failed.")
    seconds = time.perf_counter() - began
    results = [qnas.Result(run) for run in runs]
    n_designs = sum(len(result.evaluations) for result in results)
    evaluated = sum(float(result.evaluations["seconds"].sum()) for result in results)
    fronts = frozenset(result.front.drop(columns="seconds").to_csv() for result in results)
    return Outcome(n_designs, seconds, evaluated / (way.n_searches * way.n_workers * seconds), fronts)


def rounds(plan: Plan) -> dict[Way, list[Outcome]]:
    """All ways in turns, so that a machine that changes changes all. Raises SystemExit if fronts differ."""
    found: dict[Way, list[Outcome]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(plan.n_rounds):
            for way in WAYS:
                found[way].append(outcome(plan, way, Path(folder) / f"{way.name}-{turn}"))
                print(f"{way.name}: {found[way][-1].seconds:.1f} s", flush=True)
    if len(frozenset().union(*(one.fronts for outcomes in found.values() for one in outcomes))) > 1:
        raise SystemExit("the front depends on the number of workers.")
    return found


def page(plan: Plan, found: Mapping[Way, Sequence[Outcome]]) -> str:
    """The table, and what it says."""
    medians = {way: _median([one.throughput for one in outcomes]) for way, outcomes in found.items()}
    ratios = {way: medians[way] / medians[ONE] for way in WAYS}
    rows = [
        [
            way.name,
            f"{_median([one.seconds for one in outcomes]):.1f}",
            f"{medians[way]:.2f}",
            f"{_median([one.busy for one in outcomes]):.1%}",
            f"{ratios[way]:.2f}x",
        ]
        for way, outcomes in found.items()
    ]
    headings = ["", "seconds", "designs per minute", "evaluating", "throughput"]
    spread = ", ".join(
        f"{two.throughput / one.throughput:.2f}x" for one, two in zip(found[ONE], found[TWO], strict=True)
    )
    return (
        f"# Workers\n\n`qnas search {' '.join(plan.job)}`".replace(" `", "`")
        + f" with `executor.workers` on {n_cores()} cores of {processor()}, {found[ONE][0].n_designs} designs: medians "
        f"of {plan.n_rounds}, wall-clock from the command to the written results. What the workers do not evaluate in "
        "is the start of processes, the wait for the last design of a generation, and the writing of results. Two "
        "searches that share nothing but the machine say what its second core is worth. "
        f"{versions()}.\n\n{table(headings, rows)}\n\nThe target of {TARGET:g}x for two workers is "
        f"{'met' if ratios[TWO] >= TARGET else 'missed'}: {ratios[TWO]:.2f}x (round by round {spread}). "
        "The fronts are the same.\n"
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def main() -> None:
    """Search, and write the page."""
    options = parsed(parser("Compare the throughput of two workers with that of one.", "a small job and one round"))
    plan = QUICK if options.quick else FULL
    text = page(plan, rounds(plan))
    write_page(options.output / "workers.md", text)


if __name__ == "__main__":
    main()
