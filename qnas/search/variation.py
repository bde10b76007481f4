"""Variation of genotypes: crossover that exchanges whole layers, and mutation by the kind of each gene.

Genes that do not exist in a design carry no information: a child never inherits them, and a gene that a mutation
brings into being is drawn at random instead of starting from 0.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from qnas.space import Blocks, Gene, Genotype, Space

TRIES = 20
"""How often variation is tried for offspring that satisfy the constraints before they are copies of their parents."""


def crossed(space: Space, one: Genotype, other: Genotype, rng: np.random.Generator) -> tuple[Genotype, Genotype]:
    """Two children of two designs: each gene from either parent, the other child gets the other's.

    All genes of an item of a `repeat` go together, so that every layer of a child is that layer of one parent; so do
    the genes that tied items share. What exists in only one parent goes to both children, where it exists if the rest
    of the child lets it.

    Returns:
        Canonical genotypes, valid if the parents are: a child that would break a constraint in each of 20 tries is a
        copy of its parent.
    """
    children = one, other
    for _ in range(TRIES):
        children = _children(space, one, other, rng)
        if all(map(space.is_valid, children)):
            return children
    first, second = (
        child if space.is_valid(child) else parent for child, parent in zip(children, (one, other), strict=True)
    )
    return first, second


def mutated(space: Space, genotype: Genotype, rng: np.random.Generator) -> Genotype:
    """A design with some of its existing genes changed, each with probability 1 over their number, at least one.

    An ordered gene steps to a neighbouring value, a categorical one is reset to another value. Where the length of a
    `repeat` changes, a whole layer is inserted anywhere, doubled, or deleted; the others stay as they are, in order.

    Returns:
        A canonical genotype, valid if the given one is, which comes back if all of 20 mutants break a constraint.
    """
    for _ in range(TRIES):
        mutant = _mutant(space, genotype, rng)
        if space.is_valid(mutant):
            return mutant
    return genotype


def _children(space: Space, one: Genotype, other: Genotype, rng: np.random.Generator) -> tuple[Genotype, Genotype]:
    in_one, in_other = (_with_layers(space, space.active(parent)) for parent in (one, other))
    swap = rng.random(len(one)) < 0.5
    for row in _layers(space):
        swap[row] = swap[row[0]]
    first = np.where(in_one & (~in_other | ~swap), one, other)
    second = np.where(in_other & (~in_one | ~swap), other, one)
    return space.canonical(first), space.canonical(second)


def _layers(space: Space) -> list[Genotype]:
    """The positions of the genes of each outermost layer."""
    return [row for blocks in space.blocks if blocks.outermost for row in blocks.rows]


def _with_layers(space: Space, active: Bool[np.ndarray, " n_genes"]) -> Bool[np.ndarray, " n_genes"]:
    """The genes that exist, and all others of layers that exist."""
    present = active.copy()
    for row in _layers(space):
        present[row] = active[row].any()
    return present


def _mutant(space: Space, genotype: Genotype, rng: np.random.Generator) -> Genotype:
    active = space.active(genotype)
    can_change = np.flatnonzero(active & np.array([gene.cardinality > 1 for gene in space.genes], dtype=bool))
    if len(can_change) == 0:
        return genotype
    drawn = can_change[rng.random(len(can_change)) < 1 / len(can_change)]
    chosen = [int(k) for k in (drawn if len(drawn) else [rng.choice(can_change)])]
    codes = np.where(active, genotype, space.random_codes(rng))
    lists = {blocks.length: blocks for blocks in space.blocks if not blocks.tied}
    for k in (k for k in chosen if k not in lists):
        codes[k] = _changed(space.genes[k], int(codes[k]), rng)
    for k in (k for k in reversed(chosen) if k in lists):  # inner lists first: they move with their layer
        codes = _resized(lists[k], codes, rng)
    return space.canonical(codes)


def _changed(gene: Gene, code: int, rng: np.random.Generator) -> int:
    """Another code: a neighbour of an ordered gene, any other one of a categorical gene."""
    others = [code - 1, code + 1] if gene.ordered else [k for k in range(gene.cardinality) if k != code]
    return int(rng.choice([k for k in others if 0 <= k < gene.cardinality]))


def _resized(blocks: Blocks, codes: Genotype, rng: np.random.Generator) -> Genotype:
    """One layer less, or one more: a copy beside its original, or a new one, whose codes are those of an absent one."""
    n = blocks.n_items(codes)
    if n == len(blocks.rows) or (n > blocks.low and rng.random() < 0.5):
        return blocks.deleted(codes, int(rng.integers(n)))
    if n and rng.random() < 0.5:
        k = int(rng.integers(n))
        return blocks.inserted(codes, k + 1, blocks.item(codes, k))
    return blocks.inserted(codes, int(rng.integers(n + 1)), blocks.item(codes, n))
