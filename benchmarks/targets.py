"""What qnas is meant to reach in one run, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.results import Results

RATIOS = {
    "TensorCircuit-NG": {"4q/2": 1.0, "8q/4": 2.0, "10q/4": 1.5},
    "default.qubit": {"4q/2": 12.0, "6q/4": 15.0, "8q/4": 7.0, "10q/4": 3.0},
    "lightning.qubit": {"4q/2": 80.0, "6q/4": 75.0, "8q/4": 30.0, "10q/4": 9.0},
    "EstimatorQNN": {"4q/2": 5000.0},
}
"""At least so many times as long as qnas; TensorCircuit-NG after compiling."""
SLOPE, MEMORY_GROWTH, EXPRESSIBILITY = 1.1, 1.1, 20.0


@dataclass(frozen=True)
class Outcome:
    """A target, what was found, and whether it is met."""

    what: str
    target: str
    found: str
    met: bool


def outcomes(results: Results) -> list[Outcome]:
    """Every target that the run measured."""
    plan, pairs = results.plan, results.expressibility
    found = []
    for name, targets in RATIOS.items():
        for case in plan.table:
            ratio, least = results.ratio(name, case), targets.get(str(case))
            if ratio is not None and least is not None:
                found.append(Outcome(f"{name} at {case}", f"{least:,g}x", f"{ratio:,.3g}x", ratio >= least))
    fewest, most = plan.memory[0].n_layers, plan.memory[-1].n_layers
    return [
        *found,
        Outcome(
            f"slope of time over layers, {plan.slope_from} to {plan.layers[-1]}",
            f"at most {SLOPE}", f"{results.slope:.2f}", results.slope <= SLOPE,
        ),
        Outcome(
            f"the most memory from {fewest} to {most} layers over that at {fewest}",
            f"at most {MEMORY_GROWTH}", f"{results.memory_growth:.2f}", results.memory_growth <= MEMORY_GROWTH,
        ),
        Outcome(
            f"loop over Statevector, {pairs.n_pairs:,} pairs at {plan.expressibility}",
            f"{EXPRESSIBILITY:g}x", f"{pairs.ratio:,.3g}x", pairs.ratio >= EXPRESSIBILITY,
        ),
    ]  # fmt: skip
