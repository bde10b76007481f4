"""Circuits of a gradient: counted by hand, and against what sampled simulation really runs."""

import pytest
import torch

from qnas.circuit.backends import BackendChoice
from qnas.errors import CircuitError
from qnas.model.training import freeze, loss_function, tensors
from qnas.objectives import HardwareCost
from qnas.objectives.gradient_circuits import circuits_of_a_step, gradient_circuits, predicted_latency
from qnas.objectives.hardware import design_cost
from qnas.simulation import SampledSimulator
from qnas.testing.designs import LAYER, design

CRX = dict(rotation="ry", entangler="crx", topology="line")


@pytest.mark.parametrize(
    ("configuration", "changes", "expected"),
    [
        ("pqc", {}, 2 * 6),
        ("end_to_end", {}, 2 * (6 + 3)),  # through three RY of inputs to the network in front
        ("quantum_only", {}, 2 * 6),
        ("pqc", dict(layers=[CRX]), 2 * (3 + 2 * 2)),  # a controlled rotation is two rotations
        ("pqc", dict(readout="zz"), 2 * 6),  # all of Z are one setting
        ("pqc", dict(readout="pauli_mixture"), 15 * 2 * 6),
        ("end_to_end", dict(encoding="amplitude"), 2 * (6 + 8)),
        ("end_to_end", dict(coupling="density"), 2 * 2 * (6 + 3)),
        ("end_to_end", dict(coupling="classical"), 0),
        ("quantum_only", dict(layers=[]), 0),
    ],
)
def test_circuits_by_hand(configuration, changes, expected):
    assert gradient_circuits(design(configuration, **changes)).value == expected


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
@pytest.mark.parametrize(
    "changes",
    [
        dict(layers=[LAYER, CRX], readout="pauli_mixture"),
        dict(encoding=dict(name="iqp", repeats=2), coupling="residual"),
        dict(encoding="amplitude", coupling="mac"),
        dict(encoding=dict(name="angle", axis="x", reupload=True, trainable=True), layers=[LAYER] * 2),
        dict(coupling="density", readout="z_first"),
    ],
)
@pytest.mark.parametrize(("gradient", "n_averages"), [("parameter_shift", 1), ("spsa", 3)])
def test_sampled_simulation_runs_as_many(configuration, changes, gradient, n_averages):
    candidate = design(configuration, **changes)
    builder = candidate.builder.on(SampledSimulator(n_shots=1, gradient=gradient, n_spsa_averages=n_averages))
    model = builder.build(0)
    freeze(model, configuration)
    features, targets = (values[:1] for values in tensors(candidate.splits.train))
    loss = loss_function("classification")(model(features), targets)
    forward = builder.function.spent.n_circuits
    torch.autograd.backward(loss)
    backward = builder.function.spent.n_circuits - forward
    assert circuits_of_a_step(candidate, gradient, n_averages) == (forward, backward)


@pytest.mark.parametrize(
    ("configuration", "changes", "expected"),
    [
        ("end_to_end", {}, 2 * 5),
        ("end_to_end", dict(layers=[LAYER] * 9), 2 * 5),  # whatever the number of weights
        ("pqc", dict(readout="pauli_mixture"), 2 * 5 * 15),
        ("end_to_end", dict(coupling="classical"), 0),
        ("quantum_only", dict(layers=[]), 0),
    ],
)
def test_spsa_takes_two_circuits_for_each_direction(configuration, changes, expected):
    found = gradient_circuits(design(configuration, **changes), gradient="spsa", n_spsa_averages=5, n_shots=10)
    assert (found.value, found.details["n_shots"]) == (expected, 10 * expected)


def test_shots_and_the_circuits_of_the_loss_are_reported():
    found = gradient_circuits(design(readout="pauli_mixture"), n_shots=100)
    assert found.details == {"forward": 15, "n_shots": 100 * found.value}
    assert type(found.value) is int


def test_counting_needs_no_gradients_around_it_and_spends_nothing():
    candidate = design()
    with torch.no_grad():
        assert gradient_circuits(candidate).value == 18
    assert candidate.spent.n_circuits == 0


def test_latency_is_circuits_times_shots_times_the_time_from_shot_to_shot():
    candidate, backend = design(), BackendChoice(topology="line", seed=4)
    cost = design_cost(candidate, backend)
    found = predicted_latency(candidate, n_shots=50, backend=backend)
    assert found.value == pytest.approx((1 + 18) * 50 * (cost.duration + cost.reset), rel=1e-12)
    assert found.details == {"n_circuits": 19, "seconds_per_shot": cost.duration + cost.reset}
    assert predicted_latency(candidate, n_shots=100, backend=backend).value == pytest.approx(2 * found.value)
    quicker = predicted_latency(candidate, n_shots=50, gradient="spsa", backend=backend)
    assert quicker.value == pytest.approx(3 / 19 * found.value)


def test_the_classical_control_keeps_no_backend_busy():
    assert predicted_latency(design(coupling="classical")).value == 0


def test_a_backend_that_does_not_say_how_long_a_reset_takes(monkeypatch):
    monkeypatch.setattr(HardwareCost, "reset", property(lambda cost: cost._given(None, "duration of 'reset'")))
    with pytest.raises(CircuitError, match="the backend 'generic' gives no duration of 'reset'; choose another"):
        predicted_latency(design())
