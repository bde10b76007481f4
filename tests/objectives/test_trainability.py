"""Gradient variances: closed forms of the literature, and the three configurations computed a second way."""

import math

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector
from torch.nn.functional import cross_entropy, mse_loss

from qnas.circuit.ansatze import sim2019
from qnas.errors import CircuitError
from qnas.model.hybrid import build_model
from qnas.model.mixing import initial_mixing
from qnas.model.quantum_function import QuantumFunction
from qnas.objectives import gradient_variance
from qnas.objectives.random_states import NO_INPUTS, program_of_weights
from qnas.objectives.trainability import (
    _derivatives_of_readout,
    _models_at_starts,
    design_trainability,
    log_mean_variance,
)
from qnas.testing.designs import design, quantities
from tests.objectives.coverage import is_honest, share_held

NO_EFFECT = "the cost does not depend on any weight, so its trainability is not defined."
DIAGONAL = dict(encoding="iqp", layers=[dict(rotation="rz", entangler="crz", topology="line")])
"""Without a gate after the diagonal ones, <Z> depends on no weight, though derivatives are rounded to 1e-18."""


def one_ry_per_qubit(n_qubits):
    circuit = QuantumCircuit(n_qubits)
    for k, weight in enumerate(ParameterVector("w", n_qubits)):
        circuit.ry(weight, k)
    return circuit


def projector(n_qubits, qubits):
    """|0><0| on the given qubits: the product of (1 + Z) / 2."""
    operator = SparsePauliOp("I" * n_qubits)
    for k in qubits:
        operator = operator @ SparsePauliOp.from_sparse_list([("", [], 0.5), ("Z", [k], 0.5)], n_qubits)
    return operator.simplify()


def mean_of_projectors(n_qubits):
    return SparsePauliOp.sum([projector(n_qubits, [k]) for k in range(n_qubits)]) / n_qubits


@pytest.mark.parametrize("n_qubits", range(2, 7))
def test_a_global_cost_has_a_barren_plateau(n_qubits):
    """Cerezo et al. 2021, arXiv 2001.00550: E[sin^2/4] = 1/8 for the weight, E[cos^4(w/2)] = 3/8 for each other."""
    operator = projector(n_qubits, range(n_qubits))
    found = gradient_variance(one_ry_per_qubit(n_qubits), operator, n_starts=20_000)
    exact = (1 / 8) * (3 / 8) ** (n_qubits - 1)
    assert found.values.shape == found.standard_errors.shape == (n_qubits,)
    assert (np.abs(found.values - exact) < 4 * found.standard_errors).all()
    assert (found.standard_errors < 0.1 * exact).all()


@pytest.mark.parametrize("n_qubits", range(2, 7))
def test_a_local_cost_has_none(n_qubits):
    found = gradient_variance(one_ry_per_qubit(n_qubits), mean_of_projectors(n_qubits), n_starts=4000)
    exact = 1 / (8 * n_qubits**2)
    assert (np.abs(found.values - exact) < 4 * found.standard_errors).all()
    assert (found.standard_errors < 0.02 * exact).all()


def random_circuit(n_qubits, n_layers, rng):
    """McClean et al. 2018, arXiv 1803.11173: RY(pi/4), then layers of rotations about random axes and a CZ ladder."""
    circuit = QuantumCircuit(n_qubits)
    circuit.ry(math.pi / 4, range(n_qubits))
    weights = iter(ParameterVector("w", n_qubits * n_layers))
    for _ in range(n_layers):
        for k in range(n_qubits):
            getattr(circuit, rng.choice(["rx", "ry", "rz"]))(next(weights), k)
        for k in range(n_qubits - 1):
            circuit.cz(k, k + 1)
    return circuit


