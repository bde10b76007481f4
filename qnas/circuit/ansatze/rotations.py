"""Rotations about Pauli strings, and counts of what repeats."""

from __future__ import annotations

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import DesignError

_GATES = {"X": "rx", "Y": "ry", "Z": "rz", "XX": "rxx", "YY": "ryy", "ZZ": "rzz"}


def turn(circuit: QuantumCircuit, label: str, angle: ParameterExpression) -> None:
    """Append exp(-i angle/2 P), as a standard gate where there is one.

    Args:
        circuit: as wide as the label.
        label: P, one letter of I, X, Y, Z per qubit and not all of them I, qubit 0 leftmost.
        angle: in radians.
    """
    qubits = [qubit for qubit, letter in enumerate(label) if letter != "I"]
    pauli = "".join(label[qubit] for qubit in qubits)
    if pauli in _GATES:
        getattr(circuit, _GATES[pauli])(angle, *qubits)
    else:
        circuit.append(PauliEvolutionGate(SparsePauliOp(pauli[::-1], 0.5), angle), qubits)


def check_count(name: str, value: int, *, most: int | None = None) -> None:
    """Raise DesignError unless the option `name` of an ansatz is at least 1, and at most `most`."""
    if value < 1 or (most is not None and value > most):
        allowed = "at least 1" if most is None else f"from 1 to {most}"
        raise DesignError(f"{name} is {value}; it must be {allowed}.")
