"""Where the time of a small step goes: what torch and Aer take whatever we do, and the rest.

`make bench` runs it after `simulation.py`; it writes `limits.md`.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1")

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import SparsePauliOp

from benchmarks.implementations import Case, Step, circuit_of
from qnas.circuit.readouts import z
from qnas.experiment.folder import processor
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation.aer import Register
from qnas.simulation.contract import EVERYTHING, Binding, Gradients, Needs, Spent

CASES = (Case(4, 2, 32), Case(6, 4, 32), Case(8, 4, 32))
N_STEPS = 400


@dataclass(frozen=True)
class Parts:
    """Microseconds of one step, medians, and how often it calls Aer."""

    whole: float
    torch: float
    aer: float
    n_gates: float
    n_flushes: float


class Nothing:
    """An executable that returns zeros, so that what is left of a step is torch and the layer around it."""

    spent = Spent()
    shifts = True
    one_job = False

    def __init__(self, varying: np.ndarray) -> None:
        self.varying = varying

    def forward(self, binding: Binding) -> tuple[np.ndarray, object]:
        self._gradients = Gradients(np.zeros_like(binding.shared), np.zeros_like(binding.varying), None)
        return np.zeros((binding.batch, binding.varying.shape[1])), None

    def backward(
        self, binding: Binding, residual: object, cotangent: np.ndarray, needs: Needs = EVERYTHING
    ) -> Gradients:
        return self._gradients


class NoSimulator:
    """Prepares nothing."""

    def prepare(self, program: object, observables: list[SparsePauliOp], varying: np.ndarray) -> Nothing:
        return Nothing(varying)


def parts_of(case: Case) -> Parts:
    """Measured in real steps: Aer by the time inside its calls, torch by steps without a simulation."""
    whole = _median(_step(case, None))
    with _timed_aer() as spent:
        step = _step(case, None)
        rows = []
        for _ in range(N_STEPS):
            spent.clear()
            step()
            rows.append((sum(seconds for seconds, _ in spent), len(spent), sum(flush for _, flush in spent)))
    seconds, n_calls, n_flushes = np.median(rows, axis=0)
    without = _median(_step(case, NoSimulator()))
    return Parts(whole, without, seconds * 1e6, n_calls - n_flushes, n_flushes)


def _step(case: Case, simulator: Any) -> Step:
    circuit, x, w = circuit_of(case)
    layer = QuantumLayer(circuit, list(x), list(w), z(case.n_qubits), simulator)
    inputs = torch.tensor(case.inputs, requires_grad=True)
    cotangent = torch.tensor(case.cotangent)
    return lambda: torch.autograd.grad(layer(inputs), [layer.weight, inputs], cotangent)


def _median(step: Step) -> float:
    seconds = []
    for _ in range(N_STEPS):
        started = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds)) * 1e6


@contextmanager
def _timed_aer() -> Iterator[list[tuple[float, bool]]]:
    """Seconds of every call of Aer, and whether it was a flush of queued gates."""
    calls: list[tuple[float, bool]] = []
    queued = [0]
    before = {name: getattr(Register, name) for name in ("unitary", "multiplexer", "flush")}

    def timed(name: str) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            started = time.perf_counter()
            before[name](*arguments)
            seconds, runs = time.perf_counter() - started, name == "flush" and queued[0] > 0
            queued[0] = 0 if name == "flush" else queued[0] + 1
            if runs or name != "flush":
                calls.append((seconds, runs))

        return call

    try:
        for name in before:
            setattr(Register, name, timed(name))
        yield calls
    finally:
        for name, method in before.items():
            setattr(Register, name, method)


def page(parts: dict[Case, Parts]) -> str:
    """The table, and what it says."""
    rows = {
        "whole step": [f"{one.whole:.0f}" for one in parts.values()],
        "torch and the layer, with no simulation": [f"{one.torch:.0f}" for one in parts.values()],
        "inside Aer's calls": [f"{one.aer:.0f}" for one in parts.values()],
        "numpy and the rest": [f"{one.whole - one.torch - one.aer:.0f}" for one in parts.values()],
        "gates handed to Aer, flushes": [f"{one.n_gates:.0f}, {one.n_flushes:.0f}" for one in parts.values()],
    }
    lines = [
        "# Where the time of a small step goes",
        "",
        f"Microseconds, medians of {N_STEPS} steps with the gradients of weights and inputs, batch {CASES[0].batch}, "
        f"on one thread of {processor()}.",
        "",
        f"| qubits/layers | {' | '.join(map(str, parts))} |",
        f"|---|{'---|' * len(parts)}",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()),
        "",
        "torch and Aer are the floor: an autograd function that does nothing, and one flush for each stretch of gates "
        "between permutations. numpy's part is a number of calls on arrays of a few hundred entries, one to three "
        "microseconds each, which compiled code does not have.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(1)
    text = page({case: parts_of(case) for case in CASES})
    (Path(__file__).resolve().parent / "limits.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
