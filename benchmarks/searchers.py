"""How many evaluations each searcher needs, on a space whose every design is evaluated; see `landscape.py`.

It counts evaluations, so that the same page comes out on every machine. It writes `searchers.md` and `searchers.png`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from benchmarks.command import parsed, parser, write_page
from benchmarks.driving import drive
from benchmarks.landscape import Landscape, load, space
from benchmarks.report import table, versions
from qnas.front.pareto import GrowingHypervolume, hypervolume, non_dominated
from qnas.search import SearchSettings, make_searcher
from qnas.space import Genotype

SHARE = 0.95
"""Of the true front's hypervolume, to be reached."""
TARGET = 0.5
"""Of the evaluations of random search, which NSGA-II may need."""
POPULATION, BUDGET = 24, 96
"""The defaults of `qnas search`."""


@dataclass(frozen=True)
class Case:
    """A searcher: its settings, and the colour of its curve if it has one.

    Attributes:
        n_most: the most designs that it may ask for, if it is slow to choose; None for no other bound.
        draws: whether the seed has a say.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    colour: str = ""
    n_most: int | None = None
    draws: bool = True


CASES: Mapping[str, Case] = {
    "nsga2": Case({"name": "nsga2"}, "#1F4E79"),
    "nsga3": Case({"name": "nsga3"}, "#56B4E9"),
    "sms_emoa": Case({"name": "sms_emoa"}, "#009E73"),
    "steady_state": Case({"name": "steady_state"}, "#D55E00"),
    "local": Case({"name": "local"}, "#CC79A7"),
    "optuna, tpe": Case({"name": "optuna", "sampler": "tpe"}, "#E69F00", n_most=120),
    "optuna, nsga2": Case({"name": "optuna", "sampler": "nsga2"}, "#8C6D31"),
    "random": Case({"name": "random"}, "#555555"),
    "exhaustive": Case({"name": "exhaustive"}, "#BBBBBB", draws=False),
}


@dataclass(frozen=True)
class Plan:
    """How often each searcher runs, and how far."""

    n_seeds: int
    n_evaluations: int
    names: Sequence[str]


FULL = Plan(20, 400, tuple(CASES))
QUICK = Plan(2, 100, ("nsga2", "steady_state", "random"))


class Judge:
    """The true front of a landscape, and what share of its hypervolume some designs have."""

    def __init__(self, landscape: Landscape) -> None:
        self.front = landscape.losses[non_dominated(landscape.losses)]
        self.boxes = {
            "the space": landscape.losses.max(axis=0),
            "the front": self.front.max(axis=0) + 0.1 * np.ptp(self.front, axis=0),
        }

    def shares(self, losses: np.ndarray, box: str) -> np.ndarray:
        """After each evaluation."""
        growing = GrowingHypervolume(self.boxes[box])
        return np.array([growing.add(row) for row in losses]) / hypervolume(self.front, self.boxes[box])


@dataclass(frozen=True)
class Outcome:
    """The shares of one searcher by box: one row per seed, one column per evaluation."""

    shares: Mapping[str, np.ndarray]

    def needed(self, box: str) -> np.ndarray:
        """Evaluations to the share that is to be reached, for each seed; infinite if it is not."""
        reached = self.shares[box] >= SHARE
        return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)

    def median(self, box: str = "the space") -> float:
        """Of what is needed."""
        return float(np.median(self.needed(box)))


def asked(case: Case, landscape: Landscape, plan: Plan, seed: int) -> np.ndarray:
    """The losses of the designs that a searcher asks for, in that order."""
    n = min(plan.n_evaluations, case.n_most or plan.n_evaluations)
    settings = SearchSettings(**{"population": POPULATION, **case.settings})
    settings = SearchSettings(**{**vars(settings), "generations": ceil(n / settings.population)})
    searcher = make_searcher(settings, space, landscape.losses.shape[1], seed)
    found: list[Genotype] = []
    drive(searcher, found.extend, lambda batch: (landscape(batch), np.zeros(len(batch))))
    return landscape(found)[:n]


def outcome(case: Case, judge: Judge, landscape: Landscape, plan: Plan) -> Outcome:
    """Of all seeds."""
    runs = [asked(case, landscape, plan, seed) for seed in range(plan.n_seeds if case.draws else 1)]
    return Outcome({box: np.array([judge.shares(losses, box) for losses in runs]) for box in judge.boxes})


def page(plan: Plan, judge: Judge, landscape: Landscape, found: Mapping[str, Outcome]) -> str:
    """The table, and what it says."""
    rows = []
    for name, one in found.items():
        ratio = one.median() / found["random"].median()
        after = np.median(one.shares["the space"][:, min(BUDGET, plan.n_evaluations) - 1])
        cells = [_spread(one, box) for box in judge.boxes]
        rows.append([name, cells[0], f"{ratio:.2f}" if np.isfinite(ratio) else "-", f"{after:.3f}", cells[1]])
    headings = [
        "searcher",
        f"evaluations to {SHARE:.0%}",
        "of those of random",
        f"share after {min(BUDGET, plan.n_evaluations)}",
        "in the box of the front",
    ]
    return (
        f"# Searchers\n\nA space of {len(landscape.losses):,} networks for iris, each of which was trained and "
        f"measured (`benchmarks/landscape.py`): accuracy, expressibility and FLOPs. {len(judge.front)} of them are on "
        f"the true front. Each searcher runs with {plan.n_seeds} seeds until it has asked for {plan.n_evaluations:,} "
        "designs, TPE for 120; the Gaussian process is left out, as it takes seconds for a design. The population is "
        f"{POPULATION}, and as many designs are pending in `steady_state` and in the samplers of Optuna. Medians, in "
        "brackets the quartiles, of the evaluations until the front "
        f"has {SHARE:.0%} of the hypervolume of the true one. The reference point is the worst value of "
        "each objective in the space, FLOPs by their logarithm; in the last column it "
        "is the worst value on the true front and a tenth of that front's range beyond. "
        f"{versions()}.\n\n{table(headings, rows)}\n\n"
        f"![Share of the hypervolume against evaluations](searchers.png)\n\n{verdict(found)} "
        "`exhaustive` counts from the smallest circuits, which have the fewest FLOPs: here that order is lucky.\n"
    )


def verdict(found: Mapping[str, Outcome]) -> str:
    """Whether the target is met, in either box."""
    ratios = {box: found["nsga2"].median(box) / found["random"].median(box) for box in found["nsga2"].shares}
    inside, beside = ratios.values()
    if not np.isfinite(inside + beside):
        return "NSGA-II and random search have too few evaluations to be compared."
    return (
        f"NSGA-II needs {inside:.2f} of the evaluations of random search, for which the target is {TARGET:g}: "
        f"{'met' if inside <= TARGET else 'missed'}; {beside:.2f} in the box of the front."
    )


def _spread(one: Outcome, box: str) -> str:
    lower, upper = np.quantile(one.needed(box), [0.25, 0.75], method="inverted_cdf")
    numbers = [_count(value, one.shares[box].shape[1]) for value in (one.median(box), lower, upper)]
    return numbers[0] if lower == upper else f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def _count(value: float, n_most: int) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else f"> {n_most:,}"


def plot(plan: Plan, found: Mapping[str, Outcome]) -> Figure:
    """The median of each searcher, and a band between the quartiles."""
    figure = Figure(figsize=(9, 5.6), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1), facecolor="white")
    FigureCanvasAgg(figure)
    panel = figure.subplots()
    for name, one in found.items():
        if CASES[name].colour:
            _draw(panel, name, one.shares["the space"][:, : plan.n_evaluations])
    panel.axhline(SHARE, color="#9A9A9A", linewidth=0.8, linestyle="--")
    panel.set(xscale="log", xlim=(10, plan.n_evaluations), ylim=(0.6, 1.0))
    panel.set(xlabel="evaluations", ylabel="share of the true front's hypervolume")
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(visible=True, which="major", color="#E6E6E6", linewidth=0.6)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def _draw(panel: Axes, name: str, shares: np.ndarray) -> None:
    lower, middle, upper = np.quantile(shares, [0.25, 0.5, 0.75], axis=0)
    places, colour = np.arange(1, shares.shape[1] + 1), CASES[name].colour
    panel.plot(places, middle, color=colour, label=name, linewidth=2.2 if name == "nsga2" else 1.4)
    panel.fill_between(places, lower, upper, color=colour, alpha=0.12, linewidth=0)


def main() -> None:
    """Search, and write the page and the figure."""
    options = parsed(parser("Count the evaluations that each searcher needs.", "three searchers and two seeds"))
    warnings.simplefilter("ignore")
    plan = QUICK if options.quick else FULL
    landscape = load()
    judge = Judge(landscape)
    found = {}
    for name in plan.names:
        found[name] = outcome(CASES[name], judge, landscape, plan)
        print(f"{name}: {found[name].median():g} evaluations to {SHARE:.0%}", flush=True)
    plot(plan, found).savefig(options.output / "searchers.png", dpi=110)
    write_page(options.output / "searchers.md", page(plan, judge, landscape, found))


if __name__ == "__main__":
    main()
