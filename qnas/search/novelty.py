"""Which designs are new: nothing is asked twice in a run, however it is written as a genotype."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

import numpy as np

from qnas.space import Genotype, Space

Identify = Callable[[Genotype], str | None]
"""Tells networks apart: equal for genotypes that mean the same one, None for one that means none."""

TRIES_PER_DESIGN = 50
"""Random draws for each design that is wanted, before a small space is gone through one by one."""


class Novelty:
    """The networks of all designs asked so far, and a source of others.

    Args:
        space: what is searched.
        identify: by default the fingerprint of the architecture.
    """

    def __init__(self, space: Space, identify: Identify | None = None) -> None:
        self.space = space
        self.identify = identify or space.fingerprint
        self._asked: set[str | None] = {None}

    def record(self, genotypes: Iterable[Genotype]) -> None:
        """Note that these designs are asked."""
        self._asked.update(self.identify(genotype) for genotype in genotypes)

    def first_new(self, genotypes: Iterable[Genotype], taken: Collection[str | None] = ()) -> list[int]:
        """The positions of designs that are valid, were never asked, are not taken, and did not come earlier."""
        taken = set(taken)
        positions = []
        for k, genotype in enumerate(genotypes):
            if self.space.is_valid(genotype) and self._take(genotype, taken):
                positions.append(k)
        return positions

    def draw(self, n: int, rng: np.random.Generator, taken: Collection[str | None] = ()) -> list[Genotype]:
        """Up to `n` new random designs; fewer only if there are no more, or too few to be met by chance.

        Raises:
            SpaceError: the space has no valid design.
        """
        taken = set(taken)
        candidates = self._candidates(n * TRIES_PER_DESIGN, rng)
        fresh = (one for one in candidates if self._take(one, taken))
        return list(islice(fresh, n))

    def _candidates(self, n_tries: int, rng: np.random.Generator) -> Iterator[Genotype]:
        """Random designs, unless most are asked already; then, if there are few enough, all in random order."""
        if self.space.tree.size > 2 * len(self._asked):
            yield from (self.space.random_genotype(rng) for _ in range(n_tries))
        if self.space.is_enumerable:
            yield from map(self.space.encode, self.space.architectures(rng))

    def _take(self, genotype: Genotype, taken: set[str | None]) -> bool:
        network = self.identify(genotype)
        if network in self._asked or network in taken:
            return False
        taken.add(network)
        return True
