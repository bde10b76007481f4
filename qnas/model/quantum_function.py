"""A circuit program as a differentiable function. Torch meets the simulator in one `autograd.Function`, here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from qiskit.quantum_info import SparsePauliOp
from torch import Tensor

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError, NotFiniteError
from qnas.model.angles import AngleFunction
from qnas.simulation.contract import Binding, Executable, Needs, Simulator, Spent, States
from qnas.simulation.exact import ExactSimulator


class _Expectations(torch.autograd.Function):
    """Expectation values of angles and initial amplitudes."""

    @staticmethod
    def forward(ctx: Any, executable: Executable, shared: Tensor, varying: Tensor, amplitudes: Tensor | None) -> Tensor:
        ctx.executable, ctx.binding = executable, _binding(shared, varying, amplitudes)
        values, ctx.residual = executable.forward(ctx.binding)
        ctx.save_for_backward(shared, varying, amplitudes)
        return torch.from_numpy(values)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[None, Tensor | None, Tensor | None, Tensor | None]:
        shared, varying, amplitudes = ctx.saved_tensors
        needs = Needs(*ctx.needs_input_grad[1:])
        if torch.is_grad_enabled():
            if not ctx.executable.shifts:
                raise CircuitError(
                    "derivatives that can be differentiated again (create_graph=True) are by parameter shift, but the "
                    "simulator's gradient is 'spsa'; give it gradient='parameter_shift'."
                )
            return (None, *_shift_rule(ctx.executable, (shared, varying, amplitudes), cotangent, needs))
        # a loss that is kept must not keep states; a second backward pass computes them again
        residual, ctx.residual = ctx.residual, None
        gradients = ctx.executable.backward(ctx.binding, residual, cotangent.numpy(), needs)
        found = None if gradients.amplitudes is None else torch.from_numpy(gradients.amplitudes)
        return None, torch.from_numpy(gradients.shared), torch.from_numpy(gradients.varying), found


def _expectations(executable: Executable, shared: Tensor, varying: Tensor, amplitudes: Tensor | None) -> Tensor:
    values: Tensor = _Expectations.apply(executable, shared, varying, amplitudes)  # type: ignore[no-untyped-call]
    return values


def _binding(shared: Tensor, varying: Tensor, amplitudes: Tensor | None) -> Binding:
    initial = None if amplitudes is None else amplitudes.detach().numpy()
    return Binding(shared.detach().numpy(), varying.detach().numpy(), initial)


def _shift_rule(
    executable: Executable, at: tuple[Tensor, Tensor, Tensor | None], cotangent: Tensor, needs: Needs
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The same derivatives as differentiable expressions, so that they can be differentiated again.

    Rotations obey f' = (f(phi + pi/2) - f(phi - pi/2)) / 2; in the initial amplitudes the expectation is a quadratic
    form, for which f' = (f(a + e) - f(a - e)) / 2 is exact.
    """

    def slopes(which: int, step: float) -> Iterator[Tensor]:
        """Of each sample, in the entries of shared angles, varying angles or amplitudes."""
        moving: Any = at[which]
        for unit in torch.eye(moving.shape[-1], dtype=moving.dtype):
            ends = []
            for moved in (moving + step * unit, moving - step * unit):
                places: list[Any] = [*at[:which], moved, *at[which + 1 :]]
                ends.append(_expectations(executable, *places))
            yield ((ends[0] - ends[1]) * cotangent).sum(dim=1) / 2

    def columns(which: int, step: float) -> Tensor:
        found = list(slopes(which, step))
        return torch.stack(found, dim=1) if found else torch.zeros_like(at[which])  # type: ignore[arg-type]

    by_shared = columns(0, math.pi / 2) if needs.shared and len(at[0]) else None
    return (
        None if by_shared is None else by_shared.sum(dim=0),
        columns(1, math.pi / 2) if needs.varying else None,
        columns(2, 1.0) if needs.amplitudes and at[2] is not None else None,
    )


