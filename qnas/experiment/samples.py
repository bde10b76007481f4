"""Designs of a space drawn to be looked at: at random, with a value of choice, and in pairs that differ in one gene."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from qnas.errors import DesignError
from qnas.experiment.probes import Probe, Value, Workshop
from qnas.space import Gene, Genotype, Space
from qnas.space.holding import changed, codes_holding, family

_EXCLUDED_PER_DESIGN = 5
"""How many designs may be over a budget, or not fit the data, for each that is wanted."""
N_DRAWS = 200
"""Draws for a valid design with a value of choice."""


class Samples:
    """The designs that have been built of a space.

    Args:
        space: what they come from.
        workshop: builds them.
        rng: draws them.

    Attributes:
        drawn: at random.
        held: with a value of choice, or a neighbour of such a one.
    """

    def __init__(self, space: Space, workshop: Workshop, rng: np.random.Generator) -> None:
        self.space, self._workshop, self._rng = space, workshop, rng
        self.drawn: list[Probe] = []
        self.held: list[Probe] = []
        self.families: dict[str, list[int]] = defaultdict(list)
        for position, gene in enumerate(space.genes):
            self.families[family(gene.name)].append(position)

    def draw(self, n: int) -> None:
        """Draw `n` designs at random, and others for those that are excluded. Raises SpaceError if none is valid."""
        while len(self.drawn) < n + min(len(self.excluded), _EXCLUDED_PER_DESIGN * n):
            self.drawn.append(self._workshop.probe(self.space.random_genotype(self._rng)))

    @property
    def excluded(self) -> list[DesignError]:
        """Why designs that were drawn at random would never be searched."""
        return [probe.built.excluded for probe in self.drawn if probe.built.excluded is not None]

    @property
    def judged(self) -> list[Probe]:
        """All that could be searched, or cannot be built."""
        return [probe for probe in (*self.drawn, *self.held) if probe.built.excluded is None]

    def gene(self, name: str) -> Gene:
        """The first gene of a family."""
        return self.space.genes[self.families[name][0]]

    def with_value(self, one: Value) -> Probe | None:
        """Build a design with a value; None if 200 draws give no valid one."""
        found = next((genotype for genotype in self.codes_with(one) if self.space.is_valid(genotype)), None)
        if found is not None:
            self.held.append(self._workshop.probe(found))
        return None if found is None else self.held[-1]

    def codes_with(self, one: Value) -> Iterator[Genotype]:
        """200 draws of designs with a value, constraints aside."""
        name, value = one
        for _ in range(N_DRAWS):
            position = int(self._rng.choice(self.families[name]))
            code = list(self.space.genes[position].values).index(value)
            yield codes_holding(self.space, position, code, self._rng)

    def are_same(self, one: Value) -> bool | None:
        """Whether a design with a value and one that differs from it in that gene alone are the same network.

        None if no such pair could be built.
        """
        probe = self.with_value(one)
        if probe is None or not probe.built.works:
            return None
        positions = [k for k in self.families[one[0]] if self.space.active(probe.genotype)[k]]
        others = changed(self.space, probe.genotype, int(self._rng.choice(positions)), self._rng)
        genotype = next(others, None)
        if genotype is None:
            return None
        other = self._workshop.probe(genotype)
        self.held.append(other)
        return other.built.network == probe.built.network if other.built.works else None
