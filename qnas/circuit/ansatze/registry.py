"""Where ansatze are registered."""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit

from qnas.plugins import Registry, registering

Ansatz = Callable[..., QuantumCircuit]

ansatze: Registry[Ansatz] = Registry("ansatz", "qnas.ansatze")


def ansatz(name: str) -> Callable[[Ansatz], Ansatz]:
    """Register a function `(n_qubits, **options) -> QuantumCircuit` under a short name; all its parameters are weights.

    It serves as the whole trained circuit, `ansatz={"name": ..., options}`, and as one layer of several, an item
    `{"name": ..., options}` of `layers`, before each of which the encoding may be uploaded again. Each layer has
    weights of its own, in the order in which parameters first appear in the circuit, whatever their names. The
    function's parameters after `n_qubits` are the options; those without a default must be given.
    """
    return registering(ansatze, name)
