"""The declaration, its constraints, and sampling."""

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from scipy.stats import chisquare

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, repeat
from tests.space.strategies import all_genotypes, constrained, declarations, declared, few, quick, seeds


def is_wide(architecture):
    return architecture.n_qubits >= 3


def make():
    return Space(
        n_qubits=integer(2, 3),
        encoding=choice(angle={"axis": choice("x", "y", "z")}, amplitude={}),
        layers=repeat(1, 2, rotation=choice("ry", "rx")),
    )


conditional = make()
wide_amplitude = conditional.where(
    lambda a: a.encoding.name != "amplitude" or a.n_qubits >= 3, because="8 features need 3 qubits"
)


def test_size_counts_canonical_architectures():
    assert conditional.size == 2 * (3 + 1) * (2 + 4)
    assert conditional.size_is_exact


def test_size_of_a_constrained_space_is_exact_when_small():
    brute = {wide_amplitude.fingerprint(g) for g in all_genotypes(wide_amplitude) if wide_amplitude.is_valid(g)}
    assert wide_amplitude.size == len(brute) == 6 * (4 + 3)
    assert wide_amplitude.size_is_exact


def test_size_of_a_large_constrained_space_is_a_bound():
    space = Space(layers=repeat(1, 40, rotation=choice("ry", "rx"))).where(lambda a: True, because="nothing")
    assert space.size == 2**41 - 2
    assert not space.size_is_exact


@pytest.mark.parametrize("space", [conditional, wide_amplitude])
def test_samples_are_uniform_over_valid_architectures(space):
    counts = Counter(space.sample(seed) for seed in range(25 * space.size))
    assert set(counts) == set(space.architectures())
    assert chisquare(list(counts.values())).pvalue > 1e-3


@few
@given(declarations | constrained, seeds)
def test_samples_of_any_small_space_are_uniform(text, seed):
    space = declared(text)
    assume(space.tree.size <= 40 and space.size > 1)
    rng, ranks = np.random.default_rng(seed), {a: k for k, a in enumerate(space.architectures())}
    counts = np.zeros(space.size)
    for draw in rng.integers(2**31, size=20 * space.size):
        counts[ranks[space.sample(int(draw))]] += 1
    assert chisquare(counts).pvalue > 1e-6


def test_samples_of_a_space_beyond_64_bits():
    space = Space(layers=repeat(70, 70, rotation=choice("ry", "rx")))
    assert space.size == 2**70
    assert space.sample(1) == space.sample(1) != space.sample(2)
    first = [space.sample(seed).layers[0].rotation for seed in range(100)]
    assert 30 < first.count("rx") < 70


@quick
@given(declarations, seeds)
def test_random_genotypes_are_canonical_and_reproducible(text, seed):
    space = declared(text)
    one, two = (space.random_genotype(np.random.default_rng(seed)) for _ in range(2))
    assert one.dtype == np.int64
    assert np.array_equal(one, two)
    assert np.array_equal(space.canonical(one), one)


def test_random_genotypes_draw_each_gene_uniformly():
    rng = np.random.default_rng(0)
    lengths = [conditional.random_genotype(rng)[3] for _ in range(400)]
    assert 150 < sum(lengths) < 250


def test_random_genotypes_obey_constraints():
    rng = np.random.default_rng(0)
    assert all(wide_amplitude.is_valid(wide_amplitude.random_genotype(rng)) for _ in range(100))


def test_constraints_hold_in_contains_but_not_in_encode():
    excluded = Architecture({"n_qubits": 2, "encoding": {"name": "amplitude"}, "layers": [{"rotation": "ry"}]})
    assert not wide_amplitude.contains(excluded)
    assert not wide_amplitude.is_valid(wide_amplitude.encode(excluded))
    assert conditional.contains(excluded)


def test_where_leaves_the_space_as_it_was():
    assert conditional.size == 48
    assert conditional == make() != wide_amplitude


def test_constraints_of_nested_spaces_judge_their_own_part():
    part = Space(a=boolean(), b=boolean()).where(lambda p: p.a or p.b, because="one of them")
    space = Space(group=part, pick=choice(one=part, none={}), items=repeat(1, 2, inner=part))
    assert space.size == 3 * (3 + 1) * (3 + 9)


@pytest.mark.parametrize("draw", [lambda s: s.sample(), lambda s: s.random_genotype(np.random.default_rng(0))])
def test_a_space_without_valid_designs_says_which_constraint_excludes_them(draw):
    space = (
        Space(n_qubits=integer(2, 5))
        .where(lambda a: a.n_qubits > 5, because="the encoding needs 6 qubits")
        .where(lambda a: a.n_qubits < 4, because="the memory holds 3 qubits")
    )
    with pytest.raises(SpaceError, match=r"none of 10,000 designs drawn from the space is valid: "
                       r"'the encoding needs 6 qubits' excluded 10,000; 'the memory holds 3 qubits' excluded [45],\d{3}"
                       ):  # fmt: skip
        draw(space)


