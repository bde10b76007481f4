"""Read a space from its text, JSON or YAML; `qnas.space.writing` says how the text is made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from qnas.errors import SpaceError, unknown
from qnas.space.codec import Group, Node
from qnas.space.declare import as_group, as_node, choice, repeat
from qnas.space.leaves import boolean, integer, real
from qnas.space.loader import Loader
from qnas.space.writing import RESERVED

Data = Mapping[Any, Any]
Declaration = tuple[Group, dict[str, Any]]


class _PlacedError(SpaceError):
    """A sentence that names its place already."""


def from_json(text: str) -> Declaration:
    """The tree and the budgets of a space in JSON. Raises SpaceError if the text declares none."""
    try:
        return _declaration(json.loads(text))
    except json.JSONDecodeError as error:
        raise SpaceError(f"the text of a space is not JSON: {error}.") from error


def from_yaml(text: str) -> Declaration:
    """The tree and the budgets of a space in YAML. Raises SpaceError if the text declares none."""
    try:
        return _declaration(yaml.load(text, Loader))
    except yaml.YAMLError as error:
        raise SpaceError(f"the text of a space is not YAML: {' '.join(str(error).split())}.") from error


def _declaration(data: Any) -> Declaration:
    if not isinstance(data, Mapping):
        raise SpaceError(f"a space is a mapping of named values, not {data!r}.")
    budgets = data.get("budgets", {})
    if not isinstance(budgets, Mapping) or not all(isinstance(name, str) for name in budgets):
        raise SpaceError(f"at budgets: {budgets!r} is not a mapping of names to numbers, such as {{qubits: 8}}.")
    for name, bound in budgets.items():
        if not _is(bound, int | float):
            raise SpaceError(f"at budgets.{name}: {bound!r} is not a number.")
    tree = _node({key: value for key, value in data.items() if key != "budgets"}, "")
    if not isinstance(tree, Group):
        raise SpaceError(f"a space is a mapping of named values, not the single gene {tree!r}; give the gene a name.")
    return tree, dict(budgets)


def _node(data: Any, path: str) -> Node:
    """What stands at a path, e.g. "layers.rotation"."""
    try:
        if isinstance(data, Mapping):
            word = next((word for word in RESERVED if word in data), None)
            return _READERS[word](data, path) if word else as_group(_inside(data, path))
        if data == "boolean":
            return boolean()
        if isinstance(data, str) and data in RESERVED:
            raise SpaceError(f"{data!r} alone is no gene; for the text itself write {{constant: {data}}}.")
        return as_node(_tuples(data), "the value")
    except _PlacedError:
        raise
    except SpaceError as error:
        raise _PlacedError(f"at {path}: {error}" if path else str(error)) from error


def _inside(values: Data, path: str) -> dict[Any, Node]:
    return {key: _node(value, f"{path}.{key}" if path else str(key)) for key, value in values.items()}


def _read_group(data: Data, path: str) -> Node:
    _check_keys(data, ("group", "constraints"))
    if sentences := data.get("constraints"):
        raise SpaceError(f"its constraints are predicates, which text cannot carry: {sentences}; load it from Python.")
    return as_group(_inside(_mapping(data["group"], "group"), path))


def _read_choice(data: Data, path: str) -> Node:
    _check_keys(data, ("choice",))
    offered = data["choice"]
    if isinstance(offered, list):
        return choice(*_tuples(offered))
    for name in _mapping(offered, "choice"):
        if not isinstance(name, str):
            raise SpaceError(f"{name!r} cannot name a part: it is not text; in YAML, quote it.")
    return choice(**_inside(offered, path))


def _read_repeat(data: Data, path: str) -> Node:
    item: Any = {key: value for key, value in data.items() if key not in ("repeat", "tied")}
    if "of" in item:
        _check_keys(data, ("repeat", "tied", "of"))
        item = item["of"]
    low, high = _pair(data["repeat"], "repeat", int)
    return repeat(low, high, _node(item, path), tied=_switch(data, "tied"))


def _read_integer(data: Data, path: str) -> Node:
    _check_keys(data, ("integer",))
    return integer(*_pair(data["integer"], "integer", int))


def _read_real(data: Data, path: str) -> Node:
    _check_keys(data, ("real", "levels", "log"))
    low, high = _pair(data["real"], "real", int | float)
    levels = data.get("levels", 11)
    if not _is(levels, int):
        raise SpaceError(f"levels is {levels!r}; give a whole number.")
    return real(float(low), float(high), levels=levels, log=_switch(data, "log"))


def _read_constant(data: Data, path: str) -> Node:
    _check_keys(data, ("constant",))
    return as_node(_tuples(data["constant"]), "the value")


_ADVICE = {
    "boolean": "write 'boolean' alone, without a mapping",
    "constraints": "text cannot carry predicates, so declare the space in Python",
    "budgets": "a budget bounds the whole design, so give it at the outermost place",
}


def _misplaced(data: Data, path: str) -> Node:
    word = next(word for word in RESERVED if word in data)
    raise SpaceError(f"{word!r} cannot stand here: {_ADVICE[word]}; if a value is called so, write {{group: {{...}}}}.")


_READERS: dict[str, Callable[[Data, str], Node]] = {
    "repeat": _read_repeat,
    "choice": _read_choice,
    "integer": _read_integer,
    "real": _read_real,
    "constant": _read_constant,
    "group": _read_group,
    **dict.fromkeys(_ADVICE, _misplaced),
}


def _check_keys(data: Data, allowed: Iterable[str]) -> None:
    for key in data:
        if key not in allowed:
            word = next(iter(allowed))
            raise SpaceError(unknown(f"key beside {word!r},", key, allowed))


def _mapping(value: Any, key: str) -> Data:
    if not isinstance(value, Mapping):
        allowed = "a list of values or a mapping of parts" if key == "choice" else "a mapping of named values"
        raise SpaceError(f"{key} is {value!r}; give {allowed}.")
    return value


def _pair(value: Any, key: str, kind: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2 or not all(_is(one, kind) for one in value):
        raise SpaceError(f"{key} is {value!r}; give two {'whole ' if kind is int else ''}numbers, [low, high].")
    return value[0], value[1]


def _switch(data: Data, key: str) -> bool:
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise SpaceError(f"{key} is {value!r}; give true or false.")
    return value


def _is(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
