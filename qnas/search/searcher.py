"""What every searcher offers: ask for designs, tell their losses. The caller owns the evaluation."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from qnas.errors import ConfigurationError, RunError
from qnas.space import Genotype


@runtime_checkable
class Searcher(Protocol):
    """Proposes designs, and learns from what they scored.

    Designs are asked in batches: a generation, or one design. Results are told batch by batch, in the order in which
    the batches were asked, so that what is asked depends on nothing but the seed and the losses.

    Attributes:
        n_evaluations: how many designs it asks for, fewer only if the space has no more.
        max_pending: how many batches may be asked before the first of them is told; 1 for generations.
    """

    n_evaluations: int
    max_pending: int

    def ask(self) -> list[Genotype]:
        """The next designs: valid, canonical, none asked before; empty when the search is over, or cannot go on before
        something that is pending is told.

        Raises:
            RunError: `max_pending` batches have not been told.
            SpaceError: the space has no valid design.
        """

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Hand in all results of the first batch that has not been told.

        Args:
            genotypes: the designs of that batch, in that order.
            losses: one row per design, one column per objective, smaller is better; nan in the rows of designs that
                failed, or that were excluded by a constraint before all losses were known.
            violations: how far each design is from meeting the constraints: 0 if it does, infinite if it failed.

        Raises:
            RunError: these are not the designs of that batch, or a design that meets the constraints has a loss that
                is not finite.
        """


@dataclass(frozen=True)
class SearchSettings:
    """The search as configured.

    Attributes:
        name: which searcher.
        population: designs per generation.
        generations: how many generations, the initial population being the first.
        evaluations: the budget of searchers without generations; population * generations if None.
        window: how many designs may be asked before the first of them is told, of searchers that ask one by one;
            population if None.
        sampler: of Optuna, see `qnas.search.optuna`.

    Raises:
        ConfigurationError: a count is not a whole number of at least 1.
    """

    name: str = "nsga2"
    population: int = 24
    generations: int = 4
    evaluations: int | None = None
    window: int | None = None
    sampler: str | None = None

    def __post_init__(self) -> None:
        for key in ("population", "generations", "evaluations", "window"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigurationError(f"search.{key} is {value!r}; allowed are whole numbers of at least 1.")

    @property
    def budget(self) -> int:
        """How many designs a searcher without generations asks for."""
        return self.evaluations or self.population * self.generations


class Pending:
    """The batches that are asked and not yet told.

    Args:
        n: how many there may be.
    """

    def __init__(self, n: int = 1) -> None:
        self._n = n
        self._batches: deque[list[Genotype]] = deque()

    def open(self, genotypes: list[Genotype]) -> list[Genotype]:
        """Note what is asked, if it is anything, and return it."""
        if genotypes:
            self._batches.append(genotypes)
        return genotypes

    def check_told(self) -> None:
        """Raise RunError if no more may be asked before something is told."""
        if len(self._batches) >= self._n:
            raise RunError(f"the {sum(map(len, self._batches))} designs of the last ask have not been told yet.")

    def close(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Check that results are those of the first batch. Raises RunError as `Searcher.tell` does."""
        asked = self._batches[0] if self._batches else []
        same = len(genotypes) == len(asked) and all(map(np.array_equal, genotypes, asked))
        if not same or len(losses) != len(genotypes):
            raise RunError(f"tell expects the {len(asked)} designs of the last ask, in that order.")
        if not np.isfinite(losses[violations == 0]).all():
            raise RunError("a design has a loss that is not finite; tell it as failed, with an infinite violation.")
        if self._batches:
            self._batches.popleft()