def test_a_predicate_that_fails_is_named():
    space = Space(n_qubits=integer(2, 3)).where(lambda a: a.n_qbits > 2, because="two are too few")
    with pytest.raises(SpaceError, match=r"the constraint 'two are too few' cannot be judged.*mean 'n_qubits'"):
        space.sample()


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: choice(), "either plain values or named parts, at least one"),
        (lambda: choice("a", b={}), "and not both"),
        (lambda: choice(angle=3), "the part 'angle' is 3; give its genes as a dict or a Space"),
        (lambda: choice(angle={"name": boolean()}), "a gene called 'name', which is where its own name goes"),
        (lambda: repeat(3, 2, a=1), r"repeat\(3, 2\) allows nothing: it needs 0 <= low <= high"),
        (lambda: repeat(0, 0, a=1), "high >= 1"),
        (lambda: repeat(1, 2, {}), "repeats nothing"),
        (lambda: repeat(1, 2, boolean(), a=1), "takes either one item or its named values, not both"),
        (lambda: choice(**{"a.b": {}}), "'a.b' cannot name a part"),
        (lambda: Space(a=Space(n=1).within(qubits=2)), "a is a space within budgets; a budget bounds the whole design"),
        (lambda: Space(a=1).within(qubits=-1), "the budget qubits is -1; a budget is a number of at least 0"),
        (lambda: Space(a=1).within(flops=float("nan")), "the budget flops is nan"),
        (lambda: repeat(1, 2), "repeats nothing; name the values of an item"),
        (lambda: Space(hidden=[8, 16]), r"hidden is \[8, 16\], which is neither a gene.*write choice"),
        (lambda: Space(**{"a.b": 1}), "'a.b' cannot name a gene"),
        (lambda: Space(_a=1), "'_a' cannot name a gene"),
        (lambda: Space(a=1).where(bool, because=" "), "needs because='...'"),
    ],
)
def test_impossible_declarations_are_refused(declare, message):
    with pytest.raises(SpaceError, match=message):
        declare()


def test_repr_shows_the_declaration_and_its_rules():
    assert repr(wide_amplitude) == (
        "Space(\n"
        "    n_qubits=integer(2, 3),\n"
        "    encoding=choice(angle=dict(axis=choice('x', 'y', 'z')), amplitude=dict()),\n"
        "    layers=repeat(1, 2, rotation=choice('ry', 'rx')),\n"
        ").where(..., because='8 features need 3 qubits')"
    )


def test_repr_shows_budgets_and_what_is_repeated():
    part = Space(a=boolean()).where(bool, "some")
    space = Space(b=repeat(1, 2, integer(1, 3), tied=True), c=repeat(1, 2, part)).within(qubits=5, depth=9)
    assert repr(space) == (
        "Space(\n"
        "    b=repeat(1, 2, integer(1, 3), tied=True),\n"
        "    c=repeat(1, 2, Space(a=boolean()).where(..., because='some')),\n"
        ").within(depth=9, qubits=5)"
    )


def test_budgets_are_kept_and_the_smaller_one_holds():
    space = make().within(qubits=8, flops=1e6).where(is_wide, "wide").within(qubits=6).within(qubits=7)
    assert dict(space.budgets) == {"qubits": 6, "flops": 1e6}
    assert dict(make().budgets) == {}
    assert make().within(qubits=6) != make() != make().within(qubits=5)


def test_equality_is_that_of_the_declaration():
    assert make() == make() and hash(make()) == hash(make())
    assert make().where(is_wide, "wide") == make().where(is_wide, because="wide")
    assert make().where(lambda a: True, "any") != make().where(lambda a: True, "any")
    different = [Space(a=1), Space(a=1.0), Space(a=True), Space(b=1), Space(a=choice(1)), Space(a=choice(True))]
    assert len(set(different)) == len(different)


def test_items_need_not_be_groups():
    space = Space(widths=repeat(1, 2, integer(4, 5)), blocks=repeat(0, 1, choice(dense={"bias": boolean()}, none={})))
    assert space.size == (2 + 4) * (1 + 3)
    assert [gene.name for gene in space.genes] == [
        "widths", "widths.0", "widths.1", "blocks", "blocks.0", "blocks.0.dense.bias",
    ]  # fmt: skip
    assert space.decode(np.array([1, 0, 1, 1, 0, 1])).to_dict() == {
        "widths": [4, 5], "blocks": [{"name": "dense", "bias": True}],
    }  # fmt: skip


def test_a_space_with_module_level_predicates_is_picklable():
    space = make().where(is_wide, because="wide")
    assert pickle.loads(pickle.dumps(space)) == space


def test_gene_values_leave_out_what_the_space_does_not_offer():
    space = Space(
        n=integer(1, 3),
        encoding=choice(angle=dict(axis=choice("x", "y"), fixed=True), none={}),
        layers=repeat(1, 2, gate=choice("cx", "cz")),
        coupling=choice("mac", "serial"),
        hidden=integer(1, 2),
    )
    architecture = Architecture(
        dict(
            n=2,
            encoding=dict(name="angle", axis="x", fixed=False),
            layers=[dict(gate="cx"), dict(gate="ecr")],
            coupling="quantum",
            more=1,
        )
    )
    found = space.gene_values(architecture)
    assert found == {"n": 2, "encoding": "angle", "encoding.angle.axis": "x", "layers": 2, "layers.0.gate": "cx"}
    assert space.gene_values(Architecture(dict(encoding="iqp", layers=[]))) == {}
