"""Couplings: each output is its formula, computed from its parts."""

import math

import pytest
import torch
from torch import nn

from qnas.errors import DesignError, PluginError
from qnas.model.couplings import Ingredients, Scale, couplings, fixed_grouping, mlp, nearest_width
from qnas.model.projection import Projection

FEATURES = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


class Squares(nn.Module):
    """Stands in for a circuit: three inputs, two readouts."""

    def forward(self, inputs):
        assert inputs.shape[1] == 3
        return torch.stack([inputs[:, 0] ** 2, inputs[:, 1] * inputs[:, 2]], dim=1)


def ingredients(**changes):
    values = dict(
        n_features=4,
        n_outputs=3,
        n_inputs=3,
        n_readouts=2,
        hidden=(6, 5),
        n_live_weights=20,
        bounded=True,
        quantum=Squares,
    )
    return Ingredients(**{**values, **changes})


def make(name, **changes):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return couplings[name](ingredients(**changes))


def seeded_mlp(widths):
    with torch.random.fork_rng(devices=[]):
        return mlp(widths)


def linear(layer, values):
    return values @ layer.weight.T + layer.bias


def by_hand(network, values):
    """Linear maps with tanh between them."""
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for layer in layers[:-1]:
        values = torch.tanh(linear(layer, values))
    return linear(layers[-1], values)


def pre(model, features):
    return math.pi * torch.tanh(by_hand(model.pre, features))


def q(model, features):
    return Squares()(pre(model, features))


def serial(m, x):
    return by_hand(m.head, q(m, x))


def residual(m, x):
    return by_hand(m.head, torch.cat([q(m, x), pre(m, x)], dim=1))


def branches(m, x):
    return linear(m.branches.readout[0], q(m.branches, x)), by_hand(m.branches.network, x)


def additive(m, x):
    a, n = branches(m, x)
    return a + n


def multiplicative(m, x):
    a, n = branches(m, x)
    return a * n


def mac(m, x):
    a, n = branches(m, x)
    return a * n + by_hand(m.offset, x)


def classical(m, x):
    return by_hand(m.head, torch.tanh(by_hand(m.stand_in, pre(m, x))))


FORMULAS = {f.__name__: f for f in (serial, residual, additive, multiplicative, mac, classical)}


def test_there_are_eight():
    assert sorted(couplings) == sorted([*FORMULAS, "density", "quantum"])


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("hidden", [(), (8,), (6, 5)])
@pytest.mark.parametrize("pre", ["mlp", "linear"])
@pytest.mark.parametrize("head", [(), (7, 2)])
def test_the_output_is_the_formula(name, hidden, pre, head):
    model = make(name, hidden=hidden, pre=pre, head=head)
    found = model(FEATURES)
    assert found.shape == (5, 3)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, FORMULAS[name](model, FEATURES), rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", FORMULAS)
def test_every_weight_takes_part(name):
    model = make(name)
    model(FEATURES).square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


@pytest.mark.parametrize("name", FORMULAS)
def test_principal_components_go_to_the_circuit_as_they_are(name):
    model = make(name, pre="pca")
    inner = model.branches if hasattr(model, "branches") else model
    assert isinstance(inner.pre, Projection)
    assert torch.equal(inner.pre(FEATURES), FEATURES[:, :3])
    assert model(FEATURES).shape == (5, 3)


def widths(network):
    return [layer.out_features for layer in network if isinstance(layer, nn.Linear)]


def test_a_linear_map_in_front_is_an_mlp_without_hidden_layers():
    assert [widths(make("mac", pre=pre).branches.pre) for pre in ("mlp", "linear")] == [[6, 5, 3], [3]]
    assert widths(make("mac", pre="linear").offset) == [6, 5, 3]


@pytest.mark.parametrize(("name", "n_in"), [("serial", 2), ("residual", 5), ("classical", 2)])
def test_the_head_has_widths_of_its_own(name, n_in):
    head = make(name, head=(7, 2)).head
    assert head[0].in_features == n_in
    assert widths(head) == [7, 2, 3]


