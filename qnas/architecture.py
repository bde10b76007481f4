"""Architectures: what a genotype means, canonical, hashable and JSON both ways."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from qnas.errors import DesignError, unknown


def _freeze(value: Any, path: str) -> Any:
    """Lists become tuples, mappings become architectures; anything JSON cannot carry is refused."""
    if isinstance(value, Mapping):
        return Architecture(value)
    if isinstance(value, list | tuple):
        return tuple(_freeze(item, f"{path}[{k}]") for k, item in enumerate(value))
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise DesignError(
        f"the value of {path} is {value!r} of type {type(value).__name__}; "
        "allowed are None, booleans, finite numbers, strings, lists and mappings of these."
    )


def _thaw(value: Any) -> Any:
    if isinstance(value, Architecture):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_thaw(item) for item in value]
    return value


class Architecture(Mapping[str, Any]):
    """A frozen, nested description of one network; two equal architectures are one network.

    Values are read as attributes (`a.encoding.name`) or as a mapping (`a["encoding"]`). Nested mappings are
    architectures too, lists are tuples.
    """

    __slots__ = ("_fingerprint", "_values")

    def __init__(self, values: Mapping[str, Any]) -> None:
        frozen = {str(key): _freeze(values[key], str(key)) for key in sorted(values, key=str)}
        object.__setattr__(self, "_values", frozen)
        object.__setattr__(self, "_fingerprint", None)

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """The architecture that `to_json` wrote. Raises DesignError if the text is not a JSON object."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise DesignError(f"an architecture is a JSON object, but the text is not JSON: {error}.") from error
        if not isinstance(values, dict):
            raise DesignError(f"an architecture is a JSON object, not a {type(values).__name__}: {text[:60]!r}.")
        return cls(values)

    def to_json(self, indent: int | None = 2) -> str:
        """JSON with sorted keys; equal architectures give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=indent, allow_nan=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionaries and lists, newly made."""
        return {key: _thaw(value) for key, value in self._values.items()}

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        if self._fingerprint is None:
            digest = hashlib.sha256(self.to_json(indent=None).encode()).hexdigest()[:16]
            object.__setattr__(self, "_fingerprint", digest)
        return str(self._fingerprint)

    def replace(self, **changes: Any) -> Architecture:
        """The same architecture with some values changed."""
        return Architecture({**self._values, **changes})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(unknown("value of this architecture", name, self._values)) from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an architecture is frozen; use .replace({name}=...)")

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self.fingerprint == other.fingerprint

    def __reduce__(self) -> tuple[type[Architecture], tuple[dict[str, Any]]]:
        return Architecture, (self.to_dict(),)

    def __repr__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in self._values.items())
        return f"Architecture({inside})"
