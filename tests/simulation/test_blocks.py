"""Scheduling: whatever joins and merges, the circuit stays the same operator."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qnas.circuit.lower import lower
from qnas.simulation.contract import Binding
from qnas.simulation.exact import ExactSimulator
from tests.circuit.reference import in_phase, unitary
from tests.circuit.strategies import FIXED, RUNS, WIDTH, quick, recipes

ROTATIONS = ("rx", "ry", "rz", "rzz", "rxx", "rzx")


def make(recipe):
    """A circuit with one parameter per rotation."""
    n_qubits, chosen = recipe
    angles = iter(ParameterVector("a", len(chosen)))
    circuit = QuantumCircuit(n_qubits)
    for name, seed in chosen:
        qubits = np.random.default_rng(seed).permutation(n_qubits)[: WIDTH[name]].tolist()
        if name in ROTATIONS:
            getattr(circuit, name)(next(angles), *qubits)
        else:
            circuit.append(FIXED[name](), qubits)
    return circuit


def simulated(circuit, values):
    """The unitary, column by column: every basis state is the start of one sample."""
    start = np.eye(2**circuit.num_qubits)
    program = replace(lower(circuit, [], list(circuit.parameters)), amplitude_inputs=tuple(range(len(start))))
    binding = Binding(np.asarray(values), np.empty((len(start), 0)), start)
    return ExactSimulator().states(program, binding, np.zeros(program.n_slots, dtype=bool)).T


def assert_same_operator(circuit):
    """Parameters are named in the order of their slots."""
    values = np.random.default_rng(circuit.size()).uniform(-3, 3, circuit.num_parameters)
    expected = unitary(circuit.assign_parameters(values))
    np.testing.assert_allclose(in_phase(simulated(circuit, values), expected), expected, rtol=0, atol=1e-12)


def test_a_phase_gate_turned_over():
    """diag(i, 1), which Aer's own gate confuses with diag(1, i)."""
    assert_same_operator(make((1, [("x", 0), ("s", 0), ("x", 0)])))


@quick
@given(recipes(max_qubits=5, max_gates=40, names=RUNS))
def test_runs_of_fixed_gates(recipe):
    assert_same_operator(make(recipe))


@quick
@given(recipes(max_qubits=4, max_gates=40, names=(*RUNS, "rx", "rz", "rzz", "rxx", "ch")))
def test_rotations_between_runs(recipe):
    assert_same_operator(make(recipe))


@quick
@given(recipes(max_qubits=4, max_gates=30, names=("rz", "rzz", "cz", "s", "cx", "h")))
def test_diagonal_gates_between_others(recipe):
    assert_same_operator(make(recipe))


@quick
@given(recipes(max_qubits=4, max_gates=20, names=ROTATIONS))
def test_rotations_alone(recipe):
    assert_same_operator(make(recipe))


@pytest.mark.parametrize("gates", [("cx", "cx"), ("swap", "swap"), ("cz", "cz"), ("cx", "swap", "cx", "cz", "cx")])
def test_runs_on_three_qubits_in_a_circle(gates):
    circuit = QuantumCircuit(3)
    for k, name in enumerate(gates * 3):
        getattr(circuit, name)(k % 3, (k + 1) % 3)
    assert_same_operator(circuit)


def test_gates_on_other_qubits_do_not_separate_but_those_on_the_same_do():
    """CX on 0 and 1 may join the first run; the one after H on 1 may not."""
    circuit = QuantumCircuit(3)
    circuit.cx(1, 2)
    circuit.h(2)
    circuit.cx(0, 1)
    circuit.h(1)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    assert_same_operator(circuit)


def test_wide_diagonal_and_dense_gates():
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.ccz(3, 0, 2)
    circuit.unitary(unitary(QuantumCircuit(1)), [2])
    circuit.ch(3, 1)
    circuit.iswap(2, 0)
    circuit.cswap(1, 3, 0)
    assert_same_operator(circuit)


def test_no_gates():
    assert_same_operator(QuantumCircuit(2))
