"""The search spaces that qnas carries."""

from itertools import islice

import numpy as np
import pytest

from qnas.circuit.build import n_inputs
from qnas.data import DataSettings, load_splits
from qnas.errors import TooManyFeaturesError
from qnas.model.training import TrainingSettings, effective, tensors
from qnas.objectives import Design
from qnas.plugins import bundled_directory
from qnas.space import load_space, space_names

SIZES = {
    "flops_aware": 23_760,
    "tradeoff": 1_920,
    "sim2019": 380,
    "mac": 1_296,
    "slpa": 25_088,
    "hardware": 32_400,
    "density": 9_408,
}


@pytest.mark.parametrize("name", space_names())
def test_a_bundled_space_can_be_sampled_and_explains_itself(name):
    space = load_space(name)
    for seed in range(20):
        architecture = space.sample(seed)
        assert space.contains(architecture)
        assert space.decode(space.encode(architecture)) == architecture
    assert space_names()[name]


LARGE_ONES_SLOW = [pytest.param(name, marks=[pytest.mark.slow] * (n > 1500)) for name, n in SIZES.items()]


@pytest.mark.parametrize("name", LARGE_ONES_SLOW)
def test_the_size_is_exact_and_designs_are_networks_of_their_own(name):
    space = load_space(name)
    assert (space.size, space.size_is_exact) == (SIZES[name], True)
    drawn = list(islice(space.architectures(np.random.default_rng(0)), 400))
    assert len({effective(one, "end_to_end").fingerprint for one in drawn}) == len(drawn)


def test_flops_aware_says_how_many_designs_it_has():
    text = (bundled_directory("search_spaces") / "flops_aware.py").read_text(encoding="utf-8")
    assert 20_000 < SIZES["flops_aware"] < 30_000
    assert f"There are exactly {SIZES['flops_aware']:,} architectures." in text


@pytest.mark.parametrize("data", ["iris", "wine"])
def test_circuits_of_tradeoff_are_trained_alone_behind_principal_components(data):
    """Without them, on data of more features than qubits, a search never asks for the design."""
    splits, space = load_splits(DataSettings(data)), load_space("tradeoff")
    for seed in range(40):
        architecture = effective(space.sample(seed), "pqc")
        if "pre" in architecture or splits.n_features <= architecture.n_qubits:
            design = Design(architecture, splits, TrainingSettings("pqc"))
            assert design.initial_model()(tensors(splits.train)[0]).shape == (len(splits.train.features), 3)
        else:
            with pytest.raises(TooManyFeaturesError):
                n_inputs(architecture, splits.n_features)


def test_hybrid_never_joins_the_same_pairs_under_two_names():
    space = load_space("hybrid")
    assert any("all" in [layer.topology for layer in space.sample(seed).layers] for seed in range(20))
    narrow = [a for a in map(space.sample, range(200)) if a.n_qubits == 3]
    assert narrow
    assert all(layer.topology != "all" for a in narrow for layer in a.layers)
