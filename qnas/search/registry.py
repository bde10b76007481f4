"""Searchers by name, and which of the settings each one takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from qnas.errors import ConfigurationError
from qnas.plugins import Registry
from qnas.search.novelty import Novelty
from qnas.search.searcher import Searcher, SearchSettings

Build: TypeAlias = Callable[[SearchSettings, Novelty, int, int], Searcher]
"""Makes a searcher of the settings, what is new in the space, the number of losses, and the seed."""

B = TypeVar("B", bound=Build)

OPTIONAL = ("evaluations", "window", "sampler")
"""The settings that only some searchers take; null for the others."""


@dataclass(frozen=True)
class Method:
    """A kind of searcher: how one is made, and which optional settings it takes."""

    build: Build
    takes: tuple[str, ...]


searchers: Registry[Method] = Registry("searcher", "qnas.searchers", Method)


def searcher(name: str, takes: Sequence[str] = ()) -> Callable[[B], B]:
    """Register a searcher under the name that `search.name` chooses.

    What it decorates is called with the `SearchSettings`, a `Novelty` (the space, and what was never asked), the number
    of losses and the seed, and returns a `Searcher`.

    Args:
        name: letters, digits and underscores.
        takes: which of the settings evaluations, window and sampler it reads; the others are refused.
    """

    def register(build: B) -> B:
        searchers.add(name, Method(build, tuple(takes)))
        return build

    return register


def check_taken(settings: SearchSettings) -> None:
    """Raise ConfigurationError if a setting is set that the searcher would ignore."""
    for key in OPTIONAL:
        value = getattr(settings, key)
        if value is not None and key not in searchers[settings.name].takes:
            takers = ", ".join(name for name in searchers if key in searchers[name].takes)
            raise ConfigurationError(
                f"search.{key} is {value!r}, but {settings.name} takes no such setting; these do: {takers}."
            )
