"""Searchers: they see genotypes and losses, never networks."""

from __future__ import annotations

from collections.abc import Callable

from qnas.errors import ConfigurationError, unknown
from qnas.search.novelty import Identify, Novelty
from qnas.search.nsga2 import Nsga2
from qnas.search.random import RandomSearch
from qnas.search.searcher import Searcher, SearchSettings
from qnas.space import Space

__all__ = ["SearchSettings", "Searcher", "make_searcher"]

SEARCHERS: dict[str, Callable[[SearchSettings, Novelty, int, int], Searcher]] = {
    "nsga2": Nsga2,
    "random": RandomSearch,
}


def make_searcher(
    settings: SearchSettings, space: Space, n_objectives: int, seed: int, identify: Identify | None = None
) -> Searcher:
    """The searcher that the settings name.

    Args:
        settings: the search as configured.
        space: what is searched.
        n_objectives: how many losses a design has.
        seed: the same seed and the same losses give the same asks.
        identify: the network that a genotype means, so that none is asked twice; None for a genotype that means none,
            which is never asked. By default the fingerprint of the architecture.

    Raises:
        ConfigurationError: there is no such searcher, or it does not take one of the settings.
    """
    if settings.name not in SEARCHERS:
        raise ConfigurationError(unknown("searcher", settings.name, SEARCHERS, "Set search.name."))
    return SEARCHERS[settings.name](settings, Novelty(space, identify), n_objectives, seed)
