"""How time and memory are measured."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from qiskit.quantum_info import Statevector

import qnas
from benchmarks.implementations import Case, Gradients, Implementation, Step, circuit_of

ROOT = Path(__file__).resolve().parents[1]
AGREEMENT = 1e-6
_BLOCK_SECONDS, _BLOCK_STEPS = 0.1, 100


def on_one_thread() -> None:
    """This process from now on."""
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@dataclass(frozen=True)
class Timing:
    """Seconds of every step, of the first call beyond a median step (building, compiling), and how far from qnas.

    The difference is the largest between two gradients, relative to the largest entry of qnas's where that is above 1.
    """

    seconds: tuple[float, ...]
    first: float
    difference: float

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        lower, upper = np.quantile(self.seconds, (0.25, 0.75))
        return float(lower), float(upper)


@dataclass
class _Contender:
    step: Step
    gradients: Gradients
    first: float
    block: int
    difference: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def take_turn(self) -> None:
        self.seconds += [_timed(self.step) for _ in range(self.block)]

    def timing(self) -> Timing:
        return Timing(tuple(self.seconds), max(self.first - float(np.median(self.seconds)), 0.0), self.difference)


def race(
    cases: Sequence[Case], implementations: Sequence[Implementation], n_rounds: int
) -> tuple[dict[Case, dict[str, Timing]], float]:
    """Time the implementations of all cases in turns, so that the noise of the machine hits all alike.

    Quick ones do a block of steps per turn. Also returns the share of the time that this process had its core: where
    others are at work too, long steps are interrupted and short ones are not, so that ratios mislead.

    Raises:
        SystemExit: gradients are not those of the first implementation.
    """
    contenders = {case: _warm(case, implementations) for case in cases}
    wall, processor = time.perf_counter(), time.process_time()
    for turn in range(n_rounds):
        print(f"round {turn + 1} of {n_rounds}", flush=True)
        for row in contenders.values():
            for one in row.values():
                one.take_turn()
    share = (time.process_time() - processor) / (time.perf_counter() - wall)
    return {case: {name: one.timing() for name, one in row.items()} for case, row in contenders.items()}, share


def _warm(case: Case, implementations: Sequence[Implementation]) -> dict[str, _Contender]:
    row = {one.name: _prepared(one, case) for one in implementations if one.takes(case)}
    firsts = ", ".join(f"{name} in {one.first:.2g} s" for name, one in row.items())
    print(f"{case}, batch {case.batch} is ready: {firsts}", flush=True)
    reference = next(iter(row.values())).gradients
    for name, one in row.items():
        one.difference = _difference(name, case, one.gradients, reference)
    return row


def _prepared(implementation: Implementation, case: Case) -> _Contender:
    """Built and warm."""
    started = time.perf_counter()
    step = implementation.make(case)
    gradients = step()
    first = time.perf_counter() - started
    warm = min(_timed(step), _timed(step)) if first < 1 else _timed(step)
    return _Contender(step, gradients, first, block=int(np.clip(_BLOCK_SECONDS / warm, 1, _BLOCK_STEPS)))


def _timed(step: Step) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def _difference(name: str, case: Case, found: Gradients, reference: Gradients) -> float:
    pairs = zip(found, reference, strict=True)
    worst = max(float(np.abs(a - b).max()) / max(float(np.abs(b).max()), 1.0) for a, b in pairs)
    if not worst <= AGREEMENT:
        raise SystemExit(f"the gradients of {name} differ from qnas's by {worst:.1e} at {case}, batch {case.batch}.")
    return worst


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Of the straight line through the logarithms: 1 for linear growth."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def peak_memory(implementation: str, case: Case) -> float:
    """Bytes that one step adds, in a process of its own; see `benchmarks.memory`."""
    command = [sys.executable, "-m", "benchmarks.memory", implementation]
    sizes = [str(size) for size in (case.n_qubits, case.n_layers, case.batch)]
    done = subprocess.run([*command, *sizes], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout.split()[-1])


@dataclass(frozen=True)
class ExpressibilityTiming:
    """Seconds for n_pairs pairs of states; the loop did n_looped of them and is scaled."""

    n_pairs: int
    n_looped: int
    qnas: float
    loop: float

    @property
    def ratio(self) -> float:
        return self.loop / self.qnas


def race_expressibility(case: Case, n_pairs: int, n_looped: int, n_rounds: int) -> ExpressibilityTiming:
    """The whole of `qnas.expressibility`, against the pair fidelities alone in a loop over Statevector."""
    circuit, _, _ = circuit_of(case)
    rng = np.random.default_rng(0)
    n_parameters = len(circuit.parameters)

    def loop() -> None:
        for _ in range(n_looped):
            first, second = (
                Statevector(circuit.assign_parameters(rng.uniform(0, 2 * np.pi, n_parameters))) for _ in range(2)
            )
            abs(first.inner(second)) ** 2

    qnas.expressibility(circuit, n_pairs=n_looped)
    own, theirs = [], []
    for seed in range(n_rounds):
        started = time.perf_counter()
        qnas.expressibility(circuit, n_pairs=n_pairs, seed=seed)
        turn = time.perf_counter()
        loop()
        own.append(turn - started)
        theirs.append((time.perf_counter() - turn) * n_pairs / n_looped)
    return ExpressibilityTiming(n_pairs, n_looped, float(np.median(own)), float(np.median(theirs)))
