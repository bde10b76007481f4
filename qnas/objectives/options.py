"""Options of objectives: keyword-only parameters, whose annotations say what a configuration may give them."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from types import NoneType, SimpleNamespace, UnionType
from typing import Any

from qnas.errors import ConfigurationError, unknown

_WORDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", NoneType: "null"}


def option_types(measure: Callable[..., Any]) -> dict[str, Any]:
    """The annotation of each keyword-only parameter; `Any` where there is none, or one for type checkers only."""
    parameters = inspect.signature(measure).parameters.values()
    namespace = getattr(inspect.unwrap(measure), "__globals__", {})
    return {
        parameter.name: _resolved(parameter.annotation, namespace)
        for parameter in parameters
        if parameter.kind is parameter.KEYWORD_ONLY
    }


def check_option(key: str, value: object, annotation: Any, least: int | float | None) -> None:
    """Check a value from a configuration.

    Args:
        key: what messages call the option.
        value: as YAML gives it.
        annotation: int, float, str or bool, a union of them and None, or a Literal; any other type is not checked.
        least: the smallest number that is allowed; an option without such an annotation must be a number then.

    Raises:
        ConfigurationError: the value is of another type, or too small.
    """
    if typing.get_origin(annotation) is typing.Literal:
        if value not in typing.get_args(annotation):
            raise ConfigurationError(unknown(f"value of {key},", value, typing.get_args(annotation)))
        return
    union = typing.get_origin(annotation) in (typing.Union, UnionType)
    allowed = typing.get_args(annotation) if union else (annotation,)
    if any(kind not in _WORDS for kind in allowed):
        allowed = () if least is None else (float,)
    if allowed and not any(_fits(value, kind, least) for kind in allowed):
        words = (_WORDS[kind] + (f" of at least {least}" if _is_bounded(kind, least) else "") for kind in allowed)
        raise ConfigurationError(f"{key} is {value!r}; allowed is {' or '.join(words)}.")


def _is_bounded(kind: type, least: int | float | None) -> bool:
    return least is not None and kind in (int, float)


def _fits(value: Any, kind: type, least: int | float | None) -> bool:
    """A whole number is a number; a bool is neither."""
    of_kind = isinstance(value, (int, float) if kind is float else kind)
    return (
        of_kind and (kind is bool or not isinstance(value, bool)) and (not _is_bounded(kind, least) or value >= least)
    )


def _resolved(annotation: Any, namespace: dict[str, Any]) -> Any:
    """The type that an annotation means, also where it is a text."""
    if annotation is inspect.Parameter.empty:
        return Any
    try:
        return typing.get_type_hints(SimpleNamespace(__annotations__={"option": annotation}), namespace)["option"]
    except (NameError, AttributeError, TypeError):
        return Any
