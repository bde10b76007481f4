"""Couplings: how classical networks and the circuit become one model.

With q the readout values, N and N' MLPs and A a linear map; the additive, multiplicative and combined forms are those
of arXiv 2511.07216.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qnas.plugins import Registry, registering

Output = Float[Tensor, "batch outputs"]
Features = Float[Tensor, "batch features"]


@dataclass(frozen=True, eq=False)
class Ingredients:
    """What a coupling is built from.

    Attributes:
        n_features, n_outputs: of the whole model.
        n_inputs, n_readouts: of the circuit.
        hidden: widths of the hidden layers of every MLP of the model.
        n_live_weights: circuit weights that the readout depends on.
        bounded: whether inputs are angles, which the pre-network keeps within (-pi, pi).
        quantum: makes the circuit as a torch module; each call makes one with weights of its own.
    """

    n_features: int
    n_outputs: int
    n_inputs: int
    n_readouts: int
    hidden: tuple[int, ...]
    n_live_weights: int
    bounded: bool
    quantum: Callable[[], nn.Module]

    def mlp(self, n_in: int, n_out: int) -> nn.Sequential:
        """Linear maps with tanh between them, of the hidden widths."""
        return mlp([n_in, *self.hidden, n_out])

    def pre_network(self) -> nn.Sequential:
        """Features to circuit inputs: an MLP, and pi tanh where the inputs are angles."""
        network = self.mlp(self.n_features, self.n_inputs)
        return nn.Sequential(*network, nn.Tanh(), Scale(math.pi)) if self.bounded else network


Coupling = Callable[..., nn.Module]
couplings: Registry[Coupling] = Registry("coupling", "qnas.couplings")


def coupling(name: str) -> Callable[[Coupling], Coupling]:
    """Register a class or function `(parts: Ingredients, **options) -> nn.Module` under a short name.

    The module maps features (batch, n_features) to outputs (batch, n_outputs), float64. It makes what it needs from
    `parts`: `parts.quantum()` is the circuit as a module from (batch, n_inputs) to (batch, n_readouts),
    `parts.pre_network()` maps features to its inputs, `parts.mlp(n_in, n_out)` is a network of the hidden widths. The
    weights of all that is made while the coupling is built follow from the seed of the model. The parameters after
    `parts` are the options; those without a default must be given.
    """
    return registering(couplings, name)


def mlp(widths: list[int]) -> nn.Sequential:
    """Linear maps in float64 with tanh between them."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Tanh(), nn.Linear(n_in, n_out, dtype=torch.float64)]
    return nn.Sequential(*layers[1:])


class Scale(nn.Module):
    """Multiply by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, values: Tensor) -> Tensor:
        """The values times the factor."""
        return self.factor * values


@coupling("serial")
class Serial(nn.Module):
    """head(q(pre(x)))"""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.pre = parts.pre_network()
        self.quantum = parts.quantum()
        self.head = mlp([parts.n_readouts, parts.n_outputs])

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        outputs: Tensor = self.head(self.quantum(self.pre(features)))
        return outputs


@coupling("residual")
class Residual(nn.Module):
    """head(concat(q(pre(x)), pre(x)))"""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.pre = parts.pre_network()
        self.quantum = parts.quantum()
        self.head = mlp([parts.n_readouts + parts.n_inputs, parts.n_outputs])

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        inputs = self.pre(features)
        outputs: Tensor = self.head(torch.cat([self.quantum(inputs), inputs], dim=1))
        return outputs


class _Branches(nn.Module):
    """The circuit branch A q(pre(x)) and the classical branch N(x)."""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.pre = parts.pre_network()
        self.quantum = parts.quantum()
        self.readout = mlp([parts.n_readouts, parts.n_outputs])
        self.network = parts.mlp(parts.n_features, parts.n_outputs)

    def forward(self, features: Features) -> tuple[Output, Output]:
        """Both branches for each row of features."""
        return self.readout(self.quantum(self.pre(features))), self.network(features)


@coupling("additive")
class Additive(nn.Module):
    """A q(pre(x)) + N(x)"""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.branches = _Branches(parts)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        quantum, classical = self.branches(features)
        return quantum + classical


@coupling("multiplicative")
class Multiplicative(nn.Module):
    """(A q(pre(x))) * N(x), elementwise"""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.branches = _Branches(parts)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        quantum, classical = self.branches(features)
        return quantum * classical


@coupling("mac")
class MultiplyAccumulate(nn.Module):
    """(A q(pre(x))) * N(x) + N'(x)"""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.branches = _Branches(parts)
        self.offset = parts.mlp(parts.n_features, parts.n_outputs)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        quantum, classical = self.branches(features)
        return quantum * classical + self.offset(features)


@coupling("quantum")
class Quantum(nn.Module):
    """The readout alone: features bound to angles directly, readout values grouped by a fixed linear map."""

    grouping: Tensor

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.quantum = parts.quantum()
        self.register_buffer("grouping", fixed_grouping(parts.n_readouts, parts.n_outputs), persistent=False)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        outputs: Tensor = self.quantum(features) @ self.grouping
        return outputs


def fixed_grouping(n_readouts: int, n_outputs: int) -> Float[Tensor, "readouts outputs"]:
    """Readout k goes to output k modulo n_outputs; fewer readouts than outputs are used again with the opposite sign.

    So two classes share one readout with opposite signs, the usual reading of a single qubit.
    """
    matrix = torch.zeros(n_readouts, n_outputs, dtype=torch.float64)
    if n_readouts >= n_outputs:
        for k in range(n_readouts):
            matrix[k, k % n_outputs] = 1.0
    else:
        for j in range(n_outputs):
            matrix[j % n_readouts, j] = (-1.0) ** (j // n_readouts)
    return matrix


@coupling("classical")
class Classical(nn.Module):
    """The control: `serial` with the circuit replaced by an MLP of the nearest number of live parameters."""

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.pre = parts.pre_network()
        width = nearest_width(parts.n_inputs, parts.n_readouts, parts.n_live_weights)
        self.stand_in = mlp([parts.n_inputs, width, parts.n_readouts])
        self.head = mlp([parts.n_readouts, parts.n_outputs])

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        outputs: Tensor = self.head(torch.tanh(self.stand_in(self.pre(features))))
        return outputs


def nearest_width(n_in: int, n_out: int, n_parameters: int) -> int:
    """The hidden width, at least 1, whose MLP n_in -> width -> n_out has nearest to `n_parameters` parameters.

    The MLP has width * (n_in + n_out + 1) + n_out parameters.
    """
    return max(1, round((n_parameters - n_out) / (n_in + n_out + 1)))
