"""What objectives see of an architecture: its randomness, its configuration, its live inputs and weights."""

import math

import numpy as np
import pytest
import torch

from qnas.errors import DesignError
from qnas.model.projection import principal_components
from qnas.model.quantum_layer import QuantumLayer
from qnas.model.training import TrainingSettings
from qnas.objectives import Design, choose_objectives
from qnas.objectives.design import circuit_inputs
from qnas.testing.designs import LAYER, architecture, classes, design

AXES = ("accuracy", "expressibility", "trainability", "flops")
QUICK = {"expressibility": {"n_pairs": 40}, "trainability": {"n_starts": 4}}


def chosen(name):
    (found,) = choose_objectives([name], options={name: QUICK.get(name, {})})
    return found


def stream(candidate, purpose="starts"):
    return candidate.rng(purpose).integers(2**62, size=4).tolist()


def test_a_stream_follows_from_seed_fingerprint_repeat_and_purpose():
    reference = stream(design(seed=1, repeat=0))
    others = [
        stream(design(seed=2, repeat=0)),
        stream(design(seed=1, repeat=1)),
        stream(design(seed=1, repeat=0, hidden=(5,))),
        stream(design(seed=1, repeat=0), purpose="batch"),
        stream(design(seed=0, repeat=1)),
    ]
    assert stream(design(seed=1, repeat=0)) == reference
    assert len({tuple(drawn) for drawn in [reference, *others]}) == 6


def test_nothing_else_changes_a_stream():
    """Not the data, not the training, not what was drawn before."""
    reference = stream(design())
    other = Design(architecture(), classes(seed=9, n_features=5), TrainingSettings(epochs=9, learning_rate=1.0), seed=1)
    other.rng("batch").normal(size=100)
    assert stream(other) == stream(other) == reference
    assert other.integer_seed("weights") == design().integer_seed("weights")


def test_seeds_of_torch_fit_into_63_bits():
    seeds = [design(seed=seed).integer_seed("weights") for seed in range(5)]
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_the_order_of_objectives_does_not_matter(configuration):
    def measured(order):
        candidate = design(configuration)
        return {name: chosen(name)(candidate) for name in order}

    found = measured(AXES)
    assert found == measured(AXES[::-1]) == measured(("trainability", "flops", "accuracy", "expressibility"))
    assert found == {name: chosen(name)(design(configuration)) for name in AXES}


@pytest.mark.parametrize("name", ["accuracy", "expressibility", "trainability"])
def test_another_repeat_is_another_draw(name):
    first, second = (chosen(name)(design(repeat=repeat)) for repeat in (0, 1))
    assert (first.value, first.details) != (second.value, second.details)


def test_pqc_leaves_the_circuit_alone():
    candidate = design("pqc", coupling="mac", hidden=(4,))
    model = candidate.initial_model()
    assert candidate.architecture == architecture(coupling="quantum", hidden=())
    assert [name for name, _ in model.named_parameters()] == ["network.quantum.weight"]
    assert candidate.circuit.num_parameters == 3 + 6


def test_pqc_makes_one_design_of_all_couplings():
    """Two networks that training makes equal have the same randomness, and so the same values."""
    first, second = design("pqc", coupling="mac"), design("pqc", coupling="serial", hidden=())
    assert first.architecture.fingerprint == second.architecture.fingerprint
    assert stream(first) == stream(second)
    assert all(chosen(name)(first) == chosen(name)(second) for name in AXES)


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only"])
def test_other_configurations_keep_the_architecture(configuration):
    assert design(configuration, coupling="mac").architecture == architecture(coupling="mac")


def states(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_model_is_trained_once_and_the_initial_one_stays_as_it_was():
    candidate = design()
    before = states(candidate.initial_model())
    assert candidate.trained is candidate.trained
    assert same(before, states(candidate.initial_model()))
    assert not same(before, states(candidate.trained.model))
    assert candidate.initial_model() is not candidate.initial_model()


def test_an_objective_may_ask_for_the_trained_model_without_gradients():
    with torch.no_grad():
        found = states(design().trained.model)
    assert same(found, states(design().trained.model))


def test_quantum_only_keeps_classical_weights_at_their_start():
    candidate = design("quantum_only")
    before, after = states(candidate.initial_model()), states(candidate.trained.model)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"network.quantum.weight"}


def test_the_sample_is_a_training_sample():
    candidate = design("pqc")
    (sample,) = candidate.sample_input.numpy()
    assert (candidate.splits.train.features == sample).all(axis=1).any()
    drawn = {tuple(design("pqc", repeat=repeat).sample_input[0].tolist()) for repeat in range(6)}
    assert len(drawn) > 2


def test_the_sample_goes_through_the_pre_network():
    candidate = design()
    row = candidate.rng("sample").integers(len(candidate.splits.train.features))
    features = candidate.splits.train.features[row]
    weights = {name: value.numpy() for name, value in candidate.initial_model().state_dict().items()}
    hidden = np.tanh(weights["network.pre.0.weight"] @ features + weights["network.pre.0.bias"])
    angles = math.pi * np.tanh(weights["network.pre.2.weight"] @ hidden + weights["network.pre.2.bias"])
    assert candidate.sample_input[0].numpy() == pytest.approx(angles, abs=1e-12)


@pytest.mark.parametrize("configuration", ["end_to_end", "pqc"])
def test_principal_components_are_fitted_before_anything_is_measured(configuration):
    candidate = design(configuration, pre="pca", n_qubits=2)
    features = candidate.splits.train.features
    expected = principal_components(features, 2)
    row = candidate.rng("sample").integers(len(features))
    assert candidate.sample_input[0].numpy() == pytest.approx((features[row] - expected[0]) @ expected[1], abs=1e-12)
    models = candidate.initial_model(), candidate.trained.model
    assert torch.equal(*(model.network.pre.components for model in models))


