"""Pareto local search (Paquete, Chiarandini and Stuetzle 2004, doi 10.1007/978-3-642-17144-4_7).

Neighbours of the archive's designs are tried a few at a time, as in Liefooghe et al. 2012, doi
10.1007/s10732-011-9181-3, because a design of a large space has hundreds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from qnas.references import cites
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import Pending, SearchSettings
from qnas.space import Genotype


@dataclass
class _Member:
    """A design of the archive, and its neighbours that are not tried; None before they are listed."""

    genotype: Genotype
    losses: Float[np.ndarray, " m"]
    violation: float
    untried: list[Genotype] | None = None

    def beats(self, other: _Member) -> bool:
        """Nearer to the constraints, or as near and dominating; equal losses beat nothing."""
        if self.violation != other.violation:
            return self.violation < other.violation
        return bool((self.losses <= other.losses).all() and (self.losses < other.losses).any())


@searcher("local", takes=("evaluations",))
@cites("paquete2004", "liefooghe2012")
class LocalSearch:
    """Tries neighbours of the designs that nothing has beaten, see `Space.neighbours`, until all are tried.

    It starts from random designs, and starts again from others, with an empty archive, when no neighbour is left. A
    batch takes its designs from random members of the archive, one random neighbour after the other.

    Args:
        settings: `population` is the number of designs at a start and in a batch; `evaluations` is the budget,
            population * generations if None.
        novelty: of the space that is searched.
        n_objectives: how many losses a design has.
        seed: of everything random in the search.
    """

    max_pending = 1

    def __init__(self, settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> None:
        self.n_evaluations = settings.budget
        self._novelty = novelty
        self._batch = settings.population
        self._n_left = self.n_evaluations
        self._rng = np.random.default_rng(seed)
        self._pending = Pending()
        self._archive: list[_Member] = []

    def ask(self) -> list[Genotype]:
        """Up to `population` neighbours, or as many random designs for a start; empty when the budget is spent.

        Raises:
            SpaceError: the space has no valid design, or one of the archive has more than 100,000 neighbours.
        """
        self._pending.check_told()
        n = min(self._batch, self._n_left)
        genotypes = self._neighbours(n)
        if n and not genotypes:
            self._archive = []
            genotypes = self._novelty.draw(n, self._rng)
            self._novelty.record(genotypes)
        self._n_left -= len(genotypes)
        return self._pending.open(genotypes)

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Keep what nothing has beaten; designs that failed are never kept."""
        self._pending.close(genotypes, losses, violations)
        for told in zip(genotypes, losses, violations.tolist(), strict=True):
            found = _Member(*told)
            if np.isfinite(found.violation) and not any(member.beats(found) for member in self._archive):
                self._archive = [member for member in self._archive if not found.beats(member)] + [found]

    def _neighbours(self, n: int) -> list[Genotype]:
        """New ones, noted as asked; fewer only if all others are tried."""
        found: list[Genotype] = []
        unexplored = [member for member in self._archive if member.untried != []]
        while unexplored and len(found) < n:
            k = int(self._rng.integers(len(unexplored)))
            neighbour = self._new_neighbour(unexplored[k])
            if neighbour is None:
                del unexplored[k]
            else:
                self._novelty.record([neighbour])
                found.append(neighbour)
        return found

    def _new_neighbour(self, member: _Member) -> Genotype | None:
        if member.untried is None:
            listed = self._novelty.space.neighbours(member.genotype)
            member.untried = [listed[k] for k in self._rng.permutation(len(listed))]
        while member.untried:
            neighbour = member.untried.pop()
            if self._novelty.first_new([neighbour]):
                return neighbour
        return None
