"""Exponential encodings (Shin, Teo and Jeong 2023, arXiv 2206.12105)."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

import qnas


@qnas.encoding("fourier", width=lambda n_qubits: max(1, n_qubits // 2))
@qnas.cites("arXiv:2206.12105")
def fourier(features: Sequence[Parameter], n_qubits: int, base: int = 3) -> QuantumCircuit:
    """Each feature on several qubits, as RY(x), RY(base x), RY(base^2 x), ...

    On m qubits a feature has 2m + 1 frequencies for the base 1, 2^(m+1) - 1 for the base 2, and 3^m for the base 3,
    the most that there can be.

    Args:
        features: at most half as many as the qubits, so that each has two at least.
        n_qubits: qubit q holds feature q modulo the number of features.
        base: what the scale grows by from one qubit of a feature to its next.
    """
    circuit = QuantumCircuit(n_qubits)
    for qubit in range(n_qubits):
        power, k = divmod(qubit, len(features))
        circuit.ry(base**power * features[k], qubit)
    return circuit
