"""Exact simulation: states, values and adjoint gradients of random circuits, in batches of any size."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.readouts import z
from qnas.errors import CircuitError, ConfigurationError
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation import ExactSimulator, SimulationSettings, Simulator, exact, make_simulator
from qnas.simulation.contract import Binding, Executable
from tests.circuit.reference import expectations, in_phase, state, unitary
from tests.circuit.strategies import few, quick, seeds
from tests.simulation.cases import Case

cases = st.builds(dict, n_qubits=st.integers(1, 5), batch=st.integers(1, 5), seed=seeds, amplitudes=st.booleans())


@quick
@given(cases)
def test_states_and_values_are_qiskits(chosen):
    case = Case(**chosen)
    states = ExactSimulator().states(case.program, case.binding(), case.varying)
    values, _ = case.executable().forward(case.binding())
    assert (states.dtype, values.dtype) == (np.complex128, np.float64)
    for row in range(len(case.angles)):
        if case.amplitudes is None:
            expected = state(case.bound(row))
            np.testing.assert_allclose(values[row], expectations(case.bound(row), case.observables), rtol=0, atol=1e-12)
        else:
            expected = unitary(case.bound(row)) @ case.amplitudes[row]
            matrices = [operator.to_matrix() for operator in case.observables]
            by_matrix = [np.vdot(expected, matrix @ expected).real for matrix in matrices]
            np.testing.assert_allclose(values[row], by_matrix, rtol=1e-12, atol=1e-11)
        np.testing.assert_allclose(in_phase(states[row], expected), expected, rtol=0, atol=1e-12)


@few
@given(cases)
def test_the_adjoint_sweep_equals_the_shift_rule(chosen):
    case = Case(**chosen)
    executable = case.executable()
    _, residual = executable.forward(case.binding())
    found = executable.backward(case.binding(), residual, case.cotangent)
    by_slot = np.zeros_like(case.angles)
    for k, step in enumerate(np.pi / 2 * np.eye(case.program.n_slots)):
        by_slot[:, k] = (case.loss(case.angles + step) - case.loss(case.angles - step)).sum(axis=1) / 2
    np.testing.assert_allclose(found.varying, by_slot[:, case.varying], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.shared, by_slot[:, ~case.varying].sum(axis=0), rtol=0, atol=1e-9)
    if case.amplitudes is None:
        assert found.amplitudes is None
    else:
        ends = [
            (case.loss(case.angles, case.amplitudes + e) - case.loss(case.angles, case.amplitudes - e)).sum(axis=1) / 2
            for e in np.eye(case.amplitudes.shape[1])
        ]  # exact, for the values are quadratic in the amplitudes
        np.testing.assert_allclose(found.amplitudes, np.stack(ends, axis=1), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("n_qubits", "batch"), [(2, 1), (2, 3), (2, 32), (2, 33), (10, 32), (10, 33), (12, 20), (15, 2)]
)
@pytest.mark.parametrize("amplitudes", [False, True])
def test_a_batch_is_its_samples_one_by_one(n_qubits, batch, amplitudes):
    """Also where it is cut into chunks of at most 2^15 amplitudes."""
    case = Case(n_qubits, batch, seed=7, amplitudes=amplitudes)
    executable = case.executable()
    values, residual = executable.forward(case.binding())
    gradients = executable.backward(case.binding(), residual, case.cotangent)
    shared = 0.0
    scale = 2.0**n_qubits if amplitudes else 1.0
    for row in range(batch):
        binding = Binding(
            case.binding().shared,
            case.binding().varying[row : row + 1],
            None if case.amplitudes is None else case.amplitudes[row : row + 1],
        )
        value, own = executable.forward(binding)
        gradient = executable.backward(binding, own, case.cotangent[row : row + 1])
        np.testing.assert_allclose(values[row], value[0], rtol=0, atol=1e-13 * scale)
        np.testing.assert_allclose(gradients.varying[row], gradient.varying[0], rtol=0, atol=1e-12 * scale)
        if amplitudes:
            np.testing.assert_allclose(gradients.amplitudes[row], gradient.amplitudes[0], rtol=0, atol=1e-12)
        shared = shared + gradient.shared
    np.testing.assert_allclose(gradients.shared, shared, rtol=0, atol=1e-12 * scale * batch)


@pytest.mark.parametrize(("n_qubits", "batch"), [(3, 5), (12, 19)])
def test_the_order_of_samples_does_not_matter(n_qubits, batch):
    case = Case(n_qubits, batch, seed=3)
    order = np.random.default_rng(0).permutation(batch)
    executable = case.executable()
    values, residual = executable.forward(case.binding())
    gradients = executable.backward(case.binding(), residual, case.cotangent)
    moved = case.binding(case.angles[order])
    values_moved, residual_moved = executable.forward(moved)
    gradients_moved = executable.backward(moved, residual_moved, case.cotangent[order])
    np.testing.assert_allclose(values_moved, values[order], rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradients_moved.varying, gradients.varying[order], rtol=0, atol=1e-13)
    np.testing.assert_allclose(gradients_moved.shared, gradients.shared, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n_qubits", "batch", "amplitudes"), [(3, 4, False), (4, 3, True), (5, 1, False)])
@pytest.mark.parametrize("n_kept", [0, 1, 2, 3, 5])
def test_states_that_are_not_kept_are_undone(n_qubits, batch, amplitudes, n_kept, monkeypatch):
    case = Case(n_qubits, batch, seed=11, n_gates=40, amplitudes=amplitudes)
    found = []
    for budget in (exact._KEPT_BYTES, 16 * batch * (n_kept + 1) << n_qubits):
        monkeypatch.setattr(exact, "_KEPT_BYTES", budget)
        executable = case.executable()
        _, residual = executable.forward(case.binding())
        found.append(executable.backward(case.binding(), residual, case.cotangent))
        again = executable.backward(case.binding(), residual, case.cotangent)
        assert np.array_equal(again.shared, found[-1].shared)
    kept, undone = found
    np.testing.assert_allclose(undone.shared, kept.shared, rtol=0, atol=1e-11)
    np.testing.assert_allclose(undone.varying, kept.varying, rtol=0, atol=1e-11)
    if amplitudes:
        np.testing.assert_allclose(undone.amplitudes, kept.amplitudes, rtol=0, atol=1e-11)


def test_a_run_does_not_change_what_it_is_given_nor_later_runs():
    case = Case(3, 4, seed=11, amplitudes=True)
    executable, binding = case.executable(), case.binding()
    before = pickle.dumps((binding.shared, binding.varying, binding.amplitudes))
    first, residual = executable.forward(binding)
    executable.forward(case.binding(case.angles + 1.0))
    gradients = executable.backward(binding, residual, case.cotangent)
    again = executable.backward(binding, residual, case.cotangent)
    assert np.array_equal(first, executable.forward(binding)[0])
    assert np.array_equal(gradients.shared, again.shared)
    assert np.array_equal(gradients.amplitudes, again.amplitudes)
    assert pickle.dumps((binding.shared, binding.varying, binding.amplitudes)) == before


def test_two_executables_do_not_disturb_each_other():
    first, second = Case(3, 4, seed=1), Case(3, 4, seed=2)
    one, other = first.executable(), second.executable()
    values, residual = one.forward(first.binding())
    other.backward(second.binding(), other.forward(second.binding())[1], second.cotangent)
    found = one.backward(first.binding(), residual, first.cotangent)
    fresh = first.executable()
    alone = fresh.backward(first.binding(), fresh.forward(first.binding())[1], first.cotangent)
    assert np.array_equal(found.varying, alone.varying)
    assert np.array_equal(values, fresh.forward(first.binding())[0])


def test_the_contract():
    simulator = ExactSimulator()
    assert isinstance(simulator, Simulator)
    assert isinstance(Case(2, 1, seed=0).executable(), Executable)
    assert pickle.loads(pickle.dumps(simulator)) == simulator


def test_an_observable_of_another_width():
    case = Case(2, 1, seed=0)
    with pytest.raises(CircuitError, match="observable 0 acts on 3 qubits, but the circuit has 2"):
        ExactSimulator().prepare(case.program, [SparsePauliOp("ZZZ")], case.varying)


def test_simulators_by_name():
    assert make_simulator(SimulationSettings()) == ExactSimulator()
    with pytest.raises(
        ConfigurationError, match=r"unknown simulator 'exakt': did you mean 'exact'\? .* Set simulation"
    ):
        make_simulator(SimulationSettings("exakt"))


# --- sizes ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("n_qubits", "batch"), [(1, 3), (1, 70_000), (2, 1), (9, 300), (13, 7), (17, 3), (20, 2)])
def test_any_width_and_any_batch_by_closed_form(n_qubits, batch):
    """<Z_k> = cos(x_k + w_k): no phase changes it, and wide circuits take other paths than small ones."""
    x, w = ParameterVector("x", n_qubits), ParameterVector("w", n_qubits)
    circuit = QuantumCircuit(n_qubits)
    for k in range(n_qubits):
        circuit.ry(x[k], k)
        circuit.ry(w[k], k)
    for k in range(n_qubits - 1):
        circuit.cz(k, k + 1)
        circuit.rzz(0.3 + x[k], k, k + 1)
    layer = QuantumLayer(circuit, list(x), list(w), z(n_qubits))
    inputs = torch.linspace(-3, 3, batch * n_qubits, dtype=torch.float64).reshape(batch, -1).requires_grad_()
    values = layer(inputs)
    angles = (inputs + layer.weight).detach()
    by_input, by_weight = torch.autograd.grad(values.sum(), [inputs, layer.weight])
    torch.testing.assert_close(values, torch.cos(angles), rtol=0, atol=1e-12)
    torch.testing.assert_close(by_input, -torch.sin(angles), rtol=0, atol=1e-12)
    torch.testing.assert_close(by_weight, -torch.sin(angles).sum(dim=0), rtol=0, atol=1e-9)
