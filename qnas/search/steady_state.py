"""Asynchronous NSGA-II: one child at a time, so that no worker waits for the slowest design of a generation.

The steady-state form of Durillo et al. 2009, doi 10.1007/978-3-642-01020-0_18, which parents survive being decided
after every result.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
from pymoo.core.population import Population

from qnas.references import cites
from qnas.search.evolution import Kind, advance, algorithm_of
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype

_PARENTS = 2
"""How many designs must be told before two can mate."""


@searcher("steady_state", takes=("evaluations", "window"))
@cites("deb2002", "durillo2009", "blank2020")
class SteadyState:
    """Asks a child of the current population as soon as one of `window` pending designs is told.

    The k-th design depends on the results of the first k - window, told in the order of asking, and on nothing else;
    the number of workers and who is quicker have no say. The first `population` designs, and all before two are told,
    are random.

    Args:
        settings: `population` survive; `evaluations` is the budget, population * generations if None; `window`.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has.
        seed: of everything random in the search.
    """

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        self.n_evaluations = settings.budget
        self.max_pending = settings.window or settings.population
        self._novelty = novelty
        self._n_random = settings.population
        self._n_left = settings.budget
        self._rng = np.random.default_rng(seed)
        self._pending = Pending(self.max_pending)
        kind = Kind(NSGA2, binary_tournament, {"n_offsprings": 1})
        self._algorithm = algorithm_of(kind, novelty, settings.population, n_objectives, seed)

    def ask(self) -> list[Genotype]:
        """One design; none when the budget is spent, or the space exhausted."""
        self._pending.check_told()
        genotypes = self._next() if self._n_left else []
        self._n_left = self._n_left - 1 if genotypes else 0
        self._novelty.record(genotypes)
        return self._pending.open(genotypes)

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Select the survivors."""
        self._pending.close(genotypes, losses, violations)
        advance(self._algorithm, Population.new(X=np.array(genotypes)), losses, violations)

    def _next(self) -> list[Genotype]:
        n_asked, population = self.n_evaluations - self._n_left, self._algorithm.pop
        if n_asked < self._n_random or population is None or len(population) < min(_PARENTS, self._n_random):
            return self._novelty.draw(1, self._rng)
        known = {"algorithm": self._algorithm, "random_state": self._algorithm.random_state}
        return [child.X for child in self._algorithm.mating.do(self._algorithm.problem, population, 1, **known)]
