"""Variation stays in the space, changes what it should, and keeps what parents agree on."""

import numpy as np
from hypothesis import assume, given

from qnas.search.novelty import Novelty
from qnas.search.operators import OnlyNew, Population, crossed, mutated
from qnas.space import Space, choice, integer, repeat
from tests.space.strategies import declarations, declared, quick, seeds

layered = Space(
    n_qubits=integer(2, 9),
    encoding=choice(angle={"axis": choice("x", "y", "z")}, iqp={"repeats": integer(1, 5)}, amplitude={}),
    layers=repeat(1, 4, rotation=choice("ry", "rx", "rz"), entangler=choice("cx", "cz", "crx")),
)


def is_canonical(space, genotype):
    return np.array_equal(space.canonical(genotype), genotype)


@quick
@given(declarations, seeds)
def test_mutation_stays_in_the_space_and_changes_the_design(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    genotype = space.random_genotype(rng)
    active = space.active(genotype)
    assume(any(gene.cardinality > 1 for gene, exists in zip(space.genes, active, strict=True) if exists))
    mutant = mutated(space, genotype, rng)
    assert is_canonical(space, mutant)
    assert space.fingerprint(mutant) != space.fingerprint(genotype)


@quick
@given(declarations, seeds)
def test_crossover_stays_in_the_space_and_mixes_its_parents(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    one, other = space.random_genotype(rng), space.random_genotype(rng)
    in_one, in_other = space.active(one), space.active(other)
    for child in crossed(space, one, other, rng):
        assert is_canonical(space, child)
        exists = space.active(child)
        assert np.all(((child == one) & in_one | (child == other) & in_other)[exists])


def test_equal_parents_have_equal_children():
    genotype = layered.random_genotype(np.random.default_rng(0))
    children = crossed(layered, genotype, genotype, np.random.default_rng(1))
    assert all(np.array_equal(child, genotype) for child in children)


def test_a_gene_of_one_parent_is_inherited_and_never_the_zero_of_the_other():
    long = np.array([0, 2, 0, 0, 3, *[2] * 8])
    short = np.array([0, 2, 0, 0, 0, 2, 2, *[0] * 6])
    rng = np.random.default_rng(0)
    for _ in range(20):
        for child in crossed(layered, long, short, rng):
            assert all(layer.rotation == "rz" for layer in layered.decode(child).layers)


def test_ordered_genes_step_and_categorical_genes_reset():
    space, rng = Space(n=integer(0, 9), pick=choice(*"abcdef")), np.random.default_rng(0)
    mutants = np.array([mutated(space, np.array([5, 0]), rng) for _ in range(300)])
    assert set(mutants[:, 0]) == {4, 5, 6}
    assert set(mutants[:, 1]) == {0, 1, 2, 3, 4, 5}


def test_mutation_at_the_end_of_a_range_steps_inwards():
    space, rng = Space(n=integer(0, 9)), np.random.default_rng(0)
    assert {int(mutated(space, np.array([9]), rng)[0]) for _ in range(20)} == {8}


def test_a_gene_that_comes_into_being_is_drawn_at_random():
    space, rng = Space(layers=repeat(0, 1, rotation=choice("ry", "rx", "rz"))), np.random.default_rng(0)
    grown = [mutated(space, np.array([0, 0]), rng) for _ in range(60)]
    assert {tuple(genotype) for genotype in grown} == {(1, 0), (1, 1), (1, 2)}


def test_a_design_without_alternatives_mutates_to_itself():
    space = Space(n=integer(3, 3))
    assert mutated(space, np.array([0]), np.random.default_rng(0)).tolist() == [0]


def test_only_valid_designs_never_asked_before_pass():
    space = Space(n=integer(0, 9)).where(lambda a: a.n != 4, because="not four")
    novelty = Novelty(space)
    novelty.record([np.array([1])])
    offspring = Population.new(X=np.array([[1], [2], [2], [3], [4], [5]]))
    passed = OnlyNew(novelty).do(offspring, Population.new(X=np.array([[3]])))
    assert passed.get("X").ravel().tolist() == [2, 5]
    assert len(OnlyNew(novelty).do(passed, passed)) == 0
