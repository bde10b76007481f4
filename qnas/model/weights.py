"""Weights as safetensors: no pickle, readable by torch, JAX and numpy."""

from __future__ import annotations

from safetensors.torch import load, save

from qnas.model.hybrid import HybridModel


def weights_to_bytes(model: HybridModel) -> bytes:
    """All weights of a model as a safetensors file."""
    return bytes(save({name: tensor.contiguous() for name, tensor in model.state_dict().items()}))


def load_weights(model: HybridModel, content: bytes) -> None:
    """Put the weights of a safetensors file into a model of the same architecture."""
    model.load_state_dict(load(content))
