"""The language of search spaces: what a search may choose, declared like the architecture it yields."""

from qnas.space.blocks import Blocks
from qnas.space.declare import choice, repeat
from qnas.space.genes import Gene, Genotype
from qnas.space.leaves import boolean, integer, real
from qnas.space.load import load_space, space_names
from qnas.space.space import Space

__all__ = [
    "Blocks",
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
