"""How the variance of derivatives falls with the size of a circuit: exponentially, a barren plateau, or by a power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.objectives.trainability import gradient_variance

_NORMAL_95 = 1.959964
_DECIDING = 4.0
"""A law fits better if its chi-squared is smaller by this: it is e^2 = 7 times as likely."""


@dataclass(frozen=True)
class Fit:
    """A law fitted to the variances at several sizes.

    Attributes:
        exponent: b of var = a exp(b size), or of var = a size^b.
        interval: that holds it with a probability of 95 %; wider where the law does not fit.
        chi_squared: the squared misfits over their standard errors, added up.
    """

    exponent: float
    interval: tuple[float, float]
    chi_squared: float


@dataclass(frozen=True, eq=False)
class GradientScaling:
    """Variances of the cost's derivative, their mean over weights, by size, and the two laws fitted to them.

    Attributes:
        sizes: such as numbers of qubits or layers.
        variances, standard_errors: one per size.
        exponential, power: the fits of both laws.
    """

    sizes: Float[np.ndarray, " sizes"]
    variances: Float[np.ndarray, " sizes"]
    standard_errors: Float[np.ndarray, " sizes"]
    exponential: Fit
    power: Fit

    @property
    def law(self) -> str:
        """The law that fits better: "exponential" or "power"; "undecided" if they fit about equally well."""
        advantage = self.power.chi_squared - self.exponential.chi_squared
        return "exponential" if advantage > _DECIDING else "power" if advantage < -_DECIDING else "undecided"

    @property
    def is_barren(self) -> bool:
        """Whether the variance falls exponentially."""
        return self.law == "exponential" and self.exponential.interval[1] < 0


def gradient_scaling(
    make: Callable[[int], tuple[QuantumCircuit, SparsePauliOp]],
    sizes: Sequence[int],
    n_starts: int = 200,
    seed: int = 0,
) -> GradientScaling:
    """Measure the variance of derivatives at several sizes, and fit both laws.

    Args:
        make: from a size, such as a number of qubits or of layers, to a circuit, all of whose parameters are weights,
            and the observable whose expectation value is the cost.
        sizes: at least 3, positive and all different.
        n_starts: random starts of each circuit.
        seed: of the weights.

    Raises:
        CircuitError: the sizes do not suffice, a circuit cannot be measured (see `gradient_variance`), or a cost does
            not depend on any weight.

    Reference: McClean et al. 2018 (arXiv 1803.11173); Cerezo et al. 2021 (arXiv 2001.00550) for costs of both laws.
    """
    if len(set(sizes)) < 3 or len(set(sizes)) < len(sizes) or min(sizes) < 1:
        raise CircuitError(f"a law is fitted to at least 3 different positive sizes, but they are {list(sizes)}.")
    found = []
    for size in sizes:
        try:
            found.append(_mean_variance(*make(size), n_starts, seed))
        except CircuitError as error:
            raise CircuitError(f"no law can be fitted, because at size {size} {error}") from error
    variances, errors = np.array(found).T
    numbers = np.array(sizes, dtype=np.float64)
    exponential, power = (_fit(x, np.log(variances), errors / variances) for x in (numbers, np.log(numbers)))
    return GradientScaling(numbers, variances, errors, exponential, power)


def _mean_variance(circuit: QuantumCircuit, observable: SparsePauliOp, n_starts: int, seed: int) -> tuple[float, float]:
    """Over weights; the weights share their starts, so the errors are not independent and are averaged as they are."""
    found = gradient_variance(circuit, observable, n_starts, seed)
    return float(found.values.mean()), float(found.standard_errors.mean())


def _fit(x: Float[np.ndarray, " k"], y: Float[np.ndarray, " k"], errors: Float[np.ndarray, " k"]) -> Fit:
    """y = a + b x by weighted least squares; where the misfit is larger than the errors, so is the interval."""
    weights = 1 / errors**2
    centre = np.average(x, weights=weights)
    spread = np.sum(weights * (x - centre) ** 2)
    slope = np.sum(weights * (x - centre) * y) / spread
    misfits = (y - np.average(y, weights=weights) - slope * (x - centre)) / errors
    chi_squared = float(np.sum(misfits**2))
    half = _NORMAL_95 * np.sqrt(max(1.0, chi_squared / (len(x) - 2)) / spread)
    return Fit(float(slope), (float(slope - half), float(slope + half)), chi_squared)
