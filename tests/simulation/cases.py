"""Random circuits with a batch of angles, as simulators are given them."""

from dataclasses import replace

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qnas.circuit.lower import lower
from qnas.simulation import ExactSimulator
from qnas.simulation.contract import Binding
from tests.circuit.strategies import observables

ROTATIONS = {"rx": 1, "ry": 1, "rz": 1, "rxx": 2, "ryy": 2, "rzz": 2, "rzx": 2}
FIXED = {"h": 1, "x": 1, "s": 1, "t": 1, "cx": 2, "cz": 2, "swap": 2, "iswap": 2, "ch": 2, "ccx": 3}


def slot_circuit(n_qubits, seed, n_gates=25):
    """A random circuit in which parameter k is the angle of slot k."""
    rng = np.random.default_rng(seed)
    gates = {name: width for name, width in (ROTATIONS | FIXED).items() if width <= n_qubits}
    circuit, angles = QuantumCircuit(n_qubits), iter(ParameterVector("a", n_gates))
    for name in rng.choice(list(gates), n_gates):
        qubits = rng.permutation(n_qubits)[: gates[name]].tolist()
        getattr(circuit, name)(*([next(angles)] if name in ROTATIONS else []), *qubits)
    return circuit


class Case:
    """A circuit, which of its slots vary, and a batch of angles."""

    def __init__(self, n_qubits, batch, seed, n_gates=25, amplitudes=False):
        rng = np.random.default_rng(seed)
        self.circuit = slot_circuit(n_qubits, seed, n_gates)
        program = lower(self.circuit, [], list(self.circuit.parameters))
        self.program = replace(program, amplitude_inputs=tuple(range(2**n_qubits)) if amplitudes else None)
        self.varying = rng.random(self.program.n_slots) < 0.5
        self.angles = rng.uniform(-3, 3, size=(batch, self.program.n_slots))
        self.angles[:, ~self.varying] = self.angles[0, ~self.varying]
        self.observables = observables(n_qubits, seed)
        self.cotangent = rng.normal(size=(batch, 3))
        self.amplitudes = rng.normal(size=(batch, 2**n_qubits)) if amplitudes else None

    def binding(self, angles=None, amplitudes=None):
        angles = self.angles if angles is None else angles
        amplitudes = self.amplitudes if amplitudes is None else amplitudes
        return Binding(angles[0, ~self.varying], np.ascontiguousarray(angles[:, self.varying]), amplitudes)

    def executable(self):
        return ExactSimulator().prepare(self.program, self.observables, self.varying)

    def bound(self, row):
        return self.circuit.assign_parameters(self.angles[row].tolist())

    def loss(self, angles, amplitudes=None):
        values, _ = self.executable().forward(self.binding(angles, amplitudes))
        return values * self.cotangent
