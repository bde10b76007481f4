"""The search space: a declaration that reads like the architecture it yields, in which nesting is the condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space.branches import Parts, Repeat
from qnas.space.codec import Constraint, Group, Node
from qnas.space.draws import below, first_valid
from qnas.space.genes import INACTIVE, Constant, Gene, Genotype, Leaf, Scalar, Scope, is_plain, one_of

MAX_ENUMERATED = 100_000
"""A space of more designs than this is not gone through one by one."""


@dataclass(frozen=True, init=False, repr=False)
class Space:
    """A search space, declared by its named values.

    Args:
        genes: for each value of the architecture a gene (`integer`, `boolean`, `real`, `choice`), a `repeat`, a
            group of these (a dict or another Space), or a plain value that all designs share.

    Raises:
        SpaceError: something that is declared cannot be.
    """

    tree: Group

    def __init__(self, /, **genes: object) -> None:
        object.__setattr__(self, "tree", _group(genes))

    def where(self, predicate: Callable[[Any], object], *, because: str) -> Space:
        """The same space without the designs that break a rule.

        Args:
            predicate: takes the architecture (of a nested space: its part of it) and says whether it is allowed.
            because: the sentence that explains the rule, quoted when the rule excludes too much.
        """
        if not because.strip():
            raise SpaceError("where(...) needs because='...', a sentence that says why a design is excluded.")
        space = Space()
        rules = (*self.tree.own_constraints, Constraint(predicate, because))
        object.__setattr__(space, "tree", Group(self.tree.fields, rules))
        return space

    @cached_property
    def genes(self) -> tuple[Gene, ...]:
        """The flat genes, one for each entry of a genotype."""
        return tuple(self.tree.genes("", Scope()))

    @cached_property
    def size(self) -> int:
        """How many designs there are; an upper bound where `size_is_exact` is false."""
        if self.size_is_exact and self.tree.constraints:
            return sum(1 for _ in self.architectures())
        return self.tree.size

    @property
    def size_is_exact(self) -> bool:
        """Whether `size` is a count: there are no constraints, or few enough designs to judge each."""
        return not self.tree.constraints or self.is_enumerable

    @property
    def is_enumerable(self) -> bool:
        """Whether the designs are few enough to go through one by one."""
        return self.tree.size <= MAX_ENUMERATED

    def architectures(self, rng: np.random.Generator | None = None) -> Iterator[Architecture]:
        """Every valid architecture once, in a fixed order; in random order if a generator is given."""
        ranks = range(self.tree.size) if rng is None else rng.permutation(self.tree.size).tolist()
        every = (Architecture(self.tree.nth(rank)) for rank in ranks)
        return (architecture for architecture in every if not self._is_broken(architecture))

    def decode(self, genotype: Genotype) -> Architecture:
        """What a genotype means; entries of genes that do not exist in it are ignored.

        Raises:
            SpaceError: the genotype has the wrong length, or an entry out of its gene's range.
        """
        codes = genotype.tolist()
        if len(codes) != len(self.genes):
            raise SpaceError(f"a genotype of this space has {len(self.genes)} genes, not {len(codes)}.")
        for gene, code in zip(self.genes, codes, strict=True):
            if not 0 <= code < gene.cardinality:
                raise SpaceError(f"the gene {gene.name} is {code}, but it takes 0 to {gene.cardinality - 1}.")
        return Architecture(self.tree.decode(codes))

    def encode(self, architecture: Architecture) -> Genotype:
        """The canonical genotype of an architecture, whether or not it satisfies the constraints.

        Raises:
            SpaceError: a value does not belong; the sentence names its path, the value and what is allowed.
        """
        codes = self._codes(architecture)
        return np.where(np.equal(codes, INACTIVE), 0, codes)

    def canonical(self, genotype: Genotype) -> Genotype:
        """The one genotype, among all that mean the same, whose inactive genes are 0."""
        return self.encode(self.decode(genotype))

    def active(self, genotype: Genotype) -> Bool[np.ndarray, " n_genes"]:
        """Which genes exist in the design."""
        return np.not_equal(self._codes(self.decode(genotype)), INACTIVE)

    def contains(self, architecture: Architecture) -> bool:
        """Whether an architecture belongs to the space and satisfies its constraints."""
        try:
            self.encode(architecture)
        except SpaceError:
            return False
        return not self._is_broken(architecture)

    def is_valid(self, genotype: Genotype) -> bool:
        """Whether the design satisfies the constraints. Raises SpaceError as `decode` does."""
        return not self._is_broken(self.decode(genotype))

    def fingerprint(self, genotype: Genotype) -> str:
        """The fingerprint of the architecture."""
        return self.decode(genotype).fingerprint

    def gene_values(self, architecture: Architecture) -> dict[str, Scalar]:
        """The values of the genes that exist in a design, by name: numbers, strings such as "16x8", option names.

        A value that the space does not offer, such as the coupling that a training configuration imposes, is left out.
        """
        pairs = zip(self.genes, self.tree.known(architecture), strict=True)
        return {gene.name: gene.values[code] for gene, code in pairs if code != INACTIVE}

    def sample(self, seed: int = 0) -> Architecture:
        """One of the valid architectures, each with the same probability.

        Raises:
            SpaceError: no valid design was found; the sentence says which constraints excluded how many draws.
        """
        rng = np.random.default_rng(seed)
        return first_valid(lambda: Architecture(self.tree.nth(below(rng, self.tree.size))), self.tree.broken)

    def random_genotype(self, rng: np.random.Generator) -> Genotype:
        """A canonical genotype of a valid design, each gene drawn uniformly from its values.

        Raises:
            SpaceError: as for `sample`.
        """
        return self.encode(first_valid(lambda: self.decode(self.random_codes(rng)), self.tree.broken))

    def random_codes(self, rng: np.random.Generator) -> Genotype:
        """Each gene drawn uniformly, whether or not it exists in the design, and the constraints aside."""
        return rng.integers(0, [gene.cardinality for gene in self.genes], dtype=np.int64)

    def _codes(self, architecture: Architecture) -> Genotype:
        return np.array(self.tree.encode(architecture, ""), dtype=np.int64)

    def _is_broken(self, architecture: Architecture) -> bool:
        return any(True for _ in self.tree.broken(architecture))

    def __repr__(self) -> str:
        lines = "".join(f"    {key}={node!r},\n" for key, node in self.tree.fields)
        rules = "".join(f".where(..., because={rule.because!r})" for rule in self.tree.own_constraints)
        return f"Space(\n{lines}){rules}"


def choice(*values: object, **options: object) -> Leaf | Parts:
    """A categorical gene.

    Args:
        values: plain values (None, booleans, numbers, strings, tuples), one of which a design has; or
        options: named parts, one of which a design has, as {"name": option, ...}. A part's own genes, given as a
            dict or a Space, exist only when it is chosen; {} for a part without any.

    Raises:
        SpaceError: both or neither are given, or a value cannot be offered.
    """
    if bool(values) == bool(options):
        raise SpaceError("choice(...) takes either plain values or named parts, at least one and not both.")
    return one_of(values) if values else Parts(tuple((name, _part(name, genes)) for name, genes in options.items()))


def repeat(low: int, high: int, /, *, tied: bool = False, **genes: object) -> Repeat:
    """A list of `low` to `high` items.

    Args:
        low: the smallest number of items, at least 0.
        high: the largest number of items.
        tied: give all items of a design the same values, from one set of genes.
        genes: the named values of an item, as for `Space`.

    Raises:
        SpaceError: the numbers allow no list, or an item has no values.
    """
    if not 0 <= low <= high or high == 0:
        raise SpaceError(f"repeat({low}, {high}) allows nothing: it needs 0 <= low <= high and high >= 1.")
    if not genes:
        raise SpaceError(f"repeat({low}, {high}) repeats nothing; name the values of an item.")
    return Repeat(low, high, _group(genes), tied)


def _part(name: str, genes: object) -> Group:
    group = _node(name, genes)
    if not isinstance(group, Group):
        raise SpaceError(f"the part {name!r} is {genes!r}; give its genes as a dict or a Space, {{}} if it has none.")
    if "name" in dict(group.fields):
        raise SpaceError(f"the part {name!r} has a gene called 'name', which is where its own name goes; rename it.")
    return group


def _group(genes: Mapping[Any, object]) -> Group:
    for key in genes:
        if not (isinstance(key, str) and key.isidentifier()) or key.startswith("_"):
            raise SpaceError(f"{key!r} cannot name a gene: use letters, digits and underscores, a letter first.")
    return Group(tuple((key, _node(key, value)) for key, value in genes.items()))


def _node(name: str, value: object) -> Node:
    if isinstance(value, Leaf | Constant | Group | Parts | Repeat):
        return value
    if isinstance(value, Space):
        return value.tree
    if isinstance(value, Mapping):
        return _group(value)
    if is_plain(value):
        return Constant(value)
    raise SpaceError(
        f"{name} is {value!r}, which is neither a gene, a dict of genes nor a plain value; to offer several values, "
        "write choice(...)."
    )
