"""NSGA-III (Deb and Jain 2014, doi 10.1109/TEVC.2013.2281535): survival by rank, then by reference directions.

It spreads the population evenly over fronts of more than three objectives, where crowding says little.
"""

from __future__ import annotations

from math import comb

import numpy as np
from jaxtyping import Float, Int
from pymoo.algorithms.moo.nsga3 import NSGA3
from pymoo.core.population import Population
from pymoo.util.reference_direction import UniformReferenceDirectionFactory

from qnas.references import cites
from qnas.search.evolution import Evolution, Kind
from qnas.search.novelty import Novelty
from qnas.search.registry import searcher
from qnas.search.searcher import SearchSettings


@searcher("nsga3")
@cites("deb2014", "blank2020")
def nsga3(settings: SearchSettings, novelty: Novelty, n_objectives: int, seed: int) -> Evolution:
    """Of two parents that meet the constraints either one mates; selection is left to the survival."""
    options = {"ref_dirs": reference_directions(n_objectives, settings.population)}
    return Evolution(Kind(NSGA3, less_violating, options), settings, novelty, n_objectives, seed=seed)


def reference_directions(n_objectives: int, n_most: int) -> Float[np.ndarray, "n m"]:
    """Evenly spread directions, each of sum 1, by Das and Dennis; at most so many.

    Where the outer layer is so coarse that none points inside, a second one, shrunk by half, does, as in the paper's
    section IV-A. One direction is the centre if there are fewer than objectives.
    """
    outer = _partitions(n_objectives, n_most)
    if not outer:
        return np.full((1, n_objectives), 1 / n_objectives)
    layers = [_das_dennis(n_objectives, outer)]
    inner = min(_partitions(n_objectives, n_most - len(layers[0])), outer)
    if outer < n_objectives and inner:
        layers.append((_das_dennis(n_objectives, inner) + 1 / n_objectives) / 2)
    return np.concatenate(layers)


def _partitions(n_objectives: int, n_most: int) -> int:
    """The finest division of the simplex that has at most so many points; 0 if there is none."""
    if n_objectives == 1:
        return min(n_most, 1)
    n = 0
    while comb(n + n_objectives, n_objectives - 1) <= n_most:
        n += 1
    return n


def _das_dennis(n_objectives: int, n_partitions: int) -> Float[np.ndarray, "n m"]:
    return UniformReferenceDirectionFactory(n_objectives, n_partitions=n_partitions).do()


def less_violating(
    pop: Population, P: Int[np.ndarray, "n 2"], *, random_state: np.random.Generator, **_: object
) -> Int[np.ndarray, "n 1"]:
    """Of each pair the design that is nearer to the constraints, or a random one; pymoo's own draws are not seeded."""
    violations = pop.get("CV")[:, 0][P]
    draws = random_state.integers(2, size=len(P))
    better = np.where(violations[:, 0] == violations[:, 1], draws, np.argmin(violations, axis=1))
    return P[np.arange(len(P)), better][:, None]
