"""The search space: a declaration that reads like the architecture it yields, in which nesting is the condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from math import isfinite
from types import MappingProxyType
from typing import Any, overload

import numpy as np
from jaxtyping import Bool

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space.blocks import Blocks, blocks_of
from qnas.space.codec import Constraint, Group, Node
from qnas.space.count import MAX_ENUMERATED, Count, count
from qnas.space.declare import as_group, as_node
from qnas.space.draws import below, first_valid
from qnas.space.genes import INACTIVE, Gene, Genotype, Scalar, Scope
from qnas.space.neighbours import steps
from qnas.space.reading import from_json, from_yaml
from qnas.space.table import rows
from qnas.space.writing import to_json


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
    bounds: tuple[tuple[str, int | float], ...] = ()

    def __init__(self, /, **genes: object) -> None:
        object.__setattr__(self, "tree", as_group(genes))
        object.__setattr__(self, "bounds", ())

    @classmethod
    def of(cls, tree: Group, bounds: tuple[tuple[str, int | float], ...] = ()) -> Space:
        """The space of a tree of nodes, within budgets."""
        space = cls()
        object.__setattr__(space, "tree", tree)
        object.__setattr__(space, "bounds", bounds)
        return space

    def where(self, predicate: Callable[[Any], object], because: str) -> Space:
        """The same space without the designs that break a rule.

        Args:
            predicate: takes the architecture (of a nested space: its part of it) and says whether it is allowed.
            because: the sentence that explains the rule, quoted when the rule excludes too much.
        """
        if not because.strip():
            raise SpaceError("where(...) needs because='...', a sentence that says why a design is excluded.")
        rules = (*self.tree.own_constraints, Constraint(predicate, because))
        return Space.of(replace(self.tree, own_constraints=rules), self.bounds)

    def within(self, **budgets: int | float) -> Space:
        """The same space, none of whose designs is trained if it is over a budget.

        Args:
            budgets: the most that a design may have of `n_parameters`, or of any objective that needs only the circuit:
                `qubits`, `flops`, `depth` or one of your own. Of two budgets of one name the smaller holds.

        Raises:
            SpaceError: a budget is not a number of at least 0.
        """
        for name, bound in budgets.items():
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not (isfinite(bound) and bound >= 0):
                raise SpaceError(f"the budget {name} is {bound!r}; a budget is a number of at least 0.")
        smallest = dict(self.bounds)
        for name, bound in budgets.items():
            smallest[name] = min(bound, smallest.get(name, bound))
        return Space.of(self.tree, tuple(sorted(smallest.items())))

    @property
    def budgets(self) -> Mapping[str, int | float]:
        """What a design may have at most, by name; checked before it is trained."""
        return MappingProxyType(dict(self.bounds))

    @cached_property
    def genes(self) -> tuple[Gene, ...]:
        """The flat genes, one for each entry of a genotype."""
        return tuple(self.tree.genes("", Scope()))

    @cached_property
    def blocks(self) -> tuple[Blocks, ...]:
        """Where the items of each `repeat` lie among the genes, an outer one before those inside it."""
        return tuple(blocks_of(self.genes))

    @cached_property
    def count(self) -> Count:
        """How many valid architectures there are; reads "at most ..." where not all can be judged without building."""
        found = count(self.tree)
        return replace(found, exact=found.exact and not self.bounds)

    @property
    def size(self) -> int:
        """How many valid architectures there are; an upper bound where `size_is_exact` is false."""
        return self.count.n

    @property
    def size_is_exact(self) -> bool:
        """Whether `size` is a count: there is no budget, and no constraint on too many designs to judge each."""
        return self.count.exact

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

    @overload
    def neighbours(self, design: Architecture) -> list[Architecture]: ...

    @overload
    def neighbours(self, design: Genotype) -> list[Genotype]: ...

    def neighbours(self, design: Architecture | Genotype) -> list[Architecture] | list[Genotype]:
        """All valid designs one step away, each once, in a fixed order, as genotypes if one is given.

        A step moves an ordered gene to its next value, resets a categorical one, or inserts, deletes or doubles one
        item of a `repeat`. What comes into being takes every value it can, so a neighbour's neighbours hold the design.

        Raises:
            SpaceError: the design does not belong to the space, or has more than 100,000 neighbours.
        """
        centre = design if isinstance(design, Architecture) else self.decode(design)
        self.encode(centre)
        reached = list(islice(steps(self.tree, centre), MAX_ENUMERATED + 1))
        if len(reached) > MAX_ENUMERATED:
            raise SpaceError(
                f"a design of this space has more than {MAX_ENUMERATED:,} neighbours; they are not listed."
            )
        others = [
            one for one in dict.fromkeys(map(Architecture, reached)) if one != centre and not self._is_broken(one)
        ]
        return others if isinstance(design, Architecture) else [self.encode(one) for one in others]

    def describe(self) -> list[dict[str, str]]:
        """A table: for each gene a row with its `gene` (name), `kind`, `values` and `condition`."""
        return rows(self.genes)

    def to_json(self, indent: int | None = 2) -> str:
        """The declaration as JSON, the same structure as a space in YAML; constraints by their sentences only."""
        return to_json(self.tree, self.budgets, indent)

    @classmethod
    def from_json(cls, text: str) -> Space:
        """The space that `to_json` wrote.

        Raises:
            SpaceError: the text declares no space, or one with constraints, whose predicates JSON cannot carry.
        """
        tree, budgets = from_json(text)
        return cls.of(tree).within(**budgets)

    @classmethod
    def from_yaml(cls, text: str) -> Space:
        """The space that a text in YAML declares, in the structure of `to_json`. Raises SpaceError as `from_json`."""
        tree, budgets = from_yaml(text)
        return cls.of(tree).within(**budgets)

    def _codes(self, architecture: Architecture) -> Genotype:
        return np.array(self.tree.encode(architecture, ""), dtype=np.int64)

    def _is_broken(self, architecture: Architecture) -> bool:
        return any(True for _ in self.tree.broken(architecture))

    def __repr__(self) -> str:
        lines = "".join(f"    {key}={node!r},\n" for key, node in self.tree.fields)
        rules = "".join(f".where(..., because={rule.because!r})" for rule in self.tree.own_constraints)
        bounds = ", ".join(f"{name}={bound!r}" for name, bound in self.bounds)
        return f"Space(\n{lines}){rules}" + (f".within({bounds})" if bounds else "")


@as_node.register
def _(value: Space, name: str) -> Node:
    if value.bounds:
        raise SpaceError(f"{name} is a space within budgets; a budget bounds the whole design, so give it to that.")
    return value.tree
