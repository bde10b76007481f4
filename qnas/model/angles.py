"""Slot angles as differentiable torch functions of inputs and weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
import torch
from jaxtyping import Float, Int
from torch import Tensor

from qnas.circuit.angles import AngleMap

_TORCH_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "Abs": torch.abs,
    "sign": torch.sign,
    "conjugate": torch.conj,
}


class AngleFunction:
    """The angles of some slots of an angle map: (batch, n_parameters) -> (batch, n_slots), float64, differentiable.

    Args:
        angles: of the circuit program.
        slots: which slots to yield, in this order.
        parameters: the stretch of parameters that is handed in; the slots must not depend on others.
    """

    def __init__(self, angles: AngleMap, slots: Int[np.ndarray, " chosen"], parameters: slice = slice(None)) -> None:
        used = np.flatnonzero(np.any(angles.quadratic[:, slots] != 0, axis=1))
        first = parameters.start or 0
        linear = angles.linear[parameters, slots]
        self._offset = torch.from_numpy(angles.offset[slots].copy())
        self._linear = torch.from_numpy(linear.copy())
        self._quadratic = torch.from_numpy(angles.quadratic[np.ix_(used, slots)])
        self._first = torch.from_numpy(angles.factors[used, 0] - first)
        self._second = torch.from_numpy(angles.factors[used, 1] - first)
        position = {int(slot): k for k, slot in enumerate(slots)}
        chosen = [(position[slot], expression) for slot, expression in angles.expressions if slot in position]
        self._columns = torch.tensor([column for column, _ in chosen], dtype=torch.int64)
        self._expressions = _compile([expression for _, expression in chosen], first, len(linear))
        plain = not len(used) and not chosen and not angles.offset[slots].any()
        self._is_identity = plain and np.array_equal(linear, np.eye(len(linear)))

    def __call__(self, parameters: Float[Tensor, "*batch parameters"]) -> Float[Tensor, "*batch chosen"]:
        """The angles in radians, of one row of parameters, or of a batch of them."""
        if self._is_identity:
            return parameters
        if parameters.ndim == 1:
            return self(parameters[None])[0]
        values = torch.addmm(self._offset, parameters, self._linear)
        if len(self._first):
            products = parameters[:, self._first] * parameters[:, self._second]
            values = torch.addmm(values, products, self._quadratic)
        if self._expressions is not None:
            found = [torch.broadcast_to(value, parameters[:, 0].shape) for value in self._expressions(parameters)]
            values = values.index_add(1, self._columns, torch.stack(found, dim=1))
        return values


def slopes(angles: AngleMap, parameters: Float[Tensor, " parameters"]) -> Float[np.ndarray, "slots parameters"]:
    """The derivative of every slot's angle by every parameter, inputs first, at one point."""
    if not angles.n_slots:
        return np.empty((0, angles.n_parameters))
    function = AngleFunction(angles, np.arange(angles.n_slots))
    with torch.enable_grad():
        found: Tensor = torch.autograd.functional.jacobian(function, parameters)  # type: ignore[no-untyped-call]
    return found.numpy()


def _compile(expressions: list[sympy.Expr], first: int, n_parameters: int) -> Callable[[Tensor], list[Tensor]] | None:
    if not expressions:
        return None
    symbols = [sympy.Symbol(f"p{first + k}") for k in range(n_parameters)]
    named = [expression.replace(sympy.sign, sympy.Function("sign")) for expression in expressions]  # no `if` on tensors
    function = sympy.lambdify(symbols, named, modules=[_TORCH_FUNCTIONS])
    return lambda parameters: list(function(*parameters.unbind(dim=1)))
