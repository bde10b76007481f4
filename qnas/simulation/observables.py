"""Observables as diagonals: every Pauli string is a bit flip times a diagonal of phases."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.simulation.contract import States


@dataclass(frozen=True, eq=False)
class _Flip:
    """The part of all observables that flips the same bits: O_k psi = sum over parts of diagonal[:, k] * psi[index]."""

    index: Int[np.ndarray, " dim"] | None
    diagonals: Complex[np.ndarray, "dim observables"]

    def flipped(self, states: States) -> States:
        return states if self.index is None else states[:, self.index]

    def before(self, index: Int[np.ndarray, " dim"], phases: Complex[np.ndarray, " dim"]) -> _Flip:
        """U^dagger O U for (U psi)[i] = phases[i] psi[index[i]]."""
        target = np.argsort(index)
        if self.index is None:
            return _Flip(None, self.diagonals[target])
        source = self.index[target]
        return _Flip(index[source], (phases[target].conj() * phases[source])[:, None] * self.diagonals[target])


class Observables:
    """Expectation values of several Hermitian operators at once, and their action on states."""

    def __init__(self, operators: Sequence[SparsePauliOp], n_qubits: int) -> None:
        _check(operators, n_qubits)
        self.n_observables = len(operators)
        self._hold(_flips(operators, n_qubits))

    def _hold(self, flips: list[_Flip]) -> None:
        self._flips = flips
        first = flips[0]
        self._z_type = len(self._flips) == 1 and first.index is None
        self._real: Float[np.ndarray, "dim observables"] = np.ascontiguousarray(first.diagonals.real)
        # the same for real and imaginary part, so that arithmetic is real
        self._by_part: Float[np.ndarray, "parts observables"] = np.repeat(self._real, 2, axis=0)

    def before(self, index: Int[np.ndarray, " dim"] | None, phases: Complex[np.ndarray, " dim"] | None) -> Observables:
        """The same observables on the states in front of psi'[i] = phases[i] psi[index[i]] (Heisenberg picture)."""
        dim = len(self._real)
        index = np.arange(dim) if index is None else index
        phases = np.ones(dim, dtype=np.complex128) if phases is None else phases
        pulled = copy(self)
        pulled._hold([part.before(index, phases) for part in self._flips])
        return pulled

    def expectations(self, states: States) -> Float[np.ndarray, "batch observables"]:
        """<psi_b| O_k |psi_b> for every sample b and observable k."""
        if self._z_type:
            return np.square(_parts(states)) @ self._by_part
        total = sum((states.conj() * part.flipped(states)) @ part.diagonals for part in self._flips)
        return np.ascontiguousarray(total.real)

    def apply(self, states: States, cotangent: Float[np.ndarray, "batch observables"]) -> States:
        """sum_k cotangent[b, k] O_k |psi_b> for every sample b."""
        if self._z_type:
            parts_of_both = cotangent @ self._by_part.T
            parts_of_both *= _parts(states)
            return parts_of_both.view(np.complex128)
        parts = [(cotangent @ part.diagonals.T) * part.flipped(states) for part in self._flips]
        return np.sum(parts, axis=0)


def _parts(states: States) -> Float[np.ndarray, "batch parts"]:
    return np.ascontiguousarray(states).view(np.float64)


def pauli_action(
    pauli: str, qubits: Sequence[int], n_qubits: int
) -> tuple[Int[np.ndarray, " dim"], Complex[np.ndarray, " dim"]]:
    """(P psi)[i] = phases[i] * psi[index[i]] for a Pauli string with `pauli[k]` on `qubits[k]`."""
    basis = np.arange(2**n_qubits)
    index, phases = basis.copy(), np.ones(2**n_qubits, dtype=np.complex128)
    for symbol, qubit in zip(pauli, qubits, strict=True):
        bit = (basis >> qubit) & 1
        if symbol in "XY":
            index ^= 1 << qubit
        if symbol == "Y":
            phases *= np.where(bit == 1, 1j, -1j)
        if symbol == "Z":
            phases *= 1 - 2 * bit
    return index, phases


def _check(operators: Sequence[SparsePauliOp], n_qubits: int) -> None:
    if isinstance(operators, SparsePauliOp):  # it would be read as one operator per term
        raise CircuitError(
            "the observables are one SparsePauliOp; give a list, with one operator per expectation value."
        )
    if not operators:
        raise CircuitError("there is no observable; give at least one SparsePauliOp.")
    for k, operator in enumerate(operators):
        if not isinstance(operator, SparsePauliOp):
            raise CircuitError(f"observable {k} is a {type(operator).__name__}; observables are SparsePauliOp.")
        if operator.num_qubits != n_qubits:
            raise CircuitError(f"observable {k} acts on {operator.num_qubits} qubits, but the circuit has {n_qubits}.")
        if np.abs(operator.coeffs.imag).max(initial=0.0) > 1e-12:
            raise CircuitError(f"observable {k} has complex coefficients {operator.coeffs}; it must be Hermitian.")


def _flips(operators: Sequence[SparsePauliOp], n_qubits: int) -> list[_Flip]:
    dim = 2**n_qubits
    parts: dict[int, tuple[Int[np.ndarray, " dim"], Complex[np.ndarray, "dim observables"]]] = {}
    for k, operator in enumerate(operators):
        for label, qubits, coefficient in operator.to_sparse_list():
            index, phases = pauli_action(label, qubits, n_qubits)
            mask = int(index[0])
            if mask not in parts:
                parts[mask] = (index, np.zeros((dim, len(operators)), dtype=np.complex128))
            parts[mask][1][:, k] += coefficient.real * phases
    return [_Flip(None if mask == 0 else index, diagonals) for mask, (index, diagonals) in sorted(parts.items())]
