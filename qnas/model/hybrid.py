"""The hybrid model of an architecture."""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from qnas.architecture import Architecture
from qnas.circuit.build import design_circuit, pre_of
from qnas.circuit.parts import options_of, part_of
from qnas.model.couplings import Ingredients, couplings
from qnas.model.mixing import Mixing
from qnas.model.projection import Projection
from qnas.model.quantum_function import QuantumFunction
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation.contract import Simulator
from qnas.simulation.exact import ExactSimulator

_LIVE = 1e-10
"""A derivative below this at random points counts as zero; expectation values are of order one."""


class HybridModel(nn.Module):
    """An architecture as a torch module: (batch, n_features) -> (batch, n_outputs), float64."""

    def __init__(self, architecture: Architecture, network: nn.Module) -> None:
        super().__init__()
        self.architecture = architecture
        self.network = network

    def forward(self, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch outputs"]:
        """Logits (classification) or predicted targets (regression)."""
        outputs: Tensor = self.network(features.to(torch.float64))
        return outputs

    @property
    def quantum_layers(self) -> list[QuantumLayer]:
        """The circuits in this model; none in the classical control."""
        return [module for module in self.modules() if isinstance(module, QuantumLayer)]

    @property
    def quantum_weights(self) -> list[nn.Parameter]:
        """The weights of the circuits and of readouts that mix expectation values."""
        return [module.weight for module in self.modules() if isinstance(module, QuantumLayer | Mixing)]

    @property
    def n_parameters(self) -> int:
        """All weights, trainable or frozen."""
        return sum(parameter.numel() for parameter in self.parameters())


class ModelBuilder:
    """Builds the model of one architecture at several seeds; the circuit is lowered and scheduled once.

    Args:
        architecture: what to build.
        n_features, n_outputs: of the data.
        simulator: exact simulation on Aer by default.

    Raises:
        DesignError: the architecture names no network.
        CircuitError: the circuit does not lower or is over the memory budget.
        PluginError: a part is not known.
    """

    def __init__(
        self, architecture: Architecture, n_features: int, n_outputs: int, simulator: Simulator | None = None
    ) -> None:
        self.architecture = architecture
        self.n_features, self.n_outputs = n_features, n_outputs
        part = part_of(architecture, "coupling", default="serial")
        self._couple = couplings[part["name"]]
        self._options = options_of(part, self._couple, "coupling", n_given=1)
        self.design = design_circuit(architecture, n_features, n_outputs)
        self.program = self.design.program
        self.function = QuantumFunction(self.program, self.design.observables, simulator)
        is_exact = simulator is None or isinstance(simulator, ExactSimulator)
        self._exact = self.function if is_exact else QuantumFunction(self.program, self.design.observables)
        self.live_inputs, self.live_weights = live(self._exact, len(self.design.observables))
        self._projection: Projection | None = None

    def fit(self, features: Float[Tensor, "samples features"]) -> None:
        """Fit what needs data, principal components, to the features of the training split, for all models to come."""
        if pre_of(self.architecture) == "pca":
            self._projection = Projection(self.n_features, self.program.n_inputs)
            self._projection.fit(features)

    @property
    def exact(self) -> ModelBuilder:
        """The same with exact simulation, which spends no shots; itself if it simulates exactly."""
        return self if self.function is self._exact else self._with(self._exact)

    def on(self, simulator: Simulator) -> ModelBuilder:
        """The same with another simulator. Raises CircuitError if the circuit is over its memory budget."""
        return self._with(QuantumFunction(self.program, self.design.observables, simulator))

    def _with(self, function: QuantumFunction) -> ModelBuilder:
        other = copy.copy(self)
        other.function = function
        return other

    @property
    def remark(self) -> str:
        """A warning about circuit inputs and weights that the readout does not depend on; empty if there are none."""
        dead = [
            f"{int((~alive).sum())} of {len(alive)} circuit {kind}"
            for kind, alive in (("inputs", self.live_inputs), ("weights", self.live_weights))
            if not bool(alive.all())
        ]
        return f"the readout does not depend on {' and '.join(dead)}" if dead else ""

    def build(self, seed: int) -> HybridModel:
        """A freshly initialised model; every weight follows from the seed, and no global state changes.

        Principal components are those of `fit`, and the first features before.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed the devices, too
            network = self._couple(self._ingredients(seed), **self._options)
        for module in network.modules():
            if self._projection is not None and isinstance(module, Projection):
                module.load_state_dict(self._projection.state_dict())
        return HybridModel(self.architecture, network)

    def _ingredients(self, seed: int) -> Ingredients:
        return Ingredients(
            n_features=self.n_features,
            n_outputs=self.n_outputs,
            n_inputs=self.program.n_inputs,
            n_readouts=self.design.n_readouts,
            hidden=tuple(self.architecture.get("hidden", ())),
            n_live_weights=int(self.live_weights.sum()),
            bounded=self.program.amplitude_inputs is None,
            quantum=partial(self._quantum, torch.Generator().manual_seed(_seed_of_circuit(seed))),
            pre=pre_of(self.architecture),
            head=tuple(self.architecture.get("head", ())),
        )

    def _quantum(self, generator: torch.Generator) -> nn.Module:
        """The circuit with weights drawn next; each call makes another one."""
        parts = (self.design.inputs, self.design.weights, self.design.observables)
        layer = QuantumLayer.from_function(self.function, self.design.circuit, parts, generator=generator)
        if self.design.mixed_to is None:
            return layer
        return nn.Sequential(layer, Mixing(len(self.design.observables), self.design.mixed_to, generator))


def _seed_of_circuit(seed: int) -> int:
    """A seed of its own for the circuit's weights: from the same one they would repeat the draws of classical ones."""
    return int(np.random.SeedSequence(seed % 2**64).generate_state(1, np.uint64)[0] >> 1)


def build_model(architecture: Architecture, n_features: int, n_outputs: int, seed: int) -> nn.Module:
    """The model of an architecture, initialised from `seed`; see `ModelBuilder` for what can be wrong with it.

    Without data, principal components in front of the circuit (`pre` "pca") are the first features as they are, until
    training fits them or trained ones are loaded.
    """
    return ModelBuilder(architecture, n_features, n_outputs).build(seed)


def live(function: QuantumFunction, n_readouts: int) -> tuple[Bool[Tensor, " inputs"], Bool[Tensor, " weights"]]:
    """Which inputs and weights of a circuit its readout depends on, by derivatives at a few random points.

    An input whose derivative is zero, such as one whose sign alone matters, is live if another value of it gives other
    expectation values. The function must be exact: sampled derivatives are never zero.
    """
    generator = torch.Generator().manual_seed(0)
    program = function.program
    inputs = torch.randn(4, program.n_inputs, dtype=torch.float64, generator=generator).requires_grad_()
    weights = torch.rand(program.n_weights, dtype=torch.float64, generator=generator).mul_(6.0).requires_grad_()
    cotangent = torch.randn(4, n_readouts, dtype=torch.float64, generator=generator)
    with torch.enable_grad():
        values = function(inputs, weights)
        by_input, by_weight = torch.autograd.grad(
            values, [inputs, weights], cotangent, allow_unused=True, materialize_grads=True
        )
    alive = by_input.abs().amax(dim=0) > _LIVE
    for k in torch.nonzero(~alive)[:, 0].tolist():
        alive[k] = _matters(k, function, inputs.detach(), weights.detach(), values.detach())
    return alive, by_weight.abs() > _LIVE


def _matters(
    k: int,
    function: QuantumFunction,
    inputs: Float[Tensor, "batch inputs"],
    weights: Float[Tensor, " weights"],
    values: Float[Tensor, "batch readouts"],
) -> bool:
    """Whether input k with the other sign, and another size, gives other values."""
    changed = inputs.clone()
    changed[:, k] *= -1.7
    return bool((function(changed, weights) - values).abs().max() > _LIVE)
