"""The angle of every rotation as a function of the circuit's parameters, taken from Qiskit's expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Bool, Float, Int
from qiskit.circuit import Parameter, ParameterExpression

from qnas.errors import CircuitError

_COMPLEX = "the angle {} is complex; angles are real numbers in radians."


@dataclass(frozen=True, eq=False)
class AngleMap:
    """Slots as functions of parameters: quadratic forms as arrays, everything else as sympy expressions.

    The angle of slot s is `offset[s] + parameters @ linear[:, s] + products @ quadratic[:, s]`, where product k is
    the product of the two parameters `factors[k]`; the slots in `expressions` are given by an expression instead.

    Attributes:
        linear: coefficients, shape (n_parameters, n_slots).
        factors: which two parameters each product multiplies, shape (n_products, 2).
        quadratic: coefficients of the products, shape (n_products, n_slots).
        offset: constants in radians, shape (n_slots,).
        expressions: slot and sympy expression in the symbols p0, p1, ... for slots that are no quadratic form.
        depends: which slot depends on which parameter, shape (n_parameters, n_slots).
    """

    linear: Float[np.ndarray, "parameters slots"]
    factors: Int[np.ndarray, "products 2"]
    quadratic: Float[np.ndarray, "products slots"]
    offset: Float[np.ndarray, " slots"]
    expressions: tuple[tuple[int, sympy.Expr], ...]
    depends: Bool[np.ndarray, "parameters slots"]

    @property
    def n_parameters(self) -> int:
        return int(self.linear.shape[0])

    @property
    def n_slots(self) -> int:
        return int(self.linear.shape[1])


@dataclass(frozen=True)
class _Quadratic:
    """One expression as constant + linear + products, by parameter position."""

    constant: float
    linear: dict[int, float]
    products: dict[tuple[int, int], float]


def angle_map(slots: Sequence[ParameterExpression], parameters: Sequence[Parameter]) -> AngleMap:
    """The map from `parameters`, in this order, to the angles of `slots`.

    Args:
        slots: one Qiskit expression per rotation, with at least one free parameter each.
        parameters: every parameter that occurs in `slots`.

    Raises:
        CircuitError: Qiskit cannot export an expression, or it is complex.
    """
    position = {parameter: k for k, parameter in enumerate(parameters)}
    forms = [_quadratic_form(slot, position) for slot in slots]
    factors = sorted({pair for form in forms if form for pair in form.products})
    linear = np.zeros((len(parameters), len(slots)))
    quadratic = np.zeros((len(factors), len(slots)))
    offset = np.zeros(len(slots))
    for s, form in enumerate(forms):
        if form is None:
            continue
        offset[s] = form.constant
        for k, coefficient in form.linear.items():
            linear[k, s] = coefficient
        for pair, coefficient in form.products.items():
            quadratic[factors.index(pair), s] = coefficient
    expressions = tuple(
        (s, _symbolic(slot, position)) for s, (slot, form) in enumerate(zip(slots, forms, strict=True)) if form is None
    )
    depends = np.zeros((len(parameters), len(slots)), dtype=bool)
    for s, slot in enumerate(slots):
        depends[[position[parameter] for parameter in slot.parameters], s] = True
    pairs = np.array(factors, dtype=np.int64).reshape(-1, 2)
    return AngleMap(linear, pairs, quadratic, offset, expressions, depends)


def _constant(value: object) -> float | None:
    if isinstance(value, ParameterExpression):
        return None if value.parameters else float(value)
    return float(value)  # type: ignore[arg-type]


def _quadratic_form(expression: ParameterExpression, position: dict[Parameter, int]) -> _Quadratic | None:
    """The expression as a quadratic form, found by differentiating it twice; None where it is none."""
    if isinstance(expression, Parameter):
        return _Quadratic(0.0, {position[expression]: 1.0}, {})
    try:
        return _expanded(expression, position)
    except TypeError as error:  # a coefficient that Python cannot make a float
        raise CircuitError(_COMPLEX.format(expression)) from error


def _expanded(expression: ParameterExpression, position: dict[Parameter, int]) -> _Quadratic | None:
    linear: dict[int, float] = {}
    products: dict[tuple[int, int], float] = {}
    at_zero = dict.fromkeys(expression.parameters, 0.0)
    for first in expression.parameters:
        try:
            slope = expression.gradient(first)
        except RuntimeError:  # Qiskit differentiates everything but the sign function
            return None
        constant = _constant(slope)
        if constant is not None:
            linear[position[first]] = constant
            continue
        for second in slope.parameters:
            curvature = _constant(slope.gradient(second))
            if curvature is None:
                return None
            i, j = sorted((position[first], position[second]))
            if curvature != 0.0:
                products[i, j] = curvature / 2 if i == j else curvature
        linear[position[first]] = float(slope.bind(dict.fromkeys(slope.parameters, 0.0)))
    return _Quadratic(float(expression.bind(at_zero)), linear, products)


def _symbolic(expression: ParameterExpression, position: dict[Parameter, int]) -> sympy.Expr:
    """The expression in the symbols p0, p1, ..., which no parameter name can break."""
    own = {parameter: Parameter(f"p{position[parameter]}") for parameter in expression.parameters}
    exported = expression.subs(own).sympify()
    if exported is NotImplemented:
        raise CircuitError(f"the angle {expression} cannot be read from Qiskit; write powers of constants with exp().")
    found = sympy.sympify(exported)
    if found.has(sympy.I):
        raise CircuitError(_COMPLEX.format(expression))
    return found
