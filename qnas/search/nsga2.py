"""NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017) as pymoo has it, on genotypes, driven by ask and tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection

from qnas.errors import ConfigurationError
from qnas.references import cites
from qnas.search.novelty import Novelty
from qnas.search.operators import NewDesigns, NewMating, OnlyNew
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype

_FAILED = 1e100
"""The violation of a design that failed; pymoo wants finite ones."""


@cites("deb2002", "blank2020")
class Nsga2:
    """Evolves a population towards the Pareto front; failed designs lose against all others, and designs that meet the
    constraints win against all others.

    Args:
        settings: `population` and `generations`.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has.
        seed: of everything random in the search.

    Raises:
        ConfigurationError: `evaluations` is set, which is the budget of searchers without generations.
    """

    max_pending = 1

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        if settings.evaluations is not None:
            raise ConfigurationError(
                f"search.evaluations is {settings.evaluations}, but nsga2 spends search.population * "
                "search.generations; set these, or search=random."
            )
        self.n_evaluations = settings.population * settings.generations
        self._novelty = novelty
        self._n_left = settings.generations
        self._pending = Pending()
        self._offspring = Population.empty()
        self._algorithm = NSGA2(
            pop_size=settings.population,
            sampling=NewDesigns(self._novelty),
            mating=NewMating(self._novelty, TournamentSelection(func_comp=binary_tournament)),
            eliminate_duplicates=OnlyNew(self._novelty),
            seed=seed,
        )
        # one constraint: the violation, which is 0 for a design that meets all there are
        problem = Problem(n_var=len(novelty.space.genes), n_obj=n_objectives, n_ieq_constr=1)
        self._algorithm.setup(problem, termination=NoTermination())

    def ask(self) -> list[Genotype]:
        """The next generation; empty after the last one, or when the space is exhausted."""
        self._pending.check_told()
        offspring = self._algorithm.ask() if self._n_left else None
        if offspring is None:  # pymoo's answer if nothing new is left
            return []
        self._n_left -= 1
        self._offspring = offspring
        genotypes = [member.X for member in self._offspring]
        self._novelty.record(genotypes)
        return self._pending.open(genotypes)

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Select the survivors."""
        self._pending.close(genotypes, losses, violations)
        # pymoo sorts designs that break a constraint by their violation alone
        self._offspring.set("F", np.nan_to_num(losses), "G", np.minimum(violations, _FAILED)[:, None])
        self._algorithm.tell(infills=self._offspring)
