"""Genetic algorithms as pymoo has them, on genotypes, driven by ask and tell."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from pymoo.core.algorithm import Algorithm
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.selection.tournament import TournamentSelection

from qnas.search.novelty import Novelty
from qnas.search.operators import NewDesigns, NewMating, OnlyNew
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype

_FAILED = 1e100
"""The violation of a design that failed; pymoo wants finite ones."""


@dataclass(frozen=True)
class Kind:
    """A genetic algorithm of pymoo: its class, how it compares two parents, and keywords of its own."""

    algorithm: type[Algorithm]
    compare: Any
    options: dict[str, Any]


def algorithm_of(kind: Kind, novelty: Novelty, population: int, n_objectives: int, seed: int) -> Algorithm:
    """An algorithm whose designs are new ones of the space, and whose only constraint is that the violation is 0."""
    algorithm = kind.algorithm(
        pop_size=population,
        sampling=NewDesigns(novelty),
        mating=NewMating(novelty, TournamentSelection(func_comp=kind.compare)),
        eliminate_duplicates=OnlyNew(novelty),
        seed=seed,
        **kind.options,
    )
    problem = Problem(n_var=len(novelty.space.genes), n_obj=n_objectives, n_ieq_constr=1)
    return algorithm.setup(problem, termination=NoTermination())


def advance(
    algorithm: Algorithm, designs: Population, losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
) -> None:
    """Select the survivors; pymoo sorts designs that break a constraint by their violation alone."""
    designs.set("F", np.nan_to_num(losses), "G", np.minimum(violations, _FAILED)[:, None])
    with warnings.catch_warnings():  # NSGA-III silences those of the whole process
        algorithm.tell(infills=designs)


class Evolution:
    """Evolves a population towards the Pareto front, generation by generation.

    Failed designs lose against all others, and designs that meet the constraints win against all others.

    Args:
        kind: the algorithm.
        settings: `population` and `generations`.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has.
        seed: of everything random in the search.
    """

    max_pending = 1

    def __init__(self, kind: Kind, settings: SearchSettings, novelty: Novelty, n_objectives: int, *, seed: int) -> None:
        self.n_evaluations = settings.population * settings.generations
        self._novelty = novelty
        self._n_left = settings.generations
        self._pending = Pending()
        self._offspring = Population.empty()
        self._algorithm = algorithm_of(kind, novelty, settings.population, n_objectives, seed)

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
        advance(self._algorithm, self._offspring, losses, violations)
