"""Parts by name: bundled ones, those of installed packages, those of a file, those of a module.

A third party never edits qnas. A part is found by its short name (bundled, registered by a decorator, or
advertised under an entry point), by the path of a Python file, or as `module:attribute`, also of a module in the
working folder.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from qnas.errors import PluginError, unknown

T = TypeVar("T")

PLUGIN = "qnas_plugin_"
"""How the names of modules begin that `load_module` has made of files."""


class Registry(Generic[T]):
    """The parts of one kind, by short name. Iteration is over those that are registered; nothing is loaded for it.

    An entry point is loaded once its name is asked for. It names an object that carries the decorator of its kind,
    and finds the part under its own name, too, if the decorator registers it under another.

    Args:
        kind: what a part is called in messages, e.g. "encoding".
        group: the entry-point group through which installed packages add parts.
        record: the class of the parts, if the decorator keeps what it decorates in one of the attributes of a record.
    """

    def __init__(self, kind: str, group: str, record: type[T] | None = None) -> None:
        self.kind = kind
        self.group = group
        self._record = record
        self._parts: dict[str, T] = {}

    def add(self, name: str, part: T) -> T:
        """Register a part; a later one of the same name, e.g. from a file that is loaded again, takes its place."""
        if not name or not name.replace("_", "").isalnum():
            raise PluginError(f"{name!r} cannot name {self.kind}: use letters, digits and underscores.")
        self._parts[name] = part
        return part

    def __getitem__(self, name: str) -> T:
        if name not in self._parts and name in (advertised := self._advertised()):
            self._parts[name] = self._load(advertised[name])
        if name not in self._parts:
            advice = f"A part of your own needs its decorator, or an entry point in the group {self.group!r}."
            raise PluginError(unknown(self.kind, name, self.names(), advice))
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._parts))

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def names(self) -> list[str]:
        """All that can be asked for: what is registered, and what installed packages advertise."""
        return sorted({*self._parts, *self._advertised()})

    def _advertised(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self.group)}

    def _load(self, point: EntryPoint) -> T:
        """Importing the object runs its decorator, which registers the part, perhaps under another name."""
        about = f"the entry point {point.name!r} of the group {self.group!r}"
        try:
            loaded: Any = point.load()
        except Exception as error:
            raise PluginError(f"{about} cannot be loaded: {type(error).__name__}: {str(error).rstrip('.')}.") from error
        if point.name in self._parts:
            return self._parts[point.name]
        for part in self._parts.values():
            if part is loaded or (self._record and any(value is loaded for value in vars(part).values())):
                return part
        if isinstance(loaded, ModuleType) or (self._record and not isinstance(loaded, self._record)):
            found = type(loaded).__name__
            raise PluginError(
                f"{about} names a {found} that is not a part; name what carries the {self.kind} decorator."
            )
        return cast("T", loaded)


def bundled_directory(name: str) -> Path:
    """Where `conf` or `search_spaces` lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


_loading: set[str] = set()
"""The names of the modules that `load_module` is at work on."""


def is_loading() -> bool:
    """Whether a Python file of the user's is being imported right now, and whoever asks is called from it."""
    return bool(_loading)


def load_module(path: str | Path) -> ModuleType:
    """Import a Python file under a name of its own, so that its decorators run; the same file is imported once."""
    file = Path(path).expanduser().resolve()
    if not file.is_file():
        raise PluginError(f"there is no file {str(path)!r}; give the path of a Python file.")
    content = file.read_bytes()
    name = f"{PLUGIN}{file.stem}_{hashlib.sha256(str(file).encode() + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{str(path)!r} is not a Python file; its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _loading.add(name)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise PluginError(
            f"{str(path)!r} cannot be imported: {type(error).__name__}: {str(error).rstrip('.')}."
        ) from error
    finally:
        _loading.discard(name)
    return module


def load_attribute(reference: str) -> Any:
    """The object that `module:attribute` names; a module in the working folder goes before one that is installed.

    The module may be given with its folder, `folder/module:attribute`, see `located`. The folder stays on the path for
    imports, because the module may import its neighbours at any time.
    """
    place, _, attribute = _divided(located(reference))
    module = _import(place, reference)
    try:
        return getattr(module, attribute)
    except AttributeError:
        names = [name for name in vars(module) if not name.startswith("_")]
        raise PluginError(unknown(f"attribute of module {module.__name__!r},", attribute, names)) from None


def located(reference: str) -> str:
    """A reference that means the same from any folder, in this process and in others.

    Files and modules in the working folder get their absolute paths: `my_space.py:space` becomes
    `/folder/my_space.py:space`, `my_module:space` becomes `/folder/my_module:space`. All others stay as they are:
    short names, modules of installed packages, and what does not exist.
    """
    place, colon, attribute = _divided(reference)
    path = Path(place).expanduser()
    if (path.suffix and path.is_file()) or (colon and module_file(path)):
        return f"{path.resolve()}{colon}{attribute}"
    return reference


def _divided(reference: str) -> tuple[str, str, str]:
    return reference.rpartition(":") if ":" in reference else (reference, "", "")


def module_file(place: Path) -> Path | None:
    """The file of a module `folder/package.module`, if it is there."""
    names = place.name.split(".")
    if not all(name.isidentifier() for name in names):
        return None
    module = place.parent.joinpath(*names)
    return next((file for file in (module / "__init__.py", Path(f"{module}.py")) if file.is_file()), None)


def _import(place: str, reference: str) -> ModuleType:
    """Import `module` or `/folder/module`."""
    path = Path(place)
    file = module_file(path) if len(path.parts) > 1 else None
    if len(path.parts) > 1 and file is None:
        missing = f"there is no module {path.name!r} in {str(path.parent)!r}"
        raise PluginError(f"the module of {reference!r} cannot be imported: {missing}.")
    if file is not None and str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
        importlib.invalidate_caches()
    try:
        module = importlib.import_module(path.name if file else place)
    except Exception as error:
        raise PluginError(
            f"the module of {reference!r} cannot be imported: {type(error).__name__}: {str(error).rstrip('.')}."
        ) from error
    if file is not None and Path(module.__file__ or "").resolve() != file.resolve():
        raise PluginError(
            f"the module of {reference!r} is {str(file)!r}, but one of the same name is imported from "
            f"{module.__file__!r}; rename yours."
        )
    return module


def registering(registry: Registry[T], name: str) -> Callable[[T], T]:
    """A decorator that registers what it decorates and returns it unchanged."""

    def register(part: T) -> T:
        return registry.add(name, part)

    return register
