"""Seconds of the objectives of one design, against the same definitions with `qiskit.quantum_info` and a loop.

One process, one thread; `make bench` runs it after `simulation.py`. It writes `objectives.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import loops
from benchmarks.command import parsed, parser, write_page
from benchmarks.measuring import on_one_thread
from benchmarks.report import table, versions
from qnas.architecture import Architecture
from qnas.data import Split, Splits
from qnas.experiment.folder import processor
from qnas.model.training import TrainingSettings
from qnas.objectives import Design, choose_objectives

AGREEMENT = 1e-9
SECONDS, RATIO = 2.5, 10.0
"""The targets: all default objectives but the one that trains, and the loop over qnas."""
_LONG = 2.0
"""Seconds from which on a loop is measured once, after it has warmed up."""
DEFAULTS = ("expressibility", "trainability", "flops")


@dataclass(frozen=True)
class Plan:
    """The size of the design, how many repeats, and how much of its work each loop that can be cut short does.

    The loops of the other objectives do all of it.
    """

    n_qubits: int
    n_layers: int
    n_rounds: int
    n_pairs: int
    n_starts: int
    n_samples: int


FULL = Plan(n_qubits=8, n_layers=4, n_rounds=7, n_pairs=100, n_starts=2, n_samples=50)
QUICK = Plan(n_qubits=3, n_layers=2, n_rounds=2, n_pairs=20, n_starts=2, n_samples=20)


@dataclass(frozen=True)
class Contest:
    """An objective and its loop, which does a part of the work.

    Attributes:
        name: of the objective.
        loop: what returns the same value for the same part.
        part: the objective's options that make it do this part; none if it does all.
        factor: how many times as much work the objective does by default.
        work: in words, what the loop does.
    """

    name: str
    loop: Callable[[Design], float]
    part: dict[str, int]
    factor: float
    work: str


@dataclass(frozen=True)
class Result:
    """Median seconds of an objective, and of its loop, scaled to the same work."""

    contest: Contest
    qnas: float
    loop: float

    @property
    def ratio(self) -> float:
        return self.loop / self.qnas


def contests(plan: Plan) -> list[Contest]:
    """With the objectives' defaults of 5,000 pairs, 64 starts of 32 samples and 1,000 states."""
    pairs, starts, samples = plan.n_pairs, plan.n_starts, plan.n_samples
    return [
        Contest(
            "expressibility", lambda design: loops.expressibility(design, pairs), {"n_pairs": pairs}, 5000 / pairs,
            f"{pairs} of 5,000 pairs",
        ),
        Contest(
            "trainability", lambda design: loops.trainability(design, starts), {"n_starts": starts, "batch_size": 1},
            64 * 32 / starts, f"{starts} of 64 starts, 1 of 32 samples",
        ),
        Contest("flops", loops.flops, {}, 1, "all gates"),
        Contest(
            "entangling_capability", lambda design: loops.entangling_capability(design, samples),
            {"n_samples": samples}, 1000 / samples, f"{samples} of 1,000 states",
        ),
        Contest("lie_algebra_dim", loops.lie_algebra_dim, {}, 1, "all commutators"),
        Contest("gradient_efficiency", loops.gradient_efficiency, {}, 1, "all commutators"),
    ]  # fmt: skip


def design_of(plan: Plan) -> Design:
    """RY encoding, layers of RY, RZ and a ring of CX, <Z_i>, an MLP in front and a linear map behind; made anew."""
    layer = {"rotation": "ry_rz", "entangler": "cx", "topology": "ring"}
    values = {"n_qubits": plan.n_qubits, "encoding": {"name": "angle", "axis": "y"}, "layers": [layer] * plan.n_layers}
    architecture = Architecture(values | {"coupling": "serial", "hidden": (16,), "readout": "z"})
    rng = np.random.default_rng(0)
    split = Split(rng.normal(size=(64, 10)), rng.integers(2, size=64))
    splits = Splits(split, split, split, "classification", ("low", "high"))
    return Design(architecture, splits, TrainingSettings())


