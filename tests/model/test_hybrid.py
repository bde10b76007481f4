"""Hybrid models of architectures: shapes, seeds, live parameters."""

import math
import pickle

import pytest
import torch
from torch import nn

from qnas.architecture import Architecture
from qnas.circuit.build import build_circuit
from qnas.errors import CircuitError, DesignError, PluginError
from qnas.model.couplings import coupling, couplings, nearest_width
from qnas.model.hybrid import ModelBuilder, build_model
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation import ExactSimulator, SampledSimulator
from qnas.simulation.contract import Spent

LAYER = {"rotation": "ry_rz", "entangler": "cx", "topology": "line"}


def architecture(**changes):
    values = {
        "n_qubits": 3, "encoding": "angle", "layers": [LAYER, LAYER], "readout": "z", "coupling": "serial",
        "hidden": [5],
    }  # fmt: skip
    return Architecture({**values, **changes})


def features(n, n_features, dtype=torch.float64):
    return torch.randn(n, n_features, dtype=dtype, generator=torch.Generator().manual_seed(7))


def listed(circuit):
    """Names, qubits and angles of the gates; parameters of the same name in two circuits are not equal."""
    return [(i.operation.name, [circuit.find_bit(q).index for q in i.qubits], str(i.params)) for i in circuit.data]


def weights(model):
    return torch.cat([parameter.detach().ravel() for parameter in model.parameters()])


