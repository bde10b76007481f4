"""Sampled simulation: shots scatter about the exact values as they must, and so do the gradients made of them."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

import qnas
from qnas.circuit.lower import lower
from qnas.errors import CircuitError, ConfigurationError
from qnas.simulation import BackendChoice, SampledSimulator, SimulationSettings, Simulator, make_simulator
from qnas.simulation.contract import Binding, Executable, Needs, Spent
from tests.circuit.reference import unitary
from tests.circuit.strategies import few, seeds
from tests.simulation.cases import Case

ALL_EQUAL = 120
"""Samples of one batch at the same point: as many independent repetitions, in one job."""


def exact_values(case):
    return case.executable().forward(case.binding())[0]


def exact_gradients(case):
    executable = case.executable()
    return executable.backward(case.binding(), executable.forward(case.binding())[1], case.cotangent)


def sampled(case, **settings):
    return SampledSimulator(**settings).prepare(case.program, case.observables, case.varying)


def repeated(n_qubits, seed, *, shared=False, amplitudes=False, n_gates=8):
    """One point as often as `ALL_EQUAL`; every slot is varying, or shared."""
    case = Case(n_qubits, ALL_EQUAL, seed, n_gates=n_gates, amplitudes=amplitudes)
    case.varying[:] = not shared
    case.angles[:] = case.angles[0]
    case.cotangent[:] = case.cotangent[0]
    if amplitudes:
        case.amplitudes[:] = case.amplitudes[0]
    return case


def standard_errors(case, row, n_shots):
    """Of the mean over shots, from the variance of what each circuit measures, shape (n_observables,)."""
    start = np.eye(2**case.program.n_qubits)[0] if case.amplitudes is None else case.amplitudes[row]
    scale = np.linalg.norm(start) ** 2
    final = Statevector(unitary(case.bound(row)) @ start / np.sqrt(scale))
    strings = list(dict.fromkeys(label for operator in case.observables for label in operator.paulis.to_labels()))
    strings = [label for label in strings if set(label) != {"I"}]
    found = []
    for operator in case.observables:
        terms = {}
        for label, coefficient in operator.to_list():
            terms[label] = terms.get(label, 0.0) + coefficient.real
        variance = 0.0
        for group in SparsePauliOp(strings).group_commuting(qubit_wise=True) if strings else []:
            labels = group.paulis.to_labels()
            part = SparsePauliOp(labels, [terms.get(label, 0.0) for label in labels])
            variance += (final.expectation_value(part @ part) - final.expectation_value(part) ** 2).real
        found.append(scale * np.sqrt(max(variance, 0.0) / n_shots))
    return np.array(found)


def agrees(samples, expected):
    """The mean of independent samples, along the first axis, lies within five of its standard errors."""
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    return np.all(abs(samples.mean(axis=0) - expected) <= 5 * error + 1e-9)


# --- expectation values -------------------------------------------------------------------------------------------


@few
@given(st.integers(1, 4), st.integers(1, 3), seeds, st.booleans())
def test_values_lie_within_five_standard_errors(n_qubits, batch, seed, amplitudes):
    case, n_shots = Case(n_qubits, batch, seed, amplitudes=amplitudes), 4000
    found, _ = sampled(case, n_shots=n_shots, seed=seed).forward(case.binding())
    size = np.array([abs(operator.coeffs).sum() for operator in case.observables])
    for row, expected in enumerate(exact_values(case)):
        scale = 1.0 if case.amplitudes is None else (case.amplitudes[row] ** 2).sum()
        rare = 20 * size * scale / n_shots  # where an outcome is so rare that it may come once, errors are not normal
        assert np.all(abs(found[row] - expected) <= 5 * standard_errors(case, row, n_shots) + rare)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_scatter_is_that_of_shots(seed):
    case, n_shots = repeated(3, seed), 256
    found, _ = sampled(case, n_shots=n_shots, seed=seed).forward(case.binding())
    assert agrees(found, exact_values(case)[0])
    expected = standard_errors(case, 0, n_shots)
    np.testing.assert_allclose(found.std(axis=0, ddof=1), expected, rtol=5 / np.sqrt(2 * ALL_EQUAL))


@pytest.mark.slow
def test_the_error_falls_with_the_square_root_of_shots():
    case = repeated(3, seed=4)
    n_shots = 4 ** np.arange(2, 7)
    errors = []
    for shots in n_shots:
        found, _ = sampled(case, n_shots=int(shots), seed=5).forward(case.binding())
        errors.append(np.sqrt(np.mean((found - exact_values(case)) ** 2)))
    slope = np.polyfit(np.log(n_shots), np.log(errors), 1)[0]
    assert -0.6 < slope < -0.4


def test_an_identity_costs_no_circuit_and_is_exact():
    case = Case(2, 3, seed=0)
    case.observables = [SparsePauliOp(["II", "II"], [0.5, 0.25]), SparsePauliOp("II", 2.0)]
    executable = sampled(case)
    values, residual = executable.forward(case.binding())
    gradients = executable.backward(case.binding(), residual, np.ones((3, 2)))
    assert np.array_equal(values, np.tile([0.75, 2.0], (3, 1)))
    assert executable.spent == Spent(0, 0)
    assert not gradients.shared.any() and not gradients.varying.any()


def test_a_circuit_without_angles():
    case = Case(2, 3, seed=0, n_gates=0)
    case.observables = [SparsePauliOp("ZZ"), SparsePauliOp("ZI")]
    executable = sampled(case, n_shots=100)
    values, residual = executable.forward(case.binding())
    assert np.array_equal(values, np.ones((3, 2)))
    assert executable.backward(case.binding(), residual, np.ones((3, 2))).varying.shape == (3, 0)
    assert executable.spent == Spent(3, 300)


# --- gradients ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "amplitudes"), [(0, False), (1, False), (2, True)])
def test_parameter_shift_agrees_with_the_adjoint(seed, amplitudes):
    case = repeated(2, seed, amplitudes=amplitudes)
    found = sampled(case, n_shots=200, seed=seed).backward(case.binding(), None, case.cotangent)
    exact = exact_gradients(case)
    assert agrees(found.varying, exact.varying[0])
    if amplitudes:
        assert agrees(found.amplitudes, exact.amplitudes[0])


@pytest.mark.slow
@pytest.mark.parametrize("gradient", ["parameter_shift", "spsa"])
def test_a_shared_slot_is_summed_over_the_batch(gradient):
    case = Case(2, 3, seed=3, n_gates=10)
    executable = sampled(case, n_shots=2000, gradient=gradient, n_spsa_averages=20, spsa_step=0.1, seed=0)
    calls = [executable.backward(case.binding(), None, case.cotangent) for _ in range(12)]
    exact = exact_gradients(case)
    assert case.varying.any() and not case.varying.all()
    assert agrees(np.stack([call.shared for call in calls]), exact.shared)
    assert agrees(np.stack([call.varying for call in calls]), exact.varying)


@pytest.mark.slow
@pytest.mark.parametrize("amplitudes", [False, True])
def test_the_mean_of_spsa_is_the_gradient(amplitudes):
    case = repeated(2, seed=6, amplitudes=amplitudes, n_gates=6)
    executable = sampled(case, n_shots=400, gradient="spsa", n_spsa_averages=10, spsa_step=0.1, seed=1)
    found = executable.backward(case.binding(), None, case.cotangent)
    exact = exact_gradients(case)
    parts = ["varying", "amplitudes"] if amplitudes else ["varying"]
    samples = np.concatenate([getattr(found, part) for part in parts], axis=1)
    expected = np.concatenate([getattr(exact, part)[0] for part in parts])
    assert agrees(samples, expected)
    assert not agrees(samples, np.zeros_like(expected))


def test_what_is_not_needed_is_not_run():
    case = Case(2, 3, seed=3, n_gates=10)
    whole, part = sampled(case, n_shots=10), sampled(case, n_shots=10)
    whole.backward(case.binding(), None, case.cotangent)
    found = part.backward(case.binding(), None, case.cotangent, Needs(varying=False))
    assert found.shared.any() and not found.varying.any()
    assert part.spent.n_circuits * case.program.n_slots == whole.spent.n_circuits * int((~case.varying).sum())


# --- jobs, counts, seeds ------------------------------------------------------------------------------------------


@pytest.fixture
def jobs(monkeypatch):
    """The circuits and seeds of each job that Aer is given."""
    seen = []
    original = AerSimulator.run

    def run(self, circuits, **options):
        seen.append((len(circuits), options["seed_simulator"]))
        return original(self, circuits, **options)

    monkeypatch.setattr(AerSimulator, "run", run)
    return seen


@pytest.mark.parametrize("gradient", ["parameter_shift", "spsa"])
@pytest.mark.parametrize("amplitudes", [False, True])
def test_one_job_forward_and_one_backward(jobs, gradient, amplitudes):
    case = Case(2, 3, seed=1, n_gates=6, amplitudes=amplitudes)
    case.observables = [SparsePauliOp(["ZI", "IZ", "XX"]), SparsePauliOp("YI"), SparsePauliOp("XX")]
    executable = sampled(case, n_shots=50, gradient=gradient, n_spsa_averages=4)
    executable.forward(case.binding())
    n_groups, batch = 3, 3  # ZI with IZ; XX; YI
    assert len(jobs) == 1
    assert executable.spent == Spent(n_groups * batch, 50 * n_groups * batch)
    executable.backward(case.binding(), None, case.cotangent)
    directions = 4 if gradient == "spsa" else case.program.n_slots + (4 if amplitudes else 0)
    n_circuits = n_groups * batch * (1 + 2 * directions)
    assert len(jobs) == 2
    assert executable.spent == Spent(n_circuits, 50 * n_circuits)
    assert jobs[0][1] != jobs[1][1]


@pytest.mark.parametrize("gradient", ["parameter_shift", "spsa"])
def test_a_seed_fixes_every_number_and_no_global_state(gradient):
    case = Case(2, 3, seed=2)
    state = pickle.dumps(np.random.get_state())  # noqa: NPY002

    def numbers(seed):
        executable = sampled(case, n_shots=64, gradient=gradient, seed=seed)
        values, residual = executable.forward(case.binding())
        gradients = executable.backward(case.binding(), residual, case.cotangent)
        return np.concatenate([values.ravel(), executable.forward(case.binding())[0].ravel(), gradients.shared])

    assert np.array_equal(numbers(0), numbers(0))
    assert not np.array_equal(numbers(0), numbers(1))
    assert pickle.dumps(np.random.get_state()) == state  # noqa: NPY002


def test_equal_points_of_a_batch_have_shots_of_their_own():
    case = repeated(2, seed=1)
    values, _ = sampled(case, n_shots=64).forward(case.binding())
    again, _ = sampled(case, n_shots=64).forward(case.binding())
    assert len(np.unique(values[:, 2])) > 10
    assert np.array_equal(values, again)


def test_the_contract():
    simulator = SampledSimulator()
    assert isinstance(simulator, Simulator)
    assert isinstance(sampled(Case(2, 1, seed=0)), Executable)
    assert pickle.loads(pickle.dumps(simulator)) == simulator


def test_amplitudes_that_are_all_zero_have_no_expectation():
    case = Case(2, 2, seed=0, amplitudes=True)
    binding = Binding(case.binding().shared, case.binding().varying, np.zeros((2, 4)))
    values, _ = sampled(case).forward(binding)
    assert not values.any()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"n_shots": 0}, "n_shots is 0; a circuit needs at least 1 shot"),
        ({"gradient": "adjoint"}, "unknown gradient 'adjoint': Allowed: parameter_shift, spsa"),
        ({"spsa_step": 0.0}, r"spsa_step is 0.0; it is an angle in radians above 0"),
        ({"spsa_step": float("nan")}, "spsa_step is nan"),
        (
            {"noise": NoiseModel(), "backend": BackendChoice()},
            "noise and the backend 'generic' are both given; choose one of them",
        ),
        ({"n_spsa_averages": 0}, "n_spsa_averages is 0; SPSA needs at least 1 direction"),
        ({"seed": -1}, "the simulator's seed is -1; it must not be negative"),
    ],
)
def test_settings_out_of_range(settings, text):
    with pytest.raises(ConfigurationError, match=text):
        SampledSimulator(**settings)


def test_an_observable_of_another_width():
    case = Case(2, 1, seed=0)
    with pytest.raises(CircuitError, match="observable 0 acts on 3 qubits, but the circuit has 2"):
        SampledSimulator().prepare(case.program, [SparsePauliOp("ZZZ")], case.varying)


# --- noise of one's own -------------------------------------------------------------------------------------------


def depolarizing(gate, n_qubits=1, **settings):
    noise = NoiseModel(**settings)
    noise.add_all_qubit_quantum_error(depolarizing_error(0.2, n_qubits), [gate])
    return noise


def one_rotation(angle):
    """RX(angle) on one qubit, read by Z."""
    x = Parameter("x")
    circuit = QuantumCircuit(1)
    circuit.rx(x, 0)
    return lower(circuit, [x], []), Binding(np.empty(0), np.array([[angle]]))


def test_a_depolarised_rotation_keeps_four_fifths_of_its_length():
    program, binding = one_rotation(0.6)
    simulator = pickle.loads(pickle.dumps(SampledSimulator(n_shots=100_000, noise=depolarizing("rx"))))
    executable = simulator.prepare(program, [SparsePauliOp("Z")], np.ones(1, dtype=bool))
    ((value,),), _ = executable.forward(binding)
    assert abs(value - 0.8 * np.cos(0.6)) < 4 / np.sqrt(100_000)
    (slope,) = executable.backward(binding, None, np.ones((1, 1))).varying[0]
    assert abs(slope + 0.8 * np.sin(0.6)) < 4 / np.sqrt(2 * 100_000)


def test_readout_errors_alone_are_noise():
    program, binding = one_rotation(0.0)
    noise = NoiseModel()
    noise.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.1, 0.9]]))
    simulator = SampledSimulator(n_shots=100_000, noise=noise)
    ((value,),), _ = simulator.prepare(program, [SparsePauliOp("Z")], np.ones(1, dtype=bool)).forward(binding)
    assert abs(value - 0.8) < 4 / np.sqrt(100_000)


def test_a_noise_model_for_other_gates():
    program, _ = one_rotation(0.6)
    simulator = SampledSimulator(noise=depolarizing("ecr", 2, basis_gates=["rz", "sx", "ecr"]))
    text = (
        "the noise model has errors on ecr, but the circuit, written in the model's basis gates, has only measure, rz"
    )
    with pytest.raises(CircuitError, match=text):
        simulator.prepare(program, [SparsePauliOp("Z")], np.ones(1, dtype=bool))


# --- settings -----------------------------------------------------------------------------------------------------


def test_settings_become_a_simulator():
    assert make_simulator(SimulationSettings("shots", n_shots=7, gradient="spsa"), seed=3) == SampledSimulator(
        n_shots=7, gradient="spsa", seed=3
    )
    noisy = make_simulator(SimulationSettings("noisy", backend_qubits=5, backend_seed=2, backend_topology="grid"))
    assert noisy == SampledSimulator(backend=BackendChoice("generic", 5, 2, topology="grid"))
    other = make_simulator(SimulationSettings("noisy", backend_entangler="ecr"))
    assert other == SampledSimulator(backend=BackendChoice(entangler="ecr"))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"name": "shot"}, r"unknown simulator 'shot': did you mean 'shots'\? Allowed: exact, shots, noisy"),
        ({"name": "shots", "n_shots": -4}, "n_shots is -4; a circuit needs at least 1 shot"),
        ({"name": "noisy", "gradient": "adjoint"}, "unknown gradient 'adjoint'"),
        (
            {"name": "exact", "n_shots": 10},
            "simulation.n_shots is 10, but simulation=exact does not use it; leave it out, "
            "or choose simulation=shots or simulation=noisy",
        ),
        (
            {"name": "shots", "backend": "fake_manila"},
            "simulation.backend is 'fake_manila', but simulation=shots does not use it; .* choose simulation=noisy",
        ),
    ],
)
def test_settings_that_cannot_be(settings, text):
    with pytest.raises(ConfigurationError, match=text):
        make_simulator(SimulationSettings(**settings))


@pytest.mark.slow
@pytest.mark.parametrize("chosen", [["simulation=shots"], ["simulation=noisy", "simulation.gradient=spsa"]])
def test_a_search_on_shots(chosen, tmp_path):
    job = [*chosen, "simulation.n_shots=64", "data=iris", "data.n_samples=40", "search.population=2"]
    job += ["search.generations=1", "training.epochs=1", "objectives.names=[accuracy,flops]", "executor=serial"]
    fronts = []
    for name in ("first", "second"):
        qnas.search([*job, f"run_dir={tmp_path / name}"])
        fronts.append(json.loads((tmp_path / name / "front.json").read_text()))
    details = [record["details"]["simulation"] for record in fronts[0]]
    assert all(spent["n_shots"] == 64 * spent["n_circuits"] > 0 for spent in details)
    assert [record["values"] for record in fronts[0]] == [record["values"] for record in fronts[1]]
