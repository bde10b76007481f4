"""Circuits in OpenQASM as ansatze."""

import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Operator

from qnas.circuit.ansatze import ansatze, read_openqasm
from qnas.errors import DesignError
from qnas.front.openqasm import to_openqasm


def test_what_qnas_exports_is_read_back_with_its_weights():
    circuit = QuantumCircuit(3)
    for qubit, weight in enumerate(ParameterVector("w", 3)):
        circuit.ry(2 * weight, qubit)
    circuit.cx(0, 1)
    circuit.crz(0.3, 1, 2)
    read = ansatze["qasm"](3, text=to_openqasm(circuit))
    values = [0.3, -1.0, 2.0]
    assert Operator(read.assign_parameters(values)).equiv(Operator(circuit.assign_parameters(values)))


def test_openqasm_2_without_its_measurements():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    read = read_openqasm(qasm2.dumps(circuit))
    assert read.count_ops() == {"h": 1, "cx": 1}
    assert read.num_clbits == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("h q[0];", r"the text is not OpenQASM 2 or 3, which declares its version; it begins 'h q\[0\];'"),
        ("OPENQASM 3.0;\nqubit[2 q;", "the text is not OpenQASM that Qiskit can read: "),
        ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nhh q[0];', "that Qiskit can read: .*'hh' is not defined"),
    ],
)
def test_other_texts_are_refused(text, sentence, capsys):
    with pytest.raises(DesignError, match=sentence):
        read_openqasm(text)
    assert capsys.readouterr() == ("", "")
