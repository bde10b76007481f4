"""Where ansatze are registered."""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit

from qnas.plugins import Registry, registering

Ansatz = Callable[..., QuantumCircuit]

ansatze: Registry[Ansatz] = Registry("ansatz", "qnas.ansatze")


def ansatz(name: str) -> Callable[[Ansatz], Ansatz]:
    """Register a function `(n_qubits, **options) -> QuantumCircuit`; all its parameters are weights."""
    return registering(ansatze, name)
