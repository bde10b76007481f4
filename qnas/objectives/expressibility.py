"""Expressibility: how far the states of a circuit are from Haar-random ones (arXiv 1905.10876)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError, ConfigurationError
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.random_states import NO_INPUTS, program_of_weights, sampled_fidelities
from qnas.references import cites

SIM2019 = "Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876, eqs. 7-9"
_N_RESAMPLES = 200
_FEWEST_TO_JUDGE = 100
"""Fewer pairs may all fall into one bin, which looks like no error at all."""


@dataclass(frozen=True)
class Expressibility:
    """KL divergence from Haar in nats, and how far to trust it.

    Attributes:
        value: of the histogram of `n_pairs` fidelities. A histogram of few pairs scores higher than one of many.
        standard_error: the spread of the value over runs with as many pairs.
        bias: by how much the value is expected to be higher than with endless pairs, so that `value - bias` estimates
            the divergence of the distribution itself, with the same standard error.
        haar_floor: the mean score of truly Haar-random states at this width, pairs and bins.
        n_pairs: how many pairs of states were compared.
    """

    value: float
    standard_error: float
    bias: float
    haar_floor: float
    n_pairs: int


@dataclass(frozen=True)
class Sampling:
    """How the fidelities of pairs of states are drawn and counted.

    Attributes:
        n_pairs: how many pairs at first.
        n_bins: equal bins of the fidelity on [0, 1].
        max_error: pairs are added until the standard error is at most this; None for `n_pairs` and no more.
        max_pairs: never more than these.

    Raises:
        CircuitError: there would be fewer than 2 pairs or no bins, an error of 0 is wanted, or an error by so few pairs
            that they do not tell it.
    """

    n_pairs: int = 5000
    n_bins: int = 75
    max_error: float | None = None
    max_pairs: int = 1_000_000

    def __post_init__(self) -> None:
        if self.n_pairs < 2 or self.n_bins < 1:
            raise CircuitError(
                f"expressibility and its error need at least 2 pairs and one bin, but n_pairs is {self.n_pairs} and "
                f"n_bins is {self.n_bins}."
            )
        if self.max_error is None:
            return
        if not self.max_error > 0:
            raise CircuitError(f"max_error is {self.max_error}; a standard error is above 0, so allow more than that.")
        if not _FEWEST_TO_JUDGE <= self.n_pairs <= self.max_pairs:
            raise CircuitError(
                f"n_pairs is {self.n_pairs}, from which the standard error is judged first; with max_error it is from "
                f"{_FEWEST_TO_JUDGE} to max_pairs, which is {self.max_pairs}."
            )


ONE_ROUND = Sampling()


def expressibility(
    circuit: QuantumCircuit,
    n_pairs: int = 5000,
    n_bins: int = 75,
    seed: int = 0,
    *,
    max_error: float | None = None,
    max_pairs: int = 1_000_000,
) -> Expressibility:
    """The expressibility of a circuit; every parameter is a weight, drawn uniformly from [0, 2 pi).

    Args:
        circuit: plain Qiskit that lowers.
        n_pairs: how many pairs of states are compared.
        n_bins: equal bins of the fidelity on [0, 1].
        seed: of the weights and of the bootstrap.
        max_error: compare further pairs until the standard error, in nats, is at most this; by default there are none.
        max_pairs: but never more than these.

    Returns:
        The KL divergence of the histogram of |<psi|phi>|^2 from Haar, with its standard error, its bias and the Haar
        floor.

    Raises:
        CircuitError: the circuit does not lower, there are fewer than 2 pairs or no bins, or `max_pairs` are too few
            for `max_error`.
    """
    sampling = Sampling(n_pairs, n_bins, max_error, max_pairs)
    return _expressibility(program_of_weights(circuit), NO_INPUTS, sampling, np.random.default_rng(seed))


def chosen_sampling(
    *, n_pairs: int = 5000, n_bins: int = 75, max_error: float | None = None, max_pairs: int = 1_000_000
) -> Sampling:
    """What options of the objective choose. Raises ConfigurationError if they cannot be together."""
    try:
        return Sampling(n_pairs, n_bins, max_error, max_pairs)
    except CircuitError as error:
        raise ConfigurationError(f"objectives.options.expressibility: {error}") from error


@objective(
    "minimize",
    "nats",
    cost="states",
    name="expressibility",
    reference=SIM2019,
    scale="log",
    least={"n_pairs": 2, "n_bins": 2, "max_pairs": 2},  # one pair has no error; one bin tells no design from another
    built={"sampling": chosen_sampling},
)
@cites("sim2019")
def design_expressibility(design: Design, *, sampling: Sampling = ONE_ROUND) -> Estimate:
    """The expressibility of a design's circuit, its encoding evaluated at one seeded data sample."""
    found = _expressibility(design.program, design.sample_input, sampling, design.rng("expressibility"))
    details: dict[str, float | int] = {"haar_floor": found.haar_floor, "bias": found.bias}
    if sampling.max_error is not None:
        details["n_pairs"] = found.n_pairs
    return Estimate(found.value, found.standard_error, details)


