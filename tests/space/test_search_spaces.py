"""The search spaces that qnas carries."""

import pytest

from qnas.space import load_space, space_names


@pytest.mark.parametrize("name", space_names())
def test_a_bundled_space_can_be_sampled_and_explains_itself(name):
    space = load_space(name)
    for seed in range(20):
        architecture = space.sample(seed)
        assert space.contains(architecture)
        assert space.decode(space.encode(architecture)) == architecture
    assert space_names()[name]


def test_hybrid_never_joins_the_same_pairs_under_two_names():
    space = load_space("hybrid")
    assert any("all" in [layer.topology for layer in space.sample(seed).layers] for seed in range(20))
    narrow = [a for a in map(space.sample, range(200)) if a.n_qubits == 3]
    assert narrow
    assert all(layer.topology != "all" for a in narrow for layer in a.layers)
