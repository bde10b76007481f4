"""Trainability: the variance of cost derivatives over random starts (arXiv 1803.11173, 2605.25768)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor, nn

from qnas.circuit.build import DesignCircuit
from qnas.errors import CircuitError
from qnas.model.hybrid import HybridModel
from qnas.model.mixing import initial_mixing
from qnas.model.quantum_function import QuantumFunction
from qnas.model.training import loss_function, tensors
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.random_states import NO_INPUTS, program_of_weights, random_weights
from qnas.references import cites

_N_RESAMPLES = 200
_NORMAL_95 = 1.959964
ROUNDING = 1e-20
"""A mean variance below this, of derivatives below 1e-10, is rounding; costs are of order one."""
REFERENCE = "McClean et al. 2018, arXiv 1803.11173; training configurations of arXiv 2605.25768"
Derivatives = Float[np.ndarray, "starts weights"]


@dataclass(frozen=True, eq=False)
class GradientVariance:
    """Variance of the cost derivative for each weight, with standard errors, in the order of circuit.parameters.

    A variance of few starts is skewed: it is low more often than high, and its error with it. The standard errors are
    made such that 1.96 of them reach as far up as the 95 % interval of the variance's logarithm, which is not skewed;
    where errors are small, they are the spread over seeds. Of derivatives with long tails, such as those of a global
    cost on many qubits, most starts miss the rare large ones, and only more starts help.
    """

    values: Float[np.ndarray, " weights"]
    standard_errors: Float[np.ndarray, " weights"]


def gradient_variance(
    circuit: QuantumCircuit, observable: SparsePauliOp, n_starts: int = 200, seed: int = 0
) -> GradientVariance:
    """The variance over random starts of d<observable>/dw for each weight w; every parameter is a weight.

    Args:
        circuit: plain Qiskit that lowers, with at least one parameter.
        observable: the cost is its expectation value.
        n_starts: weights are drawn this often, uniformly from [0, 2 pi).
        seed: of the weights.

    Raises:
        CircuitError: the circuit has no parameters, fewer than 2 starts are asked for, or the observable does not
            depend on any weight.
    """
    if not circuit.parameters or n_starts < 2:
        raise CircuitError(
            f"a variance of derivatives needs weights and at least 2 starts, but the circuit has "
            f"{len(circuit.parameters)} parameters and n_starts is {n_starts}."
        )
    function = QuantumFunction(program_of_weights(circuit), [observable], weights_vary=True)
    found = _derivatives_of_readout(function, NO_INPUTS, n_starts, np.random.default_rng(seed))
    if mean_variance(found / _size(observable)) == 0:
        raise CircuitError("the observable does not depend on any weight, so its derivatives have no variance.")
    return GradientVariance(found.var(axis=0, ddof=1), _variance_error(found))


@objective(
    "maximize",
    "log10",
    cost="states",
    name="trainability",
    reference=REFERENCE,
    least={"n_starts": 2, "batch_size": 1},
)
@cites("mcclean2018", "kashif2026", "jones2020", by_option={"cost": dict.fromkeys(("local", "global"), "cerezo2021")})
def design_trainability(
    design: Design, *, n_starts: int = 64, batch_size: int = 32, cost: Literal["task", "local", "global"] = "task"
) -> Estimate:
    """log10 of the mean over weights of the variance over random starts of the cost's derivative.

    The cost "task" is, by the training configuration: "pqc" the mean readout value at one seeded data sample
    (but for the last where they add up to a constant, as probabilities do);
    "quantum_only" the task loss on one fixed batch with classical weights at their seeded start; "end_to_end" the same
    with all weights drawn anew each start. Then the quantum and the classical part are reported apart, too, each where
    the cost depends on it. The weights of a learned mixture of observables are quantum ones. In all configurations, the
    cost "local" is the mean over qubits of the probability of 0, and "global" the probability of 0 on all of them
    (Cerezo et al. 2021, arXiv 2001.00550), at one seeded data sample. But for the task loss, all starts are one batch.

    Whatever simulator trains, this one is exact: the variance is a property of the circuit and its cost, to which shots
    would add their own.

    Raises:
        CircuitError: fewer than 2 starts are asked for, or the cost does not depend on any weight.
    """
    if n_starts < 2:
        raise CircuitError(f"a variance of derivatives needs at least 2 starts, but n_starts is {n_starts}.")
    if cost == "task" and design.training.configuration != "pqc":
        parts = _derivatives_of_loss(design, n_starts, batch_size)
    else:
        observables, mixed_to = _READ[cost](design.builder.design)
        function = QuantumFunction(design.program, observables, weights_vary=True)
        found = _derivatives_of_readout(function, design.sample_input, n_starts, design.rng("starts"), mixed_to)
        parts = {"quantum": found}
    every = np.concatenate(list(parts.values()), axis=1)
    value, error = log_mean_variance(every, design.rng("bootstrap"))
    details = {
        f"{name}_part": log_mean_variance(part, design.rng("bootstrap"))
        for name, part in parts.items()
        if mean_variance(part) > 0
    }
    return Estimate(value, error, details if len(parts) > 1 else {})


def _size(observable: SparsePauliOp) -> float:
    """The largest expectation value that there may be; 1 if all are 0."""
    return float(np.abs(observable.coeffs).sum()) or 1.0


def zero_probabilities(n_qubits: int) -> list[SparsePauliOp]:
    """The probability of 0 of each qubit; their mean is the local cost."""
    return [SparsePauliOp.from_sparse_list([("", [], 0.5), ("Z", [k], 0.5)], n_qubits) for k in range(n_qubits)]


def all_zero_probability(n_qubits: int) -> list[SparsePauliOp]:
    """The probability of 0 of all qubits at once, the global cost."""
    return [reduce(SparsePauliOp.tensor, [SparsePauliOp(["I", "Z"], [0.5, 0.5])] * n_qubits)]


_READ: dict[str, Callable[[DesignCircuit], tuple[Sequence[SparsePauliOp], int | None]]] = {
    "task": lambda design: (design.observables if design.mixed_to else design.telling_observables, design.mixed_to),
    "local": lambda design: (zero_probabilities(design.circuit.num_qubits), None),
    "global": lambda design: (all_zero_probability(design.circuit.num_qubits), None),
}
"""Of each cost, the observables and how many learned mixtures of them there are, if they are mixed."""


def log_mean_variance(derivatives: Derivatives, rng: np.random.Generator) -> tuple[float, float]:
    """log10 of the mean over weights of the variance over starts, and its standard error by bootstrap over starts.

    Raises:
        CircuitError: no weight has any effect on the cost, so that there is no logarithm.
    """
    value = mean_variance(derivatives)
    if value == 0:
        raise CircuitError("the cost does not depend on any weight, so its trainability is not defined.")
    n_starts = len(derivatives)
    shares = rng.multinomial(n_starts, np.full(n_starts, 1 / n_starts), size=_N_RESAMPLES) / n_starts
    spread = shares @ derivatives**2 - (shares @ derivatives) ** 2
    resampled = spread.mean(axis=1) * n_starts / (n_starts - 1)
    return float(np.log10(value)), float(np.log10(resampled[resampled > 0]).std(ddof=1))


def mean_variance(derivatives: Derivatives) -> float:
    """The mean over weights of the variance over starts; 0 without weights, and where there is only rounding."""
    if not derivatives.size:
        return 0.0
    value = float(derivatives.var(axis=0, ddof=1).mean())
    return 0.0 if value < ROUNDING else value


def _derivatives_of_readout(
    function: QuantumFunction,
    inputs: Float[Tensor, "1 inputs"],
    n_starts: int,
    rng: np.random.Generator,
    mixed_to: int | None = None,
) -> Derivatives:
    """Of the mean readout value, by the weights of the circuit and of a mixture; all starts are one batch."""
    weights = random_weights(function.program, (n_starts,), rng).requires_grad_()
    expectations = function(inputs.expand(n_starts, -1), weights)
    if mixed_to is None:
        return torch.autograd.grad(expectations.mean(dim=1).sum(), weights)[0].numpy()
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    mixing = initial_mixing((n_starts, mixed_to, expectations.shape[1]), generator).requires_grad_()
    cost = (mixing @ expectations[:, :, None]).mean(dim=(1, 2)).sum()
    gradients = torch.autograd.grad(cost, [weights, mixing])
    return torch.cat([gradient.flatten(start_dim=1) for gradient in gradients], dim=1).numpy()


def _derivatives_of_loss(design: Design, n_starts: int, batch_size: int) -> dict[str, Derivatives]:
    """Of the task loss on one fixed batch, by part.

    One start after the other, each a batch of the samples that share its weights. All starts as one batch, whose
    weights differ from row to row, take less time on 3 or 4 qubits, where there is little to gain, and 4 times as long
    on 8 qubits with 4 layers.
    """
    rows = design.rng("batch").permutation(len(design.splits.train.features))[:batch_size]
    features, targets = (values[rows] for values in tensors(design.splits.train))
    criterion = loss_function(design.splits.task)
    found = []
    for model in _models_at_starts(design, n_starts):
        parts = _weights_by_part(model, design.training.configuration)
        found.append(_gradients(criterion(model(features), targets), parts))
    return {name: np.stack([gradients[name] for gradients in found]) for name in found[0]}


def _models_at_starts(design: Design, n_starts: int) -> Iterator[HybridModel]:
    """One model after the other; in "quantum_only" classical weights are at the seeded start of the design."""
    frozen = design.initial_model().state_dict()
    for seed in design.rng("starts").integers(2**63, size=n_starts):
        model = design.builder.build(int(seed))
        if design.training.configuration == "quantum_only":
            drawn = [weight.detach().clone() for weight in model.quantum_weights]
            model.load_state_dict(frozen)
            for weight, start in zip(model.quantum_weights, drawn, strict=True):
                weight.data.copy_(start)
        yield model


def _weights_by_part(model: HybridModel, configuration: str) -> dict[str, list[nn.Parameter]]:
    quantum = model.quantum_weights
    if configuration == "quantum_only":
        return {"quantum": quantum}
    own = {id(weight) for weight in quantum}
    return {"quantum": quantum, "classical": [weight for weight in model.parameters() if id(weight) not in own]}


def _gradients(loss: Tensor, parts: dict[str, list[nn.Parameter]]) -> dict[str, Float[np.ndarray, " weights"]]:
    """By part, from one backward pass."""
    weights = [weight for part in parts.values() for weight in part]
    gradients = iter(torch.autograd.grad(loss, weights) if weights else ())
    return {
        name: torch.cat([torch.empty(0), *(next(gradients).flatten() for _ in part)]).numpy()
        for name, part in parts.items()
    }


def _variance_error(derivatives: Derivatives) -> Float[np.ndarray, " weights"]:
    """Of the unbiased sample variance, see `GradientVariance`; its relative spread follows from the fourth moment."""
    n, variance = len(derivatives), derivatives.var(axis=0, ddof=1)
    fourth = ((derivatives - derivatives.mean(axis=0)) ** 4).mean(axis=0)
    spread = np.sqrt(np.maximum(fourth - variance**2 * (n - 3) / (n - 1), 0.0) / n)
    relative = np.divide(spread, variance, out=np.zeros_like(spread), where=variance > 0)
    return variance * np.expm1(_NORMAL_95 * relative) / _NORMAL_95
