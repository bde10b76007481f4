"""Files that appear whole or not at all, whatever ends the process or the machine that writes them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_at_once(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file, a text as UTF-8, into a folder that exists; until it is complete, what was there stays.

    Args:
        path: of the file.
        content: of the file.
        private: nobody but its owner may read it.

    Raises:
        OSError: it cannot be written, e.g. because the disk is full; nothing is left of it.
    """
    begun = unfinished(path)
    try:
        begun.unlink(missing_ok=True)
        begun.touch(mode=0o600 if private else 0o666)
        begun.write_bytes(content.encode() if isinstance(content, str) else content)
        with begun.open("rb") as file:
            os.fsync(file.fileno())  # or a machine that restarts finds the name, and no content
        begun.replace(path)
        _sync(path.parent)
    except OSError:
        with suppress(OSError):
            begun.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Have the disk take note of a new name, too, where the file system can be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unfinished(path: Path) -> Path:
    """Where a file stands until it is complete; a process that is killed leaves it there."""
    return path.with_name(f".{path.name}.unfinished")
