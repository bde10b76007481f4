"""What Qiskit says about a circuit: states, expectation values and derivatives from `Statevector` alone."""

import warnings

import numpy as np
from qiskit.quantum_info import Operator, Statevector
from scipy.sparse import SparseEfficiencyWarning

FOUR_TERMS = ((np.pi / 2, (np.sqrt(2) + 1) / (4 * np.sqrt(2))), (3 * np.pi / 2, -(np.sqrt(2) - 1) / (4 * np.sqrt(2))))
"""Shifts and coefficients of the parameter-shift rule for angles with frequencies 1/2 and 1 (arXiv 2104.05695)."""


def state(circuit):
    with warnings.catch_warnings():  # Qiskit's own, when it exponentiates an evolution gate
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        return Statevector(circuit).data


def unitary(circuit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseEfficiencyWarning)
        return Operator(circuit).data


def in_phase(found, expected):
    """`found` times the global phase that turns its entry at the largest of `expected` to it."""
    largest = np.unravel_index(np.argmax(abs(expected)), expected.shape)
    return found * np.exp(1j * (np.angle(expected[largest]) - np.angle(found[largest])))


def expectations(circuit, observables):
    """<O> for each observable, shape (n_observables,)."""
    final = Statevector(state(circuit))
    return np.array([final.expectation_value(operator).real for operator in observables])


def values(made, observables, points):
    """Expectation values at each row of inputs and weights, shape (n_points, n_observables)."""
    return np.array([expectations(made.bound(point), observables) for point in points])


def jacobian_by_shifts(made, observables, point):
    """d<O>/d(inputs, weights) by the parameter-shift rule per gate angle, and Qiskit's derivatives of the angles.

    Returns shape (n_observables, n_parameters).
    """
    here = dict(zip(made.parameters, map(float, point), strict=True))
    angles = np.array([at(expression, here) for expression in made.expressions])
    found = np.zeros((len(observables), len(made.parameters)))
    for k, expression in enumerate(made.expressions):
        own = getattr(expression, "parameters", ())
        if not own:
            continue
        slope = shift_rule(made, observables, angles, k)
        for p, parameter in enumerate(made.parameters):
            if parameter in own:
                found[:, p] += slope * at(expression.gradient(parameter), here)
    return found


def shift_rule(made, observables, angles, k):
    def at_shift(step):
        moved = angles + step * np.eye(len(angles))[k]
        bound = made.skeleton.assign_parameters(dict(zip(made.angles, moved.tolist(), strict=True)))
        return expectations(bound, observables)

    return sum(factor * (at_shift(step) - at_shift(-step)) for step, factor in FOUR_TERMS)


def jacobian_by_differences(made, observables, point, step=1e-3):
    """The same by central differences of fourth order, whose error is of order step^4."""
    found = []
    for unit in np.eye(len(point)):
        near, far = (values(made, observables, [point + k * step * unit, point - k * step * unit]) for k in (1, 2))
        found.append((8 * (near[0] - near[1]) - (far[0] - far[1])) / (12 * step))
    return np.stack(found, axis=1)


def at(expression, values):
    if not hasattr(expression, "parameters"):
        return float(expression)
    return float(expression.bind({p: values[p] for p in expression.parameters}))
