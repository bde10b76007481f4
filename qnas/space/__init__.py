"""The language of search spaces: what a search may choose, declared like the architecture it yields."""

from qnas.space.genes import Gene, Genotype, boolean, integer, real
from qnas.space.load import load_space, space_names
from qnas.space.space import Space, choice, repeat

__all__ = [
    "Gene",
    "Genotype",
    "Space",
    "boolean",
    "choice",
    "integer",
    "load_space",
    "real",
    "repeat",
    "space_names",
]
