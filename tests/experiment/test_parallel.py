"""What other processes compute is what this one would, whatever happens to them."""

import os
import signal

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate

from qnas.experiment import parallel
from qnas.experiment.parallel import parallel_map
from qnas.experiment.supervision import Child
from qnas.front import export
from qnas.front.export import png
from tests.front.test_export import amplitude_circuit, layered_circuit

CIRCUITS = [layered_circuit(2, 1), amplitude_circuit(), layered_circuit(3, 2), QuantumCircuit(1)]


@pytest.fixture
def children(monkeypatch):
    """Those that are started, on two cores."""
    started = []

    class Noted(Child):
        def __init__(self, target):
            super().__init__(target)
            started.append(self)

    monkeypatch.setattr(parallel, "Child", Noted)
    monkeypatch.setattr(parallel, "n_cores", lambda: 2)
    return started


@pytest.mark.slow
def test_many_are_drawn_by_processes_that_are_gone_afterwards(children, monkeypatch):
    expected = [png(circuit) for circuit in CIRCUITS]
    monkeypatch.setattr(export, "draw_circuit", lambda circuit: pytest.fail("drawn in this process"))
    assert list(parallel_map(png, CIRCUITS, 2)) == expected
    assert len(children) == 2 and not any(child.alive for child in children)


def test_a_few_are_not_worth_a_process(children):
    assert list(parallel_map(png, CIRCUITS[:3], 2)) == [png(circuit) for circuit in CIRCUITS[:3]]
    assert not children


@pytest.mark.slow
def test_what_others_do_not_know_is_done_here(children):
    class Unknown(Gate):
        """Of a class that no other process finds."""

    circuit = QuantumCircuit(1)
    circuit.append(Unknown("unknown", 1, []), [0])
    assert list(parallel_map(png, [circuit] * 4, 2)) == [png(circuit)] * 4
    assert len(children) == 2


@pytest.mark.slow
def test_what_processes_that_die_had_to_do_is_done_here(children):
    found = parallel_map(png, CIRCUITS * 2, 2)
    first = next(found)
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
    assert [first, *found] == [png(circuit) for circuit in CIRCUITS * 2]
