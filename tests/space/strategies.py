"""Random search spaces, as the text that declares them, and genotypes, for property tests.

A strategy yields text, not spaces, so that a failing example reads like a declaration.
"""

import itertools

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from qnas import space as language
from qnas.space import Gene, Genotype, Space

quick = settings(deadline=None, max_examples=40)
few = settings(deadline=None, max_examples=12)
seeds = st.integers(0, 2**32 - 1)

leaves = st.one_of(
    st.builds(lambda low, n: f"integer({low}, {low + n})", st.integers(-2, 2), st.integers(0, 2)),
    st.sampled_from(["boolean()", "real(0.1, 1.0, levels=3)", "real(0.1, 1.0, levels=3, log=True)"]),
    st.lists(st.sampled_from(["'x'", "None", "()", "(8,)", "(16, 8)", "3", "0.5"]), min_size=1, max_size=3, unique=True)
    .map(", ".join).map("choice({})".format),
    st.sampled_from(["'fixed'", "(1, 2)", "None", "2.5"]),
)  # fmt: skip


def named(names, nodes, max_size=2):
    """Keyword arguments."""
    chosen = st.dictionaries(st.sampled_from(names), nodes, min_size=1, max_size=max_size)
    return chosen.map(lambda values: ", ".join(f"{key}={value}" for key, value in values.items()))


def fields(nodes):
    return named(("alpha", "beta", "gamma"), nodes)


def nested(nodes):
    part = fields(nodes).map("dict({})".format)
    lengths = st.sampled_from(["0, 1", "0, 2", "1, 1", "1, 2", "2, 3", "1, 2, tied=True", "0, 2, tied=True"])
    return st.one_of(
        named(("left", "right", "bare"), st.one_of(st.just("{}"), part), max_size=3).map("choice({})".format),
        st.builds("repeat({}, {})".format, lengths, fields(nodes)),
        st.builds("repeat(1, 2, {}, tied={})".format, leaves, st.booleans()),
        st.builds("repeat(0, 2, choice(left=dict({}), bare={{}}), tied={})".format, fields(nodes), st.booleans()),
        st.builds("{}({})".format, st.sampled_from(["dict", "Space"]), fields(nodes)),
    )


RULE = ".where(lambda a: int(a.fingerprint, 16) % 4, 'its fingerprint divides by 4')"
"""Excludes about a quarter of all designs, wherever it stands."""

declarations = fields(st.recursive(leaves, nested, max_leaves=4)).map("Space({})".format)
constrained = st.tuples(declarations, fields(leaves)).map(
    lambda texts: (
        f"Space(whole={texts[0]}, part=Space({texts[1]}){RULE}, items=repeat(0, 1, Space({texts[1]}){RULE})){RULE}"
    )
)


def declared(text: str) -> Space:
    return eval(text, vars(language))


def n_genotypes(space: Space) -> float:
    return np.prod([gene.cardinality for gene in space.genes], dtype=float)


def all_genotypes(space: Space) -> list[Genotype]:
    """Every vector of codes, canonical or not."""
    codes = itertools.product(*(range(gene.cardinality) for gene in space.genes))
    return [np.array(one, dtype=np.int64) for one in codes]


def any_genotype(space: Space, seed: int) -> Genotype:
    """A vector of codes, canonical or not."""
    return space.random_codes(np.random.default_rng(seed))


def gene_named(space: Space, name: str) -> Gene:
    return next(gene for gene in space.genes if gene.name == name)
