"""Objectives that count: parameters, qubits, depth."""

from __future__ import annotations

from qnas.objectives.design import Design
from qnas.objectives.objective import objective


@objective("minimize", "weights", cost="circuit")
def parameters(design: Design) -> int:
    """All weights of the model, quantum and classical."""
    return design.initial_model().n_parameters


@objective("minimize", "qubits", cost="circuit")
def qubits(design: Design) -> int:
    """The width of the circuit; 0 for the classical control, which has none."""
    return int(design.circuit.num_qubits) if design.initial_model().quantum_layers else 0


@objective("minimize", "gates", cost="circuit")
def depth(design: Design) -> int:
    """The longest path of gates through the circuit, as Qiskit counts it; 0 for the classical control."""
    return int(design.circuit.depth()) if design.initial_model().quantum_layers else 0
