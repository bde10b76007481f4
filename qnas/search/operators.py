"""Variation, sampling and the elimination of duplicates as pymoo operators."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Int64
from pymoo.core.crossover import Crossover
from pymoo.core.duplicate import DuplicateElimination
from pymoo.core.mating import Mating
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.core.sampling import Sampling

from qnas.search.novelty import Novelty
from qnas.search.variation import crossed, mutated
from qnas.space import Space


class NewDesigns(Sampling):  # type: ignore[misc]
    """An initial population of new random designs."""

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        self.novelty = novelty

    def _do(
        self, problem: Any, n_samples: int, *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "k n_genes"]:
        return np.array(self.novelty.draw(n_samples, random_state))


class LayerCrossover(Crossover):  # type: ignore[misc]
    """`crossed`, for all matings."""

    def __init__(self, space: Space) -> None:
        super().__init__(n_parents=2, n_offsprings=2)
        self.space = space

    def _do(
        self, problem: Any, X: Int64[np.ndarray, "2 n n_genes"], *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "2 n n_genes"]:
        children = [crossed(self.space, one, other, random_state) for one, other in zip(*X, strict=True)]
        return np.array(children).swapaxes(0, 1)


class KindMutation(Mutation):  # type: ignore[misc]
    """`mutated`, for all offspring."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space

    def _do(
        self, problem: Any, X: Int64[np.ndarray, "n n_genes"], *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "n n_genes"]:
        return np.array([mutated(self.space, genotype, random_state) for genotype in X])


class OnlyNew(DuplicateElimination):  # type: ignore[misc]
    """Keeps valid designs that were never asked; the others are made anew."""

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        self.novelty = novelty

    def do(self, pop: Population, parents: Population = (), chosen: Population = (), **_: Any) -> Population:
        taken = {self.novelty.identify(member.X) for member in chosen}  # parents were asked
        positions = self.novelty.first_new((member.X for member in pop), taken)
        return pop[np.array(positions, dtype=int)]


ROUNDS_OF_MATING = 20
"""How often mating is tried for a full generation before random designs take the places that are left."""


class NewMating(Mating):  # type: ignore[misc]
    """Mating whose offspring are all new; where it finds too few, random new designs fill the generation."""

    def __init__(self, novelty: Novelty, selection: Any) -> None:
        space = novelty.space
        super().__init__(
            selection,
            LayerCrossover(space),
            KindMutation(space),
            eliminate_duplicates=OnlyNew(novelty),
            n_max_iterations=ROUNDS_OF_MATING,
        )
        self.novelty = novelty

    def do(
        self, problem: Any, pop: Population, n_offsprings: int, random_state: np.random.Generator, **context: Any
    ) -> Population:
        offspring = super().do(problem, pop, n_offsprings, random_state=random_state, **context)
        taken = {self.novelty.identify(member.X) for member in offspring}
        fresh = self.novelty.draw(n_offsprings - len(offspring), random_state, taken)
        return Population.merge(offspring, Population.new(X=fresh)) if fresh else offspring
