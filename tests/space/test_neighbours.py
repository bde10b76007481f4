"""One step away and back."""

import numpy as np
import pytest
from hypothesis import assume, given

from qnas.architecture import Architecture
from qnas.errors import SpaceError
from qnas.space import Space, boolean, choice, integer, real, repeat, space
from tests.space.strategies import constrained, declarations, declared, few, quick, seeds


@few
@given(declarations | constrained, seeds)
def test_neighbours_are_valid_distinct_and_mutual(text, seed):
    space = declared(text)
    assume(space.tree.size <= 1000 and space.size)
    centre = space.sample(seed)
    found = space.neighbours(centre)
    assert found == space.neighbours(centre)
    assert len(set(found)) == len(found) and centre not in found
    assert all(map(space.contains, found))
    assert all(centre in space.neighbours(one) for one in found[:5])


@quick
@given(declarations, seeds)
def test_a_step_of_any_gene_and_any_change_of_a_list_is_a_neighbour(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    assume(space.tree.size <= 10_000)
    genotype = space.random_genotype(rng)
    active = space.active(genotype)
    codes = np.where(active, genotype, space.random_codes(rng))
    found = {one.fingerprint for one in space.neighbours(space.decode(genotype))}
    lists = {blocks.length: blocks for blocks in space.blocks if not blocks.tied}
    for k in np.flatnonzero(active):
        if k in lists:
            continue
        for code in range(space.genes[k].cardinality):
            step = np.abs(code - codes[k]) == 1 if space.genes[k].ordered else code != codes[k]
            changed = codes.copy()
            changed[k] = code
            assert (space.fingerprint(changed) in found) == step
    for blocks in (blocks for k, blocks in lists.items() if active[k]):
        n = blocks.n_items(codes)
        longer = [blocks.inserted(codes, k, blocks.item(codes, n)) for k in range(n + 1) if n < len(blocks.rows)]
        shorter = [blocks.deleted(codes, k) for k in range(n) if n > blocks.low]
        assert {space.fingerprint(changed) for changed in longer + shorter} <= found


def test_the_neighbours_of_a_design_in_order():
    space = Space(
        n=integer(2, 4),
        encoding=choice(angle={"axis": choice("x", "y")}, amplitude={}),
        scale=real(0.1, 1.0, levels=3, log=True),
        layers=repeat(1, 3, gate=choice("a", "b")),
        fixed="ring",
    )
    design = {"n": 3, "encoding": {"name": "amplitude"}, "scale": 0.1, "fixed": "ring"}
    centre = Architecture({**design, "layers": [{"gate": "a"}, {"gate": "b"}]})

    def words(one):
        part = one.encoding.name + one.encoding.get("axis", "")
        return f"{one.n} {part} {one.scale:.2g} {''.join(layer.gate for layer in one.layers)}"

    assert words(centre) == "3 amplitude 0.1 ab"
    assert [words(one) for one in space.neighbours(centre)] == [
        "2 amplitude 0.1 ab", "4 amplitude 0.1 ab",
        "3 anglex 0.1 ab", "3 angley 0.1 ab",
        "3 amplitude 0.32 ab",
        "3 amplitude 0.1 bb", "3 amplitude 0.1 aa",
        "3 amplitude 0.1 b", "3 amplitude 0.1 a",
        "3 amplitude 0.1 aab", "3 amplitude 0.1 bab", "3 amplitude 0.1 abb", "3 amplitude 0.1 aba",
    ]  # fmt: skip


def test_tied_items_change_together():
    space = Space(layers=repeat(0, 2, tied=True, gate=choice("a", "b")))
    texts = {
        "".join(item.gate for item in start.layers): [
            "".join(item.gate for item in one.layers) for one in space.neighbours(start)
        ]
        for start in space.architectures()
    }
    assert texts == {"": ["a", "b"], "a": ["b", "", "aa"], "b": ["a", "", "bb"], "aa": ["bb", "a"], "bb": ["aa", "b"]}


def test_constraints_exclude_neighbours():
    space = Space(n=integer(2, 5), flag=boolean()).where(lambda a: a.n != 3, "not three")
    assert [one.to_dict() for one in space.neighbours(Architecture({"n": 2, "flag": True}))] == [
        {"n": 2, "flag": False}
    ]


def test_a_genotype_has_canonical_genotypes_as_neighbours():
    space = Space(layers=repeat(1, 2, gate=choice("a", "b")))
    assert [one.tolist() for one in space.neighbours(np.array([0, 1, 1]))] == [
        [0, 0, 0],
        [1, 0, 1],
        [1, 1, 1],
        [1, 1, 0],
    ]


def test_what_does_not_belong_has_none():
    with pytest.raises(SpaceError, match="n is 7, but the space allows"):
        Space(n=integer(0, 3)).neighbours(Architecture({"n": 7}))


def test_too_many_neighbours_are_refused(monkeypatch):
    monkeypatch.setattr(space, "MAX_ENUMERATED", 50)
    wide = Space(part=choice(bare={}, full={"n": integer(1, 60)}))
    with pytest.raises(SpaceError, match="a design of this space has more than 50 neighbours"):
        wide.neighbours(Architecture({"part": {"name": "bare"}}))
    assert len(wide.neighbours(Architecture({"part": {"name": "full", "n": 7}}))) == 3
