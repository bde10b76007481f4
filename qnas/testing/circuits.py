"""What suites ask of circuits: their states, what these depend on, derivatives, and the way through OpenQASM 3."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.sparse import SparseEfficiencyWarning
from torch import Tensor

from qnas.circuit.lower import AMPLITUDE_ENCODING, lower
from qnas.circuit.program import CircuitProgram
from qnas.front.openqasm import to_openqasm
from qnas.model.angles import slopes
from qnas.model.quantum_function import QuantumFunction, final_states

_STEP = 1e-3
"""Of differences, in radians of the angle that changes most."""
_SAME = 1e-6
"""Of infidelities: states that are nearer to each other count as equal."""
_ONE_PAULI = ("X", "Y", "Z")


@dataclass(frozen=True, eq=False)
class Built:
    """A circuit with its inputs and its weights; every other parameter is a mistake."""

    circuit: QuantumCircuit
    inputs: tuple[Parameter, ...]
    weights: tuple[Parameter, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Inputs, then weights, as columns of values have them."""
        return (*self.inputs, *self.weights)

    @cached_property
    def program(self) -> CircuitProgram:
        """The circuit, lowered. Raises CircuitError if it does not lower."""
        return lower(self.circuit, self.inputs, self.weights)

    def values(self, n_points: int = 1) -> Float[np.ndarray, "points parameters"]:
        """Seeded values in general position, in (-pi, pi), where pre-networks keep inputs."""
        return np.random.default_rng(7).uniform(-3.1, 3.1, (n_points, len(self.parameters)))

    def bound(self, values: Float[np.ndarray, " parameters"]) -> QuantumCircuit:
        """The circuit at these values; those that no gate uses are left out."""
        own = set(self.circuit.parameters)
        named = zip(self.parameters, values.tolist(), strict=True)
        return self.circuit.assign_parameters({parameter: value for parameter, value in named if parameter in own})

    def states(self, values: Float[np.ndarray, "points parameters"]) -> Complex[np.ndarray, "points dim"]:
        """The final states as qnas computes them."""
        inputs, weights = np.split(values, [len(self.inputs)], axis=1)
        return final_states(self.program, torch.from_numpy(inputs), torch.from_numpy(weights))


def any_state(n_qubits: int) -> QuantumCircuit:
    """A circuit without parameters that prepares a state in general position, on which no gate acts trivially."""
    circuit = efficient_su2(n_qubits, reps=1)
    angles = np.random.default_rng(3).uniform(-3.1, 3.1, circuit.num_parameters)
    return circuit.assign_parameters(angles)


def after_any_state(built: Built) -> Built:
    """The same circuit on such a state."""
    return Built(any_state(built.circuit.num_qubits).compose(built.circuit), built.inputs, built.weights)


def matters(built: Built, n_points: int = 16) -> Bool[np.ndarray, " parameters"]:
    """Which parameters the state depends on, beyond a global phase.

    Each is given another value by itself, far from the one before, so that steps such as a sign are seen, too.
    """
    found = np.zeros(len(built.parameters), dtype=bool)
    for point, other in built.values(2 * n_points).reshape(n_points, 2, -1):
        idle = np.flatnonzero(~found)
        moved = np.repeat(point[None], len(idle), axis=0)
        moved[range(len(idle)), idle] = other[idle]
        here, *there = built.states(np.vstack([point, moved]))
        found[idle] = [overlap(here, state) < 1 - _SAME for state in there]
    return found


def as_qiskit_has_it(circuit: QuantumCircuit) -> Complex[np.ndarray, " dim"]:
    """The final state of a circuit without free parameters, by Qiskit's own simulation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SparseEfficiencyWarning)  # of the matrices of Pauli evolutions
        return np.asarray(Statevector(circuit.decompose(AMPLITUDE_ENCODING)).data)


def overlap(one: Complex[np.ndarray, " dim"], other: Complex[np.ndarray, " dim"]) -> float:
    """|<one|other>|^2, 1 for states that are equal up to a global phase."""
    return float(np.abs(np.vdot(one, other)) ** 2)


def derivatives(
    built: Built,
) -> tuple[Float[np.ndarray, "observables parameters"], Float[np.ndarray, "observables parameters"]]:
    """Of <X>, <Y> and <Z> of every qubit, by the adjoint method and by central differences of fourth order.

    Both are for each parameter in units of the angle that it changes most, so that large factors do not blur them.
    """
    n_qubits, n_inputs = built.circuit.num_qubits, len(built.inputs)
    labels = [(pauli, [qubit], 1.0) for qubit in range(n_qubits) for pauli in _ONE_PAULI]
    observables = [SparsePauliOp.from_sparse_list([one], num_qubits=n_qubits) for one in labels]
    function = QuantumFunction(built.program, observables, weights_vary=True)
    point = torch.from_numpy(built.values()[0])

    def values(rows: Tensor) -> Tensor:
        return function(rows[:, :n_inputs], rows[:, n_inputs:])

    exact: Tensor = torch.autograd.functional.jacobian(lambda one: values(one[None])[0], point)  # type: ignore[no-untyped-call]
    scales = torch.from_numpy(np.abs(slopes(built.program.angles, point)).max(axis=0, initial=1.0))
    steps = torch.diag(_STEP / scales)
    plus, minus, far_plus, far_minus = (values(point + factor * steps) for factor in (1, -1, 2, -2))
    differences = (8 * (plus - minus) - (far_plus - far_minus)) / (12 * _STEP)
    return (exact / scales).numpy(), differences.T.numpy()


def read_back(circuit: QuantumCircuit, values: Mapping[Parameter, float]) -> QuantumCircuit:
    """The circuit after export to OpenQASM 3, read by Qiskit's importer and bound to the same values.

    The comments of the export, which are Python, compute the inputs that OpenQASM 3 cannot express.
    """
    text = to_openqasm(circuit)
    legal: dict[str, Any] = {re.sub(r"\[(\d+)\]", r"_\1", parameter.name): value for parameter, value in values.items()}
    code = "\n".join(re.findall(r"^//   (.*)$", text, flags=re.MULTILINE))
    exec(code, {**vars(math), "np": np, "abs": abs, "sign": np.sign}, legal)
    angles = {f"a_{k}": float(angle) for k, angle in enumerate(legal.get("a", ()))}
    loaded: QuantumCircuit = qasm3.loads(text)
    names = {parameter.name for parameter in loaded.parameters}
    return loaded.assign_parameters({name: value for name, value in {**legal, **angles}.items() if name in names})
