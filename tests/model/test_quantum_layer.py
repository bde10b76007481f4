"""The quantum layer against Qiskit: values, first and second derivatives, and every error it explains."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.primitives import StatevectorEstimator
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.primitives import EstimatorV2
from qiskit_machine_learning.circuit.library import raw_feature_vector
from qiskit_machine_learning.gradients import ParamShiftEstimatorGradient
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qnas.circuit.encodings import encodings
from qnas.circuit.lower import lower
from qnas.errors import CircuitError, NotFiniteError
from qnas.model.quantum_function import QuantumFunction, final_states
from qnas.model.quantum_layer import QuantumLayer
from qnas.simulation import BackendChoice, ExactSimulator, SampledSimulator
from qnas.simulation.contract import Spent
from qnas.simulation.measured import MeasuredCircuits
from tests.circuit.reference import in_phase, jacobian_by_differences, jacobian_by_shifts, state, values
from tests.circuit.strategies import WIDTH, Circuit, build, few, observables, quick, recipes, seeds

Z = SparsePauliOp("Z")
BY_SHIFT = ("rx", "ry", "rz", "p", "cx", "cz", "crx", "crz", "rxx", "ryy", "rzz", "h", "s", "t", "swap", "iswap", "ccx")
"""Gates that the neural network of Qiskit Machine Learning differentiates, or takes as they are."""


def layer_of(made, operators, weights):
    """Random circuits may lack some of the parameters, which the layer's constructor would refuse."""
    function = QuantumFunction(lower(made.circuit, made.inputs, made.weights), operators)
    parts = (made.inputs, made.weights, operators)
    layer = QuantumLayer.from_function(function, made.circuit, parts, generator=torch.Generator())
    layer.weight.data = torch.from_numpy(np.asarray(weights))
    return layer


def random_points(n_samples, seed, n_inputs=2, n_weights=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, n_inputs)), rng.normal(size=n_weights)


def rows(inputs, weights):
    return [np.concatenate([row, weights]) for row in inputs]


def jacobian(layer, inputs):
    """d output / d (inputs, weights) per sample, shape (n_samples, n_observables, n_parameters)."""
    at = torch.from_numpy(inputs).requires_grad_()
    outputs = layer(at)
    found = np.zeros((*outputs.shape, inputs.shape[1] + len(layer.weight)))
    for b in range(outputs.shape[0]):
        for k in range(outputs.shape[1]):
            by_input, by_weight = torch.autograd.grad(outputs[b, k], [at, layer.weight], retain_graph=True)
            assert not by_input[torch.arange(len(inputs)) != b].any()
            found[b, k] = np.concatenate([by_input[b].numpy(), by_weight.numpy()])
    return found


# --- against Qiskit ---------------------------------------------------------------------------------------------------


@quick
@given(recipes(), seeds)
def test_values_are_those_of_the_statevector(recipe, seed):
    made, operators = build(recipe), observables(recipe[0], seed)
    inputs, weights = random_points(3, seed)
    found = layer_of(made, operators, weights)(torch.from_numpy(inputs))
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.detach(), values(made, operators, rows(inputs, weights)), rtol=0, atol=1e-11)


