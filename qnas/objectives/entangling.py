"""Entangling capability: the mean Meyer-Wallach entanglement of a circuit's states (arXiv 1905.10876)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from torch import Tensor

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.objectives.random_states import NO_INPUTS, over_states, program_of_weights, random_weights
from qnas.references import cites
from qnas.simulation.contract import States

REFERENCE = "Sim, Johnson and Aspuru-Guzik 2019, arXiv 1905.10876; Meyer and Wallach 2002, in the form of Brennen 2003"
_ROUNDING = 1e-12


@dataclass(frozen=True)
class EntanglingCapability:
    """The mean Meyer-Wallach entanglement, 0 for product states and at most 1, and its standard error."""

    value: float
    standard_error: float


def entangling_capability(circuit: QuantumCircuit, n_samples: int = 1000, seed: int = 0) -> EntanglingCapability:
    """The mean over weights of Q = 2 (1 - mean over qubits of Tr rho_k^2); every parameter is a weight.

    One qubit has nothing to be entangled with: its value is 0.

    Args:
        circuit: plain Qiskit that lowers.
        n_samples: how many states, their weights uniform on [0, 2 pi).
        seed: of the weights.

    Raises:
        CircuitError: the circuit does not lower, or fewer than 2 samples are asked for.
    """
    return _entangling_capability(program_of_weights(circuit), NO_INPUTS, n_samples, np.random.default_rng(seed))


@objective("maximize", "Q", cost="states", name="entangling_capability", reference=REFERENCE, least={"n_samples": 2})
@cites("sim2019", "meyer2002", "brennen2003")
def design_entangling_capability(design: Design, *, n_samples: int = 1000) -> Estimate:
    """The entangling capability of a design's circuit, its encoding evaluated at one seeded data sample."""
    found = _entangling_capability(design.program, design.sample_input, n_samples, design.rng("entangling_capability"))
    return Estimate(found.value, found.standard_error)


def _entangling_capability(
    program: CircuitProgram, inputs: Float[Tensor, "1 inputs"], n_samples: int, rng: np.random.Generator
) -> EntanglingCapability:
    if n_samples < 2:
        raise CircuitError(
            f"entangling capability and its error need at least 2 samples, but n_samples is {n_samples}."
        )
    values = over_states(program, inputs, random_weights(program, (1, n_samples), rng), meyer_wallach)
    return EntanglingCapability(float(values.mean()), float(values.std(ddof=1) / np.sqrt(n_samples)))


def meyer_wallach(states: States) -> Float[np.ndarray, " batch"]:
    """Q = 2 (1 - mean over qubits k of Tr rho_k^2) of each state, shape (batch, 2^n); 0 if there is only rounding."""
    n_qubits = states.shape[1].bit_length() - 1
    purities = [_purity(states.reshape(len(states), -1, 2, 2**qubit)) for qubit in range(n_qubits)]
    values = np.clip(2 * (1 - np.mean(purities, axis=0)), 0.0, 1.0)
    return np.where(values < _ROUNDING, 0.0, values)


def _purity(states: np.ndarray) -> Float[np.ndarray, " batch"]:
    """Tr rho^2 of the qubit on axis 2."""
    reduced = np.einsum("bhil,bhjl->bij", states, states.conj(), optimize=True)
    return np.sum(np.abs(reduced) ** 2, axis=(1, 2))


def haar_entanglement(n_qubits: int) -> float:
    """The mean Q of Haar-random states, (N - 2) / (N + 1) with N = 2^n_qubits."""
    return (2**n_qubits - 2) / (2**n_qubits + 1)
