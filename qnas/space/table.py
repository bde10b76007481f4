"""The genes of a space as a table of text."""

from __future__ import annotations

from collections.abc import Iterable

from qnas.space.genes import Gene

MAX_SHOWN = 12
"""Of more values than this, only the first and the last are written out."""


def rows(genes: Iterable[Gene]) -> list[dict[str, str]]:
    """One row per gene: its name, kind, values and the condition under which it exists."""
    return [
        {"gene": gene.name, "kind": gene.kind, "values": _values(gene), "condition": gene.condition} for gene in genes
    ]


def _values(gene: Gene) -> str:
    shown = [str(value) for value in gene.values[:MAX_SHOWN]]
    if gene.cardinality > MAX_SHOWN:
        shown += ["...", str(gene.values[-1])]
    return ", ".join(shown)
