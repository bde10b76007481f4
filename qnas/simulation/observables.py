"""Observables by bit flips and diagonals: all Pauli strings that flip the same bits act together."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
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
        kept = self._parts[0].diagonals.matrix if self._z_type else None
        # one row for the real and one for the imaginary part of each amplitude, so that arithmetic is real
        self._by_part = None if kept is None else np.repeat(kept, 2, axis=0)

    def before(self, index: Int[np.ndarray, " dim"] | None) -> Observables | None:
        """The same observables on the states in front of psi'[i] = phases[i] psi[index[i]] (Heisenberg picture).

        None unless all are diagonal, which they stay, and few enough for their diagonals to be kept.
        """
        if self._by_part is None:
            return None
        pulled = copy(self)
        if index is not None:
            by_amplitude = self._by_part.reshape(len(index), 2, -1)
            pulled._by_part = by_amplitude[np.argsort(index)].reshape(2 * len(index), -1)
        return pulled

    def expectations(self, states: States) -> Float[np.ndarray, "batch observables"]:
        """<psi_b| O_k |psi_b> for every sample b and observable k."""
        if self._by_part is not None:
            return np.square(_real_and_imaginary(states)) @ self._by_part
        if self._z_type:
            return self._parts[0].diagonals.project(states.real**2 + states.imag**2)
        total = sum(part.diagonals.project(states.conj() * part.flip(states)) for part in self._parts)
        return np.ascontiguousarray(total.real)

    def apply(self, states: States, cotangent: Float[np.ndarray, "batch observables"]) -> States:
        """sum_k cotangent[b, k] O_k |psi_b> for every sample b."""
        if self._by_part is not None:
            weighted = cotangent @ self._by_part.T
            weighted *= _real_and_imaginary(states)
            return weighted.view(np.complex128)
        total = self._parts[0].diagonals.combine(cotangent) * self._parts[0].flip(states)
        for part in self._parts[1:]:
            total += part.diagonals.combine(cotangent) * part.flip(states)
        return total


def _real_and_imaginary(states: States) -> Float[np.ndarray, "batch parts"]:
    return np.ascontiguousarray(states).view(np.float64)


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
