"""Where the items of a `repeat` lie in a genotype, and how whole items come and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np
from jaxtyping import Int64

from qnas.space.genes import Gene, Genotype


@dataclass(frozen=True, eq=False)
class Blocks:
    """The genes of one `repeat`.

    Attributes:
        length: the position of the gene that says how many items a design has.
        low: the smallest number of items.
        rows: the positions of the genes of each possible item; tied items have one row among them.
        tied: whether the items are tied.
        outermost: whether the repeat is not itself in an item of another.
    """

    length: int
    low: int
    rows: Int64[np.ndarray, "n_blocks width"]
    tied: bool
    outermost: bool

    def n_items(self, codes: Genotype) -> int:
        """How many items there are."""
        return self.low + int(codes[self.length])

    def item(self, codes: Genotype, k: int) -> Int64[np.ndarray, " width"]:
        """The codes of item `k`, whether or not it exists."""
        return codes[self.rows[k]]

    def inserted(self, codes: Genotype, k: int, item: Int64[np.ndarray, " width"]) -> Genotype:
        """With one more item, which becomes item `k`; the others keep their codes and their order."""
        longer, n = codes.copy(), self.n_items(codes)
        longer[self.rows[k + 1 : n + 1]] = codes[self.rows[k:n]]
        longer[self.rows[k]] = item
        longer[self.length] += 1
        return longer

    def deleted(self, codes: Genotype, k: int) -> Genotype:
        """Without item `k`; the others keep their codes and their order."""
        shorter, n = codes.copy(), self.n_items(codes)
        shorter[self.rows[k : n - 1]] = codes[self.rows[k + 1 : n]]
        shorter[self.length] -= 1
        return shorter


def blocks_of(genes: Sequence[Gene]) -> Iterator[Blocks]:
    """All repeats of a space whose items have genes, an outer one before those inside it."""
    for position, gene in enumerate(genes):
        if gene.kind not in ("repeat", "tied repeat"):
            continue
        if n_inside := _n_inside(gene.name, genes[position + 1 :]):
            tied = gene.kind == "tied repeat"
            low, high = int(str(gene.values[0])), int(str(gene.values[-1]))
            rows = np.arange(position + 1, position + 1 + n_inside).reshape(1 if tied else high, -1)
            yield Blocks(position, low, rows, tied, outermost=not gene.block)


def _n_inside(name: str, following: Sequence[Gene]) -> int:
    """How many of the genes that follow the one of that name belong to it."""
    return sum(1 for _ in takewhile(lambda other: other.name.startswith(f"{name}."), following))