def race(contest: Contest, plan: Plan) -> Result:
    """One objective and its loop in turns. Raises SystemExit if their values differ."""
    (objective,) = choose_objectives([contest.name])
    (part,) = choose_objectives([contest.name], (), {contest.name: contest.part} if contest.part else {})
    first, value = _timed(contest.loop, design_of(plan))
    found = part(design_of(plan)).value
    if not abs(found - value) <= AGREEMENT * max(abs(found), 1):
        raise SystemExit(f"{contest.name} is {found} in qnas and {value} in the loop.")
    n_loops = plan.n_rounds if first < _LONG else 1
    own, looped = [], []
    for turn in range(plan.n_rounds):
        design = design_of(plan)
        own.append(_timed(objective, design)[0])
        if turn < n_loops:
            looped.append(_timed(contest.loop, design)[0])
    print(f"{contest.name} is measured", flush=True)
    return Result(contest, float(np.median(own)), contest.factor * float(np.median(looped)))


def defaults_together(plan: Plan) -> float:
    """Median seconds of all default objectives that need no training, from an architecture on."""
    chosen = choose_objectives(DEFAULTS)

    def evaluate(plan: Plan) -> None:
        design = design_of(plan)
        for objective in chosen:
            objective(design)

    return float(np.median([_timed(evaluate, plan)[0] for _ in range(plan.n_rounds)]))


def _timed(call: Callable[[Any], Any], argument: object) -> tuple[float, Any]:
    """Seconds that the processor worked, whoever else was at work beside, and what the call returned."""
    started = time.process_time()
    found = call(argument)
    return time.process_time() - started, found


def page(plan: Plan, results: Sequence[Result], together: float) -> str:
    """The table, and what it says."""
    rows = [
        [f"`{one.contest.name}`", _digits(one.qnas), _digits(one.loop), one.contest.work, f"{_digits(one.ratio)}x"]
        for one in results
    ]
    slow = [f"`{one.contest.name}`, {_digits(one.ratio)}x" for one in results if one.ratio < RATIO]
    verdict = f"all but {', '.join(slow)}" if slow else "all"
    return (
        f"# Objectives of one design\n\n{plan.n_qubits} qubits, {plan.n_layers} layers: RY encoding, layers of RY and "
        f"RZ on each qubit and a ring of CX, all <Z_i>, an MLP in front and a linear map behind. Seconds that one "
        f"thread of {processor()} worked; medians of {plan.n_rounds}, after warm-up; {versions()}.\n\n"
        f"The {len(DEFAULTS)} default objectives that need no training, {', '.join(DEFAULTS)}, take {together:.2f} s "
        f"together, the design's circuit and model included; the target is {SECONDS} s.\n\n"
        f"{table(['', 'qnas', 'loop', 'of which the loop did', 'loop / qnas'], rows)}\n\n"
        f"The loop is the same definition with `qiskit.quantum_info`, in `loops.py`: bound circuits as `Statevector`s, "
        f"derivatives by parameter shift, algebra with `PauliList` and matrices. Where it did a part, its time is "
        f"scaled to the whole. Every run checks that both return the same value, to {AGREEMENT:.0e}, for the loop's "
        f"part. The target of {RATIO:g}x is met by {verdict}. `flops` simulates nothing, here or there: it looks at "
        f"each gate once and runs one sample through the networks.\n"
    )


def _digits(value: float) -> str:
    """Three of them."""
    return f"{float(f'{value:.3g}'):,g}"


def main() -> None:
    """Measure, and write the page."""
    options = parsed(
        parser("Measure the objectives of one design, and the same written as loops.", "a small design and two repeats")
    )
    warnings.simplefilter("ignore")
    on_one_thread()
    plan = QUICK if options.quick else FULL
    text = page(plan, [race(contest, plan) for contest in contests(plan)], defaults_together(plan))
    write_page(options.output / "objectives.md", text)


if __name__ == "__main__":
    main()
