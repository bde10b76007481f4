"""Exhaustive search: every network of a small space, so that its front is the true one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float

from qnas.errors import ConfigurationError
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype


@searcher("exhaustive")
class Exhaustive:
    """All designs in the order in which the space counts them, whatever the seed, in batches.

    Args:
        settings: `population` is the size of a batch; `generations` has no say, the space is the budget.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has; of no consequence here.
        seed: of no consequence here.

    Raises:
        ConfigurationError: the space has too many designs to go through.
    """

    max_pending = 1

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        if not novelty.space.is_enumerable:
            raise ConfigurationError(
                f"the space has {novelty.space.count} designs, too many for exhaustive to go through; narrow it, or "
                "choose another searcher, such as search=nsga2."
            )
        self.n_evaluations = novelty.space.size
        self._novelty = novelty
        self._batch = settings.population
        self._designs = self._new()
        self._pending = Pending()

    def ask(self) -> list[Genotype]:
        """The next batch; empty after the last design.

        Raises:
            SpaceError: the space has no valid design.
        """
        self._pending.check_told()
        return self._pending.open(list(islice(self._designs, self._batch)))

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Nothing is learnt, by design."""
        self._pending.close(genotypes, losses, violations)

    def _new(self) -> Iterator[Genotype]:
        """Each network once."""
        if not self.n_evaluations:
            self._novelty.space.sample()  # says which constraints exclude everything
        for genotype in map(self._novelty.space.encode, self._novelty.space.architectures()):
            if self._novelty.first_new([genotype]):
                self._novelty.record([genotype])
                yield genotype
