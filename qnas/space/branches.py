"""The nodes whose genes exist only sometimes: one of several parts, and lists of variable length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qnas.errors import SpaceError
from qnas.space.codec import Constraint, Group, Node
from qnas.space.genes import INACTIVE, Gene, Scope


@dataclass(frozen=True, repr=False)
class Parts:
    """One of several named parts, each with values of its own that exist only when it is chosen."""

    options: tuple[tuple[str, Group], ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.options)

    @cached_property
    def size(self) -> int:
        return sum(group.size for _, group in self.options)

    @cached_property
    def width(self) -> int:
        return 1 + sum(group.width for _, group in self.options)

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(one for _, group in self.options for one in group.constraints)

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        yield Gene.at(name, self.names, scope, kind="choice")
        for option, group in self.options:
            yield from group.genes(f"{name}.{option}", scope.given(f"{name} is {option}"))

    def decode(self, codes: Sequence[int]) -> dict[str, Any]:
        start = 1 + sum(group.width for _, group in self.options[: codes[0]])
        name, group = self.options[codes[0]]
        return {"name": name, **group.decode(codes[start : start + group.width])}

    def encode(self, value: Any, path: str) -> list[int]:
        chosen = value.get("name") if isinstance(value, Mapping) else None
        if chosen not in self.names:
            allowed = ", ".join(repr(name) for name in self.names)
            raise SpaceError(f"{path} is {value!r}, but the space allows a part with the name {allowed} there.")
        inside = {key: value[key] for key in value if key != "name"}
        codes = [self.names.index(chosen)]
        for name, group in self.options:
            codes += group.encode(inside, path) if name == chosen else [INACTIVE] * group.width
        return codes

    def known(self, value: Any) -> list[int]:
        chosen = value.get("name") if isinstance(value, Mapping) else None
        codes = [self.names.index(chosen) if chosen in self.names else INACTIVE]
        for name, group in self.options:
            codes += group.known(value) if name == chosen else [INACTIVE] * group.width
        return codes

    def nth(self, rank: int) -> dict[str, Any]:
        for name, group in self.options:
            if rank < group.size:
                return {"name": name, **group.nth(rank)}
            rank -= group.size
        raise IndexError(rank)

    def broken(self, value: Any) -> Iterator[Constraint]:
        return dict(self.options)[value["name"]].broken(value)

    def __repr__(self) -> str:
        return f"choice({', '.join(f'{name}={group!r}' for name, group in self.options)})"


@dataclass(frozen=True, repr=False)
class Repeat:
    """A list of `low` to `high` items; tied items are all the same."""

    low: int
    high: int
    item: Node
    tied: bool = False

    @property
    def n_blocks(self) -> int:
        """How many sets of the item's genes there are."""
        return 1 if self.tied else self.high

    @cached_property
    def size(self) -> int:
        return sum(self._size_of(length) for length in range(self.low, self.high + 1))

    @cached_property
    def width(self) -> int:
        return 1 + self.n_blocks * self.item.width

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return self.item.constraints

    def genes(self, name: str, scope: Scope) -> Iterator[Gene]:
        kind = "tied repeat" if self.tied else "repeat"
        yield Gene.at(name, range(self.low, self.high + 1), scope, kind=kind)
        if self.tied:
            shared = name if isinstance(self.item, Group) else f"{name}.item"
            yield from self.item.genes(shared, scope.given("" if self.low else f"{name} >= 1").inside(name))
            return
        for k in range(self.high):
            there = scope.given(f"{name} >= {k + 1}" if k + 1 > self.low else "")
            yield from self.item.genes(f"{name}.{k}", there.inside(f"{name}.{k}"))

    def decode(self, codes: Sequence[int]) -> list[Any]:
        length, step = self.low + codes[0], self.item.width
        starts = [1 + (0 if self.tied else k * step) for k in range(length)]
        return [self.item.decode(codes[start : start + step]) for start in starts]

    def encode(self, value: Any, path: str) -> list[int]:
        if not isinstance(value, tuple | list) or not self.low <= len(value) <= self.high:
            raise SpaceError(f"{path} is {value!r}, but the space allows a list of {self.low} to {self.high} items.")
        blocks = [self.item.encode(item, f"{path}.{k}") for k, item in enumerate(value)]
        if self.tied and any(block != blocks[0] for block in blocks):
            raise SpaceError(f"{path} is {value!r}, but the space ties its items: all must be the same.")
        return self._joined(len(value), blocks)

    def known(self, value: Any) -> list[int]:
        if not isinstance(value, tuple | list) or not self.low <= len(value) <= self.high:
            return [INACTIVE] * self.width
        return self._joined(len(value), [self.item.known(item) for item in value])

    def _joined(self, length: int, blocks: Sequence[list[int]]) -> list[int]:
        absent = [INACTIVE] * self.item.width
        present = [blocks[k] if k < length else absent for k in range(self.n_blocks)]
        return [length - self.low, *(code for block in present for code in block)]

    def nth(self, rank: int) -> list[Any]:
        length = self.low
        while rank >= self._size_of(length):
            rank -= self._size_of(length)
            length += 1
        if self.tied:
            return [self.item.nth(rank)] * length
        digits = [rank // self.item.size**k % self.item.size for k in range(length)]
        return [self.item.nth(digit) for digit in digits]

    def broken(self, value: Any) -> Iterator[Constraint]:
        for item in value:
            yield from self.item.broken(item)

    def _size_of(self, length: int) -> int:
        n_free = min(length, 1) if self.tied else length
        return int(self.item.size**n_free)

    def __repr__(self) -> str:
        named = isinstance(self.item, Group) and not self.item.own_constraints
        inside = repr(self.item).removeprefix("dict(").removesuffix(")") if named else repr(self.item)
        return f"repeat({self.low}, {self.high}, {inside}{', tied=True' if self.tied else ''})"