@pytest.mark.slow
@pytest.mark.parametrize(("n_qubits", "n_layers", "n_circuits"), [(2, 16, 400), (4, 32, 250)])
def test_random_circuits_lose_their_gradient_with_the_dimension(n_qubits, n_layers, n_circuits):
    """2^n / (3 (4^n - 1)) for the first weight, an average over the random axes, too."""
    rng = np.random.default_rng(0)
    operator = SparsePauliOp.from_sparse_list([("ZZ", [0, 1], 1.0)], n_qubits)
    circuits = [random_circuit(n_qubits, n_layers, rng) for _ in range(n_circuits)]
    found = [gradient_variance(circuit, operator, n_starts=16, seed=k).values[0] for k, circuit in enumerate(circuits)]
    error = np.std(found, ddof=1) / np.sqrt(n_circuits)
    exact = 2**n_qubits / (3 * (4**n_qubits - 1))
    assert abs(np.mean(found) - exact) < 4 * error
    assert error < 0.06 * exact


def test_values_are_in_the_order_of_the_parameters_of_the_circuit():
    """Qiskit sorts by name, not by position: the last name sits on the first gate, the one that matters."""
    circuit = QuantumCircuit(2)
    for name, gate, qubit in (("c", "ry", 1), ("a", "rz", 0), ("b", "rz", 1)):
        getattr(circuit, gate)(Parameter(name), qubit)
    found = gradient_variance(circuit, SparsePauliOp("ZI"), n_starts=2000)
    assert [parameter.name for parameter in circuit.parameters] == ["a", "b", "c"]
    assert found.values == pytest.approx([0, 0, 1 / 2], abs=0.05)
    assert found.standard_errors[:2] == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize("operator", [projector(3, range(3)), mean_of_projectors(3)], ids=["global", "local"])
def test_the_standard_errors_are_the_spread_over_seeds(operator):
    """The spread of 100 runs is known to 7 %; three times that is allowed for each weight.

    The derivatives of the global cost have long tails, those of the local one have none.
    """
    circuit = one_ry_per_qubit(3)
    found = [gradient_variance(circuit, operator, n_starts=400, seed=seed) for seed in range(100)]
    spread = np.std([one.values for one in found], axis=0, ddof=1)
    claimed = np.mean([one.standard_errors for one in found], axis=0)
    assert claimed == pytest.approx(spread, rel=3 / np.sqrt(2 * 99))


