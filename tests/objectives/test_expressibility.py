"""Expressibility: the 19 published templates, closed forms, and the definition written out."""

import math
from functools import lru_cache

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Statevector

from qnas.circuit.ansatze import sim2019
from qnas.circuit.lower import lower
from qnas.errors import CircuitError, DesignError
from qnas.objectives import expressibility, random_states
from qnas.objectives.expressibility import Sampling, design_expressibility, haar_floor, log_haar_mass, scored
from qnas.objectives.random_states import sampled_fidelities
from qnas.testing.designs import design
from tests.objectives.coverage import is_honest, share_held

SIM2019 = {  # value and spread of one run at 4 qubits, 1 layer, 5000 pairs, 75 bins (arXiv 1905.10876)
    1: (0.2999, 0.0136), 2: (0.2860, 0.0110), 3: (0.2396, 0.0133), 4: (0.1343, 0.0085), 5: (0.0602, 0.0047),
    6: (0.0061, 0.0011), 7: (0.0977, 0.0082), 8: (0.0858, 0.0054), 9: (0.6773, 0.0286), 10: (0.2286, 0.0102),
    11: (0.1312, 0.0106), 12: (0.1984, 0.0097), 13: (0.0516, 0.0061), 14: (0.0144, 0.0018), 15: (0.1892, 0.0097),
    16: (0.2602, 0.0143), 17: (0.1359, 0.0105), 18: (0.2340, 0.0125), 19: (0.0809, 0.0036),
}  # fmt: skip
N_SEEDS = 6


@lru_cache
def deviation(template):
    """Mean over seeds minus the published run, in standard errors of that difference."""
    published, spread = SIM2019[template]
    found = [expressibility(sim2019(4, template), seed=seed).value for seed in range(N_SEEDS)]
    return (np.mean(found) - published) / np.sqrt(spread**2 + spread**2 / N_SEEDS)


def no_inputs():
    return torch.empty(1, 0, dtype=torch.float64)


def fidelities(circuit, n_pairs, rng):
    return sampled_fidelities(lower(circuit, [], list(circuit.parameters)), no_inputs(), n_pairs, rng)


def haar_mass(n_qubits, n_bins):
    """The Haar probability of each bin, as it is written in the paper."""
    edges, power = np.linspace(0, 1, n_bins + 1), 2**n_qubits - 1
    return (1 - edges[:-1]) ** power - (1 - edges[1:]) ** power


def divergence(sampled, n_qubits, n_bins):
    """The definition, bin by bin."""
    total = 0.0
    for k, q in enumerate(haar_mass(n_qubits, n_bins)):
        p = np.mean([min(int(f * n_bins), n_bins - 1) == k for f in sampled])
        total += p * math.log(p / q) if p else 0.0
    return total


@pytest.mark.parametrize("template", SIM2019)
def test_a_template_scores_what_was_published(template):
    assert abs(deviation(template)) < 3


@pytest.mark.slow
def test_the_templates_together_show_no_bias():
    """19 squared deviations: their mean is 1, and below 2.3 with a probability of 0.999."""
    deviations = np.array([deviation(template) for template in SIM2019])
    assert np.mean(deviations**2) < 2.3
    assert abs(np.sum(deviations)) < 3 * np.sqrt(len(SIM2019))


def test_gates_that_both_states_share_at_the_end_change_nothing():
    """Templates 1 and 2 differ by CX gates alone, so one seed gives them the same fidelities."""
    first, second = (expressibility(sim2019(4, template), seed=3) for template in (1, 2))
    assert first.value == pytest.approx(second.value, rel=1e-12)


