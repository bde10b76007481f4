"""The command line that the benchmarks share, and the page that each of them writes."""

from __future__ import annotations

import argparse
from pathlib import Path

HERE = Path(__file__).resolve().parent


def parser(description: str, quick: str) -> argparse.ArgumentParser:
    """Of a benchmark.

    Args:
        description: what it does.
        quick: how little `--quick` measures.
    """
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--output", type=Path, default=HERE, help="the folder to write to; this one by default")
    made.add_argument("--quick", action="store_true", help=f"{quick}, to see that it works")
    return made


def parsed(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The options; the folder of the output is made. Exits with 2 if a quick run would overwrite a verdict."""
    options = made.parse_args()
    if options.quick and options.output.resolve() == HERE:
        made.error("--quick needs another --output: its numbers are no verdict.")
    options.output.mkdir(parents=True, exist_ok=True)
    return options


def write_page(file: Path, text: str) -> None:
    """Write it, and show it."""
    file.write_text(text)
    print(f"\n{text}")
