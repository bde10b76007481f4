"""A circuit program as a differentiable function. Torch meets the simulator in one `autograd.Function`, here."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
from qnas.simulation.contract import EVERYTHING, Binding, Executable, Needs, Simulator, Spent, States
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
        again = torch.is_grad_enabled()
        # the adjoint sweep yields everything at once; where each derivative costs circuits, look which are asked for
        needs = _needs(ctx) if again or ctx.executable.one_job else EVERYTHING
        if again:
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


def _needs(ctx: Any) -> Needs:
    """Which gradients this backward pass will use. `ctx.needs_input_grad` tells what requires one in any pass."""
    shared, varying, *amplitudes = (_is_needed(node) for node, _ in ctx.next_functions)  # of tensors only
    return Needs(shared, varying, any(amplitudes))


def _is_needed(node: Any) -> bool:
    """Whether the gradient that goes to a node of the graph will be used; torch knows, but tells only in private."""
    if node is None:
        return False
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:  # it is a leaf that `torch.autograd.grad` was asked about
        return True


def _expectations(executable: Executable, shared: Tensor, varying: Tensor, amplitudes: Tensor | None) -> Tensor:
    values: Tensor = _Expectations.apply(executable, shared, varying, amplitudes)  # type: ignore[no-untyped-call]
    return values


def _binding(shared: Tensor, varying: Tensor, amplitudes: Tensor | None) -> Binding:
    initial = None if amplitudes is None else amplitudes.detach().numpy()
    return Binding(shared.detach().numpy(), varying.detach().numpy(), initial)


Place = tuple[Tensor, Tensor, Tensor | None]
"""Shared angles, shape (n_shared,), varying ones, (batch, n_varying), and initial amplitudes, (batch, 2^n)."""
Slopes = tuple[Tensor | None, Tensor | None, Tensor | None]
"""Derivatives in the same."""


def _shift_rule(executable: Executable, at: Place, cotangent: Tensor, needs: Needs) -> Slopes:
    """The same derivatives as differentiable expressions, so that they can be differentiated again.

    Rotations obey f' = (f(phi + pi/2) - f(phi - pi/2)) / 2; in the initial amplitudes the expectation is a quadratic
    form, for which f' = (f(a + e) - f(a - e)) / 2 is exact.
    """
    if needs.shared and len(at[0]) and executable.one_job:
        return _shift_rule_apart(executable, at, cotangent, needs)
    shared, varying, amplitudes = at
    slopes = []
    for step in math.pi / 2 * torch.eye(len(shared), dtype=torch.float64) if needs.shared else ():
        ahead, back = (_expectations(executable, shared + move, varying, amplitudes) for move in (step, -step))
        slopes.append(((ahead - back) * cotangent).sum() / 2)
    by_shared = torch.stack(slopes) if slopes else torch.zeros_like(shared)
    return (by_shared if needs.shared else None, *_shift_rule_of_samples(executable, at, cotangent, needs))


def _shift_rule_of_samples(
    executable: Executable, at: Place, cotangent: Tensor, needs: Needs
) -> tuple[Tensor | None, Tensor | None]:
    """In varying angles and amplitudes; all points are one batch."""
    shared, varying, amplitudes = at
    n_varying, initial = varying.shape[1], varying[:, :0] if amplitudes is None else amplitudes
    moves = np.repeat([needs.varying, needs.amplitudes], [n_varying, initial.shape[1]])
    steps = torch.eye(len(moves), dtype=torch.float64)[moves]
    if not len(steps):
        return torch.zeros_like(varying), None
    steps[:, :n_varying] *= math.pi / 2
    points = (torch.cat([varying, initial], dim=1) + torch.stack([steps, -steps])[:, :, None]).flatten(0, 2)
    moved = None if amplitudes is None else points[:, n_varying:]
    values = _expectations(executable, shared, points[:, :n_varying], moved)
    ahead, back = values.reshape(2, len(steps), *cotangent.shape)
    slopes = ((ahead - back) * cotangent).sum(dim=2).T / 2
    n_first = n_varying * needs.varying
    return slopes[:, :n_first] if needs.varying else None, slopes[:, n_first:] if needs.amplitudes else None


def _shift_rule_apart(executable: Executable, at: Place, cotangent: Tensor, needs: Needs) -> Slopes:
    """Shared angles laid out by sample, as if they varied, so that their points are in the one batch, too."""
    shared, varying, amplitudes = at
    columns = torch.cat([shared.expand(len(varying), -1), varying], dim=1)
    varies = torch.from_numpy(executable.varying)
    apart = columns[:, varies.argsort(stable=True).argsort()]
    place, wanted = (shared[:0], apart, amplitudes), needs._replace(varying=True)
    by_slot, by_amplitude = _shift_rule_of_samples(executable, place, cotangent, wanted)
    assert by_slot is not None
    return by_slot[:, ~varies].sum(dim=0), by_slot[:, varies], by_amplitude


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
