"""What every searcher offers: ask for designs, tell their losses. The caller owns the evaluation."""

from __future__ import annotations

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

    Attributes:
        n_evaluations: how many designs it asks for, fewer only if the space has no more.
    """

    n_evaluations: int

    def ask(self) -> list[Genotype]:
        """The next designs: valid, canonical, none asked before; empty when the search is over.

        Raises:
            RunError: the last ask has not been told.
            SpaceError: the space has no valid design.
        """

    def tell(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Hand in all results of the last ask.

        Args:
            genotypes: the designs of the last ask, in that order.
            losses: one row per design, one column per objective, smaller is better; rows of designs that failed are
                ignored and may be nan.
            violations: how far each design is from meeting the constraints: 0 if it does, infinite if it failed.

        Raises:
            RunError: these are not the designs of the last ask, or a design that did not fail has a loss that is not
                finite.
        """


@dataclass(frozen=True)
class SearchSettings:
    """The search as configured.

    Attributes:
        name: which searcher.
        population: designs per generation.
        generations: how many generations, the initial population being the first.
        evaluations: the budget of searchers without generations; population * generations if None.

    Raises:
        ConfigurationError: a count is not a whole number of at least 1.
    """

    name: str = "nsga2"
    population: int = 24
    generations: int = 4
    evaluations: int | None = None

    def __post_init__(self) -> None:
        counts = {"population": self.population, "generations": self.generations, "evaluations": self.evaluations}
        for key, value in counts.items():
            if value is not None and value < 1:
                raise ConfigurationError(f"search.{key} is {value!r}; allowed are whole numbers of at least 1.")


class Pending:
    """The designs of the last ask, until they are told."""

    def __init__(self) -> None:
        self._genotypes: list[Genotype] = []

    def open(self, genotypes: list[Genotype]) -> list[Genotype]:
        """Note what is asked, and return it."""
        self._genotypes = genotypes
        return genotypes

    def check_told(self) -> None:
        """Raise RunError if something has been asked and not told."""
        if self._genotypes:
            raise RunError(f"the {len(self._genotypes)} designs of the last ask have not been told yet.")

    def close(
        self, genotypes: Sequence[Genotype], losses: Float[np.ndarray, "k m"], violations: Float[np.ndarray, " k"]
    ) -> None:
        """Check that results are those of the last ask. Raises RunError as `Searcher.tell` does."""
        pairs = zip(genotypes, self._genotypes, strict=False)
        same = len(genotypes) == len(self._genotypes) and all(np.array_equal(told, asked) for told, asked in pairs)
        if not same or len(losses) != len(genotypes):
            raise RunError(f"tell expects the {len(self._genotypes)} designs of the last ask, in that order.")
        if not np.isfinite(losses[np.isfinite(violations)]).all():
            raise RunError("a design has a loss that is not finite; tell it as failed, with an infinite violation.")
        self._genotypes = []
