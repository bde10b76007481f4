"""Hardware cost: by hand on a target of three CX in a chain, by Qiskit's own estimates, and by one real snapshot."""

from math import exp, inf, prod

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import CXGate, Measure, Reset, SXGate
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from qnas.circuit import backends
from qnas.circuit.backends import BackendChoice, find_backend
from qnas.errors import CircuitError, ConfigurationError
from qnas.objectives import HardwareCost, choose_objectives, hardware_cost
from qnas.objectives.hardware import design_cost, duration, n_two_qubit_gates, success_probability, two_qubit_depth
from qnas.objectives.noisy_accuracy import noisy_accuracy
from qnas.simulation.transpiled import transpiled
from qnas.testing.designs import design

LINE = BackendChoice(n_qubits=5, topology="line")
EVERY = (n_two_qubit_gates, two_qubit_depth, duration, success_probability)


def chain():
    """CX from qubit 0 to 1 to 2 to 3."""
    circuit = QuantumCircuit(4)
    for k in range(3):
        circuit.cx(k, k + 1)
    return circuit


def target(*, error=1.0, seconds=1.0, t1=(1e-4, 2e-4, 1e-4, 5e-5)):
    """Four qubits in a line. Errors and durations are multiples of those asked for; None leaves them out."""

    def given(own_seconds, own_error):
        return InstructionProperties(
            None if seconds is None else own_seconds * seconds, None if error is None else own_error * error
        )

    made = Target(num_qubits=4, qubit_properties=None if t1 is None else [QubitProperties(t1=time) for time in t1])
    made.add_instruction(CXGate(), {(0, 1): given(1e-7, 0.01), (1, 2): given(2e-7, 0.02), (2, 3): given(3e-7, 0.03)})
    made.add_instruction(SXGate(), {(k,): given(4e-8, 0.001) for k in range(4)})
    made.add_instruction(Measure(), {(k,): given(1e-6, 0.05 + k / 100) for k in range(4)})
    made.add_instruction(Reset(), {(k,): given(k * 1e-6, 0.0) for k in range(3)} | {(3,): None})
    return made


def cost(circuit, to=None, measured=()):
    read = QuantumCircuit(4, 4)
    read.measure(measured, measured)
    return HardwareCost(circuit.compose(read), to or target(), "mine")


# --- by hand --------------------------------------------------------------------------------------------------------


def test_a_chain_of_cx_by_hand():
    """The last qubit waits for all three CX and is measured then; the first is measured after one."""
    found = cost(chain(), measured=(0, 3))
    assert found.n_two_qubit_gates == found.two_qubit_depth == 3
    assert found.duration == pytest.approx(1e-7 + 2e-7 + 3e-7 + 1e-6, rel=1e-12)
    assert found.used == [0, 1, 2, 3]
    gates, readout = 0.99 * 0.98 * 0.97, 0.95 * 0.92
    decay = exp(-1.6e-6 / 1e-4) * exp(-1.6e-6 / 2e-4) * exp(-1.6e-6 / 1e-4) * exp(-1.6e-6 / 5e-5)
    assert found.success_probability == pytest.approx(gates * readout * decay, rel=1e-12)


def test_gates_apart_act_at_once_and_idle_qubits_do_not_count():
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    circuit.sx(2)
    circuit.sx(2)
    found = cost(circuit, measured=(0,))
    assert (found.n_two_qubit_gates, found.two_qubit_depth, found.used) == (1, 1, [0, 1, 2])
    assert found.duration == pytest.approx(1e-7 + 1e-6, rel=1e-12)
    decay = exp(-1.1e-6 * (1 / 1e-4 + 1 / 2e-4 + 1 / 1e-4))
    assert found.success_probability == pytest.approx(0.99 * 0.999**2 * 0.95 * decay, rel=1e-12)
    assert found.reset == pytest.approx(2e-6)


def test_parallel_cx_have_depth_one():
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    found = cost(circuit)
    assert (found.n_two_qubit_gates, found.two_qubit_depth) == (2, 1)
    assert found.duration == pytest.approx(3e-7)


def test_without_errors_and_decay_success_is_certain():
    assert cost(chain(), target(error=0.0, t1=(inf,) * 4), measured=range(4)).success_probability == 1.0
    assert cost(chain(), target(error=0.0, seconds=0.0), measured=range(4)).success_probability == 1.0


