"""What an objective sees: one architecture with its circuit, its data and, once asked for, its trained model."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qnas.architecture import Architecture
from qnas.circuit.build import coupling_name
from qnas.circuit.program import CircuitProgram
from qnas.data import Splits
from qnas.errors import DesignError
from qnas.model.hybrid import HybridModel, ModelBuilder
from qnas.model.mixing import Mixing
from qnas.model.training import WHOLE, Stretch, Trained, TrainingSettings, effective, train
from qnas.simulation.contract import Simulator, Spent


class Design:
    """One architecture under evaluation.

    Its randomness comes from (seed, fingerprint, repeat) and a purpose, so that no objective disturbs another and
    the order of evaluations does not matter. Only training, and the trained model, use the simulator; whatever else an
    objective builds or simulates is exact, so that it takes no shots from the stream of training.

    Args:
        architecture: the design.
        splits: the data.
        training: how it is trained; the configuration "pqc" leaves the circuit alone.
        seed: of the run.
        repeat: the number of the repetition, for seeds apart.
        simulator: makes the simulator from a seed of this design's own; exact simulation on Aer by default.
        stretch: which part of training is done when the trained model is asked for.
    """

    def __init__(
        self,
        architecture: Architecture,
        splits: Splits,
        training: TrainingSettings,
        *,
        seed: int = 0,
        repeat: int = 0,
        simulator: Callable[[int], Simulator] | None = None,
        stretch: Stretch = WHOLE,
    ) -> None:
        self.architecture = effective(architecture, training.configuration)
        self.splits = splits
        self.training = training
        self._entropy = (seed, int(self.architecture.fingerprint, 16), repeat)
        self._stretch = stretch
        shots = f"simulation from epoch {stretch.since}" if stretch.since else "simulation"
        own = None if simulator is None else simulator(self.integer_seed(shots))
        self._for_training = ModelBuilder(self.architecture, splits.n_features, splits.n_outputs, own)
        self._for_training.fit(torch.from_numpy(splits.train.features))
        self.builder = self._for_training.exact

    def rng(self, purpose: str) -> np.random.Generator:
        """A generator of this design's own for one purpose."""
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=(zlib.crc32(purpose.encode()),)))

    def integer_seed(self, purpose: str) -> int:
        """A seed for torch, drawn from `rng`."""
        return int(self.rng(purpose).integers(2**63))

    @property
    def circuit(self) -> QuantumCircuit:
        """The circuit as plain Qiskit, with inputs and weights as Parameters."""
        return self.builder.design.circuit

    @property
    def program(self) -> CircuitProgram:
        """The lowered circuit."""
        return self.builder.program

    @property
    def mean_readout(self) -> SparsePauliOp:
        """The mean readout value as one observable; a learned mixture is taken as training starts it.

        Where readout values add up to a constant, the last one is left out.
        """
        parts = self.builder.design
        if parts.mixed_to is None:
            return SparsePauliOp.sum(parts.telling_observables) / len(parts.telling_observables)
        mixing = next(module.weight for module in self.initial_model().modules() if isinstance(module, Mixing))
        coefficients = mixing.detach().mean(dim=0).tolist()
        return SparsePauliOp.sum([c * one for c, one in zip(coefficients, parts.observables, strict=True)])

    def initial_model(self) -> HybridModel:
        """The model as training starts it, newly made, with exact simulation."""
        return self.builder.build(self.integer_seed("weights"))

    @cached_property
    def trained(self) -> Trained:
        """The model trained on the training split; trained once, at the first use, even if that is under no_grad."""
        model = self._for_training.build(self.integer_seed("weights"))
        with torch.enable_grad():
            return train(model, self.splits, self.training, self.integer_seed("training"), self._stretch)

    @property
    def spent(self) -> Spent:
        """Circuits run and shots taken by training and by the trained model so far; none in exact simulation."""
        return self._for_training.function.spent

    @cached_property
    def sample_input(self) -> Float[Tensor, "1 inputs"]:
        """What the circuit receives for one seeded training sample from the model as training starts it."""
        features = self.splits.train.features
        row = int(self.rng("sample").integers(len(features)))
        return circuit_inputs(self.initial_model(), torch.from_numpy(features[row : row + 1]))


def circuit_inputs(model: HybridModel, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch inputs"]:
    """The inputs that reach the circuit of a model."""
    if not model.quantum_layers:
        raise DesignError(
            f"the coupling {coupling_name(model.architecture)!r} has no circuit, so it has no expressibility or "
            "circuit input; leave it out of the space, or search with objectives such as accuracy, parameters and "
            "flops."
        )
    seen: list[Tensor] = []
    hook = model.quantum_layers[0].register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        model(features)
    hook.remove()
    return seen[0]
