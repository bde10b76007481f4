"""Objectives that count: parameters, qubits, depth, bytes."""

from __future__ import annotations

from qnas.objectives.design import Design
from qnas.objectives.objective import Estimate, objective
from qnas.simulation.memory import BYTES_PER_AMPLITUDE, required_bytes


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


@objective("minimize", "bytes", cost="circuit", scale="log")
def memory(design: Design) -> Estimate:
    """Bytes of the circuit's state vector, 16 * 2^n; 0 for the classical control. Exact simulation holds several.

    Reported with what a training step of one sample holds at once (`training_step`), see `simulation.memory_gib`.
    """
    if not design.initial_model().quantum_layers:
        return Estimate(0)
    return Estimate(
        BYTES_PER_AMPLITUDE * 2**design.program.n_qubits, None, {"training_step": required_bytes(design.program)}
    )
