"""Parts of an architecture: a bare name, or a name with options, such as {"name": "angle", "axis": "x"}."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any

from qnas.architecture import Architecture
from qnas.errors import DesignError, unknown

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def required(architecture: Architecture, key: str, of: str = "the architecture") -> Any:
    """A value of an architecture. Raises DesignError if it is missing."""
    if key not in architecture:
        raise DesignError(f"{of} has no {key!r}; it holds {', '.join(architecture) or 'nothing'}.")
    return architecture[key]


def check_keys(architecture: Architecture, allowed: Sequence[str], kind: str) -> None:
    """Raise DesignError for a value that nothing reads, such as a misspelt one."""
    for key in architecture:
        if key not in allowed:
            raise DesignError(unknown(kind, key, allowed))


def part_of(architecture: Architecture, key: str, default: str | None = None) -> Architecture:
    """The part under a key with its options, the default if there is none. Raises DesignError if it has no name."""
    missing = default is not None and key not in architecture
    return as_part(default if missing else required(architecture, key), f"the {key}")


def as_part(value: Any, what: str) -> Architecture:
    """A part with its options; a bare name is a part without options. Raises DesignError if it has no name."""
    part = value if isinstance(value, Architecture) else Architecture({"name": value})
    required(part, "name", of=what)
    return part


def takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter of this name."""
    return name in inspect.signature(function).parameters


def options_of(
    part: Architecture, function: Callable[..., Any], kind: str, *, n_given: int, given: Collection[str] = ()
) -> dict[str, Any]:
    """The part's options, checked against the parameters of the function that builds it.

    Args:
        part: with its name and options.
        function: what the options go to by name.
        kind: what messages call it, e.g. "encoding".
        n_given: how many of its first parameters are no options.
        given: further parameters that are no options.

    Raises:
        DesignError: an option is not known or is missing.
    """
    options = {key: value for key, value in part.items() if key != "name"}
    parameters = list(inspect.signature(function).parameters.items())[n_given:]
    allowed = {key: one for key, one in parameters if key not in given and one.kind not in _VARIADIC}
    for key in options:
        if key not in allowed:
            raise DesignError(unknown(f"option of the {kind} {part['name']!r},", key, allowed))
    for key, parameter in allowed.items():
        if key not in options and parameter.default is parameter.empty:
            raise DesignError(f"the {kind} {part['name']!r} needs the option {key!r}.")
    return options
