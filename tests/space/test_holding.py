"""Random designs with a value of choice, however deep its gene lies."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qnas.space import Space, boolean, choice, integer, load_space, repeat
from qnas.space.holding import changed, codes_holding, family
from tests.space.strategies import constrained, declarations, declared, few, quick, seeds

DEEP = Space(
    part=choice(plain={}, deep=dict(items=repeat(0, 3, choice(a={}, b=dict(x=integer(1, 3)))))),
    tied=repeat(0, 2, choice(c={}, d=dict(y=boolean())), tied=True),
)


@quick
@given(declarations, seeds, st.data())
def test_the_gene_exists_and_has_the_value(text, seed, data):
    space = declared(text)
    if not space.genes:
        return
    position = data.draw(st.integers(0, len(space.genes) - 1))
    code = data.draw(st.integers(0, space.genes[position].cardinality - 1))
    genotype = codes_holding(space, position, code, np.random.default_rng(seed))
    assert np.array_equal(genotype, space.canonical(genotype))
    assert space.active(genotype)[position] and genotype[position] == code
    name = space.genes[position].name
    assert space.gene_values(space.decode(genotype))[name] == space.genes[position].values[code]


@few
@given(constrained, seeds)
def test_changed_designs_are_valid_and_differ_in_that_gene(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    assume(space.tree.size <= 1000 and space.size)
    genotype = space.random_genotype(rng)
    for position in np.flatnonzero(space.active(genotype)):
        others = list(changed(space, genotype, int(position), rng))
        assert all(space.is_valid(other) and np.array_equal(other, space.canonical(other)) for other in others)
        assert all(other[position] != genotype[position] for other in others)
        assert len({int(other[position]) for other in others}) == len(others)
        if not space.genes[position].kind.endswith(("choice", "repeat")):
            kept = np.arange(len(genotype)) != position
            assert all(np.array_equal(other[kept], genotype[kept]) for other in others)


def test_all_other_genes_vary():
    names = [gene.name for gene in DEEP.genes]
    position = names.index("part.deep.items.1.b.x")
    drawn = np.array([codes_holding(DEEP, position, 2, np.random.default_rng(seed)) for seed in range(60)])
    designs = [DEEP.decode(codes) for codes in drawn]
    assert {len(design.part["items"]) for design in designs} == {2, 3}
    assert {design.part["items"][1].x for design in designs} == {3}
    assert {len(design.tied) for design in designs} == {0, 1, 2}
    assert {design.part["items"][0].name for design in designs} == {"a", "b"}


def test_the_lengths_that_a_gene_of_tied_items_needs():
    position = [gene.name for gene in DEEP.genes].index("tied.item.d.y")
    drawn = [DEEP.decode(codes_holding(DEEP, position, 1, np.random.default_rng(seed))) for seed in range(20)]
    assert {len(design.tied) for design in drawn} == {1, 2}
    assert all(item.y for design in drawn for item in design.tied)


def test_a_design_without_valid_neighbours_has_none():
    space = Space(n=integer(1, 3), flag=boolean()).where(lambda a: a.n == 2, because="two it is")
    genotype = space.random_genotype(np.random.default_rng(0))
    assert list(changed(space, genotype, 0, np.random.default_rng(0))) == []
    assert len(list(changed(space, genotype, 1, np.random.default_rng(0)))) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [("readout", "readout"), ("layers.0.rotation", "layers.*.rotation"), ("a.12.b.3", "a.*.b.*"), ("rx2.y", "rx2.y")],
)
def test_namesakes_are_one_family(name, said):
    assert family(name) == said


def test_namesakes_have_the_same_values():
    space, values = load_space("hybrid"), {}
    for gene in space.genes:
        values.setdefault(family(gene.name), set()).add(tuple(gene.values))
    assert values["layers.*.rotation"] and all(len(found) == 1 for found in values.values())