@pytest.mark.parametrize("coupling", list(couplings))
@pytest.mark.parametrize("encoding", ["angle", "amplitude", "iqp"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_outputs_of_every_coupling(coupling, encoding, dtype):
    model = build_model(architecture(coupling=coupling, encoding=encoding), n_features=3, n_outputs=2, seed=0)
    found = model(features(6, 3, dtype))
    assert found.shape == (6, 2)
    assert found.dtype == torch.float64
    assert len(model.quantum_layers) == {"classical": 0, "density": 2}.get(coupling, 1)


@pytest.mark.parametrize("coupling", list(couplings))
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(coupling):
    builder = ModelBuilder(architecture(coupling=coupling), n_features=3, n_outputs=2)
    first, again, other = (weights(builder.build(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert torch.equal(first, weights(build_model(architecture(coupling=coupling), 3, 2, seed=5)))
    assert not (first == other).any()


def test_the_layer_is_the_circuit_of_the_architecture():
    model = build_model(architecture(), n_features=3, n_outputs=2, seed=0)
    (layer,) = model.quantum_layers
    assert listed(layer.circuit) == listed(build_circuit(architecture(), 3))
    assert [p.name for p in layer.input_params] == ["x[0]", "x[1]", "x[2]"]
    assert [p.name for p in layer.weight_params] == [f"w[{k}]" for k in range(12)]
    assert 0 <= layer.weight.min() <= layer.weight.max() < 2 * math.pi
    outputs = model.network.head(layer(model.network.pre(features(4, 3))))
    assert torch.equal(model(features(4, 3)), outputs)


@pytest.mark.parametrize("weighting", ["constant", "input"])
def test_circuits_of_a_mixture_have_weights_of_their_own(weighting):
    mixed = {"name": "density", "n_circuits": 3, "weighting": weighting}
    model = build_model(architecture(coupling=mixed), 3, 2, seed=5)
    drawn = [layer.weight for layer in model.quantum_layers]
    assert torch.equal(drawn[0], build_model(architecture(), 3, 2, seed=5).quantum_layers[0].weight)
    assert len({round(weight, 12) for one in drawn for weight in one.tolist()}) == 3 * 12
    assert model.n_parameters == build_model(architecture(), 3, 2, seed=5).n_parameters + 24 + (
        3 if weighting == "constant" else 12
    )


def test_gradients_of_circuits_that_share_a_simulator_are_apart():
    """Each against a model of its circuit alone, though all run before any gradient is taken."""
    model = build_model(architecture(coupling={"name": "density", "n_circuits": 3}), 3, 2, seed=5)
    inputs = features(4, 3)
    sum(float(k + 1) * layer(inputs).sum() for k, layer in enumerate(model.quantum_layers)).backward()
    for k, layer in enumerate(model.quantum_layers):
        alone = QuantumLayer(layer.circuit, layer.input_params, layer.weight_params, layer.observables)
        alone.weight.data = layer.weight.data.clone()
        alone(inputs).sum().backward()
        torch.testing.assert_close(layer.weight.grad, (k + 1) * alone.weight.grad, rtol=0, atol=1e-12)


def test_the_number_of_parameters():
    model = build_model(architecture(), n_features=4, n_outputs=2, seed=0)
    assert model.n_parameters == (4 * 5 + 5) + (5 * 3 + 3) + 12 + (3 * 2 + 2)


def test_the_control_is_sized_by_live_weights():
    builder = ModelBuilder(architecture(coupling="classical", readout="z_first"), n_features=3, n_outputs=2)
    n_live = int(builder.live_weights.sum())
    assert 0 < n_live < 12
    assert builder.build(0).network.stand_in[0].out_features == nearest_width(3, 1, n_live)


def test_without_a_coupling_the_model_is_serial():
    bare = Architecture({key: value for key, value in architecture().items() if key != "coupling"})
    assert torch.equal(
        build_model(bare, 3, 2, seed=1)(features(2, 3)), build_model(architecture(), 3, 2, seed=1)(features(2, 3))
    )


@pytest.fixture
def scaled(monkeypatch):
    """A coupling of one's own, with options."""
    monkeypatch.setattr(couplings, "_parts", dict(couplings._parts))

    @coupling("scaled")
    class Scaled(nn.Module):
        def __init__(self, parts, factor, shift=0.0):
            super().__init__()
            self.pre, self.quantum = parts.pre_network(), parts.quantum()
            self.factor, self.shift = factor, shift

        def forward(self, x):
            return self.factor * self.quantum(self.pre(x))[:, :2] + self.shift

    return Scaled


def test_a_coupling_has_options(scaled):
    plain, other = (
        build_model(architecture(coupling={"name": "scaled", **options}), 3, 2, seed=1)(features(4, 3))
        for options in ({"factor": 1.0}, {"factor": 2.0, "shift": 0.5})
    )
    torch.testing.assert_close(other, 2 * plain + 0.5, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "the coupling 'scaled' needs the option 'factor'."),
        (
            {"factr": 1.0},
            "unknown option of the coupling 'scaled', 'factr': did you mean 'factor'? Allowed: factor, shift.",
        ),
    ],
)
def test_options_of_a_coupling_are_checked(scaled, options, text):
    with pytest.raises(DesignError) as caught:
        ModelBuilder(architecture(coupling={"name": "scaled", **options}), 3, 2)
    assert str(caught.value) == text


def test_a_coupling_is_a_name_or_a_part_with_that_name():
    bare, spelled = (build_model(architecture(coupling=one), 3, 2, seed=1) for one in ("mac", {"name": "mac"}))
    assert torch.equal(bare(features(2, 3)), spelled(features(2, 3)))
    direct = architecture(coupling={"name": "quantum"}, n_qubits=2)
    with pytest.raises(DesignError, match="takes at most 2 features, but the data have 3"):
        build_model(direct, 3, 2, seed=0)


def test_amplitudes_come_from_the_pre_network_unbounded():
    model = build_model(architecture(encoding="amplitude", hidden=[]), n_features=3, n_outputs=2, seed=0)
    assert model.network.pre(features(4, 3)).shape == (4, 8)
    assert len(model.network.pre) == 1


def without_entanglers(readout, encoding):
    layer = {"rotation": "ry_rz", "entangler": "cz", "topology": "line"}
    return ModelBuilder(architecture(n_qubits=2, layers=[layer], readout=readout, encoding=encoding), 2, 2)


def test_rz_on_the_ground_state_ignores_its_input():
    assert without_entanglers("z", {"name": "angle", "axis": "z"}).live_inputs.tolist() == [False, False]
    assert without_entanglers("z", {"name": "angle", "axis": "y"}).live_inputs.tolist() == [True, True]


def test_rz_that_is_uploaded_again_is_live():
    encoding = {"name": "angle", "axis": "z", "reupload": True}
    builder = ModelBuilder(architecture(encoding=encoding), 3, 2)
    assert builder.live_inputs.all()


def test_a_readout_of_one_qubit_leaves_inert_weights():
    """RY, RZ, then CZ: the last RZ commutes with every Z, and <Z0> sees no gate of qubit 1."""
    assert without_entanglers("z", "angle").live_weights.tolist() == [True, True, False, False]
    assert without_entanglers("z_first", "angle").live_weights.tolist() == [True, False, False, False]


def test_an_input_whose_sign_alone_matters_is_live():
    """Its derivative is zero everywhere; an RX on qubit 2 that Z of qubit 0 never sees is dead all the same."""
    assert without_entanglers("z", "basis").live_inputs.tolist() == [True, True]
    assert without_entanglers("z_first", "basis").live_inputs.tolist() == [True, False]


def test_a_model_behind_the_basis_encoding_trains_what_is_behind_it():
    model = build_model(architecture(encoding="basis"), 3, 2, seed=0)
    model(features(5, 3)).square().sum().backward()
    moved = {name for name, weight in model.named_parameters() if weight.grad.abs().max() > 0}
    assert moved == {"network.quantum.weight", "network.head.0.weight", "network.head.0.bias"}


@pytest.mark.parametrize("coupling", ["serial", "quantum"])
def test_trainable_scales_are_weights_of_the_circuit(coupling):
    encoding = {"name": "angle", "trainable": True, "reupload": True}
    model = build_model(architecture(encoding=encoding, coupling=coupling), 3, 2, seed=0)
    (layer,) = model.quantum_layers
    assert layer.weight.shape == (2 * 3 + 12,)
    model(features(5, 3)).square().sum().backward()
    assert (layer.weight.grad[[0, 1, 2, 9, 10, 11]].abs() > 1e-6).all()


def test_live_amplitudes():
    builder = without_entanglers("z_first", "amplitude")
    assert builder.live_inputs.all()


@pytest.mark.parametrize("coupling", ["serial", "quantum"])
def test_a_circuit_without_weights(coupling):
    model = build_model(architecture(layers=[], coupling=coupling), n_features=3, n_outputs=2, seed=0)
    assert model(features(2, 3)).shape == (2, 2)
    assert model.quantum_layers[0].weight.shape == (0,)


def test_building_leaves_the_global_generator_alone():
    torch_state = torch.random.get_rng_state()
    build_model(architecture(), 3, 2, seed=0)
    assert torch.equal(torch_state, torch.random.get_rng_state())


def test_building_leaves_the_generators_of_devices_alone(monkeypatch):
    seeded = []
    for device in ("cuda", "mps", "xpu"):
        monkeypatch.setattr(f"torch.{device}.manual_seed", lambda seed: seeded.append(seed))
    for device in ("cuda", "xpu"):
        monkeypatch.setattr(f"torch.{device}.manual_seed_all", lambda seed: seeded.append(seed))
    build_model(architecture(), 3, 2, seed=0)
    assert seeded == []


def test_the_weights_of_a_seed_are_those_of_torchs_own_generator():
    found = build_model(architecture(hidden=[]), 3, 2, seed=5).network.pre[0].weight
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        assert torch.equal(found, torch.nn.Linear(3, 3, dtype=torch.float64).weight)


def test_another_simulator_is_asked():
    asked = []

    class Counting:
        def prepare(self, program, observables, varying):
            asked.append(program.n_qubits)
            return ExactSimulator().prepare(program, observables, varying)

    ModelBuilder(architecture(), 3, 2, Counting()).build(0)
    assert asked == [3]


def test_which_weights_are_live_does_not_depend_on_the_simulator():
    one = architecture(n_qubits=2, layers=[{"rotation": "ry_rz", "entangler": "cz", "topology": "line"}], readout="z")
    exact, sampled = ModelBuilder(one, 3, 2), ModelBuilder(one, 3, 2, SampledSimulator(n_shots=10))
    assert not exact.live_weights.all()
    assert torch.equal(sampled.live_weights, exact.live_weights)
    assert torch.equal(sampled.live_inputs, exact.live_inputs)
    assert sampled.function.spent == Spent()


def test_a_builder_takes_another_simulator_and_keeps_its_circuit():
    exact = ModelBuilder(architecture(), 3, 2)
    sampled = exact.on(SampledSimulator(n_shots=10))
    assert sampled.program is exact.program and sampled.exact.function is exact.function
    assert torch.equal(weights(sampled.build(3)), weights(exact.build(3)))
    sampled.build(3)(features(4, 3))
    assert (exact.function.spent, sampled.function.spent) == (Spent(), Spent(4, 40))


@pytest.mark.parametrize("coupling", ["mac", "classical"])
def test_weights_cross_processes(coupling):
    model = build_model(architecture(coupling=coupling), 3, 2, seed=0)
    state = pickle.loads(pickle.dumps(model.state_dict()))
    other = build_model(architecture(coupling=coupling), 3, 2, seed=1)
    other.load_state_dict(state)
    assert torch.equal(model(features(3, 3)), other(features(3, 3)))


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"coupling": "quantum", "n_qubits": 2}, DesignError, "takes at most 2 features, but the data have 3"),
        ({"coupling": "cereal"}, PluginError, r"unknown coupling 'cereal': did you mean 'serial'\?"),
        ({"readout": "zz", "n_qubits": 1}, DesignError, "the readout 'zz' needs at least 2 qubits, but n_qubits is 1"),
        ({"n_qubits": 60}, CircuitError, "a circuit of 60 qubits needs .* of memory"),
    ],
)
def test_architectures_that_name_no_network(changes, kind, text):
    with pytest.raises(kind, match=text):
        build_model(architecture(**changes), n_features=3, n_outputs=2, seed=0)


