"""States of a circuit at random weights, which expressibility, frame potential and entangling capability look at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram
from qnas.model.quantum_function import final_states
from qnas.simulation.contract import States

_AMPLITUDES_AT_ONCE = 2**20
NO_INPUTS = torch.empty(1, 0, dtype=torch.float64)


def program_of_weights(circuit: QuantumCircuit) -> CircuitProgram:
    """A circuit, lowered, all of whose parameters are weights. Raises CircuitError if it does not lower."""
    return lower(circuit, [], list(circuit.parameters))


def random_weights(program: CircuitProgram, shape: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Weights, uniform on [0, 2 pi), shape (*shape, n_weights)."""
    return torch.from_numpy(rng.uniform(0, 2 * np.pi, (*shape, program.n_weights)))


def over_states(
    program: CircuitProgram,
    inputs: Float[Tensor, "1 inputs"],
    weights: Float[Tensor, "copies states weights"],
    measure: Callable[..., Float[np.ndarray, " some"]],
) -> Float[np.ndarray, " states"]:
    """`measure` of the states at each column of weights, one argument per copy, as many at once as memory bears."""
    chunks = torch.split(weights, max(1, _AMPLITUDES_AT_ONCE >> program.n_qubits), dim=1)

    def states(row: Tensor) -> States:
        return final_states(program, inputs.expand(len(row), -1), row)

    return np.concatenate([measure(*map(states, chunk)) for chunk in chunks])


def sampled_fidelities(
    program: CircuitProgram, inputs: Float[Tensor, "1 inputs"], n_pairs: int, rng: np.random.Generator
) -> Float[np.ndarray, " pairs"]:
    """|<psi_theta|psi_phi>|^2 of pairs of independent uniform weights."""
    return over_states(program, inputs, random_weights(program, (2, n_pairs), rng), _fidelity)


def _fidelity(first: States, second: States) -> Float[np.ndarray, " pairs"]:
    return np.minimum(np.abs(np.einsum("bi,bi->b", first.conj(), second)) ** 2, 1.0)
