"""What early stopping saves and what it costs: training steps and hypervolume on the main job.

Independent of how fast or busy the machine is; `make bench` runs it last. It writes `early_stopping.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import argparse
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np

import qnas
from benchmarks.report import table, versions
from qnas.experiment.evaluation import splits_of
from qnas.experiment.results import Findings, read_findings

HERE = Path(__file__).resolve().parent
METHODS: Mapping[str, Sequence[str]] = {
    "off": (),
    "off, half of the generations": (),
    "halving": ("early_stopping=halving",),
    "extrapolation": ("early_stopping=extrapolation",),
}
STEPS = 0.5
"""The target: at most so many of the training steps without early stopping."""


@dataclass(frozen=True)
class Plan:
    """Overrides of the job, and seeds."""

    job: Sequence[str]
    seeds: Sequence[int]


FULL = Plan((), (0, 1, 2, 3, 4))
QUICK = Plan(
    (
        "data=iris",
        "search.population=8",
        "search.generations=2",
        "training.epochs=5",
        "objectives.options.expressibility.n_pairs=100",
        "objectives.options.trainability.n_starts=8",
    ),
    (0,),
)


@dataclass(frozen=True)
class Outcome:
    """Of one search; the hypervolume is in the box of the first generation without early stopping."""

    steps: int
    hypervolume: float
    best: float


def outcomes(plan: Plan, seed: int, folder: Path) -> dict[str, Outcome]:
    """Of every method with one seed."""
    found: dict[str, Findings] = {}
    for method, overrides in METHODS.items():
        if method == "off, half of the generations":
            continue
        run_dir = folder / f"{method}-{seed}"
        qnas.search([*plan.job, *overrides, f"seed={seed}", f"run_dir={run_dir}"])
        found[method] = read_findings(run_dir)
    box = found["off"].box()
    first_half = dict(list(found["off"].evaluations.items())[: len(found["off"].evaluations) // 2])
    found["off, half of the generations"] = replace(found["off"], evaluations=first_half)
    return {
        method: Outcome(_steps(found[method]), found[method].hypervolume(box), found[method].table["accuracy"].max())
        for method in METHODS
    }


def _steps(findings: Findings) -> int:
    """Of training, over all designs; what is trained on is not trained again, so the curve has all of its epochs."""
    rows = len(splits_of(findings.config.data).train.features)
    complete = [one for one in findings.evaluations.values() if one.complete]
    epochs = sum(len(one.details["accuracy"]["learning_curve"]) for one in complete)
    return epochs * ceil(rows / findings.config.training.batch_size)


def page(found: Sequence[Mapping[str, Outcome]]) -> str:
    """The table, and what it says."""
    rows, verdicts = [], []
    for method in METHODS:
        steps = np.array([one[method].steps / one["off"].steps for one in found])
        volumes = np.array([one[method].hypervolume / one["off"].hypervolume for one in found])
        absolute = f"{np.median([one[method].steps for one in found]):,.0f}"
        best = f"{np.median([one[method].best for one in found]):.3f}"
        rows.append([method, absolute, _spread(steps), _spread(volumes), best])
        if method in ("halving", "extrapolation"):
            share, volume = np.median(steps), np.median(volumes)
            met = "met" if share <= STEPS and volume >= 1 else "missed"
            verdicts.append(f"{met} by {method} ({volume:.3f} of it with {share:.2f} of the steps)")
    headings = ["early stopping", "training steps", "of those of off", "hypervolume, of that of off", "best accuracy"]
    return (
        f"# Early stopping\n\nThe main job (`qnas search`), {len(found)} seeds: medians, in brackets the least and the "
        "most. Hypervolumes are of the same box, which the first generation without early stopping spans; values of "
        f"designs that were stopped count as they were then. {versions()}.\n\n{table(headings, rows)}\n\nThe same "
        f"hypervolume with at most {STEPS:g} of the steps is {', '.join(verdicts)}.\n"
    )


def _spread(ratios: np.ndarray) -> str:
    return f"{np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})"


def main() -> None:
    """Search, and write the page."""
    options = _options()
    warnings.simplefilter("ignore")
    plan = QUICK if options.quick else FULL
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in plan.seeds:
            found.append(outcomes(plan, seed, Path(folder)))
            print(seed, found[-1], flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "early_stopping.md").write_text(page(found))
    print(f"\n{page(found)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare searches with and without early stopping.")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder to write to; this one by default")
    parser.add_argument("--quick", action="store_true", help="a small job and one seed, to see that it works")
    options = parser.parse_args()
    if options.quick and options.output.resolve() == HERE:
        parser.error("--quick needs another --output: its numbers are no verdict.")
    return options


if __name__ == "__main__":
    main()
