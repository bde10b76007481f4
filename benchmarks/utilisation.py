"""How busy the searchers keep 1,000 workers whose evaluations take log-normal times, in virtual time.

Nothing sleeps: an evaluation is its drawn duration, asking and telling take none. It writes `utilisation.md` and
`utilisation.png`, which are the same on every machine.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heapreplace
from math import inf

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from benchmarks.command import parsed, parser, write_page
from benchmarks.driving import drive
from benchmarks.report import table, versions
from qnas.search import SearchSettings, make_searcher
from qnas.space import Genotype, load_space

MEAN = 60.0
SIGMA = 0.7
"""Of the logarithm: one evaluation in twenty takes 10 times as long as the one in twenty that is quickest, or more."""
LIMIT = 5 * MEAN
"""Of an evaluation (`executor.seconds`), in the cases that have one."""
POPULATION = 24
TARGET = 0.95
SPACE = load_space("hybrid")


@dataclass(frozen=True)
class Case:
    """A search, sized by the number of workers.

    Attributes:
        name: of the searcher.
        size: times the workers: the population of a generation, or the window.
        limit: after so many seconds an evaluation is ended, and told as failed.
    """

    name: str
    size: float
    limit: float = inf

    def settings(self, n_workers: int, n_evaluations: int) -> SearchSettings:
        """With this budget, or the next larger one of whole generations."""
        size = int(self.size * n_workers)
        if self.name == "steady_state":
            return SearchSettings(self.name, population=POPULATION, evaluations=n_evaluations, window=size)
        return SearchSettings(self.name, population=size, generations=-(-n_evaluations // size))

    def label(self, n_workers: int) -> str:
        """As it is set."""
        what = "window" if self.name == "steady_state" else "population"
        limit = "" if self.limit == inf else f", limit {self.limit:g} s"
        return f"{self.name}, {what} {int(self.size * n_workers):,}{limit}"


SHOWN = (Case("nsga2", 1), Case("steady_state", 2), Case("steady_state", 5, LIMIT))
"""What the figure shows."""
CASES = (SHOWN[0], Case("nsga2", 1, LIMIT), *SHOWN[1:])


@dataclass(frozen=True)
class Plan:
    """How many workers, and how many evaluations for each."""

    n_workers: int
    per_worker: int

    @property
    def n_evaluations(self) -> int:
        """In all."""
        return self.n_workers * self.per_worker


FULL = Plan(1000, 10)
QUICK = Plan(20, 15)


@dataclass(frozen=True)
class Timeline:
    """When each evaluation began and ended, in virtual seconds."""

    n_workers: int
    begins: np.ndarray
    ends: np.ndarray

    @cached_property
    def until(self) -> float:
        """When the last evaluation begins; after that workers are idle in every search."""
        return float(self.begins.max())

    @property
    def busy(self) -> float:
        """The share of the workers' time, until then, in which they evaluate."""
        return float((np.minimum(self.ends, self.until) - self.begins).sum() / (self.n_workers * self.until))

    def n_busy(self, times: np.ndarray) -> np.ndarray:
        """How many workers evaluate at these times."""
        begun, ended = (np.searchsorted(np.sort(moments), times, side="right") for moments in (self.begins, self.ends))
        return begun - ended


class Workers:
    """They take evaluations in the order of asking, each as soon as one of them is free."""

    def __init__(self, n_workers: int, seconds: np.ndarray, limit: float) -> None:
        self.now = 0.0
        self.begins: list[float] = []
        self.ends: list[float] = []
        self._free = [0.0] * n_workers
        heapify(self._free)
        self._seconds, self._limit = seconds, limit
        self._n_told = 0

    def begin(self, batch: list[Genotype]) -> None:
        """Queue a batch."""
        for _ in batch:
            begin = max(self.now, self._free[0])
            end = begin + min(self._limit, float(self._seconds[len(self.ends)]))
            heapreplace(self._free, end)
            self.begins.append(begin)
            self.ends.append(end)

    def results(self, batch: list[Genotype]) -> tuple[np.ndarray, np.ndarray]:
        """Wait for the oldest batch; the losses are made up, since they have no say in who is busy."""
        mine = slice(self._n_told, self._n_told + len(batch))
        self._n_told = mine.stop
        self.now = max(self.now, *self.ends[mine])
        failed = self._seconds[mine] > self._limit
        losses = np.array([[genotype.sum(), -genotype[0], genotype[-1]] for genotype in batch], dtype=float)
        return np.where(failed[:, None], np.nan, losses), np.where(failed, np.inf, 0.0)