@few
@given(recipes(max_qubits=3, max_gates=8), seeds)
def test_gradients_are_those_of_the_parameter_shift_rule(recipe, seed):
    made, operators = build(recipe), observables(recipe[0], seed)
    inputs, weights = random_points(2, seed)
    expected = [jacobian_by_shifts(made, operators, point) for point in rows(inputs, weights)]
    found = jacobian(layer_of(made, operators, weights), inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@few
@given(recipes(max_qubits=3, max_gates=8), seeds)
def test_gradients_are_those_of_finite_differences(recipe, seed):
    """Steps of 1e-3 at fourth order leave an error of 1e-12 times the fifth derivative, which products may raise."""
    made, operators = build(recipe), observables(recipe[0], seed)
    inputs, weights = random_points(2, seed)
    inputs, weights = 0.3 * inputs, 0.3 * weights
    expected = [jacobian_by_differences(made, operators, point) for point in rows(inputs, weights)]
    found = jacobian(layer_of(made, operators, weights), inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("gate", sorted(WIDTH))
@pytest.mark.parametrize("seed", [0, 1])
def test_each_gate_amid_others(gate, seed):
    recipe = (max(WIDTH[gate], 2), [("ry", 1), ("rx", 2), ("crx", 3), ("ry", 4), (gate, seed), ("cry", 5), ("rx", 6)])
    made, operators = build(recipe), observables(recipe[0], seed)
    inputs, weights = random_points(2, seed)
    layer = layer_of(made, operators, weights)
    points = rows(inputs, weights)
    found = layer(torch.from_numpy(inputs)).detach()
    np.testing.assert_allclose(found, values(made, operators, points), rtol=0, atol=1e-12)
    expected = [jacobian_by_shifts(made, operators, point) for point in points]
    np.testing.assert_allclose(jacobian(layer, inputs), expected, rtol=1e-9, atol=1e-9)


def neural_network(made, operators, estimator, circuit):
    return EstimatorQNN(
        circuit=circuit or made.circuit,
        estimator=estimator,
        observables=operators,
        input_params=made.inputs,
        weight_params=made.weights,
        input_gradients=True,
        gradient=ParamShiftEstimatorGradient(estimator),
        default_precision=0.0,
    )


def assert_equal_to_the_neural_network(made, operators, estimator, seed, circuit=None):
    network = neural_network(made, operators, estimator, circuit)
    inputs, weights = random_points(2, seed)
    layer = layer_of(made, operators, weights)
    found = layer(torch.from_numpy(inputs)).detach()
    np.testing.assert_allclose(found, network.forward(inputs, weights), rtol=0, atol=1e-9)
    by_input, by_weight = network.backward(inputs, weights)
    np.testing.assert_allclose(
        jacobian(layer, inputs), np.concatenate([by_input, by_weight], axis=2), rtol=0, atol=1e-9
    )


def using_every_parameter(recipe):
    """The neural network asks that the circuit contains all inputs and weights."""
    n_qubits, gates = recipe
    made = build((n_qubits, gates))
    for k, parameter in enumerate(made.parameters):
        made.circuit.ry(parameter, k % n_qubits)
    return made


@few
@given(recipes(max_qubits=3, max_gates=6, names=BY_SHIFT), seeds)
def test_equals_the_estimator_of_qiskit_machine_learning(recipe, seed):
    estimator = StatevectorEstimator(default_precision=0.0)
    assert_equal_to_the_neural_network(using_every_parameter(recipe), observables(recipe[0], seed), estimator, seed)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_the_estimator_of_qiskit_machine_learning_on_aer(seed):
    """Aer's estimator (0.18) is wrong for controlled rotations with free parameters, so they are opened for it."""
    rng = np.random.default_rng(seed)
    recipe = (3, [(str(name), int(rng.integers(2**31))) for name in rng.choice(["rx", "crz", "ryy", "cx", "h"], 6)])
    estimator = EstimatorV2(options={"default_precision": 0.0})
    made = using_every_parameter(recipe)
    opened = transpile(made.circuit, basis_gates=["rx", "ry", "rz", "ryy", "cx", "h"], optimization_level=0)
    assert_equal_to_the_neural_network(made, observables(3, seed), estimator, seed, opened)


# --- weights and inputs -----------------------------------------------------------------------------------------------


def test_columns_and_weights_follow_the_callers_order():
    a, b, c, d = (Parameter(name) for name in "dcba")
    circuit = QuantumCircuit(4)
    for qubit, parameter in enumerate((a, b, c, d)):
        circuit.ry(parameter, qubit)
    labels = [SparsePauliOp.from_sparse_list([("Z", [k], 1.0)], 4) for k in range(4)]
    layer = QuantumLayer(circuit, [c, a], [d, b], labels)
    layer.weight.data = torch.tensor([0.4, 0.2], dtype=torch.float64)
    found = layer(torch.tensor([[0.3, 0.1]], dtype=torch.float64))
    np.testing.assert_allclose(found.detach()[0], np.cos([0.1, 0.2, 0.3, 0.4]), rtol=0, atol=1e-14)


def test_qubit_zero_is_rightmost_in_a_label():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    layer = QuantumLayer(circuit, [], [], [SparsePauliOp("IZ"), SparsePauliOp("ZI")])
    assert layer(torch.zeros(3, 0)).tolist() == [[-1.0, 1.0]] * 3


def encoder():
    x, w = ParameterVector("x", 2), ParameterVector("w", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.rx(x[1] * w[0], 1)
    circuit.crx(w[1], 0, 1)
    return circuit, x, w


def small(**options):
    circuit, x, w = encoder()
    operators = [SparsePauliOp("ZI"), SparsePauliOp(["XX", "IZ"], [0.5, 2.0])]
    return QuantumLayer(circuit, list(x), list(w), operators, generator=torch.Generator().manual_seed(0), **options)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_inputs_of_any_precision_are_taken_and_outputs_are_double(dtype):
    inputs = torch.tensor([[0.5, -1.25], [1.0, 2.0]]).to(dtype)
    found = small()(inputs)
    assert found.dtype == torch.float64
    assert torch.equal(found, small()(inputs.double()))


def test_integers_are_taken():
    assert torch.equal(small()(torch.tensor([[1, -2]])), small()(torch.tensor([[1.0, -2.0]])))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_model_may_be_cast(dtype):
    """`model.float()` rounds the weights; the circuit is simulated in double precision all the same."""
    layer, rounded = small().to(dtype), small()
    rounded.weight.data = rounded.weight.data.to(dtype).double()
    inputs = torch.tensor([[0.5, -1.25]])
    assert torch.equal(layer(inputs), rounded(inputs))
    layer(inputs).sum().backward()
    assert layer.weight.grad.dtype == dtype


def test_views_and_expanded_inputs_are_taken():
    column = torch.tensor([[0.5], [1.0]], dtype=torch.float64)
    inputs = column.expand(2, 2)
    assert torch.equal(small()(inputs.T), small()(inputs.T.contiguous()))
    assert torch.equal(small()(inputs), small()(inputs.contiguous()))


def test_values_are_the_same_without_gradients():
    inputs = torch.tensor([[0.5, -1.25]])
    expected = small()(inputs).detach()
    with torch.no_grad():
        assert torch.equal(small()(inputs), expected)
    with torch.inference_mode():
        assert torch.equal(small()(inputs), expected)


def test_gradients_reach_single_precision_inputs():
    inputs = torch.tensor([[0.5, -1.25]], requires_grad=True)
    small()(inputs).sum().backward()
    assert inputs.grad.dtype == torch.float32
    assert inputs.grad.abs().min() > 0


def test_weights_are_drawn_on_the_circle_from_the_generator():
    circuit = QuantumCircuit(1)
    weights = ParameterVector("w", 400)
    for weight in weights:
        circuit.rx(weight, 0)

    def draw(seed):
        return QuantumLayer(circuit, [], list(weights), [Z], generator=torch.Generator().manual_seed(seed)).weight

    assert torch.equal(draw(3), draw(3))
    assert not torch.equal(draw(3), draw(4))
    assert 0 <= draw(3).min() < 0.1
    assert 2 * np.pi - 0.1 < draw(3).max() < 2 * np.pi
    assert draw(3).dtype == torch.float64


def test_layers_without_a_generator_differ():
    circuit, x, w = encoder()
    first, second = (QuantumLayer(circuit, list(x), list(w), [SparsePauliOp("ZZ")]) for _ in range(2))
    assert not torch.equal(first.weight, second.weight)


@pytest.mark.parametrize("batch", [1, 3, 32, 33])
def test_a_batch_is_its_samples_one_by_one(batch):
    layer, inputs = small(), torch.from_numpy(np.random.default_rng(1).normal(size=(batch, 2)))
    together = layer(inputs)
    apart = torch.cat([layer(row[None]) for row in inputs])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-14)
    order = torch.from_numpy(np.random.default_rng(2).permutation(batch))
    torch.testing.assert_close(layer(inputs[order]), together[order], rtol=0, atol=1e-14)


def test_a_batch_larger_than_a_chunk():
    """2^15 amplitudes are simulated at once: 40 samples of 10 qubits are two chunks."""
    n_qubits, batch = 10, 40
    circuit, x, w = QuantumCircuit(n_qubits), ParameterVector("x", n_qubits), ParameterVector("w", n_qubits)
    for k in range(n_qubits):
        circuit.ry(x[k], k)
        circuit.cx(k, (k + 1) % n_qubits)
        circuit.rx(w[k], k)
    layer = QuantumLayer(circuit, list(x), list(w), [SparsePauliOp("Z" * n_qubits)])
    inputs = torch.from_numpy(np.random.default_rng(0).normal(size=(batch, n_qubits))).requires_grad_()
    by_input, by_weight = torch.autograd.grad(layer(inputs).sum(), [inputs, layer.weight])
    parts = [torch.autograd.grad(layer(row[None]).sum(), [inputs, layer.weight]) for row in inputs]
    torch.testing.assert_close(by_input, sum(part[0] for part in parts), rtol=0, atol=1e-13)
    torch.testing.assert_close(by_weight, sum(part[1] for part in parts), rtol=0, atol=1e-12)


def test_two_passes_before_one_backward():
    layer = small()
    first, second = torch.tensor([[0.1, 0.2]]).double(), torch.tensor([[1.0, -0.7], [0.3, 0.4]]).double()
    (layer(first).sum() + layer(second).sum()).backward()
    together = layer.weight.grad.clone()
    layer.weight.grad = None
    layer(first).sum().backward()
    layer(second).sum().backward()
    torch.testing.assert_close(together, layer.weight.grad, rtol=0, atol=1e-14)


def test_frozen_weights_and_plain_inputs_need_no_gradients():
    layer = small()
    layer.weight.requires_grad_(False)
    assert not layer(torch.zeros(1, 2)).requires_grad
    inputs = torch.ones(1, 2, dtype=torch.float64, requires_grad=True)
    layer(inputs).sum().backward()
    assert inputs.grad.shape == (1, 2)
    assert layer.weight.grad is None


@pytest.mark.parametrize("which", ["inputs", "weights"])
def test_circuits_with_only_one_kind_of_parameter(which):
    x, circuit = ParameterVector("x", 2), QuantumCircuit(1)
    circuit.ry(x[0], 0)
    circuit.rz(x[1], 0)
    chosen = (list(x), []) if which == "inputs" else ([], list(x))
    layer = QuantumLayer(circuit, *chosen, [Z])
    inputs = torch.full((3, len(chosen[0])), 0.3, dtype=torch.float64)
    layer.weight.data.fill_(0.3)
    torch.testing.assert_close(layer(inputs), torch.full((3, 1), np.cos(0.3), dtype=torch.float64))


@pytest.mark.parametrize("gates", [(), ("cx",), ("h", "cx")])
def test_parameters_that_no_gate_uses_have_no_gradient(gates):
    circuit = QuantumCircuit(2)
    for name in gates:
        getattr(circuit, name)(*range(2 if name == "cx" else 1))
    function = QuantumFunction(lower(circuit, [Parameter("x")], [Parameter("w")]), [SparsePauliOp("ZZ")])
    inputs = torch.ones(3, 1, dtype=torch.float64, requires_grad=True)
    weights = torch.ones(1, dtype=torch.float64, requires_grad=True)
    function(inputs, weights).sum().backward()
    assert inputs.grad.tolist() == [[0.0]] * 3
    assert weights.grad.tolist() == [0.0]


def test_what_a_layer_prints():
    assert repr(small()) == "QuantumLayer(n_qubits=2, n_inputs=2, n_weights=2, n_observables=2)"


# --- amplitude encoding -----------------------------------------------------------------------------------------------


def amplitudes(n_features, n_qubits=2):
    """Amplitude encoding, then three trained rotations."""
    x, w = ParameterVector("x", n_features), ParameterVector("w", 3)
    circuit = encodings["amplitude"].build(list(x), n_qubits)
    circuit.ry(w[0], 0)
    circuit.crx(w[1], 0, n_qubits - 1)
    circuit.rz(w[2] * w[0], n_qubits - 1)
    circuit.rx(w[2], n_qubits - 1)
    return Circuit(circuit, list(x), list(w), circuit, [], [])


def without_initialize(made, point):
    """Qiskit's own initialisation, which `Statevector` reads."""
    bound = made.bound(point)
    return bound.decompose("ParameterizedInitialize")


@pytest.mark.parametrize("n_features", [1, 3, 4])
@pytest.mark.parametrize("batch", [1, 3, 33])
def test_amplitude_encoding_forward_with_zeros_where_features_are_missing(n_features, batch):
    made, operators = amplitudes(n_features), observables(2, 4)
    inputs, weights = random_points(batch, 5, n_inputs=n_features)
    found = layer_of(made, operators, weights)(torch.from_numpy(inputs)).detach()
    for row, point in zip(found, rows(inputs, weights), strict=True):
        final = state(without_initialize(made, point))
        expected = [np.vdot(final, operator.to_matrix() @ final).real for operator in operators]
        np.testing.assert_allclose(row, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_features", [3, 4])
def test_amplitude_encoding_backward(n_features):
    """Fourth-order differences of Qiskit's values; the norm divides, so derivatives are moderate for |x| near 1."""
    made, operators = amplitudes(n_features), observables(2, 4)
    inputs, weights = random_points(3, 8, n_inputs=n_features)
    found = jacobian(layer_of(made, operators, weights), inputs)
    step = 1e-3

    def value(point):
        final = state(without_initialize(made, point))
        return np.array([np.vdot(final, operator.to_matrix() @ final).real for operator in operators])

    for b, point in enumerate(rows(inputs, weights)):
        for p, unit in enumerate(np.eye(len(point))):
            near, far = (value(point + k * step * unit) - value(point - k * step * unit) for k in (1, 2))
            np.testing.assert_allclose(found[b, :, p], (8 * near - far) / (12 * step), rtol=0, atol=1e-9)


def test_the_length_of_a_vector_does_not_matter():
    layer = layer_of(amplitudes(4), observables(2, 4), [0.1, 0.2, 0.3])
    inputs = torch.from_numpy(random_points(3, 1, n_inputs=4)[0])
    torch.testing.assert_close(layer(1e3 * inputs), layer(inputs), rtol=0, atol=1e-14)
    torch.testing.assert_close(layer(1e-3 * inputs), layer(inputs), rtol=0, atol=1e-14)


def test_the_raw_feature_vector_of_qiskit_machine_learning():
    circuit = raw_feature_vector(4)
    layer = QuantumLayer(circuit, list(circuit.parameters), [], [SparsePauliOp("IZ"), SparsePauliOp("ZI")])
    p = np.array([1.0, 4.0, 9.0, 16.0]) / 30
    found = layer(torch.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist()[0]
    assert found == pytest.approx([p[0] - p[1] + p[2] - p[3], p[0] + p[1] - p[2] - p[3]], abs=1e-15)


def test_a_zero_vector_has_no_state():
    layer = layer_of(amplitudes(4), observables(2, 4), [0.1, 0.2, 0.3])
    inputs = torch.ones(3, 4, dtype=torch.float64)
    inputs[1] = 0
    text = "the amplitudes of sample 1 are all zero; amplitude encoding needs one that is not"
    with pytest.raises(CircuitError, match=text):
        layer(inputs)


# --- second derivatives -----------------------------------------------------------------------------------------------


def function_of(made, operators):
    return QuantumFunction(lower(made.circuit, made.inputs, made.weights), operators)


SMALL = {
    "angles": build((2, [("ry", 1), ("crx", 3), ("rzz", 2), ("u", 5), ("cx", 1), ("ry", 10), ("evolution_2", 4)])),
    "amplitudes": amplitudes(4),
    "padded amplitudes": amplitudes(3),
}


@pytest.mark.parametrize("name", SMALL)
def test_first_and_second_derivatives_by_torchs_own_check(name):
    made = SMALL[name]
    function = function_of(made, observables(2, 4))
    inputs, weights = random_points(2, 6, n_inputs=len(made.inputs))
    at = (torch.from_numpy(inputs).requires_grad_(), torch.from_numpy(weights).requires_grad_())
    with torch.random.fork_rng(devices=[]):  # the checks draw from the global generator
        assert torch.autograd.gradcheck(function, at)
        assert torch.autograd.gradgradcheck(function, at)


@pytest.mark.parametrize("name", SMALL)
def test_differentiable_gradients_equal_those_of_the_adjoint_sweep(name):
    made = SMALL[name]
    function = function_of(made, observables(2, 4))
    inputs, weights = random_points(3, 6, n_inputs=len(made.inputs))
    at = (torch.from_numpy(inputs).requires_grad_(), torch.from_numpy(weights).requires_grad_())
    cotangent = torch.from_numpy(np.random.default_rng(3).normal(size=(3, 3)))
    plain = torch.autograd.grad(function(*at), at, cotangent)
    differentiable = torch.autograd.grad(function(*at), at, cotangent, create_graph=True)
    for found, expected in zip(differentiable, plain, strict=True):
        assert found.requires_grad
        assert not expected.requires_grad
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_a_second_derivative_in_closed_form():
    """<Z> = cos(x w): the second derivative in x is -w^2 cos(x w)."""
    x, w, circuit = Parameter("x"), Parameter("w"), QuantumCircuit(1)
    circuit.ry(x * w, 0)
    layer = QuantumLayer(circuit, [x], [w], [Z])
    layer.weight.data.fill_(1.7)
    inputs = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None].requires_grad_()
    (slope,) = torch.autograd.grad(layer(inputs).sum(), inputs, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), inputs, create_graph=True)
    torch.testing.assert_close(curvature, -(1.7**2) * torch.cos(1.7 * inputs), rtol=0, atol=1e-13)
    (by_weight,) = torch.autograd.grad(curvature.sum(), layer.weight)
    u = 1.7 * inputs
    expected = (-2 * 1.7 * torch.cos(u) + 1.7**2 * inputs * torch.sin(u)).sum()
    torch.testing.assert_close(by_weight[0], expected, rtol=0, atol=1e-12)


# --- weights per sample, and states -----------------------------------------------------------------------------------


@quick
@given(recipes(max_gates=10), seeds)
def test_weights_that_vary_and_final_states(recipe, seed):
    made, operators = build(recipe), observables(recipe[0], seed)
    program = lower(made.circuit, made.inputs, made.weights)
    points = np.random.default_rng(seed).normal(size=(3, 5))
    inputs, weights = torch.from_numpy(points[:, :2].copy()), torch.from_numpy(points[:, 2:].copy())
    found = QuantumFunction(program, operators, weights_vary=True)(inputs, weights)
    np.testing.assert_allclose(found, values(made, operators, points), rtol=0, atol=1e-11)
    for row, point in zip(final_states(program, inputs, weights), points, strict=True):
        expected = state(made.bound(point))
        np.testing.assert_allclose(in_phase(row, expected), expected, rtol=0, atol=1e-11)


def test_final_states_of_amplitude_encoding():
    made = amplitudes(3)
    points = np.random.default_rng(2).normal(size=(4, 6))
    program = lower(made.circuit, made.inputs, made.weights)
    found = final_states(program, torch.from_numpy(points[:, :3].copy()), torch.from_numpy(points[:, 3:].copy()))
    for row, point in zip(found, points, strict=True):
        expected = state(without_initialize(made, point))
        np.testing.assert_allclose(in_phase(row, expected), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_gradients_of_weights_that_vary_are_those_of_each_sample(name):
    made, operators = SMALL[name], observables(2, 4)
    program = lower(made.circuit, made.inputs, made.weights)
    vary, same = QuantumFunction(program, operators, weights_vary=True), QuantumFunction(program, operators)
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.normal(size=(3, len(made.inputs)))).requires_grad_()
    weights = torch.from_numpy(rng.normal(size=(3, 3))).requires_grad_()
    cotangent = torch.from_numpy(rng.normal(size=(3, 3)))
    by_input, by_weight = torch.autograd.grad(vary(inputs, weights), [inputs, weights], cotangent)
    for b in range(3):
        rows_b = inputs[b : b + 1].detach().requires_grad_(), weights[b].detach().requires_grad_()
        expected = torch.autograd.grad(same(*rows_b), rows_b, cotangent[b : b + 1])
        torch.testing.assert_close(by_input[b], expected[0][0], rtol=0, atol=1e-13)
        torch.testing.assert_close(by_weight[b], expected[1], rtol=0, atol=1e-13)


# --- errors -----------------------------------------------------------------------------------------------------------


def refused(text, call, kind=CircuitError):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == text


def test_inputs_of_another_width():
    refused(
        "inputs have shape (4, 3); expected (batch, 2), at least one row.",
        lambda: small()(torch.zeros(4, 3)),
    )


def test_an_empty_batch():
    refused("inputs have shape (0, 2); expected (batch, 2), at least one row.", lambda: small()(torch.zeros(0, 2)))


@pytest.mark.parametrize("shape", [(3,), (1, 2), (4, 2)])
def test_weights_of_another_shape(shape):
    refused(
        f"weights have shape {shape}; expected (2,).",
        lambda: small().function(torch.zeros(4, 2).double(), torch.zeros(shape).double()),
    )


def test_weights_that_vary_need_a_row_per_sample():
    circuit, x, w = encoder()
    function = QuantumFunction(lower(circuit, list(x), list(w)), [SparsePauliOp("ZZ")], weights_vary=True)
    text = "weights have shape (3, 2); expected (4, 2)."
    refused(text, lambda: function(torch.zeros(4, 2).double(), torch.zeros(3, 2).double()))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["inputs", "weights"])
def test_numbers_that_are_not_finite(value, where):
    layer, inputs = small(), torch.zeros(2, 2, dtype=torch.float64)
    (inputs if where == "inputs" else layer.weight.data).view(-1)[1] = value
    text = f"{where} hold values that are not finite (NaN or infinity); check what produced them."
    refused(text, lambda: layer(inputs), NotFiniteError)


def test_what_does_not_lower_is_refused_when_the_layer_is_made():
    circuit = QuantumCircuit(2)
    circuit.append(Gate("mystery", 2, []), [0, 1])
    with pytest.raises(CircuitError, match="gate 'mystery' on 2 qubits cannot be lowered"):
        QuantumLayer(circuit, [], [], [SparsePauliOp("ZZ")])


def test_observables_that_do_not_fit():
    circuit, x, w = encoder()

    def layer(*operators):
        return lambda: QuantumLayer(circuit, list(x), list(w), list(operators))

    refused("observable 1 acts on 1 qubits, but the circuit has 2.", layer(SparsePauliOp("ZZ"), Z))
    refused("there is no observable; give at least one SparsePauliOp.", layer())
    text = "observable 0 has complex coefficients [0.+1.j]; it must be Hermitian."
    refused(text, layer(SparsePauliOp("ZZ", 1j)))


def test_unbound_parameters_are_named():
    circuit, x, _ = encoder()
    with pytest.raises(
        CircuitError, match=r"neither inputs nor weights: w\[0\], w\[1\]; add them to input_params or we"
    ):
        QuantumLayer(circuit, list(x), [], [SparsePauliOp("ZZ")])


@pytest.mark.parametrize("kind", ["input_params", "weight_params"])
def test_parameters_that_the_circuit_lacks_are_named(kind):
    circuit, x, w = encoder()
    lists = {"input_params": list(x), "weight_params": list(w)}
    lists[kind] += [Parameter("a"), Parameter("b")]
    text = (
        f"{kind} hold a, b, which the circuit lacks; take them out, or use them in a gate. "
        "It has: w[0], w[1], x[0], x[1]."
    )
    refused(text, lambda: QuantumLayer(circuit, **lists, observables=[SparsePauliOp("ZZ")]))


@pytest.mark.parametrize(
    ("make", "value", "found"),
    [(lambda x: x.log(), -1.0, "nan"), (lambda x: 1 / x, 0.0, "inf"), (lambda x: x.exp(), 1e3, "inf")],
)
def test_angles_that_are_not_finite(make, value, found):
    x, circuit = Parameter("x"), QuantumCircuit(1)
    circuit.ry(make(x), 0)
    text = (
        f"an angle of the circuit is {found}, though its inputs and weights are finite; look for a logarithm, a root "
        "or a division in its expressions, and scale the data away from their poles."
    )
    layer = QuantumLayer(circuit, [x], [], [Z])
    refused(text, lambda: layer(torch.tensor([[0.5], [value]])), NotFiniteError)
    program = lower(circuit, [x], [])
    at = torch.tensor([[value]], dtype=torch.float64)
    refused(text, lambda: final_states(program, at, torch.empty(1, 0, dtype=torch.float64)), NotFiniteError)


def test_weights_on_another_device():
    text = (
        "weights are a tensor of layout torch.strided on device 'meta'; qnas computes on dense tensors on the CPU, so "
        "use .cpu() and .to_dense()."
    )
    refused(text, lambda: small().to("meta")(torch.zeros(1, 2)))


# --- on shots ---------------------------------------------------------------------------------------------------------


def on(simulator):
    """One qubit, one input, one weight, two observables in bases of their own."""
    x, w = Parameter("x"), Parameter("w")
    circuit = QuantumCircuit(1)
    circuit.ry(x, 0)
    circuit.rx(w, 0)
    layer = QuantumLayer(circuit, [x], [w], [Z, SparsePauliOp("X")], simulator)
    layer.weight.data = torch.tensor([0.4], dtype=torch.float64)
    return layer


@pytest.mark.slow
def test_sampled_derivatives_of_first_and_second_order():
    found = []
    for simulator in (SampledSimulator(n_shots=200_000), ExactSimulator()):
        layer = on(simulator)
        inputs = torch.tensor([[0.3], [1.1]], dtype=torch.float64, requires_grad=True)
        values = layer(inputs)
        first = torch.autograd.grad(values.sum(), [inputs, layer.weight], create_graph=True)
        by_input, by_weight = torch.autograd.grad(sum((one**2).sum() for one in first), [inputs, layer.weight])
        found.append([values, *first, by_input, by_weight])
    for sampled, exact in zip(*found, strict=True):
        assert torch.allclose(sampled, exact, atol=0.03)
    assert not torch.equal(found[0][0], found[1][0])


def test_circuits_are_run_only_for_derivatives_that_are_asked_for():
    layer = on(SampledSimulator(n_shots=100))
    values = layer(torch.tensor([[0.3], [1.1]], dtype=torch.float64))
    assert layer.spent == layer.function.spent == Spent(n_circuits=4, n_shots=400)  # two samples, two bases
    values.sum().backward()
    assert layer.spent == Spent(n_circuits=4 + 2 * 4, n_shots=1200)  # for the weight alone
    layer(torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)).sum().backward()
    assert layer.spent.n_circuits == 12 + 2 + 2 * 2 * 2


