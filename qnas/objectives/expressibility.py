"""Expressibility: how far the states of a circuit are from Haar-random ones (arXiv 1905.10876)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.model.quantum_function import final_states
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective

SIM2019 = "Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876, eqs. 7-9"
_N_RESAMPLES = 200
_AMPLITUDES_AT_ONCE = 2**20


@dataclass(frozen=True)
class Expressibility:
    """KL divergence from Haar in nats, its standard error, and what Haar-random states themselves would score."""

    value: float
    standard_error: float
    haar_floor: float


def expressibility(circuit: QuantumCircuit, n_pairs: int = 5000, n_bins: int = 75, seed: int = 0) -> Expressibility:
    """The expressibility of a circuit; every parameter is a weight, drawn uniformly from [0, 2 pi).

    Args:
        circuit: plain Qiskit that lowers.
        n_pairs: how many pairs of states are compared.
        n_bins: equal bins of the fidelity on [0, 1].
        seed: of the weights and of the bootstrap.

    Returns:
        The KL divergence of the histogram of |<psi|phi>|^2 from Haar, its standard error by bootstrap over the
        pairs, and the Haar floor: the mean score of truly Haar-random states at this width, pairs and bins.

    Raises:
        CircuitError: the circuit does not lower, or there are no pairs or no bins.
    """
    program = lower(circuit, [], list(circuit.parameters))
    no_inputs = torch.empty(1, 0, dtype=torch.float64)
    return _expressibility(program, no_inputs, n_pairs, n_bins, np.random.default_rng(seed))


@objective(
    "minimize",
    "nats",
    cost="states",
    name="expressibility",
    reference=SIM2019,
    scale="log",
    least={"n_pairs": 2, "n_bins": 2},  # one pair has no standard error; one bin tells no design from another
)
def design_expressibility(design: Design, *, n_pairs: int = 5000, n_bins: int = 75) -> Estimate:
    """The expressibility of a design's circuit, its encoding evaluated at one seeded data sample."""
    found = _expressibility(design.program, design.sample_input, n_pairs, n_bins, design.rng("expressibility"))
    return Estimate(found.value, found.standard_error, {"haar_floor": found.haar_floor})


def _expressibility(
    program: CircuitProgram,
    inputs: Float[Tensor, "1 inputs"],
    n_pairs: int,
    n_bins: int,
    rng: np.random.Generator,
) -> Expressibility:
    if n_pairs < 1 or n_bins < 1:
        raise CircuitError(
            f"expressibility needs at least one pair and one bin, but n_pairs is {n_pairs} and n_bins is {n_bins}."
        )
    fidelities = sampled_fidelities(program, inputs, n_pairs, rng)
    counts = np.histogram(fidelities, bins=n_bins, range=(0.0, 1.0))[0]
    log_haar = log_haar_mass(program.n_qubits, n_bins)
    resamples = rng.multinomial(n_pairs, counts / n_pairs, size=_N_RESAMPLES)
    return Expressibility(
        value=float(_divergence(counts[None], log_haar)[0]),
        standard_error=float(_divergence(resamples, log_haar).std(ddof=1)),
        haar_floor=haar_floor(program.n_qubits, n_pairs, n_bins),
    )


def sampled_fidelities(
    program: CircuitProgram, inputs: Float[Tensor, "1 inputs"], n_pairs: int, rng: np.random.Generator
) -> Float[np.ndarray, " pairs"]:
    """|<psi_theta|psi_phi>|^2 of pairs of independent uniform weights."""
    weights = torch.from_numpy(rng.uniform(0, 2 * np.pi, (2, n_pairs, program.n_weights)))
    at_once = max(1, _AMPLITUDES_AT_ONCE >> program.n_qubits)
    found = []
    for start in range(0, n_pairs, at_once):
        drawn = weights[:, start : start + at_once]
        first, second = (final_states(program, inputs.expand(len(half), -1), half) for half in drawn)
        found.append(np.abs(np.einsum("bi,bi->b", first.conj(), second)) ** 2)
    return np.minimum(np.concatenate(found), 1.0)


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
