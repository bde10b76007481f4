"""Training: what it trains, when it stops, what it restores, and that it repeats bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from qnas.architecture import Architecture
from qnas.data import DataSettings, Split, Splits, load_splits
from qnas.errors import ConfigurationError
from qnas.model.hybrid import build_model
from qnas.model.training import Stretch, TrainingSettings, effective, freeze, predict, score, train

LAYER = {"rotation": "ry_rz", "entangler": "cx", "topology": "line"}
ARCHITECTURE = Architecture(
    {"n_qubits": 2, "encoding": "angle", "layers": [LAYER], "readout": "z", "coupling": "serial", "hidden": [4]}
)
QUICK = TrainingSettings(epochs=4, patience=4, learning_rate=0.05)


@pytest.fixture(scope="module")
def iris():
    return load_splits(DataSettings("iris", n_samples=60))


@pytest.fixture(scope="module")
def moons():
    return load_splits(DataSettings("moons", n_samples=100))


@pytest.fixture(scope="module")
def line():
    """A regression task: two outputs, linear in two features."""
    rng = np.random.default_rng(0)

    def split(n):
        x = rng.uniform(-1, 1, size=(n, 2))
        return Split(x, x @ np.array([[0.5, -0.2], [0.1, 0.4]]))

    return Splits(split(40), split(20), split(20), "regression")


def model_of(splits, seed=0, **changes):
    return build_model(ARCHITECTURE.replace(**changes), splits.n_features, splits.n_outputs, seed)


def copies(model):
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def moved(before, model):
    return {name for name, parameter in model.named_parameters() if not torch.equal(before[name], parameter)}


@pytest.mark.parametrize("coupling", ["serial", "residual", "additive", "multiplicative", "mac"])
def test_end_to_end_trains_every_weight_that_matters(moons, coupling):
    model = model_of(moons, coupling=coupling)
    before = copies(model)
    train(model, moons, QUICK, seed=0)
    assert moved(before, model) == set(before)


@pytest.mark.parametrize("coupling", ["serial", "residual", "additive", "multiplicative", "mac"])
def test_quantum_only_keeps_classical_weights_bit_for_bit(moons, coupling):
    model = model_of(moons, coupling=coupling)
    before = copies(model)
    train(model, moons, replace(QUICK, configuration="quantum_only"), seed=0)
    quantum = {name for name in before if name.endswith("quantum.weight")}
    assert len(quantum) == 1
    assert moved(before, model) == quantum


def test_pqc_is_the_circuit_alone(moons):
    made = effective(ARCHITECTURE, "pqc")
    assert (made.coupling, made.hidden) == ("quantum", ())
    model = build_model(made, moons.n_features, moons.n_outputs, seed=0)
    before = copies(model)
    assert list(before) == ["network.quantum.weight"]
    train(model, moons, replace(QUICK, configuration="pqc"), seed=0)
    assert moved(before, model) == set(before)


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only"])
def test_other_configurations_leave_the_architecture_as_it_is(configuration):
    assert effective(ARCHITECTURE, configuration) is ARCHITECTURE


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_the_circuit_alone_has_no_hidden_layers(configuration):
    found = [effective(ARCHITECTURE.replace(coupling="quantum", hidden=hidden), configuration) for hidden in ((), (4,))]
    assert found[0].fingerprint == found[1].fingerprint
    assert found[0].hidden == ()


def test_quantum_only_trains_the_circuits_of_a_mixture_and_nothing_else(moons):
    model = model_of(moons, coupling={"name": "density", "n_circuits": 3})
    before = copies(model)
    train(model, moons, replace(QUICK, configuration="quantum_only"), seed=0)
    assert moved(before, model) == {f"network.circuits.{k}.weight" for k in range(3)}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ("end_to_end", {"network.pre.0.weight", "network.head.0.bias"}),
        ("quantum_only", set()),
        ("pqc", set()),
    ],
)
def test_a_learned_mixture_is_trained_with_the_circuit(moons, configuration, expected):
    made = effective(ARCHITECTURE.replace(readout="pauli_mixture"), configuration)
    model = build_model(made, moons.n_features, moons.n_outputs, seed=0)
    before = copies(model)
    train(model, moons, replace(QUICK, configuration=configuration), seed=0)
    quantum = {"network.quantum.0.weight", "network.quantum.1.weight"}
    assert quantum | expected <= moved(before, model)
    assert bool(expected) or moved(before, model) == quantum


def test_the_circuit_alone_may_be_written_as_a_part():
    made = ARCHITECTURE.replace(coupling={"name": "quantum"})
    assert effective(made, "end_to_end") == made.replace(hidden=())
    assert effective(made, "pqc") == ARCHITECTURE.replace(coupling="quantum", hidden=())


def test_the_control_has_nothing_to_train_when_only_circuits_train(moons):
    model = model_of(moons, coupling="classical")
    before = copies(model)
    curve = train(model, moons, replace(QUICK, configuration="quantum_only"), seed=0).curve
    assert moved(before, model) == set()
    assert len({point.validation_loss for point in curve}) == 1


def test_freezing_can_be_undone(moons):
    model = model_of(moons)
    freeze(model, "quantum_only")
    assert [name for name, p in model.named_parameters() if p.requires_grad] == ["network.quantum.weight"]
    freeze(model, "end_to_end")
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_principal_components_train_on_more_features_than_qubits(configuration):
    wine = load_splits(DataSettings("wine"))
    made = effective(ARCHITECTURE.replace(n_qubits=3, pre="pca"), configuration)
    model = build_model(made, wine.n_features, wine.n_outputs, seed=1)
    settings = TrainingSettings(configuration, epochs=12, patience=12, learning_rate=0.05)
    curve = train(model, wine, settings, seed=0).curve
    assert curve[-1].train_loss < 0.97 * curve[0].train_loss


@pytest.mark.parametrize("name", ["iris", "moons"])
@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_training_reduces_the_loss(request, name, configuration):
    splits = request.getfixturevalue(name)
    made = effective(ARCHITECTURE.replace(n_qubits=4), configuration)
    model = build_model(made, splits.n_features, splits.n_outputs, seed=1)
    settings = TrainingSettings(configuration, epochs=12, patience=12, learning_rate=0.05)
    curve = train(model, splits, settings, seed=0).curve
    assert curve[-1].train_loss < 0.97 * curve[0].train_loss
    assert min(point.validation_loss for point in curve) < curve[0].validation_loss


def test_end_to_end_learns_iris(iris):
    model = model_of(iris, n_qubits=3)
    trained = train(model, iris, TrainingSettings(epochs=40, patience=40, learning_rate=0.05), seed=0)
    outputs, targets = predict(trained.model, iris.test), torch.from_numpy(iris.test.targets)
    assert score(outputs, targets, "classification") > 0.8


def test_regression_learns_a_line(line):
    model = model_of(line)
    curve = train(model, line, TrainingSettings(epochs=80, patience=80, learning_rate=0.05), seed=0).curve
    assert max(point.validation_score for point in curve) > 0.9


def test_the_curve_records_every_epoch(moons):
    model = model_of(moons)
    curve = train(model, moons, QUICK, seed=0).curve
    assert [point.epoch for point in curve] == [1, 2, 3, 4]
    best = min(curve, key=lambda point: point.validation_loss)
    outputs, targets = predict(model, moons.validation), torch.from_numpy(moons.validation.targets)
    assert torch.nn.functional.cross_entropy(outputs, targets).item() == best.validation_loss
    assert score(outputs, targets, "classification") == best.validation_score


def test_the_training_loss_is_the_mean_over_samples(moons):
    """With a step too small to move, batches of 7, 7, ... and a rest average to the loss of the whole split."""
    model = model_of(moons)
    outputs, targets = predict(model, moons.train), torch.from_numpy(moons.train.targets)
    (point,) = train(model, moons, TrainingSettings(epochs=1, batch_size=7, learning_rate=1e-14), seed=0).curve
    assert point.train_loss == pytest.approx(torch.nn.functional.cross_entropy(outputs, targets).item(), abs=1e-11)


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only"])
def test_the_gradient_is_over_trained_weights_and_steps(moons, configuration):
    """With a step too small to move, the gradients of all batches are those of the start."""
    settings = TrainingSettings(configuration, epochs=1, batch_size=len(moons.train.features), learning_rate=1e-14)
    model = model_of(moons)
    (point,) = train(model, moons, settings, seed=0).curve
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    features, targets = (torch.from_numpy(array) for array in (moons.train.features, moons.train.targets))
    gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(model(features), targets), trained)
    expected = torch.cat([gradient.flatten() for gradient in gradients]).square().mean().sqrt().item()
    assert point.gradient == pytest.approx(expected, rel=1e-9)


def test_patience_stops_and_the_best_epoch_is_restored(moons):
    """Validation labels are turned around, so that what helps training hurts validation."""
    flipped = replace(moons, validation=Split(moons.validation.features, 1 - moons.validation.targets))
    model = model_of(flipped)
    settings = TrainingSettings(epochs=60, patience=3, learning_rate=0.05)
    curve = train(model, flipped, settings, seed=0).curve
    losses = [point.validation_loss for point in curve]
    best = losses.index(min(losses)) + 1
    assert len(curve) == best + 3 < 60
    again = model_of(flipped)
    train(again, flipped, replace(settings, epochs=best), seed=0)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))


def test_the_test_split_is_never_seen(moons):
    blind = replace(moons, test=Split(np.full((4, 2), np.nan), np.zeros(4, dtype=np.int64)))
    assert train(model_of(moons), moons, QUICK, seed=0).curve == train(model_of(blind), blind, QUICK, seed=0).curve


@pytest.mark.parametrize("coupling", ["serial", "classical", "quantum"])
def test_training_repeats_bit_for_bit(moons, coupling):
    models = [model_of(moons, coupling=coupling) for _ in range(2)]
    curves = [train(model, moons, QUICK, seed=3).curve for model in models]
    assert curves[0] == curves[1]
    assert all(torch.equal(a, b) for a, b in zip(*(model.parameters() for model in models), strict=True))


def test_another_seed_means_another_order_of_samples(moons):
    curves = [train(model_of(moons), moons, QUICK, seed=seed).curve for seed in (3, 4)]
    assert curves[0] != curves[1]


def test_a_loss_that_is_not_finite(line):
    broken = replace(line, train=Split(line.train.features, np.full_like(line.train.targets, np.inf)))
    with pytest.raises(
        FloatingPointError, match=r"the training loss became inf; a smaller training\.learning_rate may help"
    ):
        train(model_of(broken), broken, QUICK, seed=0)


def test_a_validation_loss_that_is_not_finite(line):
    broken = replace(line, validation=Split(line.validation.features, np.full_like(line.validation.targets, 1e200)))
    with pytest.raises(FloatingPointError, match="the validation loss became inf"):
        train(model_of(broken), broken, QUICK, seed=0)


@pytest.mark.parametrize("coupling", ["serial", "classical", "mac"])
def test_a_step_beyond_all_bounds(moons, coupling):
    settings = TrainingSettings(epochs=5, learning_rate=1e308)
    with pytest.raises(FloatingPointError):
        train(model_of(moons, coupling=coupling), moons, settings, seed=0)


def test_scores():
    logits = torch.tensor([[0.1, 0.9], [2.0, -1.0], [0.3, 0.2], [0.0, 1.0]], dtype=torch.float64)
    assert score(logits, torch.tensor([1, 0, 1, 1]), "classification") == 0.75
    targets = torch.tensor([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]], dtype=torch.float64)
    assert score(targets, targets, "regression") == 1.0
    assert score(targets.mean(dim=0).expand(3, 2), targets, "regression") == 0.0
    outputs = targets + torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    assert score(outputs, targets, "regression") == pytest.approx(((1 - 1 / 2) + (1 - 4 / 8)) / 2)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            TrainingSettings("quantum"),
            "unknown value of training.configuration 'quantum': did you mean 'quantum_only'? "
            "Allowed: end_to_end, quantum_only, pqc. Choose one of these.",
        ),
        (TrainingSettings(epochs=0), "training.epochs is 0; it must be greater than 0."),
        (TrainingSettings(patience=-1), "training.patience is -1; it must be greater than 0."),
        (TrainingSettings(batch_size=0), "training.batch_size is 0; it must be greater than 0."),
        (TrainingSettings(learning_rate=float("nan")), "training.learning_rate is nan; it must be greater than 0."),
    ],
)
def test_settings_that_are_impossible(settings, text):
    with pytest.raises(ConfigurationError) as caught:
        settings.check()
    assert str(caught.value) == text


def test_settings_that_are_possible():
    assert TrainingSettings().check() is None


def test_where_no_weight_is_trained_the_gradient_is_zero(moons):
    fixed = Architecture(
        dict(n_qubits=2, encoding="angle", ansatz=dict(name="gates", sequence=[dict(name="h", qubit=0)]), hidden=[])
    )
    model = build_model(fixed, 2, 2, seed=0)
    (point,) = train(model, moons, TrainingSettings("quantum_only", epochs=1), seed=0).curve
    assert point.gradient == 0.0


# --- in stretches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only"])
def test_training_in_stretches_gives_the_bits_of_training_at_once(moons, configuration):
    settings = replace(QUICK, configuration=configuration)
    at_once = train(model_of(moons), moons, settings, seed=3)
    first = train(model_of(moons), moons, settings, 3, Stretch(until=1))
    second = train(model_of(moons, seed=9), moons, settings, 3, Stretch(1, 3, first.checkpoint))
    last = train(model_of(moons, seed=8), moons, settings, 3, Stretch(3, None, second.checkpoint))
    assert [len(one.curve) for one in (first, second, last)] == [1, 3, 4]
    assert last.curve == at_once.curve and last.curve[:3] == second.curve
    assert torch.equal(last.outputs, at_once.outputs)
    state = at_once.model.state_dict()
    assert all(torch.equal(state[name], weight) for name, weight in last.model.state_dict().items())


def test_patience_counts_over_stretches(moons):
    settings = replace(QUICK, epochs=40, patience=2, learning_rate=0.5)
    at_once = train(model_of(moons), moons, settings, seed=0)
    assert 3 < len(at_once.curve) < 40
    before = len(at_once.curve) - 1
    first = train(model_of(moons), moons, settings, 0, Stretch(until=before))
    last = train(model_of(moons), moons, settings, 0, Stretch(before, None, first.checkpoint))
    assert len(first.curve) == before and last.curve == at_once.curve
    ended = train(model_of(moons), moons, settings, 0, Stretch(before + 1, 40, last.checkpoint))
    assert ended.curve == at_once.curve