def test_exact_simulation_spends_nothing():
    layer = on(ExactSimulator())
    layer(torch.tensor([[0.3]], dtype=torch.float64)).sum().backward()
    assert layer.spent == Spent(0, 0)


def test_a_layer_learns_on_noisy_shots():
    layer = on(SampledSimulator(n_shots=200, backend=BackendChoice(), seed=1))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(25):
        loss = layer(torch.zeros(1, 1, dtype=torch.float64))[0, 0]  # cos(w), least at pi
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert abs(layer.weight.item() - np.pi) < 0.2
    assert layer.spent == Spent(25 * 2 * 3, 200 * 25 * 2 * 3)


PLAIN = """
import numpy as np
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qnas import QuantumLayer

x, circuit = Parameter("x"), QuantumCircuit(1)
circuit.rx(x, 0)
z = [SparsePauliOp("Z")]

def say(call):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)

layer = QuantumLayer(circuit, (p for p in [x]), [], z)
say(lambda: layer(torch.zeros(3)))
say(lambda: layer(torch.zeros(1)))
say(lambda: layer(torch.zeros(2, 3, 1)))
say(lambda: layer(np.zeros((3, 1))))
say(lambda: layer([[1.0]]))
say(lambda: layer(torch.zeros(3, 1, dtype=torch.complex64)))
say(lambda: layer(torch.zeros(3, 1).to_sparse()))
say(lambda: QuantumLayer(circuit, [x], [], ["Z"]))
say(lambda: QuantumLayer(circuit, [x], [], "Z"))
say(lambda: QuantumLayer(circuit, [x], [], None))
say(lambda: QuantumLayer(circuit, [x], [], SparsePauliOp(["Z", "X"])))
say(lambda: QuantumLayer("circuit", [x], [], z))
say(lambda: QuantumLayer(QuantumCircuit(0), [], [], z))
say(lambda: QuantumLayer(circuit, ["x"], [], z))
say(lambda: QuantumLayer(circuit, x, [], z))
say(lambda: QuantumLayer(circuit, [x], None, z))
say(lambda: QuantumLayer(circuit, [x], [], z, simulator="exact"))
"""
BY_NAME = "give a list of Parameters, [] if there are none."