def test_a_remark_counts_what_the_readout_ignores():
    ignored = Architecture(
        {
            "n_qubits": 2,
            "encoding": {"name": "angle", "axis": "z"},
            "layers": [{"rotation": "ry_rz", "entangler": "cz", "topology": "line"}],
            "readout": "z",
        }
    )
    remark = ModelBuilder(ignored, 3, 2).remark
    assert remark == "the readout does not depend on 2 of 2 circuit inputs and 2 of 4 circuit weights"
    seen = ignored.replace(encoding="angle", layers=[{"rotation": "ry", "entangler": "cx", "topology": "line"}])
    assert ModelBuilder(seen, 3, 2).remark == ""


def test_weights_of_the_circuit_are_drawn_apart_from_classical_ones():
    """Two streams of one seed would repeat each other, and the two starts would be one."""
    drawn = [build_model(architecture(), 4, 2, seed) for seed in range(60)]
    quantum = torch.stack([model.quantum_layers[0].weight.detach()[:8] for model in drawn])
    classical = torch.stack([next(model.network.pre.parameters()).detach().ravel()[:8] for model in drawn])
    pairs = torch.corrcoef(torch.cat([quantum, classical], dim=1).T)[:8, 8:]
    assert pairs.abs().max() < 5 / 60**0.5
