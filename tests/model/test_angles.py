"""Slot angles as torch functions: Qiskit's values, and derivatives of first and second order."""

import numpy as np
import pytest
import torch
from hypothesis import given
from qiskit.circuit import Parameter

from qnas.circuit.angles import angle_map
from qnas.model.angles import AngleFunction, slopes
from tests.circuit.strategies import expression, quick, seeds

x, y, z = (Parameter(name) for name in "xyz")


def all_slots(angles):
    return AngleFunction(angles, np.arange(angles.n_slots))


def points(n_samples=4, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(0.2, 0.9, size=(n_samples, 3)))


FUNCTIONS = [
    2 * x - y + 0.5, x * y - z * z + 1.0, x * y * z, x / y, x**3, 1 / (x * x + 1), x.sin(), x.cos() * y, x.tan(),
    x.arcsin(), x.arccos(), x.arctan() - y, (x * y).exp(), x.log(), x**0.5, abs(x - y),
    (x - y).sign() * z, x.conjugate() + y.sin(),
]  # fmt: skip


@pytest.mark.parametrize("angle", FUNCTIONS, ids=str)
def test_each_function_has_qiskits_values(angle):
    found = all_slots(angle_map([angle], [x, y, z]))(points())
    named = [dict(zip((x, y, z), row, strict=True)) for row in points().tolist()]
    expected = [float(angle.bind({p: at[p] for p in angle.parameters})) for at in named]
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("angle", FUNCTIONS, ids=str)
def test_each_function_is_differentiable_twice(angle):
    function = all_slots(angle_map([angle], [x, y, z]))
    with torch.random.fork_rng(devices=[]):  # the checks draw from the global generator
        assert torch.autograd.gradcheck(function, points(2).requires_grad_())
        assert torch.autograd.gradgradcheck(function, points(2).requires_grad_())


def test_slopes_are_qiskits_derivatives():
    (point,) = points(1)
    at = dict(zip((x, y, z), point.tolist(), strict=True))
    angles = [angle for angle in FUNCTIONS if "sign" not in str(angle) and "conj" not in str(angle)]
    found = slopes(angle_map(angles, [x, y, z]), point)
    for row, angle in zip(found, angles, strict=True):
        for slope, parameter in zip(row, (x, y, z), strict=True):
            expected = angle.gradient(parameter) if parameter in angle.parameters else 0.0
            free = getattr(expected, "parameters", ())
            assert slope == pytest.approx(float(expected.bind({p: at[p] for p in free}) if free else expected))


def test_no_slots_have_no_slopes():
    assert slopes(angle_map([], [x, y]), points(1)[0, :2]).shape == (0, 2)


@quick
@given(seeds)
def test_several_random_slots_at_once(seed):
    rng = np.random.default_rng(seed)
    drawn = [expression([x, y], [z], rng) for _ in range(6)]
    slots = [angle for angle in drawn if hasattr(angle, "parameters")]
    found = all_slots(angle_map(slots, [x, y, z]))(points())
    assert found.shape == (4, len(slots))
    for row, values in zip(found.tolist(), points().tolist(), strict=True):
        at = dict(zip((x, y, z), values, strict=True))
        expected = [float(angle.bind({p: at[p] for p in angle.parameters})) for angle in slots]
        np.testing.assert_allclose(row, expected, rtol=1e-13, atol=1e-14)


def test_some_slots_in_any_order():
    angles = angle_map([x, x * y, y.sin(), z + 1], [x, y, z])
    every = all_slots(angles)(points())
    chosen = np.array([3, 2, 0])
    assert torch.equal(AngleFunction(angles, chosen)(points()), every[:, chosen])


def test_no_slots():
    assert AngleFunction(angle_map([x], [x]), np.array([], dtype=np.int64))(torch.zeros(3, 1).double()).shape == (3, 0)


def test_a_slot_whose_expression_is_constant():
    found = all_slots(angle_map([x.sin() * 0 + y.sin() ** 0 + z.sin() * 0, x], [x, y, z]))(points())
    assert found[:, 0].tolist() == [1.0] * 4
