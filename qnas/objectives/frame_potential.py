"""Frame potential: how far the states of a circuit are from a t-design (arXiv 2005.12537)."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.random_states import NO_INPUTS, program_of_weights, sampled_fidelities
from qnas.references import cites

REFERENCE = "Nakaji and Yamamoto 2021, arXiv 2005.12537; Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876"


@dataclass(frozen=True)
class FramePotential:
    """The frame potential, its standard error, and its value for Haar-random states, which is the least possible."""

    value: float
    standard_error: float
    haar: float


def frame_potential(circuit: QuantumCircuit, t: int = 2, n_pairs: int = 5000, seed: int = 0) -> FramePotential:
    """F^(t) = E |<psi|phi>|^(2t) over pairs of states with independent weights; every parameter is a weight.

    Args:
        circuit: plain Qiskit that lowers.
        t: the order; states with the value of Haar-random ones are a t-design.
        n_pairs: how many pairs of states, their weights uniform on [0, 2 pi).
        seed: of the weights.

    Raises:
        CircuitError: the circuit does not lower, t is below 1, or fewer than 2 pairs are asked for.
    """
    return _frame_potential(program_of_weights(circuit), NO_INPUTS, t, n_pairs, np.random.default_rng(seed))


@objective(
    "minimize",
    "fidelity^t",
    cost="states",
    name="frame_potential",
    reference=REFERENCE,
    scale="log",
    least={"t": 1, "n_pairs": 2},
)
@cites("nakaji2021", "sim2019")
def design_frame_potential(design: Design, *, t: int = 2, n_pairs: int = 5000) -> Estimate:
    """The frame potential of a design's circuit, its encoding evaluated at one seeded data sample.

    It falls with the width of the circuit, so that it compares circuits of one width.
    """
    found = _frame_potential(design.program, design.sample_input, t, n_pairs, design.rng("frame_potential"))
    return Estimate(found.value, found.standard_error, {"haar": found.haar})


def _frame_potential(
    program: CircuitProgram, inputs: Float[Tensor, "1 inputs"], t: int, n_pairs: int, rng: np.random.Generator
) -> FramePotential:
    if t < 1 or n_pairs < 2:
        raise CircuitError(
            f"a frame potential and its error need an order of at least 1 and at least 2 pairs, but t is {t} and "
            f"n_pairs is {n_pairs}."
        )
    powers = sampled_fidelities(program, inputs, n_pairs, rng) ** t
    error = float(powers.std(ddof=1) / np.sqrt(n_pairs))
    return FramePotential(float(powers.mean()), error, haar_frame_potential(program.n_qubits, t))


def haar_frame_potential(n_qubits: int, t: int) -> float:
    """t! (N-1)! / (t+N-1)! with N = 2^n_qubits."""
    return 1 / comb(2**n_qubits + t - 1, t)
