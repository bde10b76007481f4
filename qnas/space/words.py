"""Words of the text form of spaces that are misspelt, and so have become plain values."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Group, Node
from qnas.space.leaves import Constant

_PAIRS, _OTHERS = ("integer", "real", "repeat"), ("choice", "constant", "group")
"""Words that are given two numbers, and those that are not."""
_ELSEWHERE = {"int": "integer", "float": "real", "range": "integer", "bool": "boolean", "choose": "choice"}
"""What other languages say."""


def misspelt(node: Node, path: str = "") -> Iterator[str]:
    """A sentence for each value that looks like a gene, `{integr: [2, 6]}` or `bolean`, and is none."""
    if isinstance(node, Constant):
        word = _nearest(node.value, ("boolean",)) if isinstance(node.value, str) else None
        if word:
            yield f"{path} is the text {node.value!r}, the same in all designs; did you mean the gene {word!r}?"
    elif isinstance(node, Group):
        for key, inner in node.fields:
            word = _nearest(key, _PAIRS if _is_pair(inner) else _OTHERS) if path else None
            if word:
                yield f"{path} is a value called {key!r}, the same in all designs; did you mean the gene {word!r}?"
            yield from misspelt(inner, f"{path}.{key}" if path else key)
    elif isinstance(node, Parts):
        for name, group in node.options:
            yield from misspelt(group, f"{path}.{name}")
    elif isinstance(node, Repeat):
        yield from misspelt(node.item, path)


def _is_pair(node: Node) -> bool:
    value: Any = node.value if isinstance(node, Constant) else None
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(one, int | float) for one in value)


def _nearest(text: str, words: tuple[str, ...]) -> str | None:
    if text in words:
        return None
    found = _ELSEWHERE.get(text.lower()) or next(iter(difflib.get_close_matches(text.lower(), words, 1, 0.75)), None)
    return found if found in words else None
