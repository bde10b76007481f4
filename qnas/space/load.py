"""Search spaces by name: bundled ones, those of installed packages, those of a Python or YAML file or a module."""

from __future__ import annotations

import ast
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from qnas.errors import PluginError, SpaceError, unknown
from qnas.plugins import bundled_directory, load_attribute, load_module
from qnas.space.space import Space

GROUP = "qnas.search_spaces"
ATTRIBUTE = "space"
TEXT_SUFFIXES = (".yaml", ".yml", ".json")


def load_space(name_or_path_or_object: object) -> Space:
    """The search space that a short name, a path or a reference means.

    Args:
        name_or_path_or_object: a Space; the short name of a bundled space or of one that an installed package
            advertises; the path of a Python file, "my_space.py" or "my_space.py:attribute", or of a YAML or JSON
            file, "my_space.yaml"; or "module:attribute". The attribute of a file is `space` unless it is given.

    Raises:
        PluginError: there is no such space, or it cannot be loaded.
        SpaceError: a YAML or JSON file declares no space; the sentence names the place.
    """
    if isinstance(name_or_path_or_object, Space):
        return name_or_path_or_object
    reference = str(name_or_path_or_object)
    place, _, attribute = reference.rpartition(":")
    if reference.endswith(TEXT_SUFFIXES):
        return _from_text(reference)
    if reference.endswith(".py"):
        return _from_file(reference, ATTRIBUTE)
    if place.endswith(".py"):
        return _from_file(place, attribute)
    return _checked(load_attribute(reference), reference) if place else _from_name(reference)


def space_names() -> dict[str, str]:
    """The short names of all spaces that are installed, each with the first line of its docstring.

    Nothing is imported; of a space that another package advertises, the second entry says where it is.
    """
    advertised = {name: point.value for name, point in _advertised().items()}
    return dict(sorted((advertised | {name: _first_line(path) for name, path in _bundled().items()}).items()))


def about_space(reference: str) -> str:
    """The first line of the docstring of the file or module that declares a space; empty if there is none.

    Args:
        reference: as for `load_space`, which finds the space.
    """
    if reference in (files := _bundled()):
        return _first_line(files[reference])
    place = reference if reference.endswith(".py") else reference.rpartition(":")[0]
    if place.endswith(".py"):
        return _first_line(Path(place).expanduser())
    if reference in (points := _advertised()):
        place = points[reference].module
    docstring = load_attribute(f"{place}:__doc__") if place else None
    return (docstring or "").partition("\n")[0]


def _from_name(name: str) -> Space:
    if name in (files := _bundled()):
        return _from_file(str(files[name]), ATTRIBUTE)
    if name in (points := _advertised()):
        return _from_entry_point(points[name])
    advice = 'Give the path of a Python or YAML file or "module:attribute" for a space of your own.'
    raise PluginError(unknown("search space", name, sorted({*files, *points}), advice))


def _from_entry_point(point: EntryPoint) -> Space:
    """What the installed package means, also where the working folder holds a module of the same name."""
    named = EntryPoint(point.name, point.value if point.attr else f"{point.module}:{ATTRIBUTE}", point.group)
    try:
        return _checked(named.load(), named.value)
    except PluginError:
        raise
    except Exception as error:
        about = f"the entry point {point.name!r} of the group {GROUP!r}"
        raise PluginError(f"{about} cannot be loaded: {type(error).__name__}: {error}.") from error


def _from_file(path: str, attribute: str) -> Space:
    module = load_module(path)
    if not hasattr(module, attribute):
        names = [name for name, value in vars(module).items() if isinstance(value, Space)]
        raise PluginError(unknown(f"search space of {path!r},", attribute, names))
    return _checked(getattr(module, attribute), f"{path}:{attribute}")


def _from_text(path: str) -> Space:
    file = Path(path).expanduser()
    if not file.is_file():
        raise PluginError(f"there is no file {path!r}; give the path of a YAML or JSON file.")
    try:
        read = Space.from_json if file.suffix == ".json" else Space.from_yaml  # which takes JSON, too, but long
        return read(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PluginError(f"{path!r} cannot be read: {error}; give a text in UTF-8.") from error
    except SpaceError as error:
        raise SpaceError(f"{path}: {error}") from error


def _checked(loaded: object, reference: str) -> Space:
    if not isinstance(loaded, Space):
        kind = type(loaded).__name__
        raise PluginError(f"{reference!r} is of type {kind}, not a search space; declare it as Space(...).")
    return loaded


def _bundled() -> dict[str, Path]:
    files = bundled_directory("search_spaces").glob("*.py")
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def _advertised() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
