"""Genes: one choice each, with the values it can take, and the flat record that searches and tables read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Int64

Genotype: TypeAlias = Int64[np.ndarray, " n_genes"]
Scalar: TypeAlias = bool | int | float | str | None

ORDERED_KINDS = ("integer", "real", "repeat", "tied repeat")
"""The kinds of gene whose neighbouring codes are neighbouring values; all others are categorical."""

INACTIVE = -1
"""What a node writes for a gene that does not exist in a design; a canonical genotype has 0 there."""


@dataclass(frozen=True)
class Scope:
    """Where in a space a gene stands: the conditions under which it exists, and the repeated item it is part of."""

    conditions: tuple[str, ...] = ()
    block: str = ""

    def given(self, condition: str) -> Scope:
        """The same place under one more condition; an empty condition always holds."""
        return Scope((*self.conditions, condition) if condition else self.conditions, self.block)

    def inside(self, block: str) -> Scope:
        """The same place, inside a repeated item."""
        return Scope(self.conditions, block)


@dataclass(frozen=True)
class Gene:
    """One entry of a genotype.

    Attributes:
        name: its path, e.g. "layers.0.rotation".
        values: what each code stands for, as JSON scalars: a tuple reads "16x8", a part is its option's name.
        kind: "choice", "integer", "boolean", "real", or, for the length of a list, "repeat" or "tied repeat".
        condition: when the gene exists, e.g. "encoding is angle"; empty if always.
        block: the item of a `repeat` that the gene belongs to, e.g. "layers.0", or, if its items are tied, "layers";
            empty outside of any.
    """

    name: str
    values: Sequence[Scalar]
    kind: str
    condition: str = ""
    block: str = ""

    @classmethod
    def at(cls, name: str, values: Sequence[Scalar], scope: Scope, *, kind: str) -> Gene:
        """The gene `name` in a scope."""
        return cls(name, values, kind, " and ".join(scope.conditions), scope.block)

    @property
    def ordered(self) -> bool:
        """Whether neighbouring codes are neighbouring values."""
        return self.kind in ORDERED_KINDS

    @property
    def cardinality(self) -> int:
        """How many values there are; codes run from 0 to one less."""
        return len(self.values)
