"""Spaces as text, the structure that JSON and YAML share.

A mapping with one of the words below is a gene, any other is a group of named values; the text "boolean" is a gene, and
everything else, lists included, is a plain value that all designs share:

    {integer: [2, 6]}   {real: [0.1, 1.0], levels: 3, log: true}   boolean   {choice: [x, y]}   {choice: {part: {...}}}
    {repeat: [1, 4], tied: true, rotation: ...}, or, for an item that is no group, {repeat: [1, 4], of: ...}
    {constant: ...}, {group: {...}}   for what would read as a gene, but is none

Beside the genes of the whole, `budgets` holds what a design may have at most. Predicates cannot be written as text: the
key `constraints` beside `group` lists their sentences, and a space that has any is not read back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Group, Node
from qnas.space.leaves import Constant, Leaf

RESERVED = ("repeat", "choice", "integer", "real", "boolean", "constant", "group", "constraints", "budgets")
"""Words that name no value of a group, unless the group is written as {group: {...}}."""


def to_json(tree: Group, budgets: Mapping[str, int | float], indent: int | None) -> str:
    """The declaration of a space; equal spaces give equal text."""
    limits = {"budgets": dict(budgets)} if budgets else {}
    return json.dumps({**written(tree), **limits}, indent=indent, allow_nan=False)


@singledispatch
def written(node: Node) -> Any:
    """What JSON and YAML hold for a node."""
    raise TypeError(f"{type(node).__name__} is not a node of a space.")


@written.register
def _(node: Leaf) -> Any:
    return node.kind if node.kind == "boolean" else {node.kind: _lists(node.arguments), **dict(node.options)}


@written.register
def _(node: Constant) -> Any:
    return {"constant": node.value} if node.value in RESERVED else _lists(node.value)


@written.register
def _(node: Group) -> Any:
    values = {key: written(inner) for key, inner in node.fields}
    if node.own_constraints:
        return {"group": values, "constraints": [rule.because for rule in node.own_constraints]}
    return {"group": values} if any(key in RESERVED for key in values) else values


@written.register
def _(node: Parts) -> Any:
    return {"choice": {name: written(group) for name, group in node.options}}


@written.register
def _(node: Repeat) -> Any:
    return {"repeat": [node.low, node.high], **({"tied": True} if node.tied else {}), "of": written(node.item)}


def _lists(value: Any) -> Any:
    return [_lists(item) for item in value] if isinstance(value, tuple) else value
