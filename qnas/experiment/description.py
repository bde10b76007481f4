"""What a design is and what it costs, without a search: its circuit, its counts, and the time of a training step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from qnas.architecture import Architecture
from qnas.data import Splits
from qnas.experiment.budgets import check_budgets
from qnas.experiment.evaluation import failure, single_thread
from qnas.front.text import circuit_text
from qnas.model.training import TrainingSettings, freeze, loss_function, tensors
from qnas.objectives import Design, Flops, flops

_N_STEPS, _ENOUGH_SECONDS = 5, 0.5
"""How many training steps are timed after the first one, and after how many seconds no more are."""


@dataclass(frozen=True)
class Cost:
    """What one design costs.

    Attributes:
        n_circuits: how many circuits of one form the model has.
        n_qubits, depth, n_two_qubit_gates, n_larger_gates: of each as it stands; 0 if there is none.
        n_parameters: all weights of the model.
        n_weights, n_live_weights: weights of all circuits, and those that their readout depends on.
        flops: floating-point operations of one sample, by part.
        seconds_per_step: of training, in exact simulation on one thread, as measured here and now.
        n_steps: of training without an early stop.
    """

    n_circuits: int
    n_qubits: int
    depth: int
    n_two_qubit_gates: int
    n_larger_gates: int
    n_parameters: int
    n_weights: int
    n_live_weights: int
    flops: Flops
    seconds_per_step: float
    n_steps: int

    def lines(self) -> list[str]:
        """The same in words, one line for each kind."""
        found, live = self.flops, f"; {self.n_weights:,} in circuits, {self.n_live_weights:,} of these live"
        several = f"{self.n_circuits} circuits" if self.n_circuits > 1 else "circuit"
        larger = f" and {self.n_larger_gates} larger" if self.n_larger_gates else ""
        two = f"{self.n_two_qubit_gates} two-qubit gate{'s' * (self.n_two_qubit_gates != 1)}{larger}"
        gates = f"{self.n_qubits} qubits, depth {self.depth}, {two}"
        parts = [f"{getattr(found, part):,} {part}" for part in ("encoding", "circuit", "readout", "classical")]
        seconds = self.seconds_per_step * self.n_steps
        return [
            f"{several}: {gates if self.n_circuits else 'none'}",
            f"weights: {self.n_parameters:,}{live if self.n_circuits else ''}",
            f"FLOPs of a sample: {found.total:,} ({', '.join(parts)}); {found.training_step:,} in training",
            f"training: {1000 * self.seconds_per_step:.1f} ms a step here, {seconds:.1f} s for {self.n_steps:,} steps",
        ]


@dataclass(frozen=True)
class Description:
    """One design as it would be searched.

    Attributes:
        architecture: the design.
        circuit: Qiskit's drawing; empty if there is none.
        cost: what it costs; None if it cannot be built or does not run.
        remarks: which inputs and weights have no effect, why it cannot be built, which budget it is over.
    """

    architecture: Architecture
    circuit: str = ""
    cost: Cost | None = None
    remarks: tuple[str, ...] = ()


def describe(
    architecture: Architecture,
    splits: Splits,
    training: TrainingSettings,
    *,
    budgets: Mapping[str, int | float],
    width: int = 100,
) -> Description:
    """Build a design for some data and see what it costs. Whatever is wrong with it becomes a remark.

    Args:
        architecture: the design.
        splits: the data.
        training: the configuration counts, and how long it would be trained.
        budgets: of its space.
        width: of the drawing, in columns.
    """
    try:
        design = Design(architecture, splits, training)
        n_circuits = len(design.initial_model().quantum_layers)
    except Exception as error:  # noqa: BLE001 - a part of the user's may raise anything
        return Description(architecture, remarks=(f"it cannot be built: {reason(error)}",))
    drawing = circuit_text(design.circuit, width) if n_circuits else ""
    remarks = [design.builder.remark] if n_circuits and design.builder.remark else []
    cost = None
    try:
        cost = _cost(design, n_circuits)
        check_budgets(budgets, design)
    except Exception as error:  # noqa: BLE001 - as above
        remarks.append(reason(error))
    return Description(architecture, drawing, cost, tuple(remarks))


def reason(error: BaseException) -> str:
    """What is wrong with a design, on one line."""
    return failure(error)[1].splitlines()[0].rstrip(".")


def _cost(design: Design, n_circuits: int) -> Cost:
    splits, training = design.splits, design.training
    circuit, program = design.circuit, design.program
    sizes = [len(gate.qubits) for gate in circuit.data if gate.operation.name != "barrier"] if n_circuits else []
    return Cost(
        n_circuits=n_circuits,
        n_qubits=int(circuit.num_qubits) if n_circuits else 0,
        depth=int(circuit.depth()) if n_circuits else 0,
        n_two_qubit_gates=sizes.count(2),
        n_larger_gates=sum(size > 2 for size in sizes),
        n_parameters=design.initial_model().n_parameters,
        n_weights=n_circuits * program.n_weights,
        n_live_weights=n_circuits * int(design.builder.live_weights.sum()),
        flops=flops(design.architecture, splits.n_features, splits.n_outputs),
        seconds_per_step=_seconds_per_step(design),
        n_steps=-(-len(splits.train.features) // training.batch_size) * training.epochs,
    )


def _seconds_per_step(design: Design) -> float:
    """Mean of some steps after the first one, which makes ready; of that one alone if it takes long."""
    model, training = design.initial_model(), design.training
    freeze(model, training.configuration)
    features, targets = (tensor[: training.batch_size] for tensor in tensors(design.splits.train))
    optimiser = torch.optim.Adam(model.parameters(), lr=training.learning_rate)
    criterion, seconds = loss_function(design.splits.task), list[float]()
    with single_thread():
        while len(seconds) <= _N_STEPS and sum(seconds) < _ENOUGH_SECONDS:
            began = time.perf_counter()
            optimiser.zero_grad()
            loss = criterion(model(features), targets)
            if loss.requires_grad:  # a circuit alone may have no weights
                torch.autograd.backward(loss)
            optimiser.step()
            seconds.append(time.perf_counter() - began)
    return sum(seconds[1:]) / len(seconds[1:]) if len(seconds) > 1 else seconds[0]
