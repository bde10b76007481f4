"""Genotypes to architectures and back, on random spaces."""

import json

import numpy as np
import pytest
from hypothesis import assume, given

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, repeat
from tests.space.strategies import (
    all_genotypes,
    any_genotype,
    declarations,
    declared,
    gene_named,
    n_genotypes,
    quick,
    seeds,
)

nested = Space(
    n_qubits=integer(2, 4),
    encoding=choice(angle={"axis": choice("x", "y"), "reupload": boolean()}, amplitude={}),
    layers=repeat(1, 3, rotation=choice("ry", "rx"), entangler="cx"),
    head={"hidden": choice((), (8,)), "bias": True},
)


@quick
@given(declarations, seeds)
def test_encode_inverts_decode_up_to_inactive_genes(text, seed):
    space = declared(text)
    genotype = any_genotype(space, seed)
    assert np.array_equal(space.encode(space.decode(genotype)), space.canonical(genotype))


@quick
@given(declarations, seeds)
def test_decode_inverts_encode(text, seed):
    space = declared(text)
    architecture = space.sample(seed)
    assert space.decode(space.encode(architecture)) == architecture
    assert space.contains(architecture)


@quick
@given(declarations, seeds, seeds)
def test_inactive_genes_mean_nothing(text, seed, other_seed):
    space = declared(text)
    genotype = any_genotype(space, seed)
    active = space.active(genotype)
    changed = np.where(active, genotype, any_genotype(space, other_seed))
    assert np.array_equal(space.canonical(changed), space.canonical(genotype))
    assert space.fingerprint(changed) == space.fingerprint(genotype)
    assert not space.canonical(genotype)[~active].any()


@quick
@given(declarations, seeds)
def test_an_architecture_read_from_json_still_belongs(text, seed):
    space = declared(text)
    architecture = space.sample(seed)
    assert np.array_equal(space.encode(Architecture.from_json(architecture.to_json())), space.encode(architecture))


@quick
@given(declarations, seeds)
def test_gene_values_are_json_scalars_of_the_active_genes(text, seed):
    space = declared(text)
    genotype = any_genotype(space, seed)
    values = space.gene_values(space.decode(genotype))
    assert list(values) == [g.name for g, active in zip(space.genes, space.active(genotype), strict=True) if active]
    assert json.loads(json.dumps(values)) == values


@quick
@given(declarations)
def test_size_and_enumeration_agree_with_brute_force(text):
    space = declared(text)
    assume(n_genotypes(space) <= 300)
    by_brute_force = {space.fingerprint(genotype) for genotype in all_genotypes(space)}
    enumerated = [architecture.fingerprint for architecture in space.architectures()]
    assert space.size == len(enumerated) == len(by_brute_force)
    assert set(enumerated) == by_brute_force


@quick
@given(declarations)
def test_one_network_has_one_canonical_genotype(text):
    space = declared(text)
    assume(n_genotypes(space) <= 300)
    canonical = {tuple(space.canonical(genotype)) for genotype in all_genotypes(space)}
    assert len(canonical) == space.size


def test_decode_reads_like_the_declaration():
    codes = [1, 0, 1, 0, 2, 1, 0, 1, 1]
    architecture = nested.decode(np.array(codes))
    assert architecture.to_dict() == {
        "n_qubits": 3,
        "encoding": {"name": "angle", "axis": "y", "reupload": False},
        "layers": [
            {"rotation": "rx", "entangler": "cx"},
            {"rotation": "ry", "entangler": "cx"},
            {"rotation": "rx", "entangler": "cx"},
        ],
        "head": {"hidden": [8], "bias": True},
    }


def test_flat_genes_say_when_they_exist_and_where_they_belong():
    assert [gene.name for gene in nested.genes] == [
        "n_qubits", "encoding", "encoding.angle.axis", "encoding.angle.reupload",
        "layers", "layers.0.rotation", "layers.1.rotation", "layers.2.rotation", "head.hidden",
    ]  # fmt: skip
    axis, second = gene_named(nested, "encoding.angle.axis"), gene_named(nested, "layers.1.rotation")
    assert (axis.condition, axis.block) == ("encoding is angle", "")
    assert (second.condition, second.block) == ("layers >= 2", "layers.1")
    assert gene_named(nested, "layers.0.rotation").condition == ""


