"""What early stopping saves and what it costs: training steps and hypervolume on the main job.

Two comparisons: what remains of the hypervolume of the same designs, when their training is replayed with early
stopping from their learning curves; and searches, which take other courses with other values, so that their
hypervolumes differ by chance, too. Independent of how fast or busy the machine is; `make bench` runs it, too. It writes
`early_stopping.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import ceil
from pathlib import Path

import numpy as np

import qnas
from benchmarks.command import parsed, parser, write_page
from benchmarks.report import table, versions
from qnas.config import EarlyStoppingSettings
from qnas.experiment.evaluation import Evaluation, splits_of
from qnas.experiment.losses import Box
from qnas.experiment.results import Findings, read_findings
from qnas.experiment.rungs import Rungs

_HALF, _MORE = "off with half of the generations", "halving with 5 generations"
METHODS: Mapping[str, Sequence[str]] = {
    "off": (),
    "halving": ("early_stopping=halving",),
    _MORE: ("early_stopping=halving", "search.generations=5"),
    "extrapolation": ("early_stopping=extrapolation",),
}
REPLAYED = tuple(
    EarlyStoppingSettings(name, first, factor)
    for name in ("halving", "extrapolation")
    for first, factor in ((2, 3), (3, 3), (4, 3), (3, 2))
)
STEPS = 0.5
"""The target: at most so many of the training steps without early stopping."""


@dataclass(frozen=True)
class Plan:
    """Overrides of the job, and seeds."""

    job: Sequence[str]
    seeds: Sequence[int]


FULL = Plan((), (0, 1, 2))
QUICK = Plan(
    (
        "data=iris",
        "executor=serial",
        "search.population=4",
        "search.generations=2",
        "training.epochs=5",
        "objectives.options.expressibility.n_pairs=100",
        "objectives.options.trainability.n_starts=8",
    ),
    (0,),
)


@dataclass(frozen=True)
class Outcome:
    """Of one search, or of a replay; the hypervolume is in the box of the first generation without early stopping."""

    steps: int
    hypervolume: float
    best: float

    @classmethod
    def of(cls, findings: Findings, box: Box) -> Outcome:
        """What was found."""
        return cls(_steps(findings), findings.hypervolume(box), findings.table["accuracy"].max())


def outcomes(plan: Plan, seed: int, folder: Path) -> tuple[dict[str, Outcome], dict[EarlyStoppingSettings, Outcome]]:
    """Of every search with one seed, and of every replay of the designs of the one without early stopping."""
    found: dict[str, Findings] = {}
    for method, overrides in METHODS.items():
        run_dir = folder / f"{method}-{seed}"
        qnas.search([*plan.job, *overrides, f"seed={seed}", f"run_dir={run_dir}"])
        found[method] = read_findings(run_dir)
    off = found["off"]
    found[_HALF] = replace(off, evaluations=dict(list(off.evaluations.items())[: len(off.evaluations) // 2]))
    replays = {settings: replayed(off, settings) for settings in REPLAYED}
    _check_replay(replays[found["halving"].config.early_stopping], found["halving"])
    box = off.box()
    searches = {method: Outcome.of(findings, box) for method, findings in found.items()}
    return searches, {settings: Outcome.of(findings, box) for settings, findings in replays.items()}


def replayed(findings: Findings, settings: EarlyStoppingSettings) -> Findings:
    """The same designs in the same generations, stopped as these settings have it."""
    config = findings.config
    rungs = Rungs(settings, config.training.epochs, findings.objectives, findings.constraints)
    found: dict[int, Evaluation] = {}
    for generation in batched(findings.evaluations, config.search.population):
        stages = rungs.stages()
        reached = {design_id: stopped(findings.evaluations[design_id], stages[0]) for design_id in generation}
        climbing = list(generation)
        for rung, until in enumerate(stages[1:]):
            climbing = rungs.promoted({design_id: reached[design_id] for design_id in climbing}, len(generation), rung)
            reached |= {design_id: stopped(findings.evaluations[design_id], until) for design_id in climbing}
        for evaluation in reached.values():
            rungs.learn(evaluation)
        found |= reached
    return replace(findings, evaluations=found)


def _check_replay(replay: Findings, search: Findings) -> None:
    """The first generation is the same in both. Raises SystemExit if its values are not."""
    for design_id in range(search.config.search.population):
        one, other = (findings.evaluations[design_id].values for findings in (replay, search))
        if one != other:
            raise SystemExit(f"design {design_id} has {one} in the replay, and {other} in the search.")


def stopped(evaluation: Evaluation, epochs: int | None) -> Evaluation:
    """A trained design as it was after so many epochs: at its least validation loss until then; None for its end."""
    if not evaluation.complete:
        return evaluation
    curve = evaluation.details["accuracy"]["learning_curve"]
    if epochs is None or len(curve) <= epochs:
        return evaluation
    best = min(curve[:epochs], key=lambda epoch: epoch["validation_loss"])
    return replace(
        evaluation,
        values={**evaluation.values, "accuracy": best["validation_score"]},
        details={**evaluation.details, "accuracy": {"learning_curve": curve[:epochs]}},
        stopped_at=epochs,
    )


def batched(ids: Iterable[int], n: int) -> Iterator[list[int]]:
    """So many ids at a time."""
    rest = iter(ids)
    return iter(lambda: list(islice(rest, n)), [])


def _steps(findings: Findings) -> int:
    """Of training, over all designs; what is trained on is not trained again, so the curve has all of its epochs."""
    rows = len(splits_of(findings.config.data).train.features)
    complete = [one for one in findings.evaluations.values() if one.complete]
    epochs = sum(len(one.details["accuracy"]["learning_curve"]) for one in complete)
    return epochs * ceil(rows / findings.config.training.batch_size)


def page(searches: Sequence[Mapping[str, Outcome]], replays: Sequence[Mapping[EarlyStoppingSettings, Outcome]]) -> str:
    """The tables, and what they say."""
    headings = ["training steps", "of those of off", "hypervolume, of that of off", "best accuracy"]
    by_method = {method: [one[method] for one in searches] for method in ("off", _HALF, *list(METHODS)[1:])}
    by_rungs = {
        f"{settings.name}, first={settings.first}, factor={settings.factor}": [one[settings] for one in replays]
        for settings in REPLAYED
    }
    off = by_method["off"]
    verdicts = []
    for method in list(METHODS)[1:]:
        share, volume = (float(np.median(ratios)) for ratios in _ratios(by_method[method], off))
        met = "met" if share <= STEPS and volume >= 1 else "missed"
        verdicts.append(f"{met} by {method} ({volume:.3f} of it with {share:.2f} of the steps)")
    return (
        f"# Early stopping\n\nThe main job (`qnas search`), {len(searches)} seeds: medians, in brackets the least and "
        "the most. Hypervolumes are of the same box, which the first generation without early stopping spans; values "
        f"of designs that were stopped count as they were then. {versions()}.\n\n## The same designs\n\nThose of the "
        "searches without early stopping, their training replayed from their learning curves: `first` epochs for all, "
        "and `factor` times as many for one in `factor`, again and again.\n\n"
        f"{table(['rungs', *headings], _rows(by_rungs, off))}\n\n## Searches\n\nWith other values a search takes "
        "another course, and which one finds more is chance as well.\n\n"
        f"{table(['early stopping', *headings], _rows(by_method, off))}\n\nThe same hypervolume with at most {STEPS:g} "
        f"of the steps is {', '.join(verdicts)}.\n"
    )


def _rows(found: Mapping[str, Sequence[Outcome]], off: Sequence[Outcome]) -> list[list[str]]:
    rows = []
    for name, outcomes in found.items():
        absolute = f"{np.median([one.steps for one in outcomes]):,.0f}"
        best = f"{np.median([one.best for one in outcomes]):.3f}"
        rows.append([name, absolute, *map(_spread, _ratios(outcomes, off)), best])
    return rows


def _ratios(outcomes: Sequence[Outcome], off: Sequence[Outcome]) -> tuple[np.ndarray, np.ndarray]:
    """Of steps, and of hypervolumes."""
    pairs = list(zip(outcomes, off, strict=True))
    steps = [one.steps / whole.steps for one, whole in pairs]
    return np.array(steps), np.array([one.hypervolume / whole.hypervolume for one, whole in pairs])


def _spread(ratios: np.ndarray) -> str:
    return f"{np.median(ratios):.3f} ({ratios.min():.3f} to {ratios.max():.3f})"


def main() -> None:
    """Search, and write the page."""
    options = parsed(parser("Compare searches with and without early stopping.", "a small job and one seed"))
    warnings.simplefilter("ignore")
    plan = QUICK if options.quick else FULL
    searches, replays = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in plan.seeds:
            of_searches, of_replays = outcomes(plan, seed, Path(folder))
            searches.append(of_searches)
            replays.append(of_replays)
            print(seed, of_searches, flush=True)
    text = page(searches, replays)
    write_page(options.output / "early_stopping.md", text)


if __name__ == "__main__":
    main()