class Weighted(nn.Module):
    """Stands in for a circuit with weights of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(3, 2, dtype=torch.float64))

    def forward(self, inputs):
        return torch.cos(inputs @ self.weight)


def density(**options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return couplings["density"](ingredients(quantum=Weighted, head=(7,)), **options)


@pytest.mark.parametrize("n_circuits", [2, 5])
@pytest.mark.parametrize("weighting", ["constant", "input"])
def test_density_is_the_head_of_a_weighted_sum_of_circuits(n_circuits, weighting):
    model = density(n_circuits=n_circuits, weighting=weighting)
    logits = model.weighting.values if weighting == "constant" else linear(model.weighting[0], FEATURES)
    shares = torch.exp(logits) / torch.exp(logits).sum(dim=1, keepdim=True)
    values = [torch.cos(pre(model, FEATURES) @ circuit.weight) for circuit in model.circuits]
    mixed = sum(shares[:, k, None] * value for k, value in enumerate(values))
    assert len(values) == n_circuits
    torch.testing.assert_close(model(FEATURES), by_hand(model.head, mixed), rtol=0, atol=1e-13)


@pytest.mark.parametrize("weighting", ["constant", "input"])
def test_every_weight_of_a_mixture_takes_part(weighting):
    model = density(weighting=weighting)
    model(FEATURES).square().sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


def test_a_mixture_has_two_circuits_and_constant_weights_by_default():
    assert len(density().circuits) == 2
    assert [tuple(weight.shape) for weight in density().weighting.parameters()] == [(1, 2)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"n_circuits": 1},
            "the coupling 'density' mixes at least 2 circuits, but n_circuits is 1; use the coupling 'serial' for one.",
        ),
        (
            {"weighting": "inputs"},
            "unknown weighting of the coupling 'density', 'inputs': did you mean 'input'? Allowed: constant, input.",
        ),
    ],
)
def test_mixtures_that_cannot_be(options, text):
    with pytest.raises(DesignError) as caught:
        density(**options)
    assert str(caught.value) == text


def test_quantum_takes_principal_components():
    model = make("quantum", n_outputs=2, pre="pca")
    assert torch.equal(model(FEATURES), Squares()(FEATURES[:, :3]))
    assert list(model.parameters()) == []


def test_quantum_is_the_readout_alone():
    model = make("quantum", n_features=3, n_outputs=2)
    features = FEATURES[:, :3].contiguous()
    assert torch.equal(model(features), Squares()(features))
    assert list(model.parameters()) == []
    assert list(model.state_dict()) == []


@pytest.mark.parametrize(
    ("n_readouts", "n_outputs", "expected"),
    [
        (2, 2, [[1, 0], [0, 1]]),
        (3, 2, [[1, 0], [0, 1], [1, 0]]),
        (4, 1, [[1], [1], [1], [1]]),
        (1, 2, [[1, -1]]),
        (2, 3, [[1, 0, -1], [0, 1, 0]]),
        (1, 3, [[1, -1, 1]]),
    ],
)
def test_the_fixed_linear_map(n_readouts, n_outputs, expected):
    assert fixed_grouping(n_readouts, n_outputs).tolist() == expected


def test_angles_are_bounded_and_amplitudes_are_not():
    far = 1e6 * FEATURES
    assert make("serial", hidden=()).pre(far).abs().max().item() == pytest.approx(math.pi)
    assert make("serial", bounded=False, hidden=()).pre(far).abs().max() > 1e3
    assert not any(isinstance(layer, Scale) for layer in make("serial", bounded=False).pre)


def test_an_mlp_has_tanh_between_its_linear_maps():
    network = seeded_mlp([4, 6, 5, 3])
    assert [type(layer) for layer in network] == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
    assert [layer.out_features for layer in network if isinstance(layer, nn.Linear)] == [6, 5, 3]
    torch.testing.assert_close(network(FEATURES), by_hand(network, FEATURES), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_in", [1, 2, 4, 8])
@pytest.mark.parametrize("n_out", [1, 3, 6])
def test_the_stand_in_has_the_nearest_number_of_parameters(n_in, n_out):
    def count(width):
        return sum(p.numel() for p in seeded_mlp([n_in, width, n_out]).parameters())

    counts = {width: count(width) for width in range(1, 40)}
    for n_parameters in range(120):
        distance = abs(counts[nearest_width(n_in, n_out, n_parameters)] - n_parameters)
        assert distance == min(abs(c - n_parameters) for c in counts.values())


def test_the_stand_in_is_sized_by_the_live_weights():
    assert make("classical", n_live_weights=50).stand_in[0].out_features == nearest_width(3, 2, 50) == 8
    assert make("classical", n_live_weights=0).stand_in[0].out_features == 1


def test_an_unknown_coupling():
    with pytest.raises(PluginError, match=r"unknown coupling 'seriell': did you mean 'serial'\?"):
        couplings["seriell"]