@pytest.mark.parametrize(
    ("to", "name", "what"),
    [
        (target(seconds=None), "duration", r"duration of 'cx' on qubits 0 and 1"),
        (target(seconds=None), "success_probability", r"duration of 'cx' on qubits 0 and 1"),
        (target(error=None), "success_probability", r"error of 'cx' on qubits 0 and 1"),
        (target(t1=None), "success_probability", "T1 of qubit 0"),
        (target(t1=(1e-4, 0.0, 1e-4, 1e-4)), "success_probability", "T1 of qubit 1"),
        (target(), "reset", "duration of 'reset' on qubit 3"),
    ],
)
def test_what_a_backend_does_not_say_is_never_made_up(to, name, what):
    with pytest.raises(CircuitError) as refusal:
        getattr(cost(chain(), to), name)
    assert str(refusal.value) == (
        f"the backend 'mine' gives no {what}; choose another backend, or leave out what needs it."
    )


def test_counts_need_neither_durations_nor_errors():
    found = cost(chain(), target(seconds=None, error=None, t1=None))
    assert (found.n_two_qubit_gates, found.two_qubit_depth) == (3, 3)


# --- transpiled -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "choice", [LINE, BackendChoice(topology="all"), BackendChoice(topology="ring", entangler="ecr")]
)
def test_a_transpiled_chain_is_what_its_target_says(choice):
    found = hardware_cost(chain(), choice)
    properties = [
        found.target[step.name][tuple(found.circuit.find_bit(qubit).index for qubit in step.qubits)]
        for step in found.circuit.data
    ]
    times = [found.target.qubit_properties[qubit].t1 for qubit in found.used]
    assert found.duration == pytest.approx(found.circuit.estimate_duration(found.target, "s"), rel=1e-9)
    expected = prod(1 - one.error for one in properties) * exp(-sum(found.duration / t1 for t1 in times))
    assert found.success_probability == pytest.approx(expected, rel=1e-12)
    assert found.n_two_qubit_gates == found.two_qubit_depth == 3
    assert found.circuit.count_ops()["measure"] == len(found.used) == 4


def test_routing_costs_gates():
    """A triangle does not fit on a line."""
    triangle = QuantumCircuit(3)
    for pair in ((0, 1), (1, 2), (0, 2)):
        triangle.cx(*pair)
    assert hardware_cost(triangle, BackendChoice()).n_two_qubit_gates == 3
    routed = hardware_cost(triangle, BackendChoice(topology="line"))
    assert routed.n_two_qubit_gates > 3
    assert {tuple(sorted(pair)) for pair in pairs(routed.circuit)} == {(0, 1), (1, 2)}


def pairs(circuit):
    return [tuple(circuit.find_bit(q).index for q in step.qubits) for step in circuit.data if len(step.qubits) == 2]


def test_a_snapshot():
    """Four CX from qubit 0 on the line of five qubits of Manila need routing; all is as Qiskit itself has it."""
    pytest.importorskip("qiskit_ibm_runtime")
    star, choice = QuantumCircuit(5), BackendChoice("fake_manila")
    for k in range(1, 5):
        star.cx(0, k)
    found, backend = hardware_cost(star, choice), find_backend(choice, 5)
    again = transpile(star, backend, optimization_level=1, seed_transpiler=0)
    assert found.n_two_qubit_gates == again.num_nonlocal_gates() > 4
    assert found.two_qubit_depth == again.depth(lambda step: len(step.qubits) == 2)
    assert found.duration == pytest.approx(found.circuit.estimate_duration(backend.target, "s"), rel=1e-9)
    assert 0.5 < found.success_probability < prod(1 - backend.target["cx"][pair].error for pair in pairs(again))
    assert found.reset == pytest.approx(max(one.duration for one in backend.target["reset"].values()))


def test_a_snapshot_without_the_duration_of_its_reset():
    pytest.importorskip("qiskit_ibm_runtime")
    with pytest.raises(CircuitError, match=r"the backend 'fake_vigo' gives no duration of 'reset' on qubit \d"):
        _ = hardware_cost(chain(), BackendChoice("fake_vigo")).reset


# --- designs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entangler", ["cx", "cz", "crx", "rzz", "swap"])
@pytest.mark.parametrize("encoding", ["angle", "iqp", "zz"])
def test_the_lowered_circuit_costs_what_the_plain_one_does(encoding, entangler):
    layer = dict(rotation="ry_rz", entangler=entangler, topology="all")
    candidate = design("pqc", encoding=encoding, layers=[layer] * 2)
    backend = find_backend(BackendChoice(), 3)
    plain = transpile(candidate.circuit, backend, optimization_level=1, seed_transpiler=0)
    assert n_two_qubit_gates(candidate) == plain.num_nonlocal_gates()


@pytest.mark.parametrize("entangler", ["cx", "cz", "ecr"])
@pytest.mark.parametrize("topology", ["line", "heavy_hex"])
def test_native_circuits_need_no_more_gates(topology, entangler):
    ansatz = dict(name="native", topology=topology, entangler=entangler, n_layers=2)
    candidate = design(ansatz=ansatz, n_qubits=5)
    assert n_two_qubit_gates(candidate, backend=BackendChoice(topology=topology, entangler=entangler)) == 2 * 4