@pytest.mark.slow
def test_arguments_of_another_type_are_explained_without_the_checks_of_the_test_run():
    """The checks of types and shapes that the test run switches on would speak first, so this asks another process."""
    finished = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, timeout=120)
    assert finished.stderr == ""
    assert finished.stdout.splitlines() == [
        "CircuitError inputs have shape (3,); expected (batch, 1), at least one row.",
        "CircuitError inputs have shape (1,); expected (batch, 1), at least one row. Write inputs[None] for one "
        "sample.",
        "CircuitError inputs have shape (2, 3, 1); expected (batch, 1), at least one row.",
        "CircuitError inputs are a ndarray; give a torch tensor (torch.as_tensor makes one).",
        "CircuitError inputs are a list; give a torch tensor (torch.as_tensor makes one).",
        "CircuitError inputs have dtype torch.complex64; give real numbers.",
        "CircuitError inputs are a tensor of layout torch.sparse_coo on device 'cpu'; qnas computes on dense tensors "
        "on the CPU, so use .cpu() and .to_dense().",
        "CircuitError observable 0 is a str; observables are SparsePauliOp.",
        "CircuitError the observables are 'Z'; give a list of SparsePauliOp.",
        "CircuitError the observables are None; give a list of SparsePauliOp.",
        "CircuitError the observables are one SparsePauliOp; give a list, with one operator per expectation value.",
        "CircuitError the circuit is a str; give a Qiskit QuantumCircuit.",
        "CircuitError the circuit has no qubits; it needs at least one.",
        "CircuitError input_params hold 'x', which is a str; give the Parameter objects of the circuit "
        "(circuit.parameters lists them).",
        f"CircuitError input_params is Parameter(x); {BY_NAME}",
        f"CircuitError weight_params is None; {BY_NAME}",
        "CircuitError simulator is 'exact', which cannot prepare circuits; leave it out, or give one of "
        "qnas.simulation, such as ExactSimulator().",
    ]