def timeline(case: Case, plan: Plan) -> Timeline:
    """Search in virtual time."""
    settings = case.settings(plan.n_workers, plan.n_evaluations)
    searcher = make_searcher(settings, SPACE, 3, seed=0)
    draws = np.random.default_rng(0).standard_normal(searcher.n_evaluations)
    workers = Workers(plan.n_workers, MEAN * np.exp(SIGMA * draws - SIGMA**2 / 2), case.limit)
    drive(searcher, workers.begin, workers.results)
    return Timeline(plan.n_workers, np.array(workers.begins), np.array(workers.ends))


def page(plan: Plan, found: Mapping[Case, Timeline]) -> str:
    """The table, and what it says."""
    rows = [
        [
            case.label(plan.n_workers),
            f"{one.busy:.1%}",
            f"{len(one.ends) / one.ends.max() * 3600:,.0f}",
            f"{np.mean(one.ends - one.begins >= case.limit - 1e-6):.1%}",
        ]
        for case, one in found.items()
    ]
    headings = ["searcher", "busy", "designs per hour", "over the limit"]
    most = MEAN / plan.n_workers * 1e3
    met = [case.label(plan.n_workers) for case, one in found.items() if one.busy >= TARGET]
    return (
        f"# Utilisation\n\nA simulation of {plan.n_workers:,} workers and {plan.n_evaluations:,} evaluations through "
        f"the searchers of qnas, in virtual time: durations are log-normal with mean {MEAN:g} s and sigma {SIGMA:g}, "
        "so that of twenty evaluations the longest takes about 10 times as long as the quickest. Busy is the share of "
        "the workers' time, until the last design begins, in which they evaluate. Asking and telling take no virtual "
        f"time; such workers leave {most:g} ms for a design. "
        f"{versions()}.\n\n{table(headings, rows)}\n\n![Busy workers over time](utilisation.png)\n\n"
        f"The target of {TARGET:.0%} is {'met by ' + '; '.join(met) if met else 'missed by all'}.\n\n"
        "Results are told in the order of asking, so that nothing depends on who is quicker. While the oldest design "
        "is evaluated, the workers go through the rest of the window; they stand still if it takes longer than that. "
        "The window must therefore be as many times the number of workers as the longest evaluation takes times the "
        f"mean one. A limit of {LIMIT / MEAN:g} times the mean (`executor.seconds`) makes that a window of "
        f"{LIMIT / MEAN:g} times the workers. A longer window has its price: the searcher knows that much less when it "
        "asks, and the designs of the first window are random.\n"
    )


def plot(plan: Plan, found: Mapping[Case, Timeline]) -> Figure:
    """Busy workers over the first hour, one panel per case."""
    figure = Figure(figsize=(9, 5.6), layout=ConstrainedLayoutEngine(h_pad=0.08), facecolor="white")
    FigureCanvasAgg(figure)
    end = min(3600.0, *(found[case].until for case in SHOWN))
    times = np.linspace(0, end, 2000)
    for panel, case in zip(figure.subplots(len(SHOWN), 1, sharex=True, sharey=True), SHOWN, strict=True):
        panel.fill_between(times / 60, found[case].n_busy(times), color="#1F4E79", linewidth=0)
        panel.set_title(f"{case.label(plan.n_workers)}: {found[case].busy:.1%} busy", loc="left", fontsize=10)
        panel.set(ylim=(0, plan.n_workers * 1.04), xlim=(0, end / 60), ylabel="busy workers")
        panel.spines[["top", "right"]].set_visible(False)
    figure.axes[-1].set_xlabel("minutes of virtual time")
    return figure


def main() -> None:
    """Simulate, and write the page and the figure."""
    options = parsed(parser("Simulate how busy searchers keep many workers.", "few workers"))
    plan = QUICK if options.quick else FULL
    found = {}
    for case in CASES:
        found[case] = timeline(case, plan)
        print(f"{case.label(plan.n_workers)}: {found[case].busy:.1%}", flush=True)
    plot(plan, found).savefig(options.output / "utilisation.png", dpi=110)
    write_page(options.output / "utilisation.md", page(plan, found))


if __name__ == "__main__":
    main()
