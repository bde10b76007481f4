"""The memory budget: what is needed, what there is, and the sentence that says both."""

from types import SimpleNamespace

import psutil
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError, MemoryBudgetError
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation.memory import check_memory, required_bytes


@pytest.fixture
def one_mebibyte(monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**20))


def test_memory_doubles_with_each_qubit_and_holds_several_states():
    assert required_bytes(11) == 2 * required_bytes(10)
    assert required_bytes(10) >= 4 * 16 * 2**10


def test_what_fits_passes(one_mebibyte):
    assert check_memory(13) is None


def test_what_does_not_fit_says_how_much_is_needed_and_there(one_mebibyte):
    with pytest.raises(MemoryBudgetError) as caught:
        check_memory(14)
    assert str(caught.value) == (
        "a circuit of 14 qubits needs 1.5 MiB of memory to be simulated exactly, but 1 MiB are available; "
        "use at most 13 qubits here."
    )


def test_a_layer_of_fifty_qubits_is_refused_before_anything_is_allocated():
    circuit, x = QuantumCircuit(50), Parameter("x")
    circuit.rx(x, 0)
    text = r"a circuit of 50 qubits needs 96 PiB of memory .* but .*iB are available; use at most \d\d qubits here"
    with pytest.raises(CircuitError, match=text):
        QuantumLayer(circuit, [x], [], [SparsePauliOp("Z" * 50)])
