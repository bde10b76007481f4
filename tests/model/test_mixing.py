"""Learned mixtures of expectation values: sizes, seeds, and that they belong to the circuit."""

import math

import pytest
import torch
from torch import nn

from qnas.architecture import Architecture
from qnas.circuit.build import design_circuit
from qnas.model.hybrid import ModelBuilder, build_model
from qnas.model.mixing import Mixing, initial_mixing
from qnas.model.quantum_layer import QuantumLayer
from qnas.model.weights import load_weights, weights_to_bytes

LAYER = {"rotation": "ry_rz", "entangler": "cx", "topology": "line"}
ARCHITECTURE = Architecture(
    {"n_qubits": 2, "encoding": "angle", "layers": [LAYER], "readout": "pauli_mixture", "coupling": "quantum"}
)
FEATURES = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_mixing_is_a_linear_map_without_bias():
    mixing = Mixing(4, 3, generator())
    values = torch.randn(6, 4, dtype=torch.float64, generator=generator(1))
    assert [tuple(weight.shape) for weight in mixing.parameters()] == [(3, 4)]
    assert torch.equal(mixing(values), values @ mixing.weight.T)


def test_weights_start_between_plus_and_minus_one_over_the_root_of_the_number_of_observables():
    drawn = initial_mixing((1000, 2, 16), generator())
    assert drawn.abs().max() <= 1 / 4
    assert drawn.mean().item() == pytest.approx(0, abs=0.01)
    assert drawn.std().item() == pytest.approx(1 / 4 / math.sqrt(3), rel=0.01)


def test_readout_values_are_mixtures_of_all_expectations():
    model = build_model(ARCHITECTURE, 2, 3, seed=0)
    layer, mixing = model.network.quantum
    assert isinstance(layer, QuantumLayer) and len(layer.observables) == 15
    assert torch.equal(model(FEATURES), layer(FEATURES) @ mixing.weight.T)
    assert model.quantum_weights == [layer.weight, mixing.weight]


def test_the_observables_are_those_of_the_readout():
    design = design_circuit(ARCHITECTURE, 2, 3)
    assert (design.mixed_to, design.n_readouts, len(design.observables)) == (3, 3, 15)
    plain = design_circuit(ARCHITECTURE.replace(readout="z"), 2, 3)
    assert (plain.mixed_to, plain.n_readouts) == (None, 2)


def test_a_mixture_changes_no_other_weight():
    model, plain = (build_model(ARCHITECTURE.replace(readout=r), 2, 3, seed=4) for r in ("pauli_mixture", "z"))
    assert torch.equal(model.quantum_layers[0].weight, plain.quantum_layers[0].weight)


def test_the_seed_decides():
    builder = ModelBuilder(ARCHITECTURE, 2, 3)
    first, again, other = (builder.build(seed).quantum_weights[1] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not (first == other).any()


@pytest.mark.parametrize("coupling", ["serial", "residual", "mac", "quantum", "classical"])
def test_every_coupling_reads_a_mixture(coupling):
    model = build_model(ARCHITECTURE.replace(coupling=coupling), 2, 3, seed=0)
    assert model(FEATURES).shape == (5, 3)
    assert any(isinstance(module, Mixing) for module in model.modules()) == (coupling != "classical")


def test_weights_of_a_mixture_are_stored():
    model, other = (build_model(ARCHITECTURE, 2, 3, seed=seed) for seed in (0, 1))
    load_weights(other, weights_to_bytes(model))
    assert torch.equal(other(FEATURES), model(FEATURES))


def test_a_gradient_reaches_circuit_and_mixture():
    model = build_model(ARCHITECTURE, 2, 3, seed=0)
    nn.functional.mse_loss(model(FEATURES), torch.ones(5, 3, dtype=torch.float64)).backward()
    assert all(weight.grad.abs().max() > 0 for weight in model.quantum_weights)
