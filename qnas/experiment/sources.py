"""The files that a run depends on beside qnas itself, so that no run goes on with another definition."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeAlias

from qnas.circuit.ansatze import ansatze
from qnas.circuit.encodings import encodings
from qnas.circuit.readouts import readouts
from qnas.circuit.topologies import topologies
from qnas.config import Config
from qnas.data import datasets
from qnas.model.couplings import couplings
from qnas.objectives import objectives
from qnas.plugins import Registry, bundled_directory, module_file
from qnas.space.load import GROUP, TEXT_SUFFIXES

_PARTS: tuple[Registry[Any], ...] = (encodings, ansatze, topologies, readouts, couplings)
Record: TypeAlias = dict[str, dict[str, str | None]]


def record_of(config: Config) -> Record:
    """The path and the SHA-256 of each file, None if it is not there, by the key of the configuration that names it."""
    return {key: {"path": str(path), "sha256": _digest(path)} for key, path in _files(config)}


def own_parts() -> dict[str, str | None]:
    """The SHA-256 of the file of each part that is loaded and is not of qnas itself, by kind and name."""
    modules = {f"{parts.kind} {name!r}": _module_of(parts[name]) for parts in _PARTS for name in parts}
    return {part: _digest_of(module) for part, module in modules.items() if not module.startswith("qnas.")}


def _module_of(part: object) -> str:
    """Where a function or class was written, or what a record of one holds."""
    held = [value for value in vars(part).values() if callable(value)] if is_dataclass(part) else []
    written = part if isinstance(part, type) or not held else held[0]
    return str(getattr(written, "__module__", ""))


def _digest_of(module: str) -> str | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return _digest(Path(file)) if file else None


def changes(record: Record, config: Config) -> list[str]:
    """What has become of the files of a record, for those that are not as they were."""
    now = record_of(config)
    return [
        f"{file['path']!r} ({key}) {'is missing' if digest is None else 'has changed'}"
        for key, file in record.items()
        if (digest := now.get(key, {}).get("sha256")) != file["sha256"]
    ]


def space_file(config: Config) -> Path | None:
    """The file that declares the space of a run."""
    spaces = {file.stem: file for file in bundled_directory("search_spaces").glob("*.py")}
    return spaces.get(config.space) or _file_of(config.space, GROUP)


def _files(config: Config) -> Iterator[tuple[str, Path]]:
    named = {
        "space": space_file(config),
        "data.name": _file_of(config.data.name, datasets.group),
        "data.path": Path(config.data.path).expanduser() if config.data.path else None,
        **_numbered("objectives.names", [_file_of(name, objectives.group) for name in config.objectives.names]),
        **_numbered("objectives.add", [Path(path).expanduser() for path in config.objectives.add]),
    }
    return ((key, path) for key, path in named.items() if path is not None)


def _numbered(key: str, files: list[Path | None]) -> Mapping[str, Path | None]:
    return {f"{key}[{k}]": file for k, file in enumerate(files)}


def _file_of(reference: str, group: str) -> Path | None:
    """The file of a part by path, `path:attribute`, `module:attribute` or the short name of an entry point."""
    suffixes = (".py", *TEXT_SUFFIXES)
    place = reference if reference.endswith(suffixes) else reference.rpartition(":")[0]
    if place.endswith(suffixes):
        return Path(place).expanduser()
    modules = [place] if place else [point.module for point in entry_points(group=group, name=reference)]
    return next((file for module in modules if (file := _file_of_module(module))), None)


def _file_of_module(name: str) -> Path | None:
    if len(Path(name).parts) > 1:  # see qnas.plugins.located
        return module_file(Path(name))
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        try:
            spec = importlib.util.find_spec(name)
        except Exception:  # noqa: BLE001 - it imports the packages around; whoever loads the module says what is wrong
            return None
        file = spec.origin if spec else None
    return Path(file) if file and Path(file).is_file() else None


def _digest(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
