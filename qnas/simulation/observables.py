"""Observables by bit flips and diagonals: all Pauli strings that flip the same bits act together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.simulation.contract import States
from qnas.simulation.paulis import STORED_ENTRIES, Flip, PauliString, Signs


@dataclass(frozen=True, eq=False)
class _Part:
    """What of all observables flips the same bits: O_k psi = sum over parts of diagonals[:, k] * flip(psi)."""

    flip: Flip
    diagonals: Signs


class Observables:
    """Expectation values of several Hermitian operators at once, and their action on states."""

    def __init__(self, operators: Sequence[SparsePauliOp], n_qubits: int) -> None:
        check_observables(operators, n_qubits)
        self.n_observables = len(operators)
        self._parts = _parts(operators, n_qubits)
        self._z_type = [part.flip.mask for part in self._parts] == [0]

    def expectations(self, states: States) -> Float[np.ndarray, "batch observables"]:
        """<psi_b| O_k |psi_b> for every sample b and observable k."""
        if self._z_type:
            return self._parts[0].diagonals.project(states.real**2 + states.imag**2)
        total = sum(part.diagonals.project(states.conj() * part.flip(states)) for part in self._parts)
        return np.ascontiguousarray(total.real)

    def apply(self, states: States, cotangent: Float[np.ndarray, "batch observables"]) -> States:
        """sum_k cotangent[b, k] O_k |psi_b> for every sample b."""
        total = self._parts[0].diagonals.combine(cotangent) * self._parts[0].flip(states)
        for part in self._parts[1:]:
            total += part.diagonals.combine(cotangent) * part.flip(states)
        return total


def check_observables(operators: object, n_qubits: int) -> None:
    """Raise CircuitError unless these are Hermitian operators on `n_qubits` qubits, at least one."""
    if isinstance(operators, SparsePauliOp):  # it would be read as one operator per term
        raise CircuitError(
            "the observables are one SparsePauliOp; give a list, with one operator per expectation value."
        )
    if not isinstance(operators, Sequence) or isinstance(operators, str):
        raise CircuitError(f"the observables are {operators!r}; give a list of SparsePauliOp.")
    if not operators:
        raise CircuitError("there is no observable; give at least one SparsePauliOp.")
    for k, operator in enumerate(operators):
        _check_operator(f"observable {k}", operator, n_qubits)


def _check_operator(name: str, operator: object, n_qubits: int) -> None:
    if not isinstance(operator, SparsePauliOp):
        raise CircuitError(f"{name} is a {type(operator).__name__}; observables are SparsePauliOp.")
    if operator.num_qubits != n_qubits:
        raise CircuitError(f"{name} acts on {operator.num_qubits} qubits, but the circuit has {n_qubits}.")
    if operator.coeffs.dtype == object:
        raise CircuitError(f"{name} has coefficients with parameters; bind them with its assign_parameters.")
    if not np.isfinite(operator.coeffs).all():
        raise CircuitError(f"{name} has coefficients {operator.coeffs}, which are not finite numbers.")
    if np.abs(operator.coeffs.imag).max(initial=0.0) > 1e-12:
        raise CircuitError(f"{name} has complex coefficients {operator.coeffs}; it must be Hermitian.")


def _parts(operators: Sequence[SparsePauliOp], n_qubits: int) -> list[_Part]:
    """The strings of all operators, by the bits that they flip; weights are real where no string has a Y."""
    terms: dict[int, dict[int, dict[int, complex]]] = {}
    for k, operator in enumerate(operators):
        for label, qubits, coefficient in operator.to_sparse_list():
            string = PauliString.of(label, qubits)
            weights = terms.setdefault(string.x, {}).setdefault(string.z, {})
            weights[k] = weights.get(k, 0.0) + coefficient.real * string.factor
    stored = len(terms) * len(operators) << n_qubits <= STORED_ENTRIES
    return [
        _Part(Flip(x, n_qubits, stored=stored), _diagonals(by_z, len(operators), n_qubits, stored=stored))
        for x, by_z in sorted(terms.items())
    ]


def _diagonals(by_z: dict[int, dict[int, complex]], n_observables: int, n_qubits: int, *, stored: bool) -> Signs:
    weights = np.zeros((len(by_z), n_observables), dtype=np.complex128)
    for row, entries in zip(weights, by_z.values(), strict=True):
        row[list(entries)] = list(entries.values())
    return Signs(list(by_z), weights if weights.imag.any() else weights.real.copy(), n_qubits, stored=stored)
