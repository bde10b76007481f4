"""How many circuits one gradient takes where circuits are measured, and how long a backend is busy with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.backends import BackendChoice
from qnas.circuit.program import CircuitProgram
from qnas.model.training import freeze, loss_function, tensors
from qnas.objectives.design import Design
from qnas.objectives.hardware import ANY, LEAST, chosen_backend, design_cost, has_circuit
from qnas.objectives.objective import Estimate, objective
from qnas.references import cites
from qnas.simulation.contract import EVERYTHING, Binding, Gradients, Needs, Spent
from qnas.simulation.gradients import Wanted
from qnas.simulation.measurement import measurement

REFERENCE = "parameter-shift rule of Mitarai et al. 2018, arXiv 1803.00745, unless SPSA is chosen"
_Method = Literal["parameter_shift", "spsa"]
_METHODS: dict[str, str] = {"parameter_shift": "mitarai2018", "spsa": "spall1992"}
_LEAST = {"n_shots": 1, "n_spsa_averages": 1}


@objective("minimize", "circuits", reference=REFERENCE, scale="log", least=_LEAST)
@cites(by_option={"gradient": _METHODS})
def gradient_circuits(
    design: Design, *, n_shots: int = 1024, gradient: _Method = "parameter_shift", n_spsa_averages: int = 1
) -> Estimate:
    """Circuits that the gradient of the training loss by one sample takes; 0 if none is needed.

    By parameter shift, two for each angle of a rotation that a trained weight reaches, in the circuit or in front of
    it, and for each measured setting: Pauli strings that commute qubit by qubit share one. By SPSA, two for each
    direction and setting, whatever the number of weights, for an estimate that is the noisier the more of them there
    are. With the shots they take, and the circuits of the loss itself, which come first.
    """
    forward, backward = circuits_of_a_step(design, gradient, n_spsa_averages)
    return Estimate(backward, None, {"forward": forward, "n_shots": backward * n_shots})


@objective(
    "minimize",
    "s",
    reference=f"{REFERENCE}; durations as the backend gives them",
    scale="log",
    least=LEAST | _LEAST,
    built={"backend": chosen_backend},
)
@cites("qiskit2024", by_option={"gradient": _METHODS})
def predicted_latency(
    design: Design,
    *,
    n_shots: int = 1024,
    gradient: _Method = "parameter_shift",
    n_spsa_averages: int = 1,
    backend: BackendChoice = ANY,
) -> Estimate:
    """Seconds that a backend is busy with one training step of one sample: the circuits of its loss and its gradient.

    Circuits times shots times the time from one shot to the next, which is the duration of the transpiled circuit with
    its measurement and the backend's reset. Loading circuits, queues and what computers do between jobs are not in it.

    Raises:
        CircuitError: the backend has fewer qubits than the circuit, or gives no duration of a gate or of its reset.
    """
    if not has_circuit(design):
        return Estimate(0.0)
    cost, n_circuits = design_cost(design, backend), sum(circuits_of_a_step(design, gradient, n_spsa_averages))
    shot = cost.duration + cost.reset
    return Estimate(n_circuits * n_shots * shot, None, {"n_circuits": n_circuits, "seconds_per_shot": shot})


def circuits_of_a_step(
    design: Design, gradient: _Method = "parameter_shift", n_spsa_averages: int = 1
) -> tuple[int, int]:
    """Circuits of the training loss of one sample, and of its gradient, as sampled simulation runs them; nothing is
    simulated."""
    tally = _Tally(n_spsa_averages if gradient == "spsa" else None)
    model = design.builder.on(_Counting(tally)).build(design.integer_seed("weights"))
    freeze(model, design.training.configuration)
    features, targets = (values[:1] for values in tensors(design.splits.train))
    with torch.enable_grad():
        loss = loss_function(design.splits.task)(model(features), targets)
        if loss.requires_grad:
            torch.autograd.backward(loss)
    return tally.forward, tally.backward


@dataclass
class _Tally:
    """Circuits so far; SPSA moves everything at once, in so many directions, and parameter shift has None."""

    n_directions: int | None
    forward: int = 0
    backward: int = 0


@dataclass(frozen=True)
class _Counting:
    """Counts the circuits that a simulator would run, and runs none."""

    tally: _Tally

    def prepare(
        self, program: CircuitProgram, observables: Sequence[SparsePauliOp], varying: Bool[np.ndarray, " slots"]
    ) -> _CountingExecutable:
        """See `qnas.simulation.contract.Simulator`."""
        n_settings = len(measurement(observables, program.n_qubits).groups)
        return _CountingExecutable(self.tally, varying, n_settings, len(observables))


@dataclass(eq=False)
class _CountingExecutable:
    tally: _Tally
    varying: Bool[np.ndarray, " slots"]
    n_settings: int
    n_observables: int
    shifts: bool = True
    one_job: bool = True
    spent: Spent = field(default_factory=Spent)

    def forward(self, binding: Binding) -> tuple[Float[np.ndarray, "batch observables"], object]:
        """Zeros."""
        self.tally.forward += binding.batch * self.n_settings
        return np.zeros((binding.batch, self.n_observables)), None

    def backward(
        self,
        binding: Binding,
        residual: object,
        cotangent: Float[np.ndarray, "batch observables"],
        needs: Needs = EVERYTHING,
    ) -> Gradients:
        """Zeros."""
        dim = 0 if binding.amplitudes is None else binding.amplitudes.shape[1]
        n_shifted = int(Wanted.of(needs, self.varying).slots.sum()) + dim * needs.amplitudes
        n_steps = n_shifted if self.tally.n_directions is None else self.tally.n_directions * (n_shifted > 0)
        self.tally.backward += 2 * n_steps * binding.batch * self.n_settings
        nothing = None if binding.amplitudes is None else np.zeros_like(binding.amplitudes)
        return Gradients(np.zeros_like(binding.shared), np.zeros_like(binding.varying), nothing)
