"""Weights to bytes and back."""

import pytest
import torch
from safetensors.torch import load

from qnas.architecture import Architecture
from qnas.model.couplings import couplings
from qnas.model.hybrid import build_model
from qnas.model.weights import load_weights, weights_to_bytes

LAYER = {"rotation": "ry", "entangler": "cx", "topology": "line"}


def model_of(coupling, seed, n_layers=1):
    values = {"n_qubits": 2, "encoding": "angle", "layers": [LAYER] * n_layers, "coupling": coupling, "hidden": [3]}
    return build_model(Architecture(values), 2, 2, seed)


@pytest.mark.parametrize("coupling", list(couplings))
def test_every_weight_survives_bit_for_bit(coupling):
    model, other = model_of(coupling, seed=0), model_of(coupling, seed=1)
    load_weights(other, weights_to_bytes(model))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    features = torch.ones(1, 2, dtype=torch.float64)
    assert torch.equal(model(features), other(features))


def test_the_content_is_safetensors_of_named_double_weights():
    model = model_of("serial", seed=0)
    found = load(weights_to_bytes(model))
    assert set(found) == set(dict(model.named_parameters()))
    assert {tensor.dtype for tensor in found.values()} == {torch.float64}


def test_equal_models_give_equal_bytes():
    assert weights_to_bytes(model_of("mac", seed=2)) == weights_to_bytes(model_of("mac", seed=2))


def test_weights_of_another_architecture_are_refused():
    with pytest.raises(RuntimeError, match=r"size mismatch for network\.quantum\.weight"):
        load_weights(model_of("serial", seed=0, n_layers=2), weights_to_bytes(model_of("serial", seed=0)))
