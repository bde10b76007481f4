"""Couplings: how classical networks and the circuit become one model.

With q the readout values, N and N' MLPs and A a linear map; the additive, multiplicative and combined forms are those
of arXiv 2511.07216, the mixture of circuits is that of arXiv 2405.20237.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from qnas.circuit.build import DEFAULT_PRE
from qnas.errors import DesignError, unknown
from qnas.model.projection import Projection
from qnas.plugins import Registry, registering
from qnas.references import cites

Output = Float[Tensor, "batch outputs"]
Features = Float[Tensor, "batch features"]


@dataclass(frozen=True, eq=False)
class Ingredients:
    """What a coupling is built from.

    Attributes:
        n_features, n_outputs: of the whole model.
        n_inputs, n_readouts: of the circuit.
        hidden: widths of the hidden layers of MLPs in front of the circuit and beside it.
        n_live_weights: circuit weights that the readout depends on.
        bounded: whether inputs are angles, which the pre-network keeps within (-pi, pi).
        quantum: makes the circuit as a torch module; each call makes one with weights of its own.
        pre: what stands in front of the circuit: "mlp", "linear" or "pca".
        head: widths of the hidden layers of the network behind the circuit.
    """

    n_features: int
    n_outputs: int
    n_inputs: int
    n_readouts: int
    hidden: tuple[int, ...]
    n_live_weights: int
    bounded: bool
    quantum: Callable[[], nn.Module]
    pre: str = DEFAULT_PRE
    head: tuple[int, ...] = ()

    def mlp(self, n_in: int, n_out: int) -> nn.Sequential:
        """Linear maps with tanh between them, of the hidden widths."""
        return mlp([n_in, *self.hidden, n_out])

    def pre_network(self) -> nn.Module:
        """Features to circuit inputs: an MLP or one linear map, and pi tanh where the inputs are angles; or the first
        principal components, of variance 1, which are fitted to the training split when a model is trained."""
        if self.pre == "pca":
            return Projection(self.n_features, self.n_inputs)
        hidden = self.hidden if self.pre == "mlp" else ()
        network = mlp([self.n_features, *hidden, self.n_inputs])
        return nn.Sequential(*network, nn.Tanh(), Scale(math.pi)) if self.bounded else network

    def head_network(self, n_in: int) -> nn.Sequential:
        """From `n_in` values behind the circuit to outputs, an MLP of the widths `head`."""
        return mlp([n_in, *self.head, self.n_outputs])


Coupling = Callable[..., nn.Module]
couplings: Registry[Coupling] = Registry("coupling", "qnas.couplings")


def coupling(name: str) -> Callable[[Coupling], Coupling]:
    """Register a class or function `(parts: Ingredients, **options) -> nn.Module` under a short name.

    The module maps features (batch, n_features) to outputs (batch, n_outputs), float64. It makes what it needs from
    `parts`: `parts.quantum()` is the circuit as a module from (batch, n_inputs) to (batch, n_readouts),
    `parts.pre_network()` maps features to its inputs, `parts.head_network(n_in)` what is behind it to outputs, and
    `parts.mlp(n_in, n_out)` is a network of the hidden widths. The weights of all that is made while the coupling is
    built follow from the seed of the model. The parameters after `parts` are the options; those without a default must
    be given.
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
        self.head = parts.head_network(parts.n_readouts)

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
        self.head = parts.head_network(parts.n_readouts + parts.n_inputs)

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
@cites("lantigua2025")
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
@cites("lantigua2025")
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
@cites("lantigua2025")
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


class _Constants(nn.Module):
    """The same trained numbers for every sample, at first uniform on [-1, 1)."""

    def __init__(self, n_features: int, n_values: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.empty(1, n_values, dtype=torch.float64).uniform_(-1, 1))

    def forward(self, features: Features) -> Float[Tensor, "1 values"]:
        """The numbers."""
        return self.values


WEIGHTINGS: dict[str, Callable[[int, int], nn.Module]] = {
    "constant": _Constants,
    "input": lambda n_features, n_values: mlp([n_features, n_values]),
}


@coupling("density")
@cites("coyle2025")
class Density(nn.Module):
    """head(sum_k alpha_k(x) q_k(pre(x))): the readout of a mixture of circuits, a density QNN (arXiv 2405.20237).

    The circuits have the same form and weights of their own. Objectives of a circuit, such as expressibility, describe
    one of them; FLOPs and parameters are of all.

    Args:
        parts: as for every coupling.
        n_circuits: how many, at least 2.
        weighting: the alpha are a softmax of trained numbers, "constant", or of a linear map of the features, "input".
    """

    def __init__(self, parts: Ingredients, n_circuits: int = 2, weighting: str = "constant") -> None:
        super().__init__()
        if n_circuits < 2:
            raise DesignError(
                f"the coupling 'density' mixes at least 2 circuits, but n_circuits is {n_circuits}; use the coupling "
                "'serial' for one."
            )
        if weighting not in WEIGHTINGS:
            raise DesignError(unknown("weighting of the coupling 'density',", weighting, WEIGHTINGS))
        self.pre = parts.pre_network()
        self.circuits = nn.ModuleList(parts.quantum() for _ in range(n_circuits))
        self.weighting = WEIGHTINGS[weighting](parts.n_features, n_circuits)
        self.head = parts.head_network(parts.n_readouts)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        inputs, shares = self.pre(features), torch.softmax(self.weighting(features), dim=1)
        values = torch.stack([circuit(inputs) for circuit in self.circuits], dim=1)
        outputs: Tensor = self.head((shares[:, :, None] * values).sum(dim=1))
        return outputs


@coupling("quantum")
class Quantum(nn.Module):
    """The readout alone: features, or their principal components, bound to angles directly, readout values grouped by a
    fixed linear map."""

    grouping: Tensor

    def __init__(self, parts: Ingredients) -> None:
        super().__init__()
        self.pre = parts.pre_network() if parts.pre == "pca" else nn.Identity()
        self.quantum = parts.quantum()
        self.register_buffer("grouping", fixed_grouping(parts.n_readouts, parts.n_outputs), persistent=False)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        outputs: Tensor = self.quantum(self.pre(features)) @ self.grouping
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
        self.head = parts.head_network(parts.n_readouts)

    def forward(self, features: Features) -> Output:
        """Outputs for each row of features."""
        outputs: Tensor = self.head(torch.tanh(self.stand_in(self.pre(features))))
        return outputs


def nearest_width(n_in: int, n_out: int, n_parameters: int) -> int:
    """The hidden width, at least 1, whose MLP n_in -> width -> n_out has nearest to `n_parameters` parameters.

    The MLP has width * (n_in + n_out + 1) + n_out parameters.
    """
    return max(1, round((n_parameters - n_out) / (n_in + n_out + 1)))
