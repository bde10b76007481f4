"""The trained part of a readout that mixes expectation values, see `qnas.circuit.readouts.Mixture`."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Mixing(nn.Module):
    """(batch, n_observables) -> (batch, n_values): values @ weight.T, without a bias.

    Args:
        n_observables, n_values: its sizes.
        generator: draws the initial weights, see `initial_mixing`.
    """

    def __init__(self, n_observables: int, n_values: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(initial_mixing((n_values, n_observables), generator))

    def forward(self, expectations: Float[Tensor, "batch observables"]) -> Float[Tensor, "batch values"]:
        """The readout values of each row of expectation values."""
        return expectations @ self.weight.T


def initial_mixing(shape: tuple[int, ...], generator: torch.Generator) -> Float[Tensor, "*some values observables"]:
    """Weights uniform on +-1 / sqrt(n_observables), the last entry of the shape."""
    drawn = torch.rand(shape, dtype=torch.float64, generator=generator)
    return (2 * drawn - 1) / math.sqrt(shape[-1])
