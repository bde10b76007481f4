"""Readouts: the observables whose expectation values leave the circuit."""

from __future__ import annotations

from collections.abc import Callable

from qiskit.quantum_info import SparsePauliOp

from qnas.errors import DesignError
from qnas.plugins import Registry, registering

Readout = Callable[..., list[SparsePauliOp]]

readouts: Registry[Readout] = Registry("readout", "qnas.readouts")


def readout(name: str) -> Callable[[Readout], Readout]:
    """Register a function `(n_qubits, **options) -> [SparsePauliOp, ...]` under a short name.

    Each operator yields one readout value, its expectation. Where the function has a parameter `n_outputs`, it is given
    the number of outputs of the model there, which is no option; all other parameters after `n_qubits` are options, and
    those without a default must be given. What cannot be built raises a DesignError.
    """
    return registering(readouts, name)


def z_string(qubits: tuple[int, ...], n_qubits: int) -> SparsePauliOp:
    """The product of Z on the given qubits."""
    return SparsePauliOp.from_sparse_list([("Z" * len(qubits), list(qubits), 1.0)], num_qubits=n_qubits)


@readout("z")
def z(n_qubits: int) -> list[SparsePauliOp]:
    """Z of every qubit."""
    return [z_string((k,), n_qubits) for k in range(n_qubits)]


@readout("zz")
def zz(n_qubits: int) -> list[SparsePauliOp]:
    """Z Z of every pair of qubits."""
    if n_qubits < 2:
        raise DesignError(f"the readout 'zz' needs at least 2 qubits, but n_qubits is {n_qubits}; use the readout 'z'.")
    return [z_string((i, j), n_qubits) for i in range(n_qubits) for j in range(i + 1, n_qubits)]


@readout("z_first")
def z_first(n_qubits: int) -> list[SparsePauliOp]:
    """Z of qubit 0 alone."""
    return [z_string((0,), n_qubits)]
