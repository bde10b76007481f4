"""The space `hardware`: no design needs a two-qubit gate more on its backend than it has."""

import pytest
from qiskit import transpile

from qnas.circuit.backends import BackendChoice, find_backend
from qnas.circuit.build import build_circuit
from qnas.space import load_space


def n_two_qubit_gates(circuit):
    return sum(len(step.qubits) == 2 for step in circuit.data)


@pytest.mark.parametrize("level", [0, 1])
def test_nothing_needs_routing(level):
    space = load_space("hardware")
    for seed in range(20):
        design = space.sample(seed)
        circuit, own = build_circuit(design, 4), design.ansatz
        backend = find_backend(BackendChoice(topology=own.topology, entangler=own.entangler), design.n_qubits)
        layout = list(range(design.n_qubits))
        made = transpile(circuit, backend, initial_layout=layout, optimization_level=level)
        assert n_two_qubit_gates(made) <= n_two_qubit_gates(circuit)
        assert made.layout.final_index_layout() == layout
        for step in made.data:
            qubits = tuple(made.find_bit(qubit).index for qubit in step.qubits)
            assert backend.target.instruction_supported(step.operation.name, qubits)