def test_gene_values_of_a_design():
    architecture = nested.decode(np.array([0, 1, 1, 1, 0, 1, 1, 1, 0]))
    assert nested.gene_values(architecture) == {
        "n_qubits": 2, "encoding": "amplitude", "layers": 1, "layers.0.rotation": "rx", "head.hidden": "none",
    }  # fmt: skip


def test_tied_items_share_their_genes():
    space = Space(layers=repeat(0, 3, tied=True, rotation=choice("ry", "rx")))
    assert [gene.name for gene in space.genes] == ["layers", "layers.rotation"]
    assert space.decode(np.array([2, 1])).layers == (Architecture({"rotation": "rx"}),) * 2
    assert space.size == 1 + 3 * 2
    with pytest.raises(SpaceError, match="ties its items: all must be the same"):
        space.encode(Architecture({"layers": [{"rotation": "ry"}, {"rotation": "rx"}]}))


def test_decode_refuses_what_is_no_genotype():
    with pytest.raises(SpaceError, match="a genotype of this space has 9 genes, not 3"):
        nested.decode(np.array([0, 0, 0]))
    with pytest.raises(SpaceError, match="the gene n_qubits is 3, but it takes 0 to 2"):
        nested.decode(np.array([3, 0, 0, 0, 0, 0, 0, 0, 0]))
    with pytest.raises(SpaceError, match="the gene encoding is -1"):
        nested.decode(np.array([0, -1, 0, 0, 0, 0, 0, 0, 0]))


BELONGS = {"n_qubits": 2, "encoding": {"name": "amplitude"}, "layers": [{"rotation": "ry", "entangler": "cx"}],
           "head": {"hidden": [], "bias": True}}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_qubits": 9}, "n_qubits is 9, but the space allows the whole numbers from 2 to 4"),
        ({"n_qubits": 2.0}, "n_qubits is 2.0, but"),
        ({"n_qubits": True}, "n_qubits is True, but"),
        ({"encoding": {"name": "iqp"}}, r"encoding is .*'iqp'.*allows a part with the name 'angle', 'amplitude'"),
        ({"encoding": "angle"}, "encoding is 'angle', but the space allows a part"),
        ({"encoding": {"name": "angle", "axis": "z", "reupload": True}}, "encoding.axis is 'z', but .* 'x', 'y'"),
        ({"encoding": {"name": "angle", "axis": "x"}}, "encoding lacks reupload; the space has axis, reupload there"),
        ({"encoding": {"name": "amplitude", "axis": "x"}}, "unknown value of encoding, 'axis'"),
        ({"layers": []}, r"layers is \(\), but the space allows a list of 1 to 3 items"),
        ({"layers": [{"rotation": "rz", "entangler": "cx"}]}, "layers.0.rotation is 'rz', but .* 'ry', 'rx'"),
        ({"layers": [{"rotation": "ry", "entangler": "cz"}]}, "layers.0.entangler is 'cz', .* allows only 'cx'"),
        ({"layers": ["ry"]}, "layers.0 is 'ry', but the space has the values rotation, entangler there"),
        ({"head": {"hidden": [4], "bias": True}}, r"head.hidden is \(4,\), but the space allows \(\), \(8,\)"),
        ({"reedout": 1}, "unknown value of the architecture, 'reedout'"),
    ],
)
def test_encode_names_path_value_and_what_is_allowed(changes, message):
    architecture = Architecture({**BELONGS, **changes})
    with pytest.raises(SpaceError, match=message):
        nested.encode(architecture)
    assert not nested.contains(architecture)


def test_the_unchanged_architecture_belongs():
    assert nested.contains(Architecture(BELONGS))
