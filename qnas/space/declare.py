"""How a space is written down: choices, repeats and groups of named values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from qnas.errors import SpaceError
from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Group, Node
from qnas.space.leaves import Constant, Leaf, is_plain, one_of


def choice(*values: object, **options: object) -> Leaf | Parts:
    """A categorical gene.

    Args:
        values: plain values (None, booleans, numbers, strings, tuples), one of which a design has; or
        options: named parts, one of which a design has, as {"name": option, ...}. A part's own genes, given as a
            dict or a Space, exist only when it is chosen; {} for a part without any.

    Raises:
        SpaceError: both or neither are given, or a value cannot be offered.
    """
    if bool(values) == bool(options):
        raise SpaceError("choice(...) takes either plain values or named parts, at least one and not both.")
    return one_of(values) if values else Parts(tuple((name, _part(name, genes)) for name, genes in options.items()))


_NAMED = object()
"""Says that the item of a repeat is given by its named values; None is a value."""


def repeat(low: int, high: int, item: object = _NAMED, /, *, tied: bool = False, **genes: object) -> Repeat:
    """A list of `low` to `high` items.

    Args:
        low: the smallest number of items, at least 0.
        high: the largest number of items.
        item: what is repeated: a Space, a dict of genes, or one gene, e.g. `integer(4, 32)` or a `choice` of parts; or
        genes: the named values of an item, as for `Space`.
        tied: give all items of a design the same values, from one set of genes.

    Raises:
        SpaceError: the numbers allow no list, or an item has no values.
    """
    if not 0 <= low <= high or high == 0:
        raise SpaceError(f"repeat({low}, {high}) allows nothing: it needs 0 <= low <= high and high >= 1.")
    if item is not _NAMED and genes:
        raise SpaceError(f"repeat({low}, {high}, ...) takes either one item or its named values, not both.")
    node = as_group(genes) if item is _NAMED else as_node(item, "the item of repeat")
    if isinstance(node, Group) and not node.fields:
        raise SpaceError(f"repeat({low}, {high}) repeats nothing; name the values of an item.")
    return Repeat(low, high, node, tied)


def as_group(genes: Mapping[Any, object]) -> Group:
    """Named values side by side. Raises SpaceError if a name or a value cannot be declared."""
    for key in genes:
        _check_name(key, "a gene")
    return Group(tuple((key, as_node(value, key)) for key, value in genes.items()))


@singledispatch
def as_node(value: object, name: str) -> Node:
    """The node that a declared value `name` means; `Space` adds itself to what can be declared.

    Raises:
        SpaceError: it means none.
    """
    if is_plain(value):
        return Constant(value)
    raise SpaceError(
        f"{name} is {value!r}, which is neither a gene, a dict of genes nor a plain value; to offer several values, "
        "write choice(...)."
    )


@as_node.register(Leaf)
@as_node.register(Constant)
@as_node.register(Group)
@as_node.register(Parts)
@as_node.register(Repeat)
def _(value: Node, name: str) -> Node:
    return value


@as_node.register(Mapping)
def _(value: Mapping[Any, object], name: str) -> Node:
    return as_group(value)


def _part(name: str, genes: object) -> Group:
    _check_name(name, "a part")
    group = as_node(genes, name)
    if not isinstance(group, Group):
        raise SpaceError(f"the part {name!r} is {genes!r}; give its genes as a dict or a Space, {{}} if it has none.")
    if "name" in dict(group.fields):
        raise SpaceError(f"the part {name!r} has a gene called 'name', which is where its own name goes; rename it.")
    return group


def _check_name(name: object, kind: str) -> None:
    if not (isinstance(name, str) and name.isidentifier()) or name.startswith("_"):
        raise SpaceError(f"{name!r} cannot name {kind}: use letters, digits and underscores, a letter first.")
