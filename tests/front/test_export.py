"""A design folder is complete, readable by others, and never half-written."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.image import imread
from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.circuit import Gate, ParameterVector
from qiskit_machine_learning.circuit.library.raw_feature_vector import ParameterizedInitialize

from qnas.architecture import Architecture
from qnas.errors import CircuitError
from qnas.front import export
from qnas.front.export import draw_circuit, write_design

ARCHITECTURE = Architecture({"n_qubits": 2, "layers": [{"rotation": "ry"}]})
FILES = {"architecture.json", "circuit.png", "circuit.qasm", "circuit.qpy", "weights.safetensors"}


def layered_circuit(n_qubits, n_layers):
    x, w = ParameterVector("x", n_qubits), ParameterVector("w", n_qubits * n_layers)
    circuit = QuantumCircuit(n_qubits, global_phase=0.3)
    for layer in range(n_layers):
        for qubit in range(n_qubits):
            circuit.rx(x[qubit], qubit)
            circuit.ry(w[layer * n_qubits + qubit], qubit)
            circuit.cx(qubit, (qubit + 1) % n_qubits)
    return circuit


def amplitude_circuit():
    circuit = QuantumCircuit(2)
    circuit.append(ParameterizedInitialize([*ParameterVector("x", 3), 0.0]), [0, 1])
    circuit.ry(ParameterVector("w", 1)[0], 0)
    return circuit


def load_qpy(path):
    with path.open("rb") as file:
        return qpy.load(file)[0]


def test_the_folder_holds_the_design(tmp_path):
    circuit, folder = layered_circuit(2, 1), tmp_path / "designs" / "a1"
    write_design(folder, ARCHITECTURE, circuit, b"weights", b"drawing")
    assert {path.name for path in folder.iterdir()} == FILES
    assert Architecture.from_json((folder / "architecture.json").read_text()) == ARCHITECTURE
    assert load_qpy(folder / "circuit.qpy") == circuit
    assert qasm3.load(folder / "circuit.qasm").num_parameters == 4
    assert (folder / "weights.safetensors").read_bytes() == b"weights"
    assert (folder / "circuit.png").read_bytes() == b"drawing"


def test_amplitude_encoding_survives_in_qpy(tmp_path):
    circuit = amplitude_circuit()
    write_design(tmp_path / "a1", ARCHITECTURE, circuit, b"", b"drawing")
    again = load_qpy(tmp_path / "a1" / "circuit.qpy")
    first = again.data[0].operation
    assert (first.name, first.params) == ("ParameterizedInitialize", circuit.data[0].operation.params)
    assert again.data[1] == circuit.data[1]
    assert again.parameters == circuit.parameters


def test_an_existing_folder_is_replaced_and_nothing_else_remains(tmp_path):
    folder = tmp_path / "a1"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    (tmp_path / ".a1.unfinished").mkdir()  # a process was killed here
    write_design(folder, ARCHITECTURE, layered_circuit(2, 1), b"", b"drawing")
    assert {path.name for path in folder.iterdir()} == FILES
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize("failing", ["_put_in_place", "_with_amplitudes_opaque"])
def test_a_write_that_fails_leaves_the_old_folder(tmp_path, monkeypatch, failing):
    def fail(*_: object) -> None:
        raise OSError("disk full")

    folder = tmp_path / "a1"
    write_design(folder, ARCHITECTURE, layered_circuit(2, 1), b"old", b"drawing")
    monkeypatch.setattr(export, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        write_design(folder, ARCHITECTURE, layered_circuit(2, 1), b"new", b"drawing")
    assert list(tmp_path.iterdir()) == [folder]
    assert (folder / "weights.safetensors").read_bytes() == b"old"


def test_a_circuit_without_openqasm_writes_nothing(tmp_path):
    circuit = QuantumCircuit(1)
    circuit.append(Gate("oracle", 1, []), [0])
    with pytest.raises(CircuitError, match="oracle"):
        write_design(tmp_path / "a1", ARCHITECTURE, circuit, b"", b"drawing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("circuit", [layered_circuit(4, 6), amplitude_circuit(), QuantumCircuit(2)])
def test_drawings_are_white_pages_of_one_width_that_pyplot_never_sees(tmp_path, circuit):
    open_figures = pyplot.get_fignums()
    figure = draw_circuit(circuit)
    figure.savefig(tmp_path / "circuit.png")
    pixels = imread(tmp_path / "circuit.png")
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3]
    assert np.all(corners == 1.0)
    assert pixels[..., :3].min() < 0.5
    assert figure.get_size_inches()[0] < 12
    assert pyplot.get_fignums() == open_figures
