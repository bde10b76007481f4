"""The space `density`: mixtures of one to four circuits of either family."""

import qnas
from qnas.space import load_space


def test_mixtures_have_circuits_with_weights_of_their_own():
    space, seen = load_space("density"), set()
    for seed in range(25):
        design = space.sample(seed)
        layers = qnas.build_model(design, 4, 2, seed=0).quantum_layers
        expected = design.coupling.get("n_circuits", 1)
        assert len({id(layer.weight) for layer in layers}) == len(layers) == expected
        seen.add((design.ansatz.name, design.coupling.name, design.coupling.get("weighting"), expected))
    assert {family for family, *_ in seen} == {"commuting", "orthogonal"}
    assert {weighting for _, _, weighting, _ in seen} == {None, "constant", "input"}
    assert {n_circuits for *_, n_circuits in seen} == {1, 2, 3, 4}
