"""Entangling capability: states of known entanglement, closed forms, and Qiskit's partial traces."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector, partial_trace, random_statevector

from qnas.circuit.ansatze import sim2019
from qnas.errors import CircuitError, DesignError
from qnas.objectives import entangling_capability, random_states
from qnas.objectives.entangling import design_entangling_capability, meyer_wallach
from qnas.testing.designs import design
from tests.circuit.strategies import quick, seeds


def by_partial_traces(state):
    n_qubits = state.num_qubits
    purities = [partial_trace(state, [q for q in range(n_qubits) if q != k]).purity().real for k in range(n_qubits)]
    return 2 * (1 - np.mean(purities))


def one_angle():
    """cos(w/2) |00> + sin(w/2) |11>, with Q = sin^2 w."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("w"), 0)
    circuit.cx(0, 1)
    return circuit


@quick
@given(st.integers(1, 5), seeds)
def test_the_measure_of_a_state_follows_from_its_partial_traces(n_qubits, seed):
    states = [random_statevector(2**n_qubits, seed=seed % 2**31 + k) for k in range(3)]
    expected = [by_partial_traces(state) for state in states]
    assert meyer_wallach(np.array([state.data for state in states])) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_ghz_states_are_fully_entangled(n_qubits):
    circuit = QuantumCircuit(n_qubits)
    circuit.h(0)
    for k in range(n_qubits - 1):
        circuit.cx(k, k + 1)
    found = entangling_capability(circuit, n_samples=5)
    assert found.value == pytest.approx(1, abs=1e-12)
    assert found.standard_error < 1e-12


@pytest.mark.parametrize("n_qubits", [2, 3, 4, 7])
def test_w_states(n_qubits):
    """Each qubit is 1 with probability 1/n: Q = 4 (n - 1) / n^2."""
    state = np.zeros((1, 2**n_qubits), dtype=complex)
    state[0, 2 ** np.arange(n_qubits)] = n_qubits**-0.5
    assert meyer_wallach(state) == pytest.approx(4 * (n_qubits - 1) / n_qubits**2)


@pytest.mark.parametrize("template", [1])
def test_product_states_are_not_entangled(template):
    found = entangling_capability(sim2019(4, template), n_samples=50)
    assert (found.value, found.standard_error) == (0, 0)  # without rounding


def test_template_nine_is_fully_entangled_whatever_its_weights():
    found = entangling_capability(sim2019(4, 9), n_samples=200)
    assert found.value == pytest.approx(1, abs=1e-12)
    assert found.standard_error < 1e-12


def test_one_qubit_has_nothing_to_be_entangled_with():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("w"), 0)
    found = entangling_capability(circuit, n_samples=20)
    assert found.value == pytest.approx(0, abs=1e-12)


def test_one_angle_has_a_closed_form():
    """The mean of sin^2 is 1/2, its variance 1/8."""
    found = entangling_capability(one_angle(), n_samples=20_000)
    assert found.value == pytest.approx(1 / 2, abs=4 * found.standard_error)
    assert found.standard_error == pytest.approx(np.sqrt(1 / 8 / 20_000), rel=0.05)


@pytest.mark.parametrize("n_qubits", [2, 3, 4])
def test_deep_random_circuits_reach_the_mean_of_haar_random_states(n_qubits):
    """(N - 2) / (N + 1)."""
    dim = 2**n_qubits
    found = entangling_capability(sim2019(n_qubits, 6, n_layers=6), n_samples=3000)
    assert found.value == pytest.approx((dim - 2) / (dim + 1), abs=4 * found.standard_error)


@pytest.mark.parametrize("template", [4, 11, 14])
def test_the_names_of_qubits_do_not_matter(template):
    circuit = sim2019(4, template)
    found, turned = (entangling_capability(one, n_samples=50) for one in (circuit, circuit.reverse_bits()))
    assert turned.value == pytest.approx(found.value, abs=1e-12)


def test_the_value_is_the_mean_over_qiskit_states():
    circuit = sim2019(3, 5)
    weights = np.random.default_rng(4).uniform(0, 2 * np.pi, (30, circuit.num_parameters))
    values = [by_partial_traces(Statevector(circuit.assign_parameters(row))) for row in weights]
    found = entangling_capability(circuit, n_samples=30, seed=4)
    assert found.value == pytest.approx(np.mean(values), abs=1e-12)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(30), abs=1e-12)


def test_the_seed_decides():
    first, again, other = (entangling_capability(sim2019(3, 5), n_samples=20, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.value != other.value


def test_chunks_do_not_change_the_value(monkeypatch):
    whole = entangling_capability(sim2019(4, 5), n_samples=50)
    monkeypatch.setattr(random_states, "_AMPLITUDES_AT_ONCE", 7 * 16)
    assert entangling_capability(sim2019(4, 5), n_samples=50).value == pytest.approx(whole.value, abs=1e-14)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_too_few_samples_are_refused(n_samples):
    with pytest.raises(CircuitError) as refusal:
        entangling_capability(one_angle(), n_samples=n_samples)
    assert str(refusal.value) == (
        f"entangling capability and its error need at least 2 samples, but n_samples is {n_samples}."
    )


@pytest.mark.parametrize("encoding", [dict(name="angle", axis="x"), "iqp", "amplitude"])
def test_a_design_is_measured_at_its_sample(encoding):
    candidate = design(encoding=encoding)
    parts, sample = candidate.builder.design, candidate.sample_input[0]
    weights = candidate.rng("entangling_capability").uniform(0, 2 * np.pi, (20, len(parts.weights)))
    inputs = sample / torch.linalg.vector_norm(sample) if encoding == "amplitude" else sample
    values = dict(zip(parts.inputs, inputs.tolist(), strict=True))
    bound = [
        candidate.circuit.assign_parameters(values | dict(zip(parts.weights, row, strict=True))) for row in weights
    ]
    expected = np.mean([by_partial_traces(Statevector(one)) for one in bound])
    found = design_entangling_capability(candidate, n_samples=20)
    assert found.value == pytest.approx(expected, abs=1e-10)
    assert found.standard_error > 0


def test_the_classical_control_has_no_states():
    with pytest.raises(DesignError, match="the coupling 'classical' has no circuit"):
        design_entangling_capability(design(coupling="classical"))
