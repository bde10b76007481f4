"""Frame potential: closed forms, Haar-random states, and the bound that these are."""

from math import factorial

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from qnas.circuit.ansatze import sim2019
from qnas.errors import CircuitError
from qnas.objectives import frame_potential
from qnas.objectives.frame_potential import design_frame_potential, haar_frame_potential
from qnas.testing.designs import design


@pytest.mark.parametrize(("t", "expected"), [(1, 1 / 2), (2, 3 / 8), (3, 5 / 16)])
def test_one_rotation_has_a_closed_form(t, expected):
    """The mean of cos^(2t) of half a uniform angle."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("w"), 0)
    found = frame_potential(circuit, t=t, n_pairs=20_000)
    assert found.value == pytest.approx(expected, abs=4 * found.standard_error)


@pytest.mark.parametrize("t", [1, 2, 3])
def test_an_idle_circuit_scores_one(t):
    found = frame_potential(QuantumCircuit(3), t=t, n_pairs=10)
    assert (found.value, found.standard_error) == pytest.approx((1, 0), abs=1e-12)


@pytest.mark.parametrize("n_qubits", [1, 2, 4])
@pytest.mark.parametrize("t", [1, 2, 3])
def test_the_value_of_haar_random_states(n_qubits, t):
    dim = 2**n_qubits
    exact = factorial(t) * factorial(dim - 1) / factorial(t + dim - 1)
    assert haar_frame_potential(n_qubits, t) == pytest.approx(exact, rel=1e-12)
    rng = np.random.default_rng(0)
    states = rng.normal(size=(20_000, dim)) + 1j * rng.normal(size=(20_000, dim))
    powers = (np.abs(states[:, 0]) ** 2 / np.sum(np.abs(states) ** 2, axis=1)) ** t
    assert exact == pytest.approx(powers.mean(), abs=4 * powers.std() / np.sqrt(20_000))


def test_deep_random_circuits_are_a_two_design():
    found = frame_potential(sim2019(3, 6, n_layers=5))
    assert found.value == pytest.approx(found.haar, abs=4 * found.standard_error)


@pytest.mark.parametrize("template", [1, 9, 15])
def test_no_circuit_scores_less_than_haar_random_states(template):
    found = frame_potential(sim2019(4, template))
    assert found.value > found.haar + 4 * found.standard_error


def test_the_standard_error_is_the_spread_over_seeds():
    found = [frame_potential(sim2019(3, 2), n_pairs=300, seed=seed) for seed in range(60)]
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([one.standard_error for one in found]) == pytest.approx(spread, rel=0.35)


@pytest.mark.parametrize(("t", "n_pairs"), [(0, 10), (2, 1)])
def test_no_order_and_too_few_pairs_are_refused(t, n_pairs):
    with pytest.raises(CircuitError) as refusal:
        frame_potential(sim2019(2, 1), t=t, n_pairs=n_pairs)
    assert str(refusal.value) == (
        "a frame potential and its error need an order of at least 1 and at least 2 pairs, "
        f"but t is {t} and n_pairs is {n_pairs}."
    )


def test_a_design_is_measured_with_its_options():
    first, second = (design_frame_potential(design(), t=t, n_pairs=200) for t in (1, 2))
    assert 0 < second.value < first.value < 1
    assert first.details == {"haar": pytest.approx(1 / 8)}
    assert first.standard_error > 0
