"""The leaves of a space: genes that choose among plain values, and values that every design has."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qnas.errors import SpaceError
from qnas.space.genes import INACTIVE, ORDERED_KINDS, Gene, Scalar, Scope


@dataclass(frozen=True, repr=False, eq=False)
class Leaf:
    """A choice among plain values.

    Attributes:
        kind: "choice", "integer", "boolean" or "real", the function that declares it.
        arguments, options: what that function was given.
        values: what each code decodes to.
        shown: the same as JSON scalars.
    """

    kind: str
    arguments: tuple[Any, ...]
    values: Sequence[Any]
    shown: Sequence[Scalar]
    options: tuple[tuple[str, Any], ...] = ()

    width = 1
    constraints = ()

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def ordered(self) -> bool:
        """Whether neighbouring codes are neighbouring values."""
        return self.kind in ORDERED_KINDS

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        yield Gene.at(name, self.shown, scope, kind=self.kind)

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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and repr(self) == repr(other)  # 1, 1.0 and True are equal, but not the same

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        given = [repr(value) for value in self.arguments]
        return f"{self.kind}({', '.join([*given, *(f'{key}={value!r}' for key, value in self.options)])})"


@dataclass(frozen=True, repr=False, eq=False)
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

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

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
    return Leaf("choice", values, values, shown)


def integer(low: int, high: int) -> Leaf:
    """A gene for the whole numbers from `low` to `high`, both included; neighbours are similar.

    Raises SpaceError if there are none.
    """
    if low > high:
        raise SpaceError(f"integer({low}, {high}) allows nothing: the first number must not exceed the second.")
    values = range(low, high + 1)
    return Leaf("integer", (low, high), values, values)


def boolean() -> Leaf:
    """A gene for False or True."""
    return Leaf("boolean", (), (False, True), (False, True))


def real(low: int | float, high: int | float, *, levels: int = 11, log: bool = False) -> Leaf:
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
    low, high = float(low), float(high)
    text = f"real({low}, {high}, levels={levels}{', log=True' if log else ''})"
    if not (math.isfinite(low) and math.isfinite(high) and low < high and levels >= 2 and (low > 0 or not log)):
        raise SpaceError(f"{text} allows nothing: it needs low < high, at least 2 levels and, with log=True, low > 0.")
    steps = [k / (levels - 1) for k in range(levels)]
    exact = [low ** (1 - t) * high**t if log else low * (1 - t) + high * t for t in steps]
    values = tuple(float(f"{value:.12g}") for value in exact)
    if len(set(values)) < levels:
        raise SpaceError(f"{text} has levels that agree to 12 digits; take fewer levels or wider bounds.")
    options = (("levels", levels), ("log", True)) if log else (("levels", levels),)
    return Leaf("real", (low, high), values, values, options)
