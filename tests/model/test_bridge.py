"""Quantum layers and the networks of Qiskit Machine Learning: values and gradients of each from the other."""

import doctest

import numpy as np
import pytest
import torch
from hypothesis import given
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import RZGate
from qiskit.primitives import StatevectorEstimator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Operator, Pauli, SparseObservable, SparsePauliOp
from qiskit.transpiler import CouplingMap, PassManager, generate_preset_pass_manager
from qiskit.transpiler.passes import InverseCancellation
from qiskit_aer.primitives import EstimatorV2
from qiskit_machine_learning.circuit.library import raw_feature_vector
from qiskit_machine_learning.connectors import TorchConnector
from qiskit_machine_learning.gradients import SPSAEstimatorGradient
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qnas.errors import CircuitError
from qnas.model import quantum_layer
from qnas.model.quantum_layer import QuantumLayer
from tests.circuit.strategies import WIDTH, build, few, observables, recipes, seeds

ESTIMATORS = {
    "statevector": lambda: StatevectorEstimator(default_precision=0.0),
    "aer": lambda: EstimatorV2(options={"default_precision": 0.0}),
}


def with_every_parameter(recipe):
    """A random circuit in which no parameter is missing."""
    made = build(recipe)
    for k, parameter in enumerate(made.parameters):
        made.circuit.ry(parameter, k % recipe[0])
    return made


def random_layer(recipe, seed):
    made = with_every_parameter(recipe)
    layer = QuantumLayer(made.circuit, made.inputs, made.weights, observables(recipe[0], seed))
    rng = np.random.default_rng(seed)
    layer.weight.data = torch.from_numpy(rng.normal(size=len(made.weights)))
    return layer, torch.from_numpy(rng.normal(size=(2, len(made.inputs))))


def jacobians(layer, inputs):
    """As the network gives them: d output / d input and d output / d weight per sample."""
    at = inputs.clone().requires_grad_()
    outputs = layer(at)
    found = [[torch.autograd.grad(value, [at, layer.weight], retain_graph=True) for value in row] for row in outputs]
    by_input = [[gradient[0][b].numpy() for gradient in row] for b, row in enumerate(found)]
    return np.array(by_input), np.array([[gradient[1].numpy() for gradient in row] for row in found])


