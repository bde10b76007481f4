"""Throughput of two workers of this machine against one, on a part of the main job.

Wall-clock, so it needs a quiet machine of two cores; `make bench` runs it after the others. It writes `workers.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import qnas
from benchmarks.command import parsed, parser, write_page
from benchmarks.report import table, versions
from qnas.experiment.executor import n_cores
from qnas.experiment.folder import processor

WORKERS = (1, 2)
TARGET = 1.85
"""Times the throughput of one worker."""


@dataclass(frozen=True)
class Plan:
    """Overrides of the job, and how often it is searched with each number of workers."""

    job: tuple[str, ...]
    n_rounds: int


FULL = Plan(("search.generations=2",), 3)
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
class Outcome:
    """Of one search.

    Attributes:
        n_designs: how many were evaluated.
        seconds: wall-clock from the call to the end, with the start of processes and the writing of results.
        busy: the share of the workers' time in which they evaluated.
        front: to be compared; without wall-clock.
    """

    n_designs: int
    seconds: float
    busy: float
    front: str

    @property
    def throughput(self) -> float:
        """Designs per minute."""
        return 60 * self.n_designs / self.seconds


def outcome(plan: Plan, n_workers: int, run_dir: Path) -> Outcome:
    """Search once."""
    began = time.perf_counter()
    result = qnas.search([*plan.job, "executor=local", f"executor.workers={n_workers}", f"run_dir={run_dir}"])
    seconds = time.perf_counter() - began
    evaluations = result.evaluations
    busy = float(evaluations["seconds"].sum()) / (n_workers * seconds)
    return Outcome(len(evaluations), seconds, busy, result.front.drop(columns="seconds").to_csv())


def rounds(plan: Plan) -> dict[int, list[Outcome]]:
    """One worker and two in turns, so that a machine that changes changes both. Raises SystemExit if fronts differ."""
    found: dict[int, list[Outcome]] = {n_workers: [] for n_workers in WORKERS}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(plan.n_rounds):
            for n_workers in WORKERS:
                found[n_workers].append(outcome(plan, n_workers, Path(folder) / f"{n_workers}-{turn}"))
                print(f"{n_workers} workers: {found[n_workers][-1].seconds:.1f} s", flush=True)
    if len({one.front for outcomes in found.values() for one in outcomes}) > 1:
        raise SystemExit("the front depends on the number of workers.")
    return found


def page(plan: Plan, found: Mapping[int, Sequence[Outcome]]) -> str:
    """The table, and what it says."""
    first = WORKERS[0]
    medians = {n_workers: _median([one.throughput for one in outcomes]) for n_workers, outcomes in found.items()}
    rows = [
        [
            str(n_workers),
            f"{_median([one.seconds for one in outcomes]):.1f}",
            f"{medians[n_workers]:.2f}",
            f"{_median([one.busy for one in outcomes]):.1%}",
            f"{medians[n_workers] / medians[first]:.2f}x",
        ]
        for n_workers, outcomes in found.items()
    ]
    ratio = medians[WORKERS[-1]] / medians[first]
    headings = ["workers", "seconds", "designs per minute", "evaluating", "throughput"]
    return (
        f"# Workers\n\n`qnas search {' '.join(plan.job)}` with `executor.workers` on {n_cores()} cores of "
        f"{processor()}, {found[first][0].n_designs} designs: medians of {plan.n_rounds}, wall-clock from the command "
        "to the written results. What the workers do not evaluate in is the start of their processes, the wait for the "
        f"last design of a generation, and the writing of results. {versions()}.\n\n{table(headings, rows)}\n\nThe "
        f"target of {TARGET:g}x is {'met' if ratio >= TARGET else 'missed'}: {ratio:.2f}x. The fronts are the same.\n"
    )


def _median(values: Sequence[float]) -> float:
    return float(np.median(values))


def main() -> None:
    """Search, and write the page."""
    options = parsed(parser("Compare the throughput of two workers with that of one.", "a small job and one round"))
    warnings.simplefilter("ignore")
    plan = QUICK if options.quick else FULL
    text = page(plan, rounds(plan))
    write_page(options.output / "workers.md", text)


if __name__ == "__main__":
    main()