def test_amplitude_encoding_is_prepared_by_its_circuit():
    """On all-to-all pairs: 2 + 4 CX prepare 8 real amplitudes, three more are the ring."""
    candidate = design(encoding="amplitude", n_qubits=3)
    assert (n_two_qubit_gates(candidate), two_qubit_depth(candidate)) == (9, 9)


def test_only_what_the_readout_depends_on_is_measured():
    measured = [
        design_cost(design(readout=readout), BackendChoice()).circuit.count_ops()["measure"]
        for readout in ("z_first", "z_classes", "z", "zz", "pauli_mixture")
    ]
    assert measured == [1, 2, 3, 3, 3]
    assert success_probability(design(readout="z_first")) > success_probability(design(readout="z"))


def test_no_number_depends_on_weights_seed_or_training():
    def found(**changes):
        return [measure(design(**changes), backend=LINE) for measure in EVERY]

    assert found() == found(seed=7) == found(repeat=1) == found(coupling="quantum") == found(epochs=9)


def test_another_backend_is_another_cost():
    candidate = design()
    one, other = (duration(candidate, backend=BackendChoice(seed=seed)) for seed in (0, 1))
    assert one != other
    assert duration(candidate) == one


def test_the_classical_control_costs_nothing():
    assert [measure(design(coupling="classical")) for measure in EVERY] == [0, 0, 0.0, 1.0]


def test_counts_are_integers():
    assert [type(measure(design())) for measure in EVERY] == [int, int, float, float]


def test_caches_change_nothing_and_a_design_is_transpiled_once():
    candidate = design(epochs=1)
    transpiled.cache_clear()
    first = [measure(candidate, backend=LINE) for measure in EVERY]
    noisy = noisy_accuracy(candidate, n_shots=8, backend=LINE)
    assert (transpiled.cache_info().misses, transpiled.cache_info().hits) == (1, 4)
    transpiled.cache_clear()
    backends._backend.cache_clear()
    assert [measure(candidate, backend=LINE) for measure in EVERY] == first
    assert noisy_accuracy(candidate, n_shots=8, backend=LINE) == noisy


def test_measuring_leaves_what_is_cached_alone():
    candidate = design()
    before = transpiled(candidate.program, find_backend(LINE, 3)).circuit.count_ops()
    assert "measure" in design_cost(candidate, LINE).circuit.count_ops()
    assert transpiled(candidate.program, find_backend(LINE, 3)).circuit.count_ops() == before


@pytest.mark.parametrize("measure", [*EVERY, noisy_accuracy])
def test_a_backend_with_fewer_qubits(measure):
    with pytest.raises(
        CircuitError,
        match=r"the circuit has 3 qubits, but the backend 'generic' has 2; choose a larger one\.",
    ):
        measure(design(epochs=1), backend=BackendChoice(n_qubits=2))


# --- options --------------------------------------------------------------------------------------------------------


def test_options_choose_the_backend():
    options = {"backend_qubits": 5, "backend_topology": "line", "backend_seed": 3, "backend_entangler": "cz"}
    (found,) = choose_objectives(["duration"], options={"duration": options})
    expected = duration(design(), backend=BackendChoice("generic", 5, 3, "line", "cz"))
    assert found(design()).value == expected != duration(design())
    assert set(found.options) == {"backend", *options}


@pytest.mark.parametrize("name", ["n_two_qubit_gates", "success_probability", "noisy_accuracy", "predicted_latency"])
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"backend": "genric"}, r"unknown backend 'genric': did you mean 'generic'\? Allowed: generic"),
        ({"backend_topology": "lime"}, r"unknown topology of the generic backend 'lime': did you mean 'line'\?"),
        ({"backend_entangler": "cy"}, r"unknown entangler of the generic backend 'cy': .*Allowed: cx, cz, ecr"),
        ({"backend_qubits": 0}, r"backend_qubits is 0; allowed is a whole number of at least 1 or null"),
        ({"backend_seed": 0.5}, r"backend_seed is 0\.5; allowed is a whole number of at least 0"),
        ({"backnd": "generic"}, r"unknown key of objectives\.options\.\w+, 'backnd': did you mean 'backend'\?"),
    ],
)
def test_options_are_checked_before_a_run(name, options, text):
    with pytest.raises(ConfigurationError, match=text):
        choose_objectives([name], options={name: options})


def test_a_snapshot_takes_no_options_of_the_generic_backend():
    pytest.importorskip("qiskit_ibm_runtime")
    options = {"duration": {"backend": "fake_manila", "backend_qubits": 5}}
    with pytest.raises(ConfigurationError, match="'fake_manila' is as it was measured; its number of qubits"):
        choose_objectives(["duration"], options=options)
