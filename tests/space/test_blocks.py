"""Whole items come and go; the others keep their genes."""

import numpy as np
from hypothesis import given

from qnas.space import Space, choice, integer, repeat
from tests.space.strategies import declarations, declared, quick, seeds

nested = Space(
    n_qubits=integer(2, 4),
    layers=repeat(1, 3, gate=choice("a", "b"), angles=repeat(0, 2, integer(0, 9))),
    head=repeat(0, 2, tied=True, width=integer(1, 4)),
    bare=repeat(1, 2, gate="cx"),
)


def test_where_the_items_are():
    names = [gene.name for gene in nested.genes]
    assert [(names[b.length], b.rows.shape, b.tied, b.outermost) for b in nested.blocks] == [
        ("layers", (3, 4), False, True),
        ("layers.0.angles", (2, 1), False, False),
        ("layers.1.angles", (2, 1), False, False),
        ("layers.2.angles", (2, 1), False, False),
        ("head", (1, 1), True, True),
    ]
    assert [names[k] for k in nested.blocks[0].rows[1]] == [
        "layers.1.gate", "layers.1.angles", "layers.1.angles.0", "layers.1.angles.1",
    ]  # fmt: skip


def test_the_item_of_a_gene():
    blocks = {gene.name: gene.block for gene in nested.genes}
    assert blocks["layers"] == blocks["head"] == ""
    assert (blocks["layers.1.angles"], blocks["layers.1.angles.0"]) == ("layers.1", "layers.1.angles.0")
    assert blocks["head.width"] == "head"


@quick
@given(declarations, seeds)
def test_other_items_keep_their_genes_and_their_order(text, seed):
    space, rng = declared(text), np.random.default_rng(seed)
    codes = space.random_codes(rng)
    for blocks in (blocks for blocks in space.blocks if not blocks.tied):
        n, everywhere = blocks.n_items(codes), np.arange(len(codes))
        items = [blocks.item(codes, k).tolist() for k in range(n)]
        elsewhere = np.setdiff1d(everywhere, [blocks.length, *blocks.rows.ravel()])
        if n < len(blocks.rows):
            k, new = int(rng.integers(n + 1)), blocks.item(codes, n)
            longer = blocks.inserted(codes, k, new)
            found = [blocks.item(longer, j).tolist() for j in range(blocks.n_items(longer))]
            assert found == [*items[:k], new.tolist(), *items[k:]]
            assert np.array_equal(longer[elsewhere], codes[elsewhere])
            assert np.array_equal(space.canonical(blocks.deleted(longer, k)), space.canonical(codes))
        if n > blocks.low:
            k = int(rng.integers(n))
            shorter = blocks.deleted(codes, k)
            found = [blocks.item(shorter, j).tolist() for j in range(blocks.n_items(shorter))]
            assert found == [*items[:k], *items[k + 1 :]]
            assert np.array_equal(shorter[elsewhere], codes[elsewhere])
