"""A circuit written in OpenQASM as an ansatz."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stderr

from qiskit import QuantumCircuit, qasm2, qasm3

from qnas.circuit.ansatze.registry import ansatz
from qnas.errors import DesignError


@ansatz("qasm")
def qasm(n_qubits: int, text: str) -> QuantumCircuit:
    """The circuit of a text, all of whose parameters are weights.

    Args:
        n_qubits: as many as the text has.
        text: OpenQASM 3, whose inputs are the weights, or OpenQASM 2; see `read_openqasm`.
    """
    return read_openqasm(text)


def read_openqasm(text: str) -> QuantumCircuit:
    """The circuit of a text in OpenQASM 2 or 3, without measurements at its end.

    Raises:
        DesignError: Qiskit cannot read it.
    """
    version = re.search(r"^\s*OPENQASM\s+([23])", text, flags=re.MULTILINE)
    if version is None:
        raise DesignError(f"the text is not OpenQASM 2 or 3, which declares its version; it begins {text[:40]!r}.")
    read = qasm2.loads if version[1] == "2" else qasm3.loads
    try:
        with redirect_stderr(io.StringIO()):  # the parser prints what it raises, too
            circuit = read(text)
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DesignError(f"the text is not OpenQASM that Qiskit can read: {reason}.") from error
    return circuit.remove_final_measurements(inplace=False)