CIRCUITS = {
    "global": (one_ry_per_qubit(4), projector(4, range(4))),
    "local": (one_ry_per_qubit(4), mean_of_projectors(4)),
    "strings": (sim2019(3, 5), SparsePauliOp(["ZII", "IZI", "IIZ"], [1 / 3] * 3)),
    "one string": (sim2019(3, 13), SparsePauliOp("ZZI")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CIRCUITS)
def test_95_percent_intervals_hold_the_variance_of_many_starts(name):
    """Over 200 seeds of 200 starts and all weights that have an effect, against 100,000 starts.

    The kurtosis of the derivatives is 1.5 for the local cost and 11 for the global one.
    """
    circuit, operator = CIRCUITS[name]
    exact = gradient_variance(circuit, operator, n_starts=100_000, seed=12345).values
    found = [gradient_variance(circuit, operator, seed=seed) for seed in range(200)]
    shares = share_held([one.values for one in found], [one.standard_errors for one in found], exact)[exact > 1e-20]
    assert is_honest(shares.mean())
    assert shares.min() >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", CIRCUITS)
def test_95_percent_intervals_hold_the_logarithm_of_the_mean_variance(name):
    """Over 200 seeds of 64 starts, as an objective takes them."""
    circuit, operator = CIRCUITS[name]
    exact = np.log10(gradient_variance(circuit, operator, n_starts=100_000, seed=12345).values.mean())
    found = [
        log_mean_variance(derivatives(circuit, operator, 64, seed), np.random.default_rng(0)) for seed in range(200)
    ]
    values, errors = np.array(found).T
    assert is_honest(share_held(values, errors, exact))


def derivatives(circuit, operator, n_starts, seed):
    function = QuantumFunction(program_of_weights(circuit), [operator], weights_vary=True)
    return _derivatives_of_readout(function, NO_INPUTS, n_starts, np.random.default_rng(seed))


def test_a_weight_without_effect_has_a_variance_and_an_error_of_zero():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.ry(Parameter("b"), 1)
    found = gradient_variance(circuit, SparsePauliOp("IZ"))
    assert found.values == pytest.approx([1 / 2, 0], abs=0.1)
    assert found.standard_errors[1] == pytest.approx(0, abs=1e-20)
    assert found.standard_errors[0] > 0


@pytest.mark.parametrize("factor", [1.0, 1e-12])
def test_an_observable_without_effect_is_refused_and_a_small_one_is_not(factor):
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    assert gradient_variance(circuit, factor * SparsePauliOp("IZ")).values[0] > 0
    for observable in ("ZI", "II"):
        with pytest.raises(CircuitError, match="the observable does not depend on any weight, so its derivatives have"):
            gradient_variance(circuit, factor * SparsePauliOp(observable))


def test_the_seed_decides():
    first, again, other = (gradient_variance(one_ry_per_qubit(2), SparsePauliOp("ZZ"), 20, seed) for seed in (5, 5, 6))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


@pytest.mark.parametrize(("n_qubits", "n_starts"), [(2, 1), (0, 10)])
def test_weights_and_two_starts_are_needed(n_qubits, n_starts):
    circuit = one_ry_per_qubit(n_qubits) if n_qubits else QuantumCircuit(2)
    with pytest.raises(CircuitError) as refusal:
        gradient_variance(circuit, SparsePauliOp("ZZ"), n_starts=n_starts)
    assert str(refusal.value) == (
        "a variance of derivatives needs weights and at least 2 starts, but the circuit has "
        f"{n_qubits} parameters and n_starts is {n_starts}."
    )


# --- of a design -----------------------------------------------------------------------------------------------


def reported(derivatives):
    return np.log10(np.mean(np.var(derivatives, axis=0, ddof=1)))


@pytest.mark.parametrize("readout", ["z", "zz", "z_first"])
def test_pqc_is_the_mean_readout_by_parameter_shifts_of_qiskit_states(readout):
    candidate, n_starts = design("pqc", readout=readout), 5
    parts = candidate.builder.design
    bound = candidate.circuit.assign_parameters(
        dict(zip(parts.inputs, candidate.sample_input[0].tolist(), strict=True))
    )
    cost = SparsePauliOp.sum(list(parts.observables)) / len(parts.observables)

    def value(weights):
        at = dict(zip(parts.weights, weights, strict=True))
        return Statevector(bound.assign_parameters(at)).expectation_value(cost).real

    starts = candidate.rng("starts").uniform(0, 2 * np.pi, (n_starts, len(parts.weights)))
    steps = np.pi / 2 * np.eye(len(parts.weights))
    derivatives = [[(value(start + step) - value(start - step)) / 2 for step in steps] for start in starts]
    found = design_trainability(candidate, n_starts=n_starts)
    assert found.value == pytest.approx(reported(derivatives), abs=1e-9)
    assert found.details == {}


def test_pqc_draws_a_learned_mixture_too():
    """Backpropagation through models, one by one, whose weights are those of the starts."""
    candidate, n_starts = design("pqc", readout="pauli_mixture"), 5
    rng, model = candidate.rng("starts"), candidate.initial_model()
    starts = rng.uniform(0, 2 * np.pi, (n_starts, candidate.program.n_weights))
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    mixings = initial_mixing((n_starts, 2, 36), generator)
    derivatives = []
    for start, mixing in zip(starts, mixings, strict=True):
        circuit, readout = model.quantum_weights
        circuit.data, readout.data = torch.from_numpy(start), mixing
        values = model.network.quantum(candidate.sample_input)
        gradients = torch.autograd.grad(values.mean(), [circuit, readout])
        derivatives.append(np.concatenate([gradient.numpy().ravel() for gradient in gradients]))
    found = design_trainability(candidate, n_starts=n_starts)
    assert found.value == pytest.approx(reported(np.array(derivatives)), abs=1e-9)


def test_quantum_only_draws_a_learned_mixture_and_keeps_the_rest():
    candidate = design("quantum_only", readout="pauli_mixture")
    frozen = candidate.initial_model().network.head[0].weight
    models = list(_models_at_starts(candidate, 3))
    assert all(torch.equal(model.network.head[0].weight, frozen) for model in models)
    for first, second in zip(models[0].quantum_weights, models[1].quantum_weights, strict=True):
        assert not (first == second).any()
    assert np.isfinite(design_trainability(candidate, n_starts=3).value)


def loss_gradients(candidate, n_starts, batch_size, *, classical_too):
    """Gradients of the task loss on one batch, by backpropagation through models built one by one: quantum, classical.

    Without `classical_too` the classical weights stay at the seeded start of the design.
    """
    splits = candidate.splits
    rows = candidate.rng("batch").permutation(len(splits.train.features))[:batch_size]
    features, targets = torch.from_numpy(splits.train.features[rows]), torch.from_numpy(splits.train.targets[rows])
    quantum, classical = [], []
    for seed in candidate.rng("starts").integers(2**63, size=n_starts).tolist():
        drawn = build_model(candidate.architecture, splits.n_features, splits.n_outputs, seed)
        model = drawn if classical_too else candidate.initial_model()
        for own, new in zip(model.quantum_layers, drawn.quantum_layers, strict=True):
            own.weight.data = new.weight.data
        loss = cross_entropy if splits.task == "classification" else mse_loss
        torch.autograd.backward(loss(model(features), targets))
        circuit_weights = {id(layer.weight) for layer in model.quantum_layers}
        gradients = [(id(p) in circuit_weights, p.grad.flatten().numpy()) for p in model.parameters()]
        quantum.append(np.concatenate([np.empty(0), *(g for is_quantum, g in gradients if is_quantum)]))
        classical.append(np.concatenate([np.empty(0), *(g for is_quantum, g in gradients if not is_quantum)]))
    return np.stack(quantum), np.stack(classical)


MIXTURE = {"name": "density", "n_circuits": 3, "weighting": "input"}


@pytest.mark.parametrize("coupling", ["serial", "residual", "mac", "quantum", MIXTURE])
def test_quantum_only_moves_the_circuit_weights_alone(coupling):
    candidate = design("quantum_only", coupling=coupling)
    quantum, _ = loss_gradients(candidate, 6, 10, classical_too=False)
    found = design_trainability(candidate, n_starts=6, batch_size=10)
    assert found.value == pytest.approx(reported(quantum), abs=1e-9)
    assert found.details == {}


@pytest.mark.parametrize("coupling", ["serial", "additive", "mac", MIXTURE])
@pytest.mark.parametrize("splits", [None, quantities(n_targets=2)], ids=["classes", "quantities"])
def test_end_to_end_draws_all_weights_and_reports_the_parts(coupling, splits):
    candidate = design("end_to_end", coupling=coupling, splits=splits)
    quantum, classical = loss_gradients(candidate, 6, 10, classical_too=True)
    found = design_trainability(candidate, n_starts=6, batch_size=10)
    assert found.value == pytest.approx(reported(np.hstack([quantum, classical])), abs=1e-9)
    assert found.details["quantum_part"][0] == pytest.approx(reported(quantum), abs=1e-9)
    assert found.details["classical_part"][0] == pytest.approx(reported(classical), abs=1e-9)
    assert all(error > 0 for error in (found.standard_error, *(part[1] for part in found.details.values())))


def test_the_classical_control_has_a_classical_part_only():
    candidate = design("end_to_end", coupling="classical")
    _, classical = loss_gradients(candidate, 6, 10, classical_too=True)
    found = design_trainability(candidate, n_starts=6, batch_size=10)
    assert found.value == pytest.approx(reported(classical), abs=1e-9)
    assert found.details.keys() == {"classical_part"}


def test_a_batch_over_the_training_split_is_all_of_it():
    few, all_of_it = (design_trainability(design(), n_starts=4, batch_size=n).value for n in (24, 10_000))
    assert few == all_of_it


@pytest.mark.parametrize("configuration", ["pqc", "quantum_only", "end_to_end"])
@pytest.mark.parametrize(
    ("cost", "variance"), [("local", lambda n: 1 / (8 * n**2)), ("global", lambda n: (3 / 8) ** (n - 1) / 8)]
)
def test_local_and_global_costs_of_one_ry_per_qubit(configuration, cost, variance):
    """RZ on |0> and CZ before a diagonal cost are nothing."""
    layers = [dict(rotation="ry", entangler="cz", topology="line")]
    one = design(encoding=dict(name="angle", axis="z"), layers=layers, configuration=configuration)
    found = design_trainability(one, n_starts=2000, cost=cost)
    assert found.value == pytest.approx(np.log10(variance(one.program.n_qubits)), abs=4 * found.standard_error)
    assert found.standard_error < 0.05


@pytest.mark.parametrize("configuration", ["pqc", "quantum_only"])
def test_rounding_is_no_trainability(configuration):
    with pytest.raises(CircuitError) as refusal:
        design_trainability(design(configuration, **DIAGONAL), n_starts=8)
    assert str(refusal.value) == NO_EFFECT


def test_an_inert_circuit_leaves_the_classical_part():
    found = design_trainability(design("end_to_end", **DIAGONAL), n_starts=8)
    assert found.details.keys() == {"classical_part"}
    assert found.value < found.details["classical_part"][0]


def test_nothing_to_train_is_refused():
    with pytest.raises(CircuitError) as refusal:
        design_trainability(design("quantum_only", coupling="classical"), n_starts=8)
    assert str(refusal.value) == NO_EFFECT


@pytest.mark.parametrize("configuration", ["pqc", "end_to_end"])
def test_a_design_needs_two_starts(configuration):
    with pytest.raises(CircuitError) as refusal:
        design_trainability(design(configuration), n_starts=1)
    assert str(refusal.value) == "a variance of derivatives needs at least 2 starts, but n_starts is 1."


def test_a_deep_global_cost_is_still_above_rounding():
    """A barren plateau is a small number, not an error: 24 qubits of a global cost have (1/8)(3/8)^23 = 2e-11."""
    derivatives = np.random.default_rng(0).normal(scale=np.sqrt((1 / 8) * (3 / 8) ** 23), size=(64, 24))
    value, _ = log_mean_variance(derivatives, np.random.default_rng(0))
    assert value == pytest.approx(np.log10((1 / 8) * (3 / 8) ** 23), abs=0.1)


def test_the_bootstrap_error_is_the_spread():
    """Derivatives of weights that share a scale per start, as those of one model do; 200 runs know it to 5 %.

    64 starts resampled have a little less variance than 64 drawn anew, and the logarithm bends, hence 20 %.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        scales = rng.uniform(0.5, 1.5, (64, 1)) * np.array([1.0, 0.5, 2.0, 0.1])
        found.append(log_mean_variance(scales * rng.normal(size=(64, 4)), rng))
    values, errors = np.array(found).T
    assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=0.2)


def test_the_bootstrap_resamples_starts():
    """The shares of a resample weigh the starts: its variance is that of the repeated rows."""
    derivatives, n_starts = np.random.default_rng(1).normal(size=(7, 3)), 7
    _, error = log_mean_variance(derivatives, np.random.default_rng(2))
    counts = np.random.default_rng(2).multinomial(n_starts, np.full(n_starts, 1 / n_starts), size=200)
    logs = [reported(np.repeat(derivatives, drawn, axis=0)) for drawn in counts]
    assert error == pytest.approx(np.std(logs, ddof=1), rel=1e-9)
