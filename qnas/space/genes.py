"""Genes: one choice each, with the values it can take, and the flat record that searches and tables read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Int64

from qnas.errors import SpaceError

Genotype: TypeAlias = Int64[np.ndarray, " n_genes"]
Scalar: TypeAlias = bool | int | float | str | None

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
        ordered: whether neighbouring codes are neighbouring values.
        condition: when the gene exists, e.g. "encoding is angle"; empty if always.
        block: the item of a `repeat` that the gene belongs to, e.g. "layers.0"; empty outside of any.
    """

    name: str
    values: Sequence[Scalar]
    ordered: bool
    condition: str = ""
    block: str = ""

    @classmethod
    def at(cls, name: str, values: Sequence[Scalar], scope: Scope, *, ordered: bool) -> Gene:
        """The gene `name` in a scope."""
        return cls(name, values, ordered, " and ".join(scope.conditions), scope.block)

    @property
    def cardinality(self) -> int:
        """How many values there are; codes run from 0 to one less."""
        return len(self.values)


@dataclass(frozen=True, repr=False)
class Leaf:
    """A choice among plain values.

    Attributes:
        values: what each code decodes to.
        shown: the same as JSON scalars.
        ordered: whether neighbouring codes are neighbouring values.
        text: how it was declared.
    """

    values: Sequence[Any]
    shown: Sequence[Scalar]
    ordered: bool
    text: str

    width = 1
    constraints = ()

    @property
    def size(self) -> int:
        return len(self.values)

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        yield Gene.at(name, self.shown, scope, ordered=self.ordered)

    def decode(self, codes: Sequence[int]) -> Any:
        return self.values[codes[0]]

    def encode(self, value: Any, path: str) -> list[int]:
        if value in self.values:
            code = self.values.index(value)
            if json.dumps(value) == json.dumps(self.values[code]):  # 1, 1.0 and True are equal, but not the same
                return [code]
        raise SpaceError(f"{path} is {value!r}, but the space allows {self._allowed()}.")

    def known(self, value: Any) -> list[int]:
        try:
            return self.encode(value, "")
        except SpaceError:
            return [INACTIVE]

    def nth(self, rank: int) -> Any:
        return self.values[rank]

    def broken(self, value: Any) -> Iterator[Any]:
        return iter(())

    def _allowed(self) -> str:
        if isinstance(self.values, range):
            return f"the whole numbers from {self.values[0]} to {self.values[-1]}"
        return ", ".join(repr(value) for value in self.values)

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, repr=False)
class Constant:
    """A plain value that every design has; it takes no gene."""

    value: Any

    size = 1
    width = 0
    constraints = ()

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        return iter(())

    def decode(self, codes: Sequence[int]) -> Any:
        return self.value

    def encode(self, value: Any, path: str) -> list[int]:
        if json.dumps(value, default=repr) != json.dumps(self.value):
            raise SpaceError(f"{path} is {value!r}, but the space allows only {self.value!r}.")
        return []

    def known(self, value: Any) -> list[int]:
        return []

    def nth(self, rank: int) -> Any:
        return self.value

    def broken(self, value: Any) -> Iterator[Any]:
        return iter(())

    def __repr__(self) -> str:
        return repr(self.value)


def is_plain(value: object) -> bool:
    """Whether a value can stand in an architecture: None, a boolean, a finite number, text, or a tuple of these."""
    if isinstance(value, tuple):
        return all(is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str)


def as_scalar(value: Any) -> Scalar:
    """A plain value as a JSON scalar: (16, 8) reads "16x8", () reads "none"."""
    if not isinstance(value, tuple):
        return value
    return "x".join(str(as_scalar(item)) for item in value) or "none"


def one_of(values: tuple[Any, ...]) -> Leaf:
    """The categorical gene behind `choice("a", "b")`."""
    for value in values:
        if not is_plain(value):
            raise SpaceError(
                f"choice() cannot offer {value!r}; plain values are None, booleans, finite numbers, strings and tuples "
                "of these, and a part is named: choice(angle=dict(axis=...))."
            )
    shown = tuple(as_scalar(value) for value in values)
    if len(set(values)) < len(values) or len(set(shown)) < len(shown):
        raise SpaceError(f"choice{values!r} offers values that are equal or read the same; each may occur once.")
    return Leaf(values, shown, ordered=False, text=f"choice({', '.join(map(repr, values))})")


def integer(low: int, high: int) -> Leaf:
    """A gene for the whole numbers from `low` to `high`, both included; neighbours are similar.

    Raises SpaceError if there are none.
    """
    if low > high:
        raise SpaceError(f"integer({low}, {high}) allows nothing: the first number must not exceed the second.")
    values = range(low, high + 1)
    return Leaf(values, values, ordered=True, text=f"integer({low}, {high})")


def boolean() -> Leaf:
    """A gene for False or True."""
    return Leaf((False, True), (False, True), ordered=False, text="boolean()")


def real(low: float, high: float, *, levels: int = 11, log: bool = False) -> Leaf:
    """A gene for evenly spaced numbers from `low` to `high`, both included; neighbours are similar.

    Args:
        low: the smallest value.
        high: the largest value.
        levels: how many values there are, at least 2.
        log: space their logarithms evenly instead; `low` must then be positive.

    Returns:
        The gene. Its values are rounded to 12 significant digits, so that they are the same on every machine.

    Raises:
        SpaceError: the bounds or the number of levels allow no such values.
    """
    text = f"real({low}, {high}, levels={levels}{', log=True' if log else ''})"
    if not (math.isfinite(low) and math.isfinite(high) and low < high and levels >= 2 and (low > 0 or not log)):
        raise SpaceError(f"{text} allows nothing: it needs low < high, at least 2 levels and, with log=True, low > 0.")
    steps = [k / (levels - 1) for k in range(levels)]
    exact = [low ** (1 - t) * high**t if log else low * (1 - t) + high * t for t in steps]
    values = tuple(float(f"{value:.12g}") for value in exact)
    if len(set(values)) < levels:
        raise SpaceError(f"{text} has levels that agree to 12 digits; take fewer levels or wider bounds.")
    return Leaf(values, values, ordered=True, text=text)
