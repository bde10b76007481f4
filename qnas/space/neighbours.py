"""The designs one step away: an ordered gene one value on, a categorical one reset, a layer in, out or doubled.

Steps reach every value that a part or a layer can have when it comes into being, so that they can be undone: a
design is a neighbour of all its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatch
from typing import Any

from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Group, Node
from qnas.space.leaves import Leaf


@singledispatch
def steps(node: Node, value: Any) -> Iterator[Any]:
    """The values of a node one step from `value`, in a fixed order, some perhaps twice, constraints aside."""
    return iter(())


@steps.register
def _(node: Leaf, value: Any) -> Iterator[Any]:
    (code,) = node.encode(value, "")
    others = (code - 1, code + 1) if node.ordered else range(node.size)
    return (node.values[k] for k in others if k != code and 0 <= k < node.size)


@steps.register
def _(node: Group, value: Mapping[str, Any]) -> Iterator[Any]:
    for key, inner in node.fields:
        for changed in steps(inner, value[key]):
            yield {**value, key: changed}


@steps.register
def _(node: Parts, value: Mapping[str, Any]) -> Iterator[Any]:
    for name, group in node.options:
        if name == value["name"]:
            yield from steps(group, value)
        else:
            yield from ({"name": name, **group.nth(rank)} for rank in range(group.size))


@steps.register
def _(node: Repeat, value: Sequence[Any]) -> Iterator[Any]:
    yield from _tied(node, value) if node.tied else _free(node, value)


def _tied(node: Repeat, items: Sequence[Any]) -> Iterator[list[Any]]:
    n = len(items)
    if n:
        yield from ([changed] * n for changed in steps(node.item, items[0]))
    if n > node.low:
        yield [*items[:-1]]
    if n < node.high:
        yield from ([one] * (n + 1) for one in (items[:1] or _every(node.item)))


def _free(node: Repeat, items: Sequence[Any]) -> Iterator[list[Any]]:
    n = len(items)
    for k in range(n):
        yield from ([*items[:k], changed, *items[k + 1 :]] for changed in steps(node.item, items[k]))
    if n > node.low:
        yield from ([*items[:k], *items[k + 1 :]] for k in range(n))
    if n < node.high:  # a doubled layer is one of those that can be inserted
        yield from ([*items[:k], one, *items[k:]] for k in range(n + 1) for one in _every(node.item))


def _every(node: Node) -> Iterator[Any]:
    return (node.nth(rank) for rank in range(node.size))
