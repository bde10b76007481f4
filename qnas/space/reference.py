"""Where other processes find a space that lives in memory."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from qnas.errors import PluginError, SpaceError
from qnas.plugins import PLUGIN
from qnas.space.load import load_space
from qnas.space.space import Space

_INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib"))


def reference_to(space: Space) -> str:
    """The text by which `load_space` finds a space again in any process: `file.py:attribute` or `module:attribute`.

    Raises:
        SpaceError: it is at the top level of no module that can be imported again, or is another one there.
    """
    found = next(_references(space), None)
    rules = ", ".join(repr(rule.because) for rule in space.tree.constraints)
    if found is None:
        raise SpaceError(
            f"the space has constraints ({rules}), whose predicates other processes can only import, but it is not at "
            "the top level of a module; write it to a file, my_space.py, as space = Space(...).where(...), and search "
            "with the override space=my_space.py."
        )
    try:
        again = load_space(found).to_json()
    except PluginError as error:
        raise SpaceError(f"the space is {found!r} to other processes, but {error}") from error
    if again != space.to_json():
        raise SpaceError(
            f"the space is {found!r} to other processes, but it is another one there; declare it so that it depends on "
            "nothing but that file."
        )
    return found


def _references(space: Space) -> Iterator[str]:
    """Files that qnas has loaded first, the script that runs last, because it may only import the space."""
    modules = {name: module for name, module in list(sys.modules.items()) if isinstance(module, ModuleType)}
    modules.pop("__mp_main__", None)  # multiprocessing's second name of __main__
    for name in sorted(modules, key=lambda name: (name == "__main__", not name.startswith(PLUGIN))):
        module = modules[name]
        names = [attribute for attribute, value in list(vars(module).items()) if value is space]
        if names and (place := _place(name, module)):
            yield f"{place}:{names[0]}"


def _place(name: str, module: ModuleType) -> str | None:
    """What stands before the colon; None if the module cannot be imported again, as that of a notebook."""
    file = Path(getattr(module, "__file__", None) or "")
    if file.suffix != ".py":
        return None
    if name == "__main__" and module.__spec__ is not None:  # python -m
        name = module.__spec__.name
    if name == "__main__" or name.startswith(PLUGIN):
        return str(file.resolve())
    folder = file.resolve().parents[name.count(".") + (file.stem == "__init__")]
    return name if folder in _INSTALLED else str(folder / name)