@pytest.mark.parametrize("n_bins", [1, 7, 75])
def test_the_value_follows_from_fidelities_of_qiskit_states(n_bins):
    circuit, n_pairs, rng = sim2019(2, 5), 40, np.random.default_rng(4)
    first, second = rng.uniform(0, 2 * np.pi, (2, n_pairs, circuit.num_parameters))
    states = [[Statevector(circuit.assign_parameters(row)) for row in rows] for rows in (first, second)]
    sampled = [abs(a.inner(b)) ** 2 for a, b in zip(*states, strict=True)]
    assert fidelities(circuit, n_pairs, np.random.default_rng(4)) == pytest.approx(sampled, abs=1e-12)
    found = expressibility(circuit, n_pairs=n_pairs, n_bins=n_bins, seed=4)
    assert found.value == pytest.approx(divergence(sampled, 2, n_bins), abs=1e-12)


def test_one_rotation_has_the_arcsine_law():
    """F = cos^2((theta - phi)/2), so that P(F < x) = (2/pi) arcsin(sqrt(x)); one qubit's Haar law is uniform."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("w"), 0)
    p = np.diff(2 / np.pi * np.arcsin(np.sqrt(np.linspace(0, 1, 76))))
    exact = np.sum(p * np.log(75 * p))
    found = expressibility(circuit, n_pairs=50_000)
    bias = 74 / (2 * 50_000)
    assert found.value == pytest.approx(exact + bias, abs=4 * found.standard_error)
    assert found.standard_error < 0.05 * exact


@pytest.mark.parametrize("n_qubits", [1, 2, 4])
def test_an_idle_circuit_scores_the_mass_of_the_last_bin(n_qubits):
    """F = 1 always, and the last bin has the Haar mass (1/75)^(N-1): ln 75 = 4.3175 on one qubit."""
    found = expressibility(QuantumCircuit(n_qubits))
    assert found.value == pytest.approx((2**n_qubits - 1) * math.log(75), rel=1e-12)
    assert found.standard_error < 1e-12


def test_a_circuit_whose_weights_cannot_matter_scores_as_idle():
    circuit = QuantumCircuit(2)
    for k in range(2):
        circuit.rz(Parameter(f"w{k}"), k)
    circuit.h(0)
    circuit.cx(0, 1)
    found = expressibility(circuit, n_pairs=100)
    assert found.value == pytest.approx(3 * math.log(75), rel=1e-12)
    assert found.standard_error < 1e-12


def test_the_haar_floor_at_four_qubits():
    assert haar_floor(4, 5000, 75) == pytest.approx(0.0037, abs=0.0006)
    assert expressibility(QuantumCircuit(4)).haar_floor == haar_floor(4, 5000, 75)


def test_the_haar_floor_is_what_random_states_score():
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(40):
        first, second = (rng.normal(size=(2000, 8)) + 1j * rng.normal(size=(2000, 8)) for _ in range(2))
        overlaps = np.einsum("bi,bi->b", first.conj(), second)
        norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        p = np.histogram(np.abs(overlaps / norms) ** 2, bins=30, range=(0, 1))[0] / 2000
        filled = p > 0
        scores.append(np.sum(p[filled] * np.log(p[filled] / haar_mass(3, 30)[filled])))
    error = np.std(scores, ddof=1) / np.sqrt(40) + np.std(scores, ddof=1) / np.sqrt(200)
    assert haar_floor(3, 2000, 30) == pytest.approx(np.mean(scores), abs=3 * error)


@pytest.mark.parametrize("n_pairs", [500, 5000])
def test_the_haar_floor_of_one_qubit_is_that_of_a_uniform_histogram(n_pairs):
    """2 n KL is close to chi-squared with 74 degrees of freedom; the mean of 200 has a relative error of 1.2 %."""
    assert haar_floor(1, n_pairs, 75) == pytest.approx(74 / (2 * n_pairs), rel=0.05)


@pytest.mark.parametrize("n_qubits", range(1, 13))
def test_floors_are_positive_and_masses_sum_to_one(n_qubits):
    assert 0 < haar_floor(n_qubits, 5000, 75) < 0.01
    assert np.exp(log_haar_mass(n_qubits, 75)).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 4])
def test_masses_are_those_of_the_paper(n_qubits):
    assert np.exp(log_haar_mass(n_qubits, 75)) == pytest.approx(haar_mass(n_qubits, 75), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("n_qubits", [15, 25, 40])
def test_log_masses_of_wide_circuits_are_finite_and_fall(n_qubits):
    log_mass = log_haar_mass(n_qubits, 75)
    assert np.isfinite(log_mass).all()
    assert (np.diff(log_mass) < 0).all()


@pytest.mark.parametrize("template", [9, 10, 12, 6])
def test_the_standard_error_is_the_spread_over_seeds(template):
    """The spread of 30 runs is known to 1/sqrt(58) = 13 %, and three times that is allowed; 6 is at the floor."""
    found = [expressibility(sim2019(4, template), n_pairs=1000, seed=seed) for seed in range(30)]
    ratio = np.mean([one.standard_error for one in found]) / np.std([one.value for one in found], ddof=1)
    assert ratio == pytest.approx(1, abs=3 / np.sqrt(58))


def histogram(circuit, n_pairs):
    """Of fidelities, drawn apart from those of every test."""
    return np.histogram(fidelities(circuit, n_pairs, np.random.default_rng(12345)), bins=75, range=(0, 1))[0]


@pytest.mark.slow
@pytest.mark.parametrize(("template", "n_pairs"), [(9, 5000), (4, 2000), (14, 1000), (6, 500)])
def test_95_percent_intervals_hold_the_value_of_many_pairs(template, n_pairs):
    """Over 200 seeds, two statements, also at the floor (6) and close to it (14), where the bias is several errors:

    the value's interval holds the mean score of histograms of as many pairs, drawn from a distribution that is known by
    100 times as many; the interval around value - bias holds the divergence of that distribution.
    """
    circuit, log_haar = sim2019(4, template), log_haar_mass(4, 75)
    found = [expressibility(circuit, n_pairs=n_pairs, seed=seed) for seed in range(200)]
    values, errors, biases = np.array([(one.value, one.standard_error, one.bias) for one in found]).T
    many, rng = histogram(circuit, 100 * n_pairs), np.random.default_rng(0)
    as_many = [scored(drawn, log_haar, rng)[0] for drawn in rng.multinomial(n_pairs, many / many.sum(), size=1000)]
    exact, _, bias_left = scored(many, log_haar, rng)
    assert is_honest(share_held(values, errors, np.mean(as_many)))
    assert is_honest(share_held(values - biases, errors, exact - bias_left))


@pytest.mark.slow
@pytest.mark.parametrize("n_qubits", [1, 2, 4])
def test_95_percent_intervals_of_haar_random_states_hold_the_floor(n_qubits):
    log_haar, rng = log_haar_mass(n_qubits, 75), np.random.default_rng(0)
    drawn = rng.multinomial(5000, np.exp(log_haar), size=2000)
    values, errors, _ = np.array([scored(counts, log_haar, rng) for counts in drawn]).T
    assert is_honest(share_held(values, errors, haar_floor(n_qubits, 5000, 75)))


def test_the_bias_is_half_the_bins_over_the_pairs():
    """Of a histogram with well-filled bins, (bins - 1) / (2 n): 74 for the arcsine law of one rotation."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("w"), 0)
    found = expressibility(circuit, n_pairs=20_000)
    assert found.bias == pytest.approx(74 / (2 * 20_000), rel=0.2)
    assert expressibility(QuantumCircuit(2)).bias == pytest.approx(0, abs=1e-12)


