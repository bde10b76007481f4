"""Designs built to learn about a space: whether they can be, what they ignore, and which of them are one network."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch

from qnas.architecture import Architecture
from qnas.data import Splits
from qnas.errors import DesignError
from qnas.experiment.candidates import EXCLUSIONS, check_candidate
from qnas.experiment.description import reason
from qnas.model.hybrid import HybridModel
from qnas.model.training import TrainingSettings, effective
from qnas.objectives import Design
from qnas.space import Genotype, Space
from qnas.space.genes import Scalar
from qnas.space.holding import family

_N_SAMPLES = 4
"""On so many training samples the outputs of two models tell whether they are one network."""


Value = tuple[str, Scalar]
"""A family of genes, see `qnas.space.holding.family`, and one of their values."""


@dataclass(frozen=True)
class Built:
    """What came of building one network.

    Attributes:
        excluded: why a search would never ask it, if so.
        problem: why it cannot be built, if so.
        network: the same for architectures that mean the same circuit and model, whatever they are called.
        n_inputs, n_dead_inputs, n_weights, n_dead_weights: of its circuit; dead ones do not reach the readout.
    """

    excluded: DesignError | None = None
    problem: str = ""
    network: str = ""
    n_inputs: int = 0
    n_dead_inputs: int = 0
    n_weights: int = 0
    n_dead_weights: int = 0

    @property
    def works(self) -> bool:
        """Whether it is a network that a search may evaluate."""
        return bool(self.network)


@dataclass(frozen=True)
class Probe:
    """One design that was built, and the values of its genes by family; several where a `repeat` has several items."""

    genotype: Genotype
    values: Mapping[str, frozenset[Scalar]]
    built: Built

    def each(self) -> Iterator[Value]:
        """Every value that it holds."""
        return ((name, value) for name, held in self.values.items() for value in held)

    def holds(self, one: Value) -> bool:
        """Whether a gene of the family has the value."""
        return one[1] in self.values.get(one[0], ())


class Workshop:
    """Builds designs of a space, each network once.

    Args:
        space: what they come from.
        splits: the data that they are built for.
        training: the configuration counts.
        watch: called with the number of networks that have been built, after each.
    """

    def __init__(self, space: Space, splits: Splits, training: TrainingSettings, watch: Callable[[int], None]) -> None:
        self._space, self._splits, self._training, self._watch = space, splits, training, watch
        self._built: dict[str, Built] = {}

    @property
    def n_built(self) -> int:
        """How many networks could be built."""
        return sum(built.works for built in self._built.values())

    def probe(self, genotype: Genotype) -> Probe:
        """Build what a genotype means."""
        architecture = self._space.decode(genotype)
        return Probe(genotype, self._values(architecture), self._build(architecture))

    def _values(self, architecture: Architecture) -> dict[str, frozenset[Scalar]]:
        values: dict[str, set[Scalar]] = defaultdict(set)
        for name, value in self._space.gene_values(architecture).items():
            values[family(name)].add(value)
        return {name: frozenset(some) for name, some in values.items()}

    def _build(self, architecture: Architecture) -> Built:
        network = effective(architecture, self._training.configuration)
        if network.fingerprint not in self._built:
            self._built[network.fingerprint] = self._built_anew(network)
            self._watch(self.n_built)
        return self._built[network.fingerprint]

    def _built_anew(self, architecture: Architecture) -> Built:
        try:
            check_candidate(self._space.budgets, architecture, self._splits, self._training)
            return self._examined(Design(architecture, self._splits, self._training))
        except EXCLUSIONS as error:
            return Built(excluded=error.with_traceback(None))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a part of the user's may raise anything, also a panic in Rust
            return Built(problem=reason(error))

    def _examined(self, design: Design) -> Built:
        model = design.builder.build(0)
        network = self._network_of(design, model)
        if not model.quantum_layers:
            return Built(network=network)
        dead_inputs, dead_weights = ~design.builder.live_inputs, ~design.builder.live_weights
        return Built(
            network=network,
            n_inputs=len(dead_inputs),
            n_dead_inputs=int(dead_inputs.sum()),
            n_weights=len(dead_weights),
            n_dead_weights=int(dead_weights.sum()),
        )

    def _network_of(self, design: Design, model: HybridModel) -> str:
        """From the gates, the shapes of the weights, and what the model makes of some samples from equal seeds."""
        with torch.no_grad():
            outputs = model(torch.from_numpy(self._splits.train.features[:_N_SAMPLES]))
        number = {qubit: k for k, qubit in enumerate(design.circuit.qubits)}
        gates = [
            (gate.operation.name, [number[qubit] for qubit in gate.qubits], [str(one) for one in gate.operation.params])
            for gate in (design.circuit.data if model.quantum_layers else ())
        ]
        shapes = [tuple(parameter.shape) for parameter in model.parameters()]
        return hashlib.sha256(repr((gates, shapes)).encode() + outputs.numpy().tobytes()).hexdigest()
