"""How many designs a space has: exactly where its constraints can be judged, else at most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from math import prod
from typing import Any

from qnas.architecture import Architecture
from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Group, Node

MAX_ENUMERATED = 100_000
"""A space, or a part of one, of more designs than this is not gone through one by one."""


@dataclass(frozen=True)
class Count:
    """A number of designs; an upper bound where it is not exact."""

    n: int
    exact: bool = True

    def __str__(self) -> str:
        return f"{self.n:,}" if self.exact else f"at most {self.n:,}"


@singledispatch
def count(node: Node) -> Count:
    """The valid values of a node.

    A constraint is judged on every value of the group that it belongs to, if these are at most 100,000; if not, it is
    left aside and the count is a bound.
    """
    return Count(node.size)


@count.register
def _(node: Group) -> Count:
    return _of_group(node, {})


@count.register
def _(node: Parts) -> Count:
    counts = [_of_group(group, {"name": name}) for name, group in node.options]
    return Count(sum(one.n for one in counts), all(one.exact for one in counts))


@count.register
def _(node: Repeat) -> Count:
    item = count(node.item)
    n_free = [min(length, 1) if node.tied else length for length in range(node.low, node.high + 1)]
    return Count(sum(item.n**n for n in n_free), item.exact)


def _of_group(group: Group, known: dict[str, Any]) -> Count:
    """`known` is what a constraint of the group sees besides its own values."""
    if group.own_constraints and group.size <= MAX_ENUMERATED:
        return Count(sum(1 for value in _values(group, known) if not any(True for _ in group.broken(value))))
    counts = [count(node) for _, node in group.fields]
    exact = not group.own_constraints and all(one.exact for one in counts)
    return Count(prod(one.n for one in counts), exact)


def _values(group: Group, known: dict[str, Any]) -> Iterator[Architecture]:
    return (Architecture({**known, **group.nth(rank)}) for rank in range(group.size))
