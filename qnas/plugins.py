"""Parts by name: bundled ones, those of installed packages, those of a file, those of a module.

A third party never edits qnas. A part is found by its short name (bundled, registered by a decorator, or
advertised under an entry point), by the path of a Python file, or as `module:attribute`.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from qnas.errors import PluginError, unknown

T = TypeVar("T")


class Registry(Generic[T]):
    """The parts of one kind, by short name.

    Args:
        kind: what a part is called in messages, e.g. "encoding".
        group: the entry-point group through which installed packages add parts.
    """

    def __init__(self, kind: str, group: str) -> None:
        self.kind = kind
        self.group = group
        self._parts: dict[str, T] = {}

    def add(self, name: str, part: T) -> T:
        """Register a part; a later one of the same name, e.g. from a file that is loaded again, takes its place."""
        if not name or not name.replace("_", "").isalnum():
            raise PluginError(f"{name!r} cannot name {self.kind}: use letters, digits and underscores.")
        self._parts[name] = part
        return part

    def __getitem__(self, name: str) -> T:
        if name not in self._parts:
            self._load_entry_points()
        if name not in self._parts:
            advice = f"A part of your own needs its decorator, or an entry point in the group {self.group!r}."
            raise PluginError(unknown(self.kind, name, self, advice))
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._parts))

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def _load_entry_points(self) -> None:
        """Importing the object runs its decorator, which registers the part."""
        for point in entry_points(group=self.group):
            if point.name in self._parts:
                continue
            try:
                loaded = point.load()
            except Exception as error:
                raise PluginError(
                    f"the entry point {point.name!r} of the group {self.group!r} cannot be loaded: "
                    f"{type(error).__name__}: {error}."
                ) from error
            self._parts.setdefault(point.name, loaded)


def bundled_directory(name: str) -> Path:
    """Where `conf` or `search_spaces` lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def load_module(path: str | Path) -> ModuleType:
    """Import a Python file under a name of its own, so that its decorators run; the same file is imported once."""
    file = Path(path).expanduser().resolve()
    if not file.is_file():
        raise PluginError(f"there is no file {str(path)!r}; give the path of a Python file.")
    content = file.read_bytes()
    name = f"qnas_plugin_{file.stem}_{hashlib.sha256(str(file).encode() + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{str(path)!r} is not a Python file; its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise PluginError(f"{str(path)!r} cannot be imported: {type(error).__name__}: {error}.") from error
    return module


def load_attribute(reference: str) -> Any:
    """The object that `module:attribute` names."""
    module_name, _, attribute = reference.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise PluginError(
            f"the module of {reference!r} cannot be imported: {type(error).__name__}: {error}."
        ) from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        names = [name for name in vars(module) if not name.startswith("_")]
        raise PluginError(unknown(f"attribute of module {module_name!r},", attribute, names)) from None


def registering(registry: Registry[T], name: str) -> Callable[[T], T]:
    """A decorator that registers what it decorates and returns it unchanged."""

    def register(part: T) -> T:
        return registry.add(name, part)

    return register
