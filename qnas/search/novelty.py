"""Which designs are new: nothing is asked twice in a run, however it is written as a genotype."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import count, islice

import numpy as np

from qnas.space import Genotype, Space

Identify = Callable[[Genotype], str | None]
"""Tells networks apart: equal for genotypes that mean the same one, None for one that means none."""

TRIES_PER_DESIGN = 50
"""Random draws for each design that is wanted, before a small space is gone through one by one."""

MAX_EXCLUDED = 2_000
"""Designs met in a row that mean no network, or as many as a smaller space has, before a draw looks no further."""


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
            if self.space.is_valid(genotype) and self._is_new(self.identify(genotype), taken):
                positions.append(k)
        return positions

    def draw(self, n: int, rng: np.random.Generator, taken: Collection[str | None] = ()) -> list[Genotype]:
        """Up to `n` new random designs; fewer only if there are no more, or too few to be met by chance.

        Raises:
            SpaceError: the space has no valid design.
        """
        taken = set(taken)
        fresh = (genotype for genotype, network in self._candidates(n, rng) if self._is_new(network, taken))
        return list(islice(fresh, n))

    def _candidates(self, n: int, rng: np.random.Generator) -> Iterator[tuple[Genotype, str]]:
        """Random designs, unless most are asked already; then, if there are few enough, all in random order."""
        if self.space.tree.size > 2 * len(self._asked):
            drawn = (self.space.random_genotype(rng) for _ in count())
            yield from islice(self._meaningful(drawn), n * TRIES_PER_DESIGN)
        if self.space.is_enumerable:
            yield from self._meaningful(map(self.space.encode, self.space.architectures(rng)))

    def _meaningful(self, genotypes: Iterable[Genotype]) -> Iterator[tuple[Genotype, str]]:
        """Those that mean a network, with that, until too many in a row mean none."""
        n_excluded, patience = 0, min(MAX_EXCLUDED, self.space.tree.size)
        for genotype in genotypes:
            network = self.identify(genotype)
            if network is not None:
                n_excluded = 0
                yield genotype, network
            elif (n_excluded := n_excluded + 1) == patience:
                return

    def _is_new(self, network: str | None, taken: set[str | None]) -> bool:
        """Whether a network was never asked and is not taken; it is, from now on."""
        if network in self._asked or network in taken:
            return False
        taken.add(network)
        return True
