"""Expectation values from counts: Pauli strings that commute qubit by qubit share one measured circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qnas.simulation.observables import check_observables

Counts = Mapping[str, int]
"""How often each outcome came; outcomes are hexadecimal, and qubit k is bit k."""

_BASIS_CHANGES: dict[str, tuple[str, ...]] = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates that turn the eigenstates of a Pauli matrix into those of Z."""


@dataclass(frozen=True, eq=False)
class Group:
    """Pauli strings that one circuit measures.

    Attributes:
        bases: the Pauli matrix that is measured, by qubit.
        masks: per string, the bits whose parity is its value.
        coefficients: of the strings in each observable.
    """

    bases: dict[int, str]
    masks: Int[np.ndarray, " strings"]
    coefficients: Float[np.ndarray, "strings observables"]

    def ending(self, n_qubits: int) -> QuantumCircuit:
        """Basis changes and measurements; qubit k is read into bit k."""
        circuit = QuantumCircuit(n_qubits, n_qubits)
        for qubit, pauli in self.bases.items():
            for name in _BASIS_CHANGES[pauli]:
                getattr(circuit, name)(qubit)
            circuit.measure(qubit, qubit)
        return circuit

    def estimates(self, counts: Sequence[Counts]) -> Float[np.ndarray, "points observables"]:
        """What this group contributes to each observable, one row per measured circuit."""
        outcomes = np.array([int(outcome, 16) for each in counts for outcome in each])
        times = np.array([times for each in counts for times in each.values()])
        ends = np.cumsum([len(each) for each in counts])
        signs = 1 - 2 * (np.bitwise_count(outcomes[:, None] & self.masks) & 1).astype(np.int64)
        starts = np.concatenate([[0], ends[:-1]])
        sums = np.add.reduceat(signs * times[:, None], starts)
        return (sums / np.add.reduceat(times, starts)[:, None]) @ self.coefficients


@dataclass(frozen=True, eq=False)
class Measurement:
    """Several observables as groups of Pauli strings; `constant` is the identity's part, which costs no circuit."""

    constant: Float[np.ndarray, " observables"]
    groups: tuple[Group, ...]


def measurement(observables: Sequence[SparsePauliOp], n_qubits: int) -> Measurement:
    """The groups that measure all observables together. Raises CircuitError as `check_observables` does."""
    check_observables(observables, n_qubits)
    coefficients: dict[str, Float[np.ndarray, " observables"]] = {}
    for k, observable in enumerate(observables):
        for label, coefficient in observable.to_list():
            coefficients.setdefault(label, np.zeros(len(observables)))[k] += coefficient.real
    constant = coefficients.pop("I" * n_qubits, np.zeros(len(observables)))
    measured = [label for label, row in coefficients.items() if row.any()]
    if not measured:
        return Measurement(constant, ())
    together = SparsePauliOp(measured).group_commuting(qubit_wise=True)
    return Measurement(constant, tuple(_group(part.paulis.to_labels(), coefficients) for part in together))


def _group(labels: Sequence[str], coefficients: Mapping[str, Float[np.ndarray, " observables"]]) -> Group:
    bases: dict[int, str] = {}
    masks = []
    for label in labels:
        support = {qubit: pauli for qubit, pauli in enumerate(reversed(label)) if pauli != "I"}
        bases |= support
        masks.append(sum(1 << qubit for qubit in support))
    rows = [coefficients[label] for label in labels]
    return Group(dict(sorted(bases.items())), np.array(masks), np.stack(rows))