class QuantumFunction:
    """Expectation values as a differentiable function of inputs and weights.

    Args:
        program: the lowered circuit.
        observables: one expectation value each.
        simulator: exact simulation by default.
        weights_vary: whether every sample has weights of its own.
    """

    def __init__(
        self,
        program: CircuitProgram,
        observables: Sequence[SparsePauliOp],
        simulator: Simulator | None = None,
        *,
        weights_vary: bool = False,
    ) -> None:
        self.program = program
        self._weights_vary = weights_vary
        self._observables, self._simulator = observables, _simulator(simulator)
        varies = _varying(program, weights_vary=weights_vary)
        self._executable = self._simulator.prepare(program, observables, varies)
        depends, n_inputs = program.angles.depends, program.n_inputs
        self._mixed = weights_vary or bool(depends[n_inputs:, varies].any())
        of_varying = slice(None) if self._mixed else slice(0, n_inputs)
        self._shared = AngleFunction(program.angles, np.flatnonzero(~varies), slice(n_inputs, None))
        self._varying = AngleFunction(program.angles, np.flatnonzero(varies), of_varying)

    def __call__(
        self, inputs: Float[Tensor, "batch inputs"], weights: Float[Tensor, "*batch weights"]
    ) -> Float[Tensor, "batch observables"]:
        """Expectation values, float64.

        Args:
            inputs: one row per sample.
            weights: one row for all samples, shape (n_weights,), or with `weights_vary` one per sample.

        Raises:
            CircuitError: a shape is wrong, a value is not finite, or all amplitudes of a sample are zero.
        """
        _check(inputs, weights, self.program, weights_vary=self._weights_vary)
        shared, varying = self._angles(inputs, weights)
        amplitudes = _amplitudes(self.program, inputs)
        _check_finite(inputs, weights, shared, varying, amplitudes)
        return _expectations(self._executable, shared, varying, amplitudes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles carry what it was made of, and prepare it anew."""
        make = partial(QuantumFunction, weights_vary=self._weights_vary)
        return make, (self.program, self._observables, self._simulator)

    @property
    def spent(self) -> Spent:
        """Circuits run and shots taken so far; none in exact simulation."""
        return self._executable.spent

    def _angles(self, inputs: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Angles of the slots that are shared, shape (n_shared,), and of those that vary, (batch, n_varying)."""
        if self._weights_vary:
            return torch.empty(0, dtype=torch.float64), self._varying(torch.cat([inputs, weights], dim=1))
        parameters = torch.cat([inputs, weights.expand(len(inputs), -1)], dim=1) if self._mixed else inputs
        return self._shared(weights), self._varying(parameters)


def _simulator(simulator: object) -> Simulator:
    if simulator is None:
        return ExactSimulator()
    if not isinstance(simulator, Simulator):
        raise CircuitError(
            f"simulator is {simulator!r}, which cannot prepare circuits; leave it out, or give one of qnas.simulation, "
            "such as ExactSimulator()."
        )
    return simulator


def _varying(program: CircuitProgram, *, weights_vary: bool) -> Bool[np.ndarray, " slots"]:
    """Slots whose angles differ per sample; with weights that vary, all of them."""
    if weights_vary:
        return np.ones(program.n_slots, dtype=bool)
    return np.asarray(program.angles.depends[: program.n_inputs].any(axis=0))


def _amplitudes(program: CircuitProgram, inputs: Tensor) -> Tensor | None:
    """Initial amplitudes of norm 1, shape (batch, 2^n)."""
    if program.amplitude_inputs is None:
        return None
    padded = torch.cat([inputs, torch.zeros(len(inputs), 1, dtype=inputs.dtype)], dim=1)
    amplitudes = padded[:, list(program.amplitude_inputs)]
    largest = amplitudes.detach().abs().amax(dim=1, keepdim=True)
    amplitudes = amplitudes / torch.where(largest > 0, largest, 1.0)  # squares of 1e200 and 1e-200 are no numbers
    norms = torch.linalg.vector_norm(amplitudes, dim=1, keepdim=True)
    if bool((norms == 0).any()):
        rows = torch.nonzero(norms[:, 0] == 0)[:, 0].tolist()
        raise CircuitError(
            f"the amplitudes of sample {rows[0]} are all zero; amplitude encoding needs one that is not."
        )
    return amplitudes / norms


def _check(inputs: Tensor, weights: Tensor, program: CircuitProgram, *, weights_vary: bool) -> None:
    if inputs.ndim != 2 or inputs.shape[1] != program.n_inputs or not len(inputs):
        advice = " Write inputs[None] for one sample." if inputs.shape == (program.n_inputs,) else ""
        raise CircuitError(
            f"inputs have shape {tuple(inputs.shape)}; expected (batch, {program.n_inputs}), at least one row.{advice}"
        )
    expected = (len(inputs), program.n_weights) if weights_vary else (program.n_weights,)
    if tuple(weights.shape) != expected:
        raise CircuitError(f"weights have shape {tuple(weights.shape)}; expected {expected}.")


def _is_finite(values: Tensor) -> bool:
    return bool(np.isfinite(values.detach().numpy()).all())  # several times quicker than torch's


def _check_finite(inputs: Tensor, weights: Tensor, *reached: Tensor | None) -> None:
    """Check the angles and amplitudes that reach the circuit; what is not finite before is not finite in them."""
    for values in reached:
        if values is None or _is_finite(values):
            continue
        for name, origin in (("inputs", inputs), ("weights", weights)):
            if not _is_finite(origin):
                raise NotFiniteError(
                    f"{name} hold values that are not finite (NaN or infinity); check what produced them."
                )
        found = values.detach().numpy()
        raise NotFiniteError(
            f"an angle of the circuit is {found[~np.isfinite(found)][0]}, though its inputs and weights are finite; "
            "look for a logarithm, a root or a division in its expressions, and scale the data away from their poles."
        )


def final_states(
    program: CircuitProgram, inputs: Float[Tensor, "batch inputs"], weights: Float[Tensor, "batch weights"]
) -> States:
    """The final states of circuits with inputs and weights of their own, one per row, shape (batch, 2^n).

    They equal Qiskit's up to a global phase that depends on the weights.
    """
    _check(inputs, weights, program, weights_vary=True)
    varies = np.ones(program.n_slots, dtype=bool)
    angles = AngleFunction(program.angles, np.arange(program.n_slots))(torch.cat([inputs, weights], dim=1))
    amplitudes = _amplitudes(program, inputs)
    _check_finite(inputs, weights, angles, amplitudes)
    binding = _binding(torch.empty(0, dtype=torch.float64), angles, amplitudes)
    return ExactSimulator().states(program, binding, varies)
