"""Circuits and designs as text that fits a terminal."""

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit_machine_learning.circuit.library import raw_feature_vector

from qnas.architecture import Architecture
from qnas.front.text import MAX_LINES, circuit_text, design_text


def circuit(n_qubits, n_layers):
    made, weights = QuantumCircuit(n_qubits), iter(ParameterVector("w", n_qubits * n_layers))
    for _ in range(n_layers):
        for qubit in range(n_qubits):
            made.ry(next(weights), qubit)
        made.cx(0, n_qubits - 1)
    return made


def test_a_small_circuit_is_qiskits_drawing():
    assert circuit_text(circuit(2, 1), 80) == str(circuit(2, 1).draw("text"))


@pytest.mark.parametrize("width", [40, 79])
def test_it_is_folded_to_the_width(width):
    lines = circuit_text(circuit(3, 6), width).splitlines()
    assert 20 < max(map(len, lines)) <= width
    assert sum(line.endswith("»") for line in lines) and "w[17]" in "".join(lines)


@pytest.mark.parametrize(("n_qubits", "n_rows"), [(3, 6), (20, 1), (40, 1)])
def test_a_long_one_is_cut_between_two_rows(n_qubits, n_rows):
    lines = circuit_text(circuit(n_qubits, 60), 60).splitlines()
    assert len(lines) == n_rows * (2 * n_qubits + 1) + 1
    assert len(lines) <= MAX_LINES or n_rows == 1
    assert lines[-1].startswith(f"... cut after {n_rows} of ")
    assert lines[-1].endswith("rows; qnas.build_circuit(architecture, n_features).draw() shows all.")


def test_amplitudes_fit_a_terminal():
    made = QuantumCircuit(6)
    made.compose(raw_feature_vector(64), inplace=True)
    text = circuit_text(made, 79)
    assert "(x[0], ..., x[63])" in text and max(map(len, text.splitlines())) <= 79
    assert len(made.parameters) == 64


def test_a_circuit_without_gates():
    assert "q:" in circuit_text(QuantumCircuit(1), 80)


def test_a_design_on_one_line():
    layer = {"rotation": "ry_rz", "entangler": "cx", "topology": "ring"}
    values = {
        "n_qubits": 3, "encoding": {"name": "angle", "axis": "y", "reupload": True}, "coupling": "mac",
        "layers": [layer, layer, {**layer, "angle": 0.5}], "hidden": [8, 8], "readout": {"name": "z"}, "empty": [],
    }  # fmt: skip
    assert design_text(Architecture(values), ["n_qubits", "nosuch", "encoding", "layers"]) == (
        "n_qubits=3 encoding=angle(axis=y, reupload=True) layers=[2 x (cx ry_rz ring), (angle=0.5 cx ry_rz ring)] "
        "coupling=mac empty=[] hidden=[8, 8] readout=z"
    )
