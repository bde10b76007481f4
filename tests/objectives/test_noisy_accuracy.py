"""Noisy accuracy: of the trained weights, by shots with a seed of their own, and exact where there is no noise."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from qiskit_aer.noise import NoiseModel

from qnas.circuit.backends import BackendChoice, find_backend
from qnas.data import Split
from qnas.model.training import predict, score
from qnas.objectives import choose_objectives
from qnas.objectives.accuracy import accuracy
from qnas.objectives.noisy_accuracy import noisy_accuracy
from qnas.simulation import SampledSimulator
from qnas.simulation.backends import Device
from qnas.testing.designs import design, quantities

QUANTITIES = dict(splits=quantities(), epochs=8)


def noise_free(choice, n_qubits):
    backend = find_backend(choice, n_qubits)
    return Device(backend, NoiseModel(backend.operation_names))


@pytest.mark.parametrize("changes", [{}, dict(encoding="amplitude"), dict(coupling="density", readout="zz")])
def test_without_errors_it_is_the_accuracy_but_for_shots(changes, monkeypatch):
    """R^2 is smooth, so that it tells by how much outputs are off."""
    monkeypatch.setattr("qnas.simulation.sampled.device", noise_free)
    candidate = design(**QUANTITIES, **changes)
    assert noisy_accuracy(candidate, n_shots=20_000).value == pytest.approx(accuracy(candidate).value, abs=0.01)


def test_without_errors_every_class_is_the_exact_one_but_for_ties(monkeypatch):
    """Outputs are tied within 5 standard errors of the shots; that of an expectation is at most 1/sqrt(n_shots)."""
    monkeypatch.setattr("qnas.simulation.sampled.device", noise_free)
    candidate, n_shots = design(epochs=8), 50_000
    head = candidate.trained.model.network.head[0].weight.detach()
    spread = float((head[0] - head[1]).abs().sum()) / math.sqrt(n_shots)
    apart = (candidate.trained.outputs[:, 0] - candidate.trained.outputs[:, 1]).abs() > 5 * spread
    validation = candidate.splits.validation
    clear = Split(validation.features[apart.numpy()], validation.targets[apart.numpy()])
    assert len(clear.targets) > 15
    exact = score(candidate.trained.outputs[apart], torch.from_numpy(clear.targets), "classification")
    candidate.splits = replace(candidate.splits, validation=clear)
    assert noisy_accuracy(candidate, n_shots=n_shots).value == exact


def test_noise_takes_its_toll():
    candidate = design(**QUANTITIES)
    clean, noisy = accuracy(candidate).value, noisy_accuracy(candidate, n_shots=20_000).value
    assert noisy < clean - 0.001


def test_it_is_the_score_of_the_trained_model_on_the_backend():
    candidate, choice = design(**QUANTITIES), BackendChoice(topology="line", seed=2)
    simulator = SampledSimulator(n_shots=64, backend=choice, seed=candidate.integer_seed("noisy_accuracy"))
    model = candidate.builder.on(simulator).build(0)
    model.load_state_dict(candidate.trained.model.state_dict())
    outputs, targets = predict(model, candidate.splits.validation).numpy(), candidate.splits.validation.targets
    expected = 1 - ((outputs - targets) ** 2).sum() / ((targets - targets.mean()) ** 2).sum()
    found = noisy_accuracy(candidate, n_shots=64, backend=choice)
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.details == {"n_circuits": 24, "n_shots": 24 * 64}


def test_it_follows_from_the_seed():
    """And its shots disturb nothing else, nor does anything else disturb them."""
    first, again, other = (design(**QUANTITIES, repeat=repeat) for repeat in (0, 0, 1))
    found = noisy_accuracy(first, n_shots=32)
    alone = accuracy(again)
    assert noisy_accuracy(again, n_shots=32) == noisy_accuracy(again, n_shots=32) == found
    assert accuracy(first) == alone
    assert noisy_accuracy(other, n_shots=32).value != found.value
    assert found.standard_error > 0


def test_weights_are_those_of_training_and_stay_so():
    candidate = design(pre="pca", n_qubits=2, readout="pauli_mixture")
    before = {name: value.clone() for name, value in candidate.trained.model.state_dict().items()}
    spent = candidate.spent
    noisy_accuracy(candidate, n_shots=8)
    assert all(torch.equal(value, before[name]) for name, value in candidate.trained.model.state_dict().items())
    assert candidate.spent == spent


def test_the_error_holds_the_shots():
    """Over draws of the shots alone, values spread by less than the standard error, which holds the samples, too."""
    (measure,) = choose_objectives(["noisy_accuracy"], options={"noisy_accuracy": {"n_shots": 16}})
    candidate = design(epochs=10)
    builder, state = candidate.builder, candidate.trained.model.state_dict()
    targets = torch.from_numpy(candidate.splits.validation.targets)
    values = []
    for seed in range(20):
        model = builder.on(SampledSimulator(n_shots=16, backend=BackendChoice(), seed=seed)).build(0)
        model.load_state_dict(state)
        outputs = predict(model, candidate.splits.validation)
        values.append(float((outputs.argmax(dim=1) == targets).double().mean()))
    found = measure(candidate)
    assert 0 < np.std(values) < found.standard_error
    assert abs(found.value - np.mean(values)) < 4 * np.std(values)


def test_the_classical_control_has_no_noise():
    candidate = design(coupling="classical")
    found = noisy_accuracy(candidate)
    assert (found.value, found.standard_error) == (accuracy(candidate).value, accuracy(candidate).standard_error)
    assert found.details["n_circuits"] == 0
