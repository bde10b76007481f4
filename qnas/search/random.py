"""Random search: the baseline that any other searcher must beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype


@searcher("random", takes=("evaluations",))
class RandomSearch:
    """New random designs, each gene uniform, in batches.

    Args:
        settings: `population` is the size of a batch, `evaluations` the budget; population * generations if None.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has; of no consequence here.
        seed: of the draws.
    """

    max_pending = 1

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        self.n_evaluations = settings.budget
        self._novelty = novelty
        self._batch = settings.population
        self._n_left = self.n_evaluations
        self._rng = np.random.default_rng(seed)
        self._pending = Pending()

    def ask(self) -> list[Genotype]:
        """The next batch; empty when the budget is spent or the space exhausted."""
        self._pending.check_told()
        genotypes = self._novelty.draw(min(self._batch, self._n_left), self._rng)
        self._novelty.record(genotypes)
        self._n_left -= len(genotypes)
        return self._pending.open(genotypes)

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Nothing is learnt, by design."""
        self._pending.close(genotypes, losses, violations)
