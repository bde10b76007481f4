"""Generators and circuits for tests of Lie algebras and gradient operators; qubit 0 is leftmost in labels."""

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Pauli, SparsePauliOp

SYMMETRIC = ["XXII", "IIYY", "IZZI", "XIIX", "YYII", "IIZZ", "IXXI", "YIIY", "ZZII", "IIXX", "IYYI", "ZIIZ"]
NON_SYMMETRIC = ["XIII", "IXII", "IIXI", "IIIX", "YIII", "IYII", "IIYI", "IIIY", "ZZII", "IZZI", "IIZZ", "ZIIZ"]
STABILIZERS = ("IIII", "XXXX", "ZZZZ", "YYYY")
SLPA = [
    (Pauli(generator) @ Pauli(stabilizer)).to_label().lstrip("-i")
    for generator in SYMMETRIC
    for stabilizer in STABILIZERS
]
"""The three circuits on 4 qubits of arXiv 2406.18316."""


def at(n_qubits, **paulis):
    """The label with, say, x=[0, 1] for X on qubits 0 and 1."""
    label = ["I"] * n_qubits
    for symbol, qubits in paulis.items():
        for qubit in qubits:
            label[qubit] = symbol.upper()
    return "".join(label)


def ising(n_qubits, *, ring):
    """X on every qubit, ZZ on every neighbouring pair."""
    pairs = [(k, k + 1) for k in range(n_qubits - 1)] + ([(n_qubits - 1, 0)] if ring else [])
    return [at(n_qubits, x=[k]) for k in range(n_qubits)] + [at(n_qubits, z=pair) for pair in pairs]


def universal(n_qubits):
    """X and Z on every qubit, ZZ on a line: the whole of su(2^n)."""
    return ising(n_qubits, ring=False) + [at(n_qubits, z=[k]) for k in range(n_qubits)]


def evolved(labels, n_cycles=1):
    """Rotations about the strings in order, again and again, each with its own weight."""
    circuit = QuantumCircuit(len(labels[0]))
    for weight, label in zip(ParameterVector("w", n_cycles * len(labels)), labels * n_cycles, strict=True):
        circuit.append(PauliEvolutionGate(SparsePauliOp(label[::-1], 0.5), weight), range(circuit.num_qubits))
    return circuit


def qaoa(n_qubits, edges, n_layers=2, names=("g", "b")):
    """ZZ on all edges with one weight, then X on all qubits with another, in each layer."""
    circuit = QuantumCircuit(n_qubits)
    costs, mixers = (ParameterVector(name, n_layers) for name in names)
    for cost, mixer in zip(costs, mixers, strict=True):
        for edge in edges:
            circuit.rzz(cost, *edge)
        circuit.rx(mixer, range(n_qubits))
    return circuit
