"""Searchers: they see genotypes and losses, never networks."""

from __future__ import annotations

from qnas.search import (  # noqa: F401 - importing them registers their searchers
    exhaustive,
    local,
    nsga2,
    nsga3,
    optuna,
    random,
    sms_emoa,
    steady_state,
)
from qnas.search.novelty import Identify, Novelty
from qnas.search.registry import check_taken, searcher, searchers
from qnas.search.searcher import Pending, Searcher, SearchSettings
from qnas.space import Space

__all__ = ["Novelty", "Pending", "SearchSettings", "Searcher", "make_searcher", "searcher", "searchers"]


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
        PluginError: there is no such searcher.
        ConfigurationError: it does not take one of the settings, or cannot search this space.
    """
    check_taken(settings)
    return searchers[settings.name].build(settings, Novelty(space, identify), n_objectives, seed)
