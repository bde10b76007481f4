"""What is measured, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from benchmarks.implementations import Case
from benchmarks.measuring import ExpressibilityTiming, Timing, slope

AXES = {"layers": attrgetter("n_layers"), "batch": attrgetter("batch"), "qubits": attrgetter("n_qubits")}


@dataclass(frozen=True)
class Plan:
    """The sizes (qubits, layers), and how each axis grows while the others stay at the base case."""

    sizes: tuple[tuple[int, int], ...]
    base: Case
    layers: tuple[int, ...]
    batches: tuple[int, ...]
    qubits: tuple[int, ...]
    slope_from: int
    n_rounds: int
    memory: tuple[Case, ...]
    expressibility: Case
    n_pairs: int
    n_looped: int

    @property
    def table(self) -> tuple[Case, ...]:
        return tuple(Case(n_qubits, n_layers, self.base.batch) for n_qubits, n_layers in self.sizes)

    @property
    def growth(self) -> dict[str, tuple[Case, ...]]:
        """The cases along each axis."""
        base = self.base
        return {
            "layers": tuple(Case(base.n_qubits, n_layers, base.batch) for n_layers in self.layers),
            "batch": tuple(Case(base.n_qubits, base.n_layers, batch) for batch in self.batches),
            "qubits": tuple(Case(n_qubits, base.n_layers, base.batch) for n_qubits in self.qubits),
        }

    @property
    def held(self) -> dict[str, str]:
        """What stays the same along each axis."""
        n_qubits, n_layers = f"{self.base.n_qubits} qubits", f"{self.base.n_layers} layers"
        batch = f"batch {self.base.batch}"
        return {"layers": f"{n_qubits}, {batch}", "batch": f"{n_qubits}, {n_layers}", "qubits": f"{n_layers}, {batch}"}

    @property
    def cases(self) -> tuple[Case, ...]:
        """Every case once."""
        return tuple(dict.fromkeys((*self.table, *(case for cases in self.growth.values() for case in cases))))


FULL = Plan(
    sizes=((4, 2), (6, 4), (8, 4), (10, 4), (12, 4)),
    base=Case(6, 4, 32),
    layers=(1, 2, 4, 8, 16, 32),
    batches=(1, 4, 16, 64, 256, 1024),
    qubits=(2, 4, 6, 8, 10, 12, 14, 16),
    slope_from=4,
    n_rounds=7,
    memory=tuple(Case(12, n_layers, 32) for n_layers in (4, 8, 16, 32)),
    expressibility=Case(8, 4, 1),
    n_pairs=5000,
    n_looped=200,
)
QUICK = Plan(
    sizes=((2, 1), (3, 2)),
    base=Case(3, 2, 2),
    layers=(1, 2, 4),
    batches=(1, 2),
    qubits=(2, 3),
    slope_from=1,
    n_rounds=2,
    memory=tuple(Case(4, n_layers, 2) for n_layers in (1, 2)),
    expressibility=Case(3, 2, 1),
    n_pairs=50,
    n_looped=5,
)


@dataclass(frozen=True)
class Results:
    """Of one run: timings by implementation, bytes that a step adds by implementation, and expressibility.

    The share is that of the time for which the run had its core to itself.
    """

    plan: Plan
    timings: Mapping[Case, Mapping[str, Timing]]
    memory: Mapping[Case, Mapping[str, float]]
    expressibility: ExpressibilityTiming
    share: float

    @property
    def names(self) -> list[str]:
        """The implementations that were measured, qnas first."""
        return list(dict.fromkeys(name for row in self.timings.values() for name in row))

    @property
    def slope(self) -> float:
        """Of qnas's time over the layers, on logarithmic axes."""
        cases = [case for case in self.plan.growth["layers"] if case.n_layers >= self.plan.slope_from]
        return slope([case.n_layers for case in cases], [self.timings[case]["qnas"].median for case in cases])

    @property
    def memory_growth(self) -> float:
        """The most memory that qnas takes at any number of layers, over that at the fewest."""
        taken = [self.memory[case]["qnas"] for case in self.plan.memory]
        return max(taken) / taken[0]

    def ratio(self, name: str, case: Case) -> float | None:
        """How many times as long as qnas another implementation takes; None if it was not measured."""
        row = self.timings[case]
        return row[name].median / row["qnas"].median if name in row else None

    def difference(self, name: str) -> float:
        """The largest difference of gradients from qnas's, over all cases."""
        return max(row[name].difference for row in self.timings.values() if name in row)