@pytest.mark.parametrize("configuration", ["end_to_end", "quantum_only", "pqc"])
def test_principal_components_keep_the_order_of_objectives_from_mattering(configuration):
    first, second = (design(configuration, pre="pca", n_qubits=2) for _ in range(2))
    found = {name: chosen(name)(first) for name in AXES}
    assert found == {name: chosen(name)(second) for name in AXES[::-1]}


def test_looking_at_inputs_leaves_no_trace_on_the_model():
    model = design().initial_model()
    features = torch.ones(2, 3, dtype=torch.float64)
    assert circuit_inputs(model, features).shape == (2, 3)
    assert not model.quantum_layers[0]._forward_pre_hooks
    assert not circuit_inputs(model, features).requires_grad


def test_the_classical_control_has_no_circuit_input():
    with pytest.raises(DesignError) as refusal:
        _ = design(coupling="classical").sample_input
    assert str(refusal.value) == (
        "the coupling 'classical' has no circuit, so it has no expressibility or circuit input; leave it out of the "
        "space, or search with objectives such as accuracy, parameters and flops."
    )


@pytest.mark.parametrize("readout", ["z", "zz", "pauli_mixture", "probabilities"])
def test_the_mean_readout_is_one_observable(readout):
    candidate = design("pqc", readout=readout, n_qubits=3)
    (layer,) = candidate.initial_model().quantum_layers
    values = candidate.initial_model().network.quantum(candidate.sample_input)
    if readout == "probabilities":  # they add up to 1
        values = values[:, :-1]
    one = QuantumLayer(layer.circuit, layer.input_params, layer.weight_params, [candidate.mean_readout])
    one.weight.data = layer.weight.data
    assert one(candidate.sample_input).item() == pytest.approx(values.mean().item(), abs=1e-12)


def test_gradient_efficiency_is_of_the_mean_readout():
    candidate = design("pqc", readout="pauli_mixture")
    assert chosen("gradient_efficiency")(candidate).value >= 1


# --- inputs and weights without effect ---------------------------------------------------------------------------


def one_layer(rotation, entangler, topology):
    return dict(rotation=rotation, entangler=entangler, topology=topology)


def rz_encoding(*, reupload, n_layers):
    return dict(encoding=dict(name="angle", axis="z", reupload=reupload), layers=[LAYER] * n_layers)


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        (rz_encoding(reupload=False, n_layers=2), [False] * 3),  # a global phase of |0>
        (rz_encoding(reupload=True, n_layers=1), [False] * 3),
        (rz_encoding(reupload=True, n_layers=2), [True] * 3),
        (dict(encoding=dict(name="angle", axis="x")), [True] * 3),
        (dict(encoding="iqp"), [True] * 3),
        (dict(encoding="amplitude"), [True] * 8),
        (dict(encoding="dense_angle"), [True] * 6),
        # with diagonal gates alone behind it, the RZ of the second half of the features is a phase
        (dict(encoding="dense_angle", layers=[one_layer("rz", "cz", "all")]), [True] * 3 + [False] * 3),
    ],
)
def test_live_inputs(changes, live):
    assert design(**changes).builder.live_inputs.tolist() == live


@pytest.mark.parametrize(
    ("layer", "readout", "live"),
    [
        # each Z behind a line of CX is a product of Z before it, with which RZ commutes
        (one_layer("ry_rz", "cx", "line"), "z", [True] * 3 + [False] * 3),
        # Z of qubit 0, which is a control only, is itself before the line, and Z1 Z2 before the ring
        (one_layer("ry_rz", "cx", "line"), "z_first", [True] + [False] * 5),
        (one_layer("ry", "cx", "ring"), "z_first", [False, True, True]),
        (one_layer("rz", "cz", "all"), "z", [False] * 3),
        (one_layer("rx", "crz", "line"), "z", [True] * 3 + [False] * 2),
    ],
)
def test_live_weights(layer, readout, live):
    assert design(layers=[layer], readout=readout).builder.live_weights.tolist() == live


@pytest.mark.parametrize("readout", ["z", "zz", "z_first"])
@pytest.mark.parametrize("coupling", ["serial", "quantum"])
def test_a_weight_is_live_where_moving_it_moves_the_readout(readout, coupling):
    layers = [LAYER, one_layer("rx_ry_rz", "crx", "line")]
    builder = design(layers=layers, readout=readout, coupling=coupling).builder
    generator = torch.Generator().manual_seed(3)
    inputs = torch.rand(1, builder.program.n_inputs, dtype=torch.float64, generator=generator)
    weights = torch.rand(builder.program.n_weights, dtype=torch.float64, generator=generator) * 6
    here = builder.function(inputs, weights)
    steps = torch.eye(len(weights), dtype=torch.float64)
    moves = [float((builder.function(inputs, weights + step) - here).abs().max()) > 1e-9 for step in steps]
    assert builder.live_weights.tolist() == moves
    assert 0 < sum(moves) < len(moves)


def test_a_circuit_that_ignores_its_input_is_the_same_at_every_input():
    builder = design(**rz_encoding(reupload=False, n_layers=2)).builder
    weights = torch.linspace(0, 6, builder.program.n_weights, dtype=torch.float64)
    found = builder.function(torch.tensor([[0.0, 0.0, 0.0], [1.0, -2.0, 0.5]], dtype=torch.float64), weights)
    assert torch.allclose(found[0], found[1], atol=1e-12)
    assert builder.live_weights.any()
