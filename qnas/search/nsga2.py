"""NSGA-II (Deb et al. 2002, doi 10.1109/4235.996017): survival by rank, then by crowding."""

from __future__ import annotations

from pymoo.algorithms.moo.nsga2 import NSGA2, binary_tournament

from qnas.references import cites
from qnas.search.evolution import Evolution, Kind
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import SearchSettings


@searcher("nsga2")
@cites("deb2002", "blank2020")
def nsga2(settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> Evolution:
    """Of two parents the dominating one mates, or the one in the less crowded part of the front."""
    return Evolution(Kind(NSGA2, binary_tournament, {}), settings, novelty, n_objectives, seed=seed)
