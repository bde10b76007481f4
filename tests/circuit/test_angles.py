"""Angle maps: quadratic forms as arrays, everything else as expressions."""

import numpy as np
import pytest
import sympy
from qiskit.circuit import Parameter

from qnas.circuit.angles import angle_map
from qnas.errors import CircuitError

x, y, z = Parameter("x"), Parameter("y"), Parameter("z")


def test_a_quadratic_form_is_found():
    found = angle_map([3 * x * y - 0.5 * y * y + 2 * z - x + 1.25], [x, y, z])
    assert found.offset.tolist() == [1.25]
    assert found.linear.tolist() == [[-1.0], [0.0], [2.0]]
    products = {tuple(pair): row.tolist() for pair, row in zip(found.factors.tolist(), found.quadratic, strict=True)}
    assert products == {(0, 1): [3.0], (1, 1): [-0.5]}
    assert found.expressions == ()


def test_slots_share_their_products():
    found = angle_map([x * y, x, 2 * x * y + y * z], [x, y, z])
    assert found.factors.tolist() == [[0, 1], [1, 2]]
    assert found.quadratic.tolist() == [[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]]
    assert found.linear.tolist() == [[0.0, 1.0, 0.0], [0.0] * 3, [0.0] * 3]
    assert (found.n_parameters, found.n_slots) == (3, 3)


def test_the_order_of_parameters_is_the_callers():
    assert angle_map([x - 2 * y], [y, z, x]).linear.tolist() == [[-2.0], [0.0], [1.0]]


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (x.sin(), "sin(p0)"),
        (x * x * y, "p0**2*p1"),
        (abs(x) + 1, "Abs(p0) + 1"),
        (x.sign() * y, "sign(p0)*p1"),
        (y.arctan() / x, "atan(p1)/p0"),
        ((x * y).exp(), "exp(p0*p1)"),
    ],
)
def test_other_functions_stay_expressions(angle, expected):
    ((slot, expression),) = angle_map([angle], [x, y]).expressions
    assert slot == 0
    assert sympy.simplify(expression - sympy.sympify(expected)) == 0


def test_names_like_those_of_the_symbols_are_not_confused():
    p0, p1 = Parameter("p0"), Parameter("p1")
    ((_, expression),) = angle_map([p1.sin() + 2 * p0.cos() * p1], [p1, p0]).expressions
    assert sympy.simplify(expression - sympy.sympify("sin(p0) + 2*cos(p1)*p0")) == 0


@pytest.mark.parametrize("name", ["lambda", "θ", "x[0]", "a b", "I", "E", "pi"])
def test_any_name_is_a_parameter(name):
    parameter = Parameter(name)
    found = angle_map([parameter.sin() + parameter, 2 * parameter], [parameter])
    assert sympy.simplify(found.expressions[0][1] - sympy.sympify("sin(p0) + p0")) == 0
    assert found.linear.tolist() == [[0.0, 2.0]]


def test_depends_says_which_parameter_moves_which_slot():
    found = angle_map([x, x * y, y.sin(), z + 1], [x, y, z])
    assert found.depends.astype(int).tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def test_no_slots():
    found = angle_map([], [x, y])
    assert found.linear.shape == found.depends.shape == (2, 0)
    assert found.factors.shape == (0, 2)
    assert np.array_equal(found.offset, [])


def test_what_qiskit_cannot_export_is_named():
    with pytest.raises(
        CircuitError, match=r"the angle 2\*\*x cannot be read from Qiskit; write powers of constants wit"
    ):
        angle_map([2**x], [x])
