"""Designs of every bundled space are circuits that other software reads."""

import numpy as np
import pytest
from qiskit import qasm3
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit.build import build_circuit
from qnas.circuit.lower import AMPLITUDE_ENCODING
from qnas.front.openqasm import amplitude_angles, to_openqasm
from qnas.space import load_space, space_names
from tests.circuit.reference import state, unitary

N_FEATURES = 13
"""Those of the wine data."""


def read_back(circuit, values):
    """The circuit after a journey through OpenQASM 3, at the same inputs and weights, which are given by name."""
    again = qasm3.loads(to_openqasm(circuit))
    legal = {name.replace("[", "_").replace("]", ""): value for name, value in values.items()}
    if has_amplitudes(circuit):
        amplitudes = np.array([legal[f"x_{k}"] for k in range(2**circuit.num_qubits)])
        legal |= {f"a_{k}": angle for k, angle in enumerate(amplitude_angles(amplitudes))}
    return again.assign_parameters(legal, strict=False)


def has_amplitudes(circuit):
    return any(step.operation.name == AMPLITUDE_ENCODING for step in circuit.data)


def are_the_same(again, circuit):
    """The states from |0...0>, where amplitudes are encoded, or else the unitaries, up to a global phase."""
    if has_amplitudes(circuit):
        return Statevector(again).equiv(Statevector(state(circuit.decompose(AMPLITUDE_ENCODING))), atol=1e-9)
    return Operator(again).equiv(Operator(unitary(circuit)), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", space_names())
def test_designs_are_read_back_equal(name):
    space = load_space(name)
    for seed in range(20):
        circuit = build_circuit(space.sample(seed), N_FEATURES)
        rng = np.random.default_rng(seed)
        values = {parameter.name: rng.uniform(0.1, 3.0) for parameter in circuit.parameters}
        assert are_the_same(read_back(circuit, values), circuit.assign_parameters(values))