def test_the_seed_decides():
    first, again, other = (expressibility(sim2019(3, 5), n_pairs=300, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.value != other.value


def test_chunks_do_not_change_the_fidelities(monkeypatch):
    circuit = sim2019(4, 5)
    whole = fidelities(circuit, 150, np.random.default_rng(0))
    monkeypatch.setattr(random_states, "_AMPLITUDES_AT_ONCE", 7 * 16)
    assert fidelities(circuit, 150, np.random.default_rng(0)) == pytest.approx(whole, abs=1e-14)


@pytest.mark.parametrize(("template", "max_error"), [(9, 0.01), (1, 0.004), (6, 0.0004)])
def test_pairs_are_added_until_the_error_is_small_enough(template, max_error):
    found = expressibility(sim2019(4, template), n_pairs=500, max_error=max_error)
    assert found.standard_error <= max_error
    assert found.haar_floor == haar_floor(4, found.n_pairs, 75)
    assert found.n_pairs > 500
    assert expressibility(sim2019(4, template), n_pairs=found.n_pairs // 3).standard_error > max_error


def test_an_error_that_is_small_enough_at_once_adds_no_pairs():
    plain = expressibility(sim2019(4, 1), n_pairs=500)
    assert expressibility(sim2019(4, 1), n_pairs=500, max_error=1.0) == plain
    assert plain.n_pairs == 500


def test_too_few_pairs_for_the_wanted_error():
    text = "^2000 pairs of states are too few: the standard error of expressibility is 0.0.*, above the max_error of"
    with pytest.raises(CircuitError, match=text):
        expressibility(sim2019(4, 1), n_pairs=100, max_error=1e-5, max_pairs=2000)


def test_an_error_of_zero_cannot_be_wanted():
    with pytest.raises(CircuitError, match=r"max_error is 0.0; a standard error is above 0"):
        expressibility(sim2019(4, 1), max_error=0.0)


@pytest.mark.parametrize(("n_pairs", "max_pairs"), [(2, 1000), (99, 1000), (2000, 1000)])
def test_an_error_is_not_judged_by_a_few_pairs(n_pairs, max_pairs):
    """Two pairs in one bin would look like an error of 0."""
    with pytest.raises(CircuitError) as refusal:
        expressibility(sim2019(2, 1), n_pairs=n_pairs, max_error=0.1, max_pairs=max_pairs)
    assert str(refusal.value) == (
        f"n_pairs is {n_pairs}, from which the standard error is judged first; with max_error it is from 100 to "
        "max_pairs, which is 1000."
    )


@pytest.mark.parametrize(("n_pairs", "n_bins"), [(0, 75), (1, 75), (100, 0)])
def test_too_few_pairs_and_no_bins_are_refused(n_pairs, n_bins):
    with pytest.raises(CircuitError) as refusal:
        expressibility(sim2019(2, 1), n_pairs=n_pairs, n_bins=n_bins)
    assert str(refusal.value) == (
        f"expressibility and its error need at least 2 pairs and one bin, but n_pairs is {n_pairs} and n_bins is "
        f"{n_bins}."
    )


@pytest.mark.parametrize("encoding", [dict(name="angle", axis="x"), "iqp", "amplitude"])
def test_a_design_is_measured_at_its_sample(encoding):
    candidate = design(encoding=encoding)
    parts = candidate.builder.design
    sample = candidate.sample_input[0].numpy()
    rng = candidate.rng("expressibility")
    weights = rng.uniform(0, 2 * np.pi, (2, 30, len(parts.weights)))
    values = dict(
        zip(parts.inputs, sample / np.linalg.norm(sample) if encoding == "amplitude" else sample, strict=True)
    )
    states = [
        [
            Statevector(candidate.circuit.assign_parameters(values | dict(zip(parts.weights, row, strict=True))))
            for row in rows
        ]
        for rows in weights
    ]
    sampled = [abs(a.inner(b)) ** 2 for a, b in zip(*states, strict=True)]
    found = design_expressibility(candidate, sampling=Sampling(n_pairs=30, n_bins=20))
    assert found.value == pytest.approx(divergence(sampled, 3, 20), abs=1e-10)
    assert found.details.keys() == {"haar_floor", "bias"}
    assert found.details["haar_floor"] == haar_floor(3, 30, 20)
    assert found.standard_error > 0


def test_the_classical_control_has_no_expressibility():
    with pytest.raises(DesignError, match="the coupling 'classical' has no circuit, so it has no expressibility"):
        design_expressibility(design(coupling="classical"))
