"""Files that appear whole or not at all, whatever kills the process that writes them."""

from __future__ import annotations

from pathlib import Path


def write_at_once(path: Path, content: str | bytes) -> None:
    """Write a file, a text as UTF-8, into a folder that exists; until it is complete, what was there stays."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
    unfinished.replace(path)