# --- copies -----------------------------------------------------------------------------------------------------------


def by_pickle(layer):
    return pickle.loads(pickle.dumps(layer))


def by_state(layer):
    fresh = QuantumLayer(layer.circuit, layer.input_params, layer.weight_params, layer.observables)
    fresh.load_state_dict(layer.state_dict())
    return fresh


@pytest.mark.parametrize("copied", [by_pickle, copy.deepcopy, by_state])
def test_a_copy_gives_the_same_numbers_and_has_weights_of_its_own(copied):
    """The angles include a function and a product, which are kept in other ways than linear ones."""
    x, w, circuit = ParameterVector("x", 2), ParameterVector("w", 2), QuantumCircuit(2)
    circuit.ry(x[0].arctan(), 0)
    circuit.rx(x[1] * w[0], 1)
    circuit.crx(w[1].exp(), 0, 1)
    layer = QuantumLayer(circuit, list(x), list(w), [SparsePauliOp("ZZ")])
    inputs = torch.tensor([[0.3, 0.7], [1.0, -2.0], [0.1, 0.2]], dtype=torch.float64, requires_grad=True)
    expected = torch.autograd.grad(layer(inputs).sum(), [inputs, layer.weight])
    twin = copied(layer)
    assert torch.equal(twin(inputs), layer(inputs))
    for found, gradient in zip(torch.autograd.grad(twin(inputs).sum(), [inputs, twin.weight]), expected, strict=True):
        assert torch.equal(found, gradient)
    twin.weight.data.add_(1.0)
    assert not torch.equal(twin(inputs), layer(inputs))


