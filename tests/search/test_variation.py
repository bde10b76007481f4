"""Variation stays in the space, changes what it should, and keeps what parents agree on."""

import numpy as np
from hypothesis import assume, given

from qnas.architecture import Architecture
from qnas.search.variation import crossed, mutated
from qnas.space import Space, boolean, choice, integer, repeat
from tests.space.strategies import constrained, declarations, declared, few, quick, seeds

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


@few
@given(constrained, seeds)
def test_offspring_of_valid_designs_are_valid(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    assume(space.tree.size <= 200 and space.size)
    one, other = (space.encode(space.sample(k)) for k in (seed, seed + 1))
    for child in (*crossed(space, one, other, rng), mutated(space, one, rng)):
        assert is_canonical(space, child) and space.is_valid(child)


@quick
@given(declarations, seeds)
def test_every_layer_of_a_child_is_that_layer_of_a_parent(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    parents = space.random_genotype(rng), space.random_genotype(rng)
    children = crossed(space, *parents, rng)
    for row in (row for blocks in space.blocks if blocks.outermost for row in blocks.rows):
        for child in (child for child in children if space.active(child)[row].any()):
            assert any(space.active(p)[row].any() and np.array_equal(child[row], p[row]) for p in parents)


def test_layers_with_lists_inside_are_exchanged_whole():
    space = Space(
        layers=repeat(1, 3, gate=choice("a", "b", "c"), angles=repeat(1, 2, integer(0, 9))),
        shared=repeat(1, 3, tied=True, axis=choice(*"xyz"), order=choice(*"pqr")),
    )
    rng, mixed, shared = np.random.default_rng(0), set(), set()
    one, other = (space.encode(a) for a in map(space.sample, (1, 6)))
    layers = [space.decode(parent).layers for parent in (one, other)]
    for child in (space.decode(child) for _ in range(30) for child in crossed(space, one, other, rng)):
        sources = tuple(layer == layers[0][k] if k < len(layers[0]) else None for k, layer in enumerate(child.layers))
        assert all(layer in [own[k] for own in layers if k < len(own)] for k, layer in enumerate(child.layers))
        mixed.add(sources)
        shared.add(child.shared[0])
    assert len(mixed) > 2
    assert shared == {space.decode(parent).shared[0] for parent in (one, other)}


wide = Space(layers=repeat(1, 9, gate=choice("a", "b")))


def layers_of(genotype):
    return "".join(layer.gate for layer in wide.decode(genotype).layers)


def mutants(text, n):
    genotype = wide.encode(Architecture({"layers": [{"gate": gate} for gate in text]}))
    rng = np.random.default_rng(0)
    return {layers_of(mutated(wide, genotype, rng)) for _ in range(n)}


def test_any_layer_can_be_deleted_doubled_or_have_a_new_one_beside_it():
    assert {"a", "b", "aab", "abb"} <= mutants("ab", 200)
    assert {"aaa", "baa", "aba", "aab"} <= mutants("aa", 400)


def test_a_list_never_leaves_its_bounds():
    assert {len(text) for text in mutants("abababbab", 60)} == {8, 9}
    assert {len(text) for text in mutants("a", 60)} == {1, 2}


def test_tied_layers_come_and_go_without_changing():
    space = Space(layers=repeat(0, 4, tied=True, gate=choice(*"ab"), axis=boolean()))
    rng = np.random.default_rng(0)
    genotype = np.array([1, 1, 1])
    found = [space.decode(mutated(space, genotype, rng)).layers for _ in range(200)]
    assert {len(layers) for layers in found} == {0, 1, 2}
    assert all(len(set(layers)) <= 1 for layers in found)
    assert any(layers == space.decode(np.array([2, 1, 1])).layers for layers in found)


def test_designs_without_valid_variations_come_back():
    space = Space(a=integer(0, 9), b=integer(0, 9)).where(lambda x: (x.a, x.b) in [(2, 7), (7, 2)], "only these")
    one, other, rng = np.array([2, 7]), np.array([7, 2]), np.random.default_rng(0)
    assert mutated(space, one, rng).tolist() == [2, 7]
    assert {tuple(child) for _ in range(20) for child in crossed(space, one, other, rng)} == {(2, 7), (7, 2)}
