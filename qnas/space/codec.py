"""Nested genes and back: how groups, parts and repeated items become flat codes, and codes become values.

Every node of a space knows its flat genes, how to read a value from their codes, how to write the codes of a
value, and its n-th value. Counting, uniform sampling and enumeration follow from the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Protocol, runtime_checkable

from qnas.errors import SpaceError, unknown
from qnas.space.genes import INACTIVE, Gene, Scope


@runtime_checkable
class Node(Protocol):
    """One place in a space: a leaf, a constant, a group, parts or a repeat."""

    @property
    def size(self) -> int:
        """The number of values, constraints aside."""

    @property
    def width(self) -> int:
        """The number of flat genes."""

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """All constraints at and below this place."""

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        """The flat genes, in the order of their codes."""

    def decode(self, codes: Sequence[int]) -> Any:
        """The value of `width` codes; codes of genes that do not exist are ignored."""

    def encode(self, value: Any, path: str) -> list[int]:
        """The codes of a value, INACTIVE for genes that do not exist. Raises SpaceError if it does not belong."""

    def known(self, value: Any) -> list[int]:
        """As `encode`, but INACTIVE also for what does not belong or is missing."""

    def nth(self, rank: int) -> Any:
        """The value number `rank`, 0 <= rank < size."""

    def broken(self, value: Any) -> Iterator[Constraint]:
        """The constraints at and below this place that the value breaks."""


@dataclass(frozen=True)
class Constraint:
    """A predicate that a design must satisfy, and the sentence that says why."""

    predicate: Callable[[Any], object]
    because: str

    def holds(self, value: Any) -> bool:
        try:
            return bool(self.predicate(value))
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise SpaceError(f"the constraint {self.because!r} cannot be judged: {reason} (on {value!r}).") from error


@dataclass(frozen=True, repr=False)
class Group:
    """Named values side by side."""

    fields: tuple[tuple[str, Node], ...]
    own_constraints: tuple[Constraint, ...] = ()

    @cached_property
    def size(self) -> int:
        return prod(node.size for _, node in self.fields)

    @cached_property
    def width(self) -> int:
        return sum(node.width for _, node in self.fields)

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        return self.own_constraints + tuple(one for _, node in self.fields for one in node.constraints)

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        for key, node in self.fields:
            yield from node.genes(f"{name}.{key}" if name else key, scope)

    def decode(self, codes: Sequence[int]) -> dict[str, Any]:
        values, start = {}, 0
        for key, node in self.fields:
            values[key] = node.decode(codes[start : start + node.width])
            start += node.width
        return values

    def encode(self, value: Any, path: str) -> list[int]:
        self._check_keys(value, path)
        prefix = f"{path}." if path else ""
        return [code for key, node in self.fields for code in node.encode(value[key], prefix + key)]

    def known(self, value: Any) -> list[int]:
        held = value if isinstance(value, Mapping) else {}
        codes = [node.known(held[key]) if key in held else [INACTIVE] * node.width for key, node in self.fields]
        return [code for part in codes for code in part]

    def nth(self, rank: int) -> dict[str, Any]:
        values = {}
        for key, node in reversed(self.fields):
            rank, digit = divmod(rank, node.size)
            values[key] = node.nth(digit)
        return values

    def broken(self, value: Any) -> Iterator[Constraint]:
        yield from (one for one in self.own_constraints if not one.holds(value))
        for key, node in self.fields:
            yield from node.broken(value[key])

    def _check_keys(self, value: Any, path: str) -> None:
        keys = [key for key, _ in self.fields]
        place = path or "the architecture"
        if not isinstance(value, Mapping):
            raise SpaceError(f"{place} is {value!r}, but the space has the values {', '.join(keys)} there.")
        if missing := [key for key in keys if key not in value]:
            raise SpaceError(f"{place} lacks {', '.join(missing)}; the space has {', '.join(keys)} there.")
        if extra := [key for key in value if key not in keys]:
            raise SpaceError(unknown(f"value of {place},", extra[0], keys))

    def __repr__(self) -> str:
        text = ", ".join(f"{key}={node!r}" for key, node in self.fields)
        rules = "".join(f".where(..., because={one.because!r})" for one in self.own_constraints)
        return f"Space({text}){rules}" if rules else f"dict({text})"
