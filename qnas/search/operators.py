"""Variation of genotypes: uniform crossover, steps and resets as mutation, and both as pymoo operators.

Genes that do not exist in a design carry no information: a child never inherits them, and a gene that a mutation
brings into being is drawn at random instead of starting from 0.
"""

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
from qnas.space import Gene, Genotype, Space


def crossed(space: Space, one: Genotype, other: Genotype, rng: np.random.Generator) -> tuple[Genotype, Genotype]:
    """Two children of two designs: each gene from either parent, the other child gets the other's.

    A gene that exists in only one parent goes to both children, where it may or may not exist. Children are
    canonical; they may break the constraints of the space.
    """
    in_one, in_other = space.active(one), space.active(other)
    swap = rng.random(len(one)) < 0.5
    first = np.where(in_one & (~in_other | ~swap), one, other)
    second = np.where(in_other & (~in_one | ~swap), other, one)
    return space.canonical(first), space.canonical(second)


def mutated(space: Space, genotype: Genotype, rng: np.random.Generator) -> Genotype:
    """A design with some of its existing genes changed, each with probability 1 over their number, at least one.

    An ordered gene steps to a neighbouring value, any other is reset to another value. The result is canonical; it
    may break the constraints of the space.
    """
    active = space.active(genotype)
    can_change = np.flatnonzero(active & np.array([gene.cardinality > 1 for gene in space.genes], dtype=bool))
    if len(can_change) == 0:
        return genotype
    chosen = can_change[rng.random(len(can_change)) < 1 / len(can_change)]
    codes = np.where(active, genotype, space.random_codes(rng))
    for k in chosen if len(chosen) else [rng.choice(can_change)]:
        codes[k] = _changed(space.genes[k], int(codes[k]), rng)
    return space.canonical(codes)


def _changed(gene: Gene, code: int, rng: np.random.Generator) -> int:
    """Another code: a neighbour of an ordered gene, any other one of a categorical gene."""
    others = [code - 1, code + 1] if gene.ordered else [k for k in range(gene.cardinality) if k != code]
    return int(rng.choice([k for k in others if 0 <= k < gene.cardinality]))


class NewDesigns(Sampling):  # type: ignore[misc]
    """An initial population of new random designs."""

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        self.novelty = novelty

    def _do(
        self, problem: Any, n_samples: int, *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "k n_genes"]:
        return np.array(self.novelty.draw(n_samples, random_state))


class UniformCrossover(Crossover):  # type: ignore[misc]
    """`crossed`, for all matings."""

    def __init__(self, space: Space) -> None:
        super().__init__(n_parents=2, n_offsprings=2)
        self.space = space

    def _do(
        self, problem: Any, X: Int64[np.ndarray, "2 n n_genes"], *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "2 n n_genes"]:
        children = [crossed(self.space, one, other, random_state) for one, other in zip(*X, strict=True)]
        return np.array(children).swapaxes(0, 1)


class StepsAndResets(Mutation):  # type: ignore[misc]
    """`mutated`, for all offspring."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space

    def _do(
        self, problem: Any, X: Int64[np.ndarray, "n n_genes"], *, random_state: np.random.Generator, **_: Any
    ) -> Int64[np.ndarray, "n n_genes"]:
        return np.array([mutated(self.space, genotype, random_state) for genotype in X])


class OnlyNew(DuplicateElimination):  # type: ignore[misc]
    """Keeps valid designs that were never asked; the others are made anew, not mended."""

    def __init__(self, novelty: Novelty) -> None:
        super().__init__()
        self.novelty = novelty

    def do(self, pop: Population, *others: Population, **_: Any) -> Population:
        taken = {self.novelty.identify(member.X) for other in others for member in other}
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
            UniformCrossover(space),
            StepsAndResets(space),
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
