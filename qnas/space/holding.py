"""Random designs in which a gene of choice exists and has a value of choice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qnas.space.genes import Gene, Genotype
from qnas.space.space import Space


def codes_holding(space: Space, position: int, code: int, rng: np.random.Generator) -> Genotype:
    """A canonical genotype, constraints aside, whose gene at `position` exists and has a value.

    What must be chosen for the gene to exist is chosen so, and all other genes are drawn uniformly.
    """
    codes, gene = space.random_codes(rng), space.genes[position]
    for k, above in enumerate(space.genes[:position]):
        if gene.name.startswith(f"{above.name}."):
            codes[k] = rng.choice(_leading_to(above, gene.name.removeprefix(f"{above.name}.").partition(".")[0]))
    codes[position] = code
    return space.canonical(codes)


def changed(space: Space, genotype: Genotype, position: int, rng: np.random.Generator) -> Iterator[Genotype]:
    """The valid designs that differ in one gene, in random order; genes that come into being are drawn uniformly."""
    codes = np.where(space.active(genotype), genotype, space.random_codes(rng))
    for code in rng.permutation(space.genes[position].cardinality):
        codes[position] = code
        other = space.canonical(codes)
        if code != genotype[position] and space.is_valid(other):
            yield other


def family(name: str) -> str:
    """What the genes of all items of a `repeat` are called together: "layers.*.rotation" for "layers.0.rotation"."""
    return ".".join("*" if part.isdigit() else part for part in name.split("."))


def _leading_to(above: Gene, inside: str) -> list[int]:
    """The codes of a gene with which the genes below `inside`, an option or an item, exist."""
    if above.kind == "choice":
        return [list(above.values).index(inside)]
    least = int(inside) + 1 if above.kind == "repeat" else 1
    return [code for code, length in enumerate(above.values) if int(str(length)) >= least]