def assert_equal(layer, qnn, inputs, atol=1e-9):
    weights = layer.weight.detach().numpy()
    np.testing.assert_allclose(qnn.forward(inputs.numpy(), weights), layer(inputs).detach(), rtol=0, atol=atol)
    for found, expected in zip(qnn.backward(inputs.numpy(), weights), jacobians(layer, inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


# --- from the layer to the network ------------------------------------------------------------------------------------


@few
@given(recipes(max_qubits=3, max_gates=6), seeds)
def test_the_network_of_a_layer_has_its_values_and_gradients(recipe, seed):
    layer, inputs = random_layer(recipe, seed)
    assert_equal(layer, layer.to_estimator_qnn(), inputs)


@pytest.mark.parametrize("gate", sorted(WIDTH))
def test_each_gate_on_aer(gate):
    """Aer's estimator would be wrong for controlled rotations as they stand, and does not know composite gates."""
    recipe = (max(WIDTH[gate], 2), [("ry", 1), ("rx", 2), ("ry", 4), (gate, 0), (gate, 1), ("h", 5), ("rx", 6)])
    layer, inputs = random_layer(recipe, 3)
    assert_equal(layer, layer.to_estimator_qnn(ESTIMATORS["aer"]()), inputs)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_inputs_weights_and_observables_keep_the_callers_order(estimator):
    a, b, c, d = (Parameter(name) for name in "dcba")
    circuit = QuantumCircuit(4)
    for qubit, parameter in enumerate((a, b, c, d)):
        circuit.ry(parameter, qubit)
    labels = [SparsePauliOp.from_sparse_list([("Z", [k], 1.0)], 4) for k in (2, 0, 3, 1)]
    layer = QuantumLayer(circuit, [c, a], [d, b], labels)
    found = layer.to_estimator_qnn(ESTIMATORS[estimator]()).forward([[0.3, 0.1]], [0.4, 0.2])
    np.testing.assert_allclose(found[0], np.cos([0.3, 0.1, 0.4, 0.2]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("which", ["inputs", "weights", "neither"])
def test_networks_without_inputs_or_without_weights(which, estimator):
    x, circuit = ParameterVector("x", 2), QuantumCircuit(2)
    circuit.h([0, 1])
    if which != "neither":
        circuit.ry(x[0], 0)
        circuit.crx(x[1], 0, 1)
    listed = [] if which == "neither" else list(x)
    chosen = {"inputs": (listed, []), "weights": ([], listed), "neither": ([], [])}[which]
    layer = QuantumLayer(circuit, *chosen, [SparsePauliOp("ZZ"), SparsePauliOp("XI")])
    inputs = torch.full((1, len(chosen[0])), 0.3, dtype=torch.float64)
    qnn = layer.to_estimator_qnn(ESTIMATORS[estimator]())
    at = (inputs.numpy() if chosen[0] else None, layer.weight.detach().numpy() if chosen[1] else None)
    found = np.reshape(qnn.forward(*at), (1, 2))
    np.testing.assert_allclose(found, layer(inputs).detach(), rtol=0, atol=1e-12)
    back = QuantumLayer.from_estimator_qnn(qnn, layer.weight.detach())
    torch.testing.assert_close(back(inputs), layer(inputs), rtol=0, atol=1e-12)


def test_parameters_that_cancel_or_make_a_phase_only_have_no_gradient():
    """Qiskit forgets them when it opens the gates, but the network must keep them."""
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    circuit = QuantumCircuit(2, global_phase=w[0])
    circuit.ry(x[0], 0)
    circuit.cp(x[1], 0, 1)
    circuit.h(1)
    circuit.rx(w[1] - w[1], 1)
    layer = QuantumLayer(circuit, list(x), list(w), [SparsePauliOp("XX"), SparsePauliOp("ZI")])
    for estimator in ESTIMATORS.values():
        assert_equal(layer, layer.to_estimator_qnn(estimator()), torch.tensor([[0.2, 0.4]], dtype=torch.float64))


def test_a_torch_connector_takes_the_weights():
    layer, inputs = random_layer((2, [("ry", 1), ("crx", 3), ("rzz", 2)]), 3)
    model = TorchConnector(layer.to_estimator_qnn(), initial_weights=layer.weight.detach().numpy())
    torch.testing.assert_close(model(inputs).double(), layer(inputs), rtol=0, atol=1e-5)


@pytest.mark.parametrize("level", [0, 1, 3])
def test_a_circuit_laid_out_on_a_device_and_back(level):
    """A line of seven qubits, on which the pass manager has to route."""
    layer, inputs = random_layer((3, [("ry", 1), ("crx", 3), ("rzz", 2), ("cx", 1), ("cu", 4), ("swap", 3)]), 5)
    device = GenericBackendV2(7, coupling_map=CouplingMap.from_line(7), seed=0)
    passes = generate_preset_pass_manager(level, device, initial_layout=[5, 2, 4], seed_transpiler=0)
    qnn = layer.to_estimator_qnn(pass_manager=passes)
    assert qnn.circuit.num_qubits == 7
    assert_equal(layer, qnn, inputs)
    back = QuantumLayer.from_estimator_qnn(qnn, layer.weight.detach().numpy())
    assert back.circuit.num_qubits < 7
    torch.testing.assert_close(back(inputs), layer(inputs), rtol=0, atol=1e-9)


def test_parameters_that_the_pass_manager_removes_are_named():
    x, w, circuit = Parameter("x"), Parameter("w"), QuantumCircuit(1)
    circuit.rx(x, 0)
    circuit.rz(w, 0)
    circuit.rz(-w, 0)
    layer = QuantumLayer(circuit, [x], [w], [SparsePauliOp("Z")])
    passes = PassManager([InverseCancellation([(RZGate(w), RZGate(-w))])])
    with pytest.raises(
        CircuitError, match="the pass manager removed every gate that uses w, which an EstimatorQNN mus"
    ):
        layer.to_estimator_qnn(pass_manager=passes)


def test_amplitude_encoding_is_refused():
    circuit, w = raw_feature_vector(4), Parameter("w")
    inputs = list(circuit.parameters)
    circuit.ry(w, 0)
    layer = QuantumLayer(circuit, inputs, [w], [SparsePauliOp("ZZ")])
    with pytest.raises(CircuitError, match=r"begins with amplitude encoding .* and so no gradient in an EstimatorQNN"):
        layer.to_estimator_qnn()


# --- from the network to the layer ------------------------------------------------------------------------------------


@few
@given(recipes(max_qubits=3, max_gates=6, names=("rx", "ry", "rz", "p", "cx", "crx", "cp", "rzz", "h", "iswap")), seeds)
def test_the_layer_of_a_network_has_its_values_and_gradients(recipe, seed):
    made = with_every_parameter(recipe)
    qnn = EstimatorQNN(
        circuit=made.circuit,
        estimator=StatevectorEstimator(default_precision=0.0),
        observables=observables(recipe[0], seed),
        input_params=made.inputs,
        weight_params=made.weights,
        input_gradients=True,
        default_precision=0.0,
    )
    rng = np.random.default_rng(seed)
    layer = QuantumLayer.from_estimator_qnn(qnn, rng.normal(size=3))
    assert_equal(layer, qnn, torch.from_numpy(rng.normal(size=(2, 2))))


@few
@given(recipes(max_qubits=3, max_gates=8), seeds)
def test_a_layer_comes_back_from_its_network(recipe, seed):
    layer, inputs = random_layer(recipe, seed)
    back = QuantumLayer.from_estimator_qnn(layer.to_estimator_qnn(), layer.weight.detach().numpy())
    assert (back.input_params, back.weight_params) == (layer.input_params, layer.weight_params)
    torch.testing.assert_close(back(inputs), layer(inputs), rtol=0, atol=1e-11)
    for found, expected in zip(jacobians(back, inputs), jacobians(layer, inputs), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def network(**options):
    x, w, circuit = Parameter("x"), Parameter("w"), QuantumCircuit(2)
    circuit.ry(x, 0)
    circuit.crx(w, 0, 1)
    estimator = StatevectorEstimator(default_precision=0.0)
    chosen = {"estimator": estimator, "input_params": [x], "weight_params": [w], "default_precision": 0.0} | options
    return EstimatorQNN(circuit=circuit, **chosen)


ZX = {
    "none": None,
    "one operator": SparsePauliOp(["ZX", "IZ"], [0.5, 1.0]),
    "a Pauli": Pauli("ZX"),
    "a sparse observable": SparseObservable.from_list([("ZX", 0.5), ("IY", 1.0)]),
    "several": [Pauli("ZX"), SparsePauliOp("XI")],
}


@pytest.mark.parametrize("name", ZX)
def test_observables_of_each_kind(name):
    given_alone = isinstance(ZX[name], SparseObservable)  # no BaseOperator, so the network asks for a list
    qnn = network(observables=[ZX[name]] if given_alone else ZX[name])
    layer = QuantumLayer.from_estimator_qnn(qnn, [0.7])
    expected = qnn.forward([[0.3], [1.1]], [0.7])
    np.testing.assert_allclose(
        layer(torch.tensor([[0.3], [1.1]], dtype=torch.float64)).detach(), expected, rtol=0, atol=1e-12
    )


def test_an_operator_as_a_matrix():
    """Estimators take none, but a network can be made of it."""
    layer = QuantumLayer.from_estimator_qnn(network(observables=Operator.from_label("ZX")), [0.7])
    expected = network(observables=Pauli("ZX")).forward([[0.3]], [0.7])
    np.testing.assert_allclose(layer(torch.tensor([[0.3]], dtype=torch.float64)).detach(), expected, rtol=0, atol=1e-7)


def test_an_observable_of_another_kind():
    with pytest.raises(
        CircuitError, match="an observable of the network is a dict, which cannot be read as a sum of Pau"
    ):
        QuantumLayer.from_estimator_qnn(network(observables=[{"ZX": 1.0}]))


def test_the_networks_own_gradient_stays_behind():
    estimator = StatevectorEstimator(default_precision=0.0)
    noisy = network(gradient=SPSAEstimatorGradient(estimator, 0.01, seed=0), observables=Pauli("ZI"))
    exact = network(observables=Pauli("ZI"))
    layer = QuantumLayer.from_estimator_qnn(noisy, [0.7])
    layer(torch.tensor([[0.3]], dtype=torch.float64)).sum().backward()
    np.testing.assert_allclose(layer.weight.grad, exact.backward([[0.3]], [0.7])[1][0, 0], rtol=0, atol=1e-12)


def test_amplitude_encoding_is_taken_from_a_network():
    circuit, w = raw_feature_vector(4), Parameter("w")
    inputs = list(circuit.parameters)
    circuit.ry(w, 0)
    qnn = EstimatorQNN(
        circuit=circuit,
        estimator=StatevectorEstimator(default_precision=0.0),
        observables=[SparsePauliOp("IZ"), SparsePauliOp("ZX")],
        input_params=inputs,
        weight_params=[w],
        default_precision=0.0,
    )
    rows = np.array([[1.0, 2.0, 3.0, 4.0], [1.0, 0.0, 0.0, -1.0]])
    layer = QuantumLayer.from_estimator_qnn(qnn, [0.3])
    np.testing.assert_allclose(layer(torch.from_numpy(rows)).detach(), qnn.forward(rows, [0.3]), rtol=0, atol=1e-9)


def test_weights_are_copied_or_drawn():
    given_weights = np.array([0.7])
    layer = QuantumLayer.from_estimator_qnn(network(), given_weights)
    layer.weight.data.fill_(1.0)
    assert given_weights[0] == 0.7
    assert layer.weight.requires_grad
    drawn = [QuantumLayer.from_estimator_qnn(network()).weight.item() for _ in range(2)]
    assert drawn[0] != drawn[1]
    connector = TorchConnector(network(), initial_weights=given_weights)
    assert QuantumLayer.from_estimator_qnn(network(), connector.weight).weight.item() == pytest.approx(0.7)


def test_another_number_of_weights():
    with pytest.raises(CircuitError, match=r"weights have shape \(2,\); expected \(1,\)"):
        QuantumLayer.from_estimator_qnn(network(), [0.1, 0.2])


def test_the_example_of_the_docstring():
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(recurse=False).find(quantum_layer.QuantumLayer.to_estimator_qnn, globs={}):
        runner.run(test)
    assert (runner.failures, runner.tries > 5) == (0, True)