def test_spsa_gives_no_derivatives_that_can_be_differentiated_again():
    angle = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    layer = QuantumLayer(circuit, [angle], [], [Z], SampledSimulator(n_shots=10, gradient="spsa"))
    inputs = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    with pytest.raises(CircuitError, match="are by parameter shift, but the simulator's gradient is 'spsa'"):
        torch.autograd.grad(layer(inputs).sum(), inputs, create_graph=True)


def test_a_derivative_that_is_not_asked_for_costs_nothing_to_second_order():
    x, w = Parameter("x"), ParameterVector("w", 3)
    circuit = QuantumCircuit(1)
    circuit.rx(x, 0)
    for weight in w:
        circuit.ry(weight, 0)
        circuit.rz(weight, 0)
    layer = QuantumLayer(circuit, [x], list(w), [Z], SampledSimulator(n_shots=10))
    inputs = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    torch.autograd.grad(layer(inputs).sum(), inputs)
    assert layer.spent.n_circuits == 1 + 2  # the weights require gradients, but none is asked for
    torch.autograd.grad(layer(inputs).sum(), inputs, create_graph=True)
    assert layer.spent.n_circuits == 2 * (1 + 2)


def test_a_sampled_derivative_that_can_be_differentiated_again_is_one_job(monkeypatch):
    jobs = []
    run = MeasuredCircuits.run
    monkeypatch.setattr(MeasuredCircuits, "run", lambda self, *given: (jobs.append(1), run(self, *given))[1])
    layer = on(SampledSimulator(n_shots=10))
    inputs = torch.tensor([[0.3], [1.1]], dtype=torch.float64, requires_grad=True)
    values = layer(inputs)
    assert len(jobs) == 1
    torch.autograd.grad(values.sum(), [inputs, layer.weight], create_graph=True)
    assert len(jobs) == 2


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_amplitudes_of_any_size_are_normalised(size):
    circuit = raw_feature_vector(2)
    layer = QuantumLayer(circuit, list(circuit.parameters), [], [Z])
    assert layer(torch.tensor([[3 * size, 4 * size]], dtype=torch.float64)).item() == pytest.approx((9 - 16) / 25)


