"""One training step of the same circuit in qnas and in its peers, and how it grows: time, memory, expressibility.

One process, one thread. Peers come from the extra [bench]; those that are not installed are left out. `make bench` runs
it; it writes `simulation.md`, `simulation.png` and the verdict in the README of this folder.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import time
import warnings
from collections.abc import Sequence

from benchmarks.command import HERE, parsed, parser
from benchmarks.figure import plot_growth
from benchmarks.implementations import IMPLEMENTATIONS, Implementation
from benchmarks.measuring import on_one_thread, peak_memory, race, race_expressibility
from benchmarks.report import page, with_verdict
from benchmarks.results import FULL, QUICK, Plan, Results
from qnas.front.plots import save_figure

_MEMORY_OF = {"qnas": 32, "default.qubit": 8}
"""Up to how many layers: at 12 qubits and 8 layers the states that backprop keeps take gigabytes."""


def main() -> None:
    """Measure, and write the page, the figure and the README."""
    options = parsed(parser("Measure one training step in qnas and in its peers.", "small sizes and two repeats"))
    warnings.simplefilter("ignore")
    on_one_thread()
    started = time.perf_counter()
    results = measured(QUICK if options.quick else FULL, _installed())
    (options.output / "simulation.md").write_text(page(results))
    (options.output / "README.md").write_text(with_verdict((HERE / "README.md").read_text(), results))
    save_figure(plot_growth(results), options.output / "simulation.png")
    print(f"\n{page(results)}\n{(time.perf_counter() - started) / 60:.1f} minutes")


def measured(plan: Plan, implementations: Sequence[Implementation]) -> Results:
    """All that the plan asks for; memory first, while this process is small."""
    names = [one.name for one in implementations if one.name in _MEMORY_OF]
    memory = {
        case: {name: peak_memory(name, case) for name in names if case.n_layers <= _MEMORY_OF[name]}
        for case in plan.memory
    }
    pairs = race_expressibility(plan.expressibility, plan.n_pairs, plan.n_looped, plan.n_rounds)
    timings, share = race(plan.cases, implementations, plan.n_rounds)
    return Results(plan, timings, memory, pairs, share)


def _installed() -> list[Implementation]:
    for one in IMPLEMENTATIONS:
        if not one.installed:
            print(f"{one.name} is left out: {one.module} is not installed")
    return [one for one in IMPLEMENTATIONS if one.installed]


if __name__ == "__main__":
    main()
