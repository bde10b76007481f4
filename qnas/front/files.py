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
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600 if private else 0o666)
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())  # or a machine that restarts finds the name, and no content
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