class OneJob:
    """Exact values, but asked for as shots are: all points of a derivative at once."""

    def prepare(self, program, observables, varying):
        return OneJobExecutable(program, observables, varying)


class OneJobExecutable:
    one_job = shifts = True
    spent = Spent()

    def __init__(self, program, observables, varying):
        self.varying = varying
        self._few, self._all = (
            ExactSimulator().prepare(program, observables, which) for which in (varying, np.ones_like(varying))
        )

    def _for(self, binding):
        return self._all if binding.varying.shape[1] == len(self.varying) else self._few

    def forward(self, binding):
        return self._for(binding).forward(binding)

    def backward(self, binding, *given):
        return self._for(binding).backward(binding, *given)


def test_derivatives_of_third_order_in_one_job_each():
    """Slots that vary and slots that are shared take turns, and every derivative can be differentiated again."""
    found = []
    for simulator in (OneJob(), ExactSimulator()):
        x, w = ParameterVector("x", 2), ParameterVector("w", 2)
        circuit = QuantumCircuit(1)
        for k in range(2):
            circuit.ry(w[k], 0)
            circuit.rx(x[k], 0)
        layer = QuantumLayer(circuit, list(x), list(w), [Z], simulator)
        layer.weight.data = torch.tensor([0.4, 1.1], dtype=torch.float64)
        at = [torch.tensor([[0.3, -0.7], [1.0, 0.2]], dtype=torch.float64, requires_grad=True), layer.weight]
        first = torch.autograd.grad(layer(at[0]).sum(), at, create_graph=True)
        second = torch.autograd.grad(sum((one**2).sum() for one in first), at, create_graph=True)
        third = torch.autograd.grad(sum(one.sum() for one in second), at)
        found.append([*first, *second, *third])
    for sampled, exact in zip(*found, strict=True):
        assert torch.allclose(sampled, exact, rtol=0, atol=1e-12)
