"""Expressibility: how far the states of a circuit are from Haar-random ones (arXiv 1905.10876)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.random_states import NO_INPUTS, program_of_weights, sampled_fidelities
from qnas.references import cites

SIM2019 = "Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876, eqs. 7-9"
_N_RESAMPLES = 200


@dataclass(frozen=True)
class Expressibility:
    """KL divergence from Haar in nats, its standard error, and what Haar-random states themselves would score.

    `n_pairs` is how many pairs of states were compared.
    """

    value: float
    standard_error: float
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
        CircuitError: there would be no pairs or no bins, or an error of 0 is wanted.
    """

    n_pairs: int = 5000
    n_bins: int = 75
    max_error: float | None = None
    max_pairs: int = 1_000_000

    def __post_init__(self) -> None:
        if self.n_pairs < 1 or self.n_bins < 1:
            raise CircuitError(
                f"expressibility needs at least one pair and one bin, but n_pairs is {self.n_pairs} and n_bins is "
                f"{self.n_bins}."
            )
        if self.max_error is not None and not self.max_error > 0:
            raise CircuitError(f"max_error is {self.max_error}; a standard error is above 0, so allow more than that.")


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
        The KL divergence of the histogram of |<psi|phi>|^2 from Haar, its standard error by bootstrap over the
        pairs, and the Haar floor: the mean score of truly Haar-random states at this width, pairs and bins.

    Raises:
        CircuitError: the circuit does not lower, there are no pairs or no bins, or `max_pairs` are too few for
            `max_error`.
    """
    sampling = Sampling(n_pairs, n_bins, max_error, max_pairs)
    return _expressibility(program_of_weights(circuit), NO_INPUTS, sampling, np.random.default_rng(seed))


@objective(
    "minimize",
    "nats",
    cost="states",
    name="expressibility",
    reference=SIM2019,
    scale="log",
    least={"n_pairs": 2, "n_bins": 2, "max_pairs": 2},  # one pair has no error; one bin tells no design from another
)
@cites("sim2019")
def design_expressibility(
    design: Design,
    *,
    n_pairs: int = 5000,
    n_bins: int = 75,
    max_error: float | None = None,
    max_pairs: int = 1_000_000,
) -> Estimate:
    """The expressibility of a design's circuit, its encoding evaluated at one seeded data sample."""
    sampling = Sampling(n_pairs, n_bins, max_error, max_pairs)
    found = _expressibility(design.program, design.sample_input, sampling, design.rng("expressibility"))
    details: dict[str, float | int] = {"haar_floor": found.haar_floor}
    if max_error is not None:
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
        resamples = rng.multinomial(counts.sum(), counts / counts.sum(), size=_N_RESAMPLES)
        error = float(_divergence(resamples, log_haar).std(ddof=1))
        n_more = _n_more(sampling, int(counts.sum()), error)
    n_pairs = int(counts.sum())
    return Expressibility(
        value=float(_divergence(counts[None], log_haar)[0]),
        standard_error=error,
        haar_floor=haar_floor(program.n_qubits, n_pairs, sampling.n_bins),
        n_pairs=n_pairs,
    )


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
    p = counts / counts.sum(axis=1, keepdims=True)
    terms = np.zeros_like(p)
    filled = p > 0
    terms[filled] = p[filled] * (np.log(p[filled]) - np.broadcast_to(log_haar, p.shape)[filled])
    return terms.sum(axis=1)


@lru_cache(maxsize=128)
def haar_floor(n_qubits: int, n_pairs: int, n_bins: int) -> float:
    """The mean score of Haar-random states: the histogram's bias, below which values carry no order."""
    log_haar = log_haar_mass(n_qubits, n_bins)
    draws = np.random.default_rng(0).multinomial(n_pairs, np.exp(log_haar), size=_N_RESAMPLES)
    return float(_divergence(draws, log_haar).mean())