def _expressibility(
    program: CircuitProgram, inputs: Float[Tensor, "1 inputs"], sampling: Sampling, rng: np.random.Generator
) -> Expressibility:
    log_haar = log_haar_mass(program.n_qubits, sampling.n_bins)
    counts, n_more = np.zeros(sampling.n_bins, dtype=np.int64), sampling.n_pairs
    while n_more:
        fidelities = sampled_fidelities(program, inputs, n_more, rng)
        counts += np.histogram(fidelities, bins=sampling.n_bins, range=(0.0, 1.0))[0]
        value, error, bias = scored(counts, log_haar, rng)
        n_more = _n_more(sampling, int(counts.sum()), error)
    n_pairs = int(counts.sum())
    floor = haar_floor(program.n_qubits, n_pairs, sampling.n_bins)
    return Expressibility(value, error, bias, floor, n_pairs)


def scored(
    counts: Int[np.ndarray, " bins"], log_haar: Float[np.ndarray, " bins"], rng: np.random.Generator
) -> tuple[float, float, float]:
    """The divergence of a histogram, its standard error and its bias, by bootstrap over the pairs.

    A histogram carries the noise of its pairs once, a resample of it twice. Near the floor, where the noise is as large
    as the divergence, resamples would spread too far, by up to sqrt(3). What the second noise adds to the variance is
    what it adds to the part of first order, at most all of it, and is taken off.
    """
    n_pairs = int(counts.sum())
    resamples = rng.multinomial(n_pairs, counts / n_pairs, size=_N_RESAMPLES)
    value = float(_divergence(counts[None], log_haar)[0])
    shifts = _divergence(resamples, log_haar) - value
    once, twice = _first_order(counts[None], log_haar)[0], _first_order(resamples, log_haar).mean()
    error = np.sqrt(max(shifts.var(ddof=1) - min(twice - once, once), 0.0))
    return value, float(error), float(shifts.mean())


def _n_more(sampling: Sampling, n_pairs: int, error: float) -> int:
    """How many pairs to add: errors fall as 1/sqrt(n_pairs), by which at most twice as many are added at a time."""
    if sampling.max_error is None or error <= sampling.max_error:
        return 0
    if n_pairs >= sampling.max_pairs:
        raise CircuitError(
            f"{n_pairs} pairs of states are too few: the standard error of expressibility is {error:.3g}, above the "
            f"max_error of {sampling.max_error:g}; raise max_pairs or max_error."
        )
    wanted = 1.1 * n_pairs * (error / sampling.max_error) ** 2
    return min(int(wanted) + 1, 3 * n_pairs, sampling.max_pairs) - n_pairs


def log_haar_mass(n_qubits: int, n_bins: int) -> Float[np.ndarray, " bins"]:
    """log of (1-a)^(N-1) - (1-b)^(N-1), the Haar probability of each bin [a, b], with N = 2^n_qubits."""
    edges = np.linspace(0, 1, n_bins + 1)
    power = 2**n_qubits - 1
    ratio = (1 - edges[1:]) / (1 - edges[:-1])
    return power * np.log1p(-edges[:-1]) + np.log1p(-(ratio**power))


def _divergence(
    counts: Int[np.ndarray, "draws bins"], log_haar: Float[np.ndarray, " bins"]
) -> Float[np.ndarray, " draws"]:
    """sum of p ln(p / q) over the bins that are not empty."""
    p, log_ratio = _log_ratio(counts, log_haar)
    return np.sum(p * log_ratio, axis=1)


def _first_order(
    counts: Int[np.ndarray, "draws bins"], log_haar: Float[np.ndarray, " bins"]
) -> Float[np.ndarray, " draws"]:
    """The variance of the divergence to first order in the noise: that of ln(p / q), over the number of pairs."""
    p, log_ratio = _log_ratio(counts, log_haar)
    mean = np.sum(p * log_ratio, axis=1, keepdims=True)
    return np.sum(p * (log_ratio - mean) ** 2, axis=1) / counts.sum(axis=1)


def _log_ratio(
    counts: Int[np.ndarray, "draws bins"], log_haar: Float[np.ndarray, " bins"]
) -> tuple[Float[np.ndarray, "draws bins"], Float[np.ndarray, "draws bins"]]:
    """The share p of each bin, and ln(p / q), 0 where the bin is empty."""
    p = counts / counts.sum(axis=1, keepdims=True)
    return p, np.where(p > 0, np.log(np.where(p > 0, p, 1.0)) - log_haar, 0.0)


@lru_cache(maxsize=128)
def haar_floor(n_qubits: int, n_pairs: int, n_bins: int) -> float:
    """The mean score of Haar-random states: the histogram's bias, below which values carry no order."""
    log_haar = log_haar_mass(n_qubits, n_bins)
    draws = np.random.default_rng(0).multinomial(n_pairs, np.exp(log_haar), size=_N_RESAMPLES)
    return float(_divergence(draws, log_haar).mean())
