"""FLOPs: the quantum part against a simulation that counts, the classical part against torch's own counter."""

from pathlib import Path

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp, Statevector
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from qnas.architecture import Architecture
from qnas.circuit.lower import lower
from qnas.circuit.readouts import readouts
from qnas.model.angles import AngleFunction
from qnas.model.couplings import couplings, nearest_width
from qnas.model.hybrid import ModelBuilder
from qnas.objectives import flops
from qnas.objectives.flops import classical_flops, design_flops, program_flops, readout_flops, sweep_flops
from qnas.testing.designs import LAYER, architecture, design
from tests.objectives import counting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "flops.md"
FIXED = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "cx", "cy", "cz", "ch", "csx", "swap", "iswap", "ecr", "ccx")
FREE = ("rx", "ry", "rz", "p", "u", "rxx", "ryy", "rzz", "rzx", "crx", "cry", "crz", "cp")
GATES = get_standard_gate_name_mapping()


def gate(name, angles):
    made = GATES[name].to_mutable()
    made.params = list(angles)
    return made


def with_gate(name, angles, n_qubits):
    """One gate, on the last qubits."""
    circuit = QuantumCircuit(n_qubits)
    width = GATES[name].num_qubits
    circuit.append(gate(name, angles), range(n_qubits - width, n_qubits))
    return circuit


def random_circuit(rng, n_qubits=3, n_gates=20):
    """Of standard gates, each angle a weight; and the weights."""
    circuit, weights = QuantumCircuit(n_qubits), []
    for name in rng.choice([*FIXED, *FREE], n_gates).tolist():
        own = [Parameter(f"w{len(weights) + k}") for k in range(len(GATES[name].params))]
        weights += own
        circuit.append(gate(name, own), rng.permutation(n_qubits)[: GATES[name].num_qubits].tolist())
    return circuit, weights


def angles_at(program, values):
    angles = AngleFunction(program.angles, np.arange(program.n_slots))
    return angles(torch.tensor(values, dtype=torch.float64)[None])[0].tolist() if program.n_slots else []


def random_observables(rng, n_qubits=3):
    """Strings of Z, strings with X and Y, sums with coefficients of 1, -1 and others."""
    labels = ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(4)]
    coefficients = np.array([1.0, -1.0, 0.3, 2.0])
    z_strings = [SparsePauliOp("IIZ"), SparsePauliOp("ZIZ"), SparsePauliOp(["ZZI", "IZZ"], [1.0, -0.5])]
    return [*z_strings, SparsePauliOp("XYI"), SparsePauliOp(labels, coefficients)]


@pytest.mark.parametrize("seed", range(12))
def test_a_random_circuit_costs_what_a_simulation_counts(seed):
    rng = np.random.default_rng(seed)
    circuit, weights = random_circuit(rng)
    program, observables = lower(circuit, [], weights), random_observables(rng)
    values = rng.uniform(0, 2 * np.pi, len(weights))
    angles = angles_at(program, values)
    state, n_run = counting.counted(counting.run, program, angles, counting.zero_state(3))
    found, n_read = counting.counted(counting.expectations, observables, state)
    cotangent = rng.normal(size=len(observables))
    (slopes, _), n_swept = counting.counted(counting.sweep, program, angles, state, observables, cotangent)
    exact = Statevector(circuit.assign_parameters(dict(zip(weights, values, strict=True))))
    assert found == pytest.approx([exact.expectation_value(operator).real for operator in observables], abs=1e-10)
    assert (program_flops(program), readout_flops(observables)) == (n_run, n_read)
    assert sweep_flops(program, observables) == n_swept
    for slot in rng.permutation(program.n_slots)[:3].tolist():
        assert slopes[slot] == pytest.approx(shifted(program, angles, slot, observables, cotangent), abs=1e-10)


def shifted(program, angles, slot, observables, cotangent):
    """The derivative by one angle, by parameter shift."""
    ends = []
    for shift in (np.pi / 2, -np.pi / 2):
        moved = [angle + shift * (k == slot) for k, angle in enumerate(angles)]
        ends.append(counting.expectations(observables, counting.run(program, moved, counting.zero_state(3))))
    return np.dot(cotangent, np.subtract(*ends)) / 2


@pytest.mark.parametrize(
    "observables",
    [
        ["ZII"],
        ["XYZ"],
        ["IIZ", "IZI", "ZZZ"],
        ["XII", "IZI"],
        [["ZII", "IZI", "IIZ"]],
        [["ZII", "XXI"], ["XII", "YII"]],
        [["ZII", "III", "XXI"], "ZZZ"],
    ],
)
@pytest.mark.parametrize("coefficient", [1.0, -1.0, 0.5])
def test_a_readout_costs_what_a_simulation_counts(observables, coefficient):
    operators = [coefficient * SparsePauliOp(labels) for labels in observables]
    state, nothing = counting.zero_state(3), lower(QuantumCircuit(3), [], [])
    assert readout_flops(operators) == counting.counted(counting.expectations, operators, state)[1]
    cotangent = [0.3] * len(operators)
    assert sweep_flops(nothing, operators) == counting.counted(counting.seed, operators, cotangent, state)[1]


def test_a_projector_is_one_diagonal_however_many_strings_it_has():
    """|psi|^2 of 16 amplitudes, and for each of 3 blocks a product and a sum of each."""
    operators = readouts["probabilities"](4, n_outputs=3)
    assert min(len(operator) for operator in operators) > 2
    assert readout_flops(operators) == 3 * 16 + 3 * 2 * 16
    assert readout_flops(operators) == counting.counted(counting.expectations, operators, counting.zero_state(4))[1]


def test_a_learned_mixture_costs_its_strings_and_a_linear_map():
    """3 + 3 strings of Z and 30 others on 3 qubits; the map of 36 expectations to 2 values is classical, 2 * 36 * 2."""
    found = flops(architecture(coupling="quantum", readout="pauli_mixture"), 3, 2)
    assert found.readout == 3 * 8 + 6 * 8 + 30 * 4 * 8
    assert found.classical == 2 * 36 * 2 + flops(architecture(coupling="quantum", readout="z_classes"), 3, 2).classical


ARCHITECTURES = {
    "default": {},
    "reuploaded": dict(encoding=dict(name="angle", axis="x", reupload=True), layers=[LAYER] * 3),
    "uploaded once": dict(layers=[LAYER] * 3),
    "two features per qubit": dict(encoding="dense_angle", readout="zz"),
    "trainable scales": dict(encoding=dict(name="angle", reupload=True, trainable=True), layers=[LAYER] * 2),
    "named layers": dict(layers=[dict(name="sim2019", template=3)] * 2),
    "zz": dict(encoding=dict(name="zz", reupload=True), layers=[LAYER] * 2),
    "basis": dict(encoding="basis"),
    "iqp": dict(encoding=dict(name="iqp", repeats=2, reupload=True), layers=[LAYER] * 2),
    "amplitude": dict(encoding="amplitude", readout="z_first"),
    "no pre-network": dict(coupling="quantum"),
    "fewer features than qubits": dict(coupling="quantum", n_qubits=4, encoding="iqp"),
    "trained entanglers": dict(layers=[dict(rotation="rx_ry_rz", entangler="crx", topology="all")]),
    "permutations": dict(layers=[dict(rotation="rx", entangler="swap", topology="line")] * 2),
    "basis states": dict(readout=dict(name="probabilities", partition="parity")),
    "learned mixture": dict(readout="pauli_mixture", coupling="quantum"),
    "template": dict(ansatz=dict(name="sim2019", template=9, n_layers=2)),
}


@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_an_architecture_costs_what_a_simulation_counts(changes):
    builder = ModelBuilder(architecture(**changes), 3, 2)
    program, parts = builder.program, builder.design
    rng = np.random.default_rng(0)
    inputs, weights = rng.uniform(0.5, 2.0, len(parts.inputs)), rng.uniform(0, 6, len(parts.weights))
    expected = builder.function(torch.from_numpy(inputs)[None], torch.from_numpy(weights))[0].numpy()

    def prepared(n_uploads):
        state = counting.zero_state(program.n_qubits)
        if program.amplitude_inputs is not None:
            padded = [counting.Real(value) for value in [*inputs, 0.0]]
            return counting.normalised([padded[k] for k in program.amplitude_inputs])
        encoding = parts.encoding_program
        at = [*inputs, *weights[: encoding.n_weights]]
        for _ in range(n_uploads):
            state = counting.run(encoding, angles_at(encoding, at), state)
        return state

    encoding = changes.get("encoding")
    reuploads = isinstance(encoding, dict) and encoding.get("reupload", False)
    _, n_encoding = counting.counted(prepared, len(changes["layers"]) if reuploads else 1)
    is_amplitude = program.amplitude_inputs is not None
    start = prepared(1) if is_amplitude else counting.zero_state(program.n_qubits)
    state, n_run = counting.counted(counting.run, program, angles_at(program, [*inputs, *weights]), start)
    values, n_readout = counting.counted(counting.expectations, parts.observables, state)
    found = flops(builder.architecture, 3, 2)
    assert values == pytest.approx(expected, abs=1e-10)
    assert found.encoding == n_encoding > 0
    assert found.encoding + found.circuit == n_run + (n_encoding if is_amplitude else 0)
    assert found.readout == n_readout
    assert found.sweep == swept(builder, inputs, weights, state)


def swept(builder, inputs, weights, state):
    """What an adjoint sweep counts, whose derivatives are those of the model's own circuit."""
    program, observables = builder.program, builder.design.observables
    cotangent = np.linspace(0.5, 1.5, len(observables))
    angles = angles_at(program, [*inputs, *weights])
    (slopes, adjoint), n = counting.counted(counting.sweep, program, angles, state, observables, cotangent)
    x, w = (torch.from_numpy(values).requires_grad_() for values in (inputs, weights))
    by_input, _ = torch.autograd.grad(builder.function(x[None], w) @ torch.from_numpy(cotangent), [x, w])
    if program.amplitude_inputs is not None:
        amplitudes = [counting.Real([*inputs, 0.0][k]) for k in program.amplitude_inputs]
        by_amplitude, n_projected = counting.counted(counting.projected, amplitudes, adjoint)
        found = [by_amplitude[program.amplitude_inputs.index(k)] for k in range(len(inputs))]
        assert found == pytest.approx(by_input.tolist(), abs=1e-9)
        return n + n_projected
    x = x.detach()[None].requires_grad_()
    function = AngleFunction(program.angles, np.arange(program.n_slots))
    through = function(torch.cat([x[0], w])[None])[0] if program.n_slots else torch.zeros(0)
    (by_slots,) = torch.autograd.grad(through @ torch.tensor(slopes, dtype=torch.float64), x)
    assert by_slots[0].tolist() == pytest.approx(by_input.tolist(), abs=1e-9)
    return n


@pytest.mark.parametrize(
    ("name", "per_amplitude"),
    [("rx", 6), ("rz", 6), ("rzz", 6), ("p", 6), ("crx", 12), ("cp", 18), ("u", 18), ("h", 4), ("x", 0), ("y", 0),
     ("s", 0), ("cz", 0), ("swap", 0), ("iswap", 0), ("ccx", 0), ("t", 3), ("sx", 14), ("ch", 30)],
)  # fmt: skip
def test_the_cost_of_a_gate(name, per_amplitude):
    """In operations per amplitude: Pauli rotation 6, H 4, moves and signs 0, T on one half 6, dense 8 * 2^k - 2."""
    weights = [Parameter(f"w{k}") for k in range(len(GATES[name].params))]
    circuit = with_gate(name, weights, n_qubits=4)
    assert program_flops(lower(circuit, [], weights)) == per_amplitude * 16


@pytest.mark.parametrize("name", ["rx", "ry", "rz", "rxx", "ryy", "rzx", "crx", "cry"])
def test_a_rotation_costs_the_same_at_a_fixed_angle(name):
    weight = Parameter("w")
    free, bound = (with_gate(name, [angle], n_qubits=3) for angle in (weight, 0.3))
    assert program_flops(lower(bound, [], [])) == program_flops(lower(free, [], [weight])) > 0


def test_a_worked_example():
    """4 qubits (16 amplitudes), 3 features, 2 outputs.

    encoding   4 RY                                          4 * 6 * 16 =  384
    circuit    4 RY, 4 RZ; the CX ring moves amplitudes      8 * 6 * 16 =  768
    readout    |psi|^2 and 4 sums of Z                  3 * 16 + 4 * 16 =  112
    classical  3 -> 8: 48, tanh 8, 8 -> 4: 64, tanh 4, pi 4, 4 -> 2: 16 =  144
    backward   lambda 2 * 16 + 4 * 16 = 96, undone on two states 2 * 1152 = 2304, 12 inner products of 4 * 16 = 768,
               classical 288
    """
    layers = [dict(rotation="ry_rz", entangler="cx", topology="ring")]
    found = flops(architecture(n_qubits=4, layers=layers, hidden=(8,)), 3, 2)
    assert (found.encoding, found.circuit, found.readout, found.classical) == (384, 768, 112, 144)
    assert found.total == 1408
    assert found.training_step == 1408 + 96 + 2304 + 768 + 288


def test_the_example_of_the_page_is_right():
    """The numbers of docs/flops.md are those of its architecture, and of its own sums."""
    text = PAGE.read_text().split("## An example by hand")[1]
    chosen = Architecture.from_json(text.split("```json")[1].split("```")[0])
    found = flops(chosen, 5, 2)
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if row.startswith("| ")]
    numbers = {part: int(number) for part, _, _, number in rows[2:]}
    assert numbers == {part: getattr(found, part) for part in numbers}
    assert set(numbers) == {"encoding", "circuit", "readout", "classical", "total", "sweep", "training_step"}
    for part, _, by_hand, _ in rows[2:]:
        assert set(by_hand) <= set("0123456789 +*") and eval(by_hand) == numbers[part]


# with 5 features, 3 inputs and readouts, 2 outputs and one hidden layer of 4, tanh and scale in the pre-network are
# 4 + 3 + 3; a network N beside the circuit has 4 tanh; sums and products of outputs are 2 each
ELEMENTWISE = {
    "serial": 10,
    "residual": 10,
    "additive": 10 + 4 + 2,
    "multiplicative": 10 + 4 + 2,
    "mac": 10 + 4 + 4 + 2 + 2,
    "quantum": 0,
}


def linear_flops(model, n_features):
    """By torch's own counter with its own registry, the circuit replaced by zeros."""
    for layer in model.quantum_layers:
        layer.forward = lambda inputs: torch.zeros(len(inputs), 3, dtype=torch.float64)
    counter = FlopCounterMode(display=False)
    with counter:
        model(torch.ones(1, n_features))
    return counter.get_total_flops()


@pytest.mark.parametrize("coupling", ELEMENTWISE)
def test_the_classical_part_is_torchs_count_and_elementwise_functions(coupling):
    n_features = 3 if coupling == "quantum" else 5
    chosen = architecture(coupling=coupling)
    model = ModelBuilder(chosen, n_features, 2).build(0)
    found = classical_flops(model, n_features)
    assert found == flops(chosen, n_features, 2).classical == linear_flops(model, n_features) + ELEMENTWISE[coupling]


@pytest.mark.parametrize("coupling", [name for name in ELEMENTWISE if name != "quantum"])  # its map is fixed
def test_the_derivatives_of_linear_maps_cost_twice_the_maps_by_torchs_count(coupling):
    """With the circuit replaced by something with a derivative, and derivatives by the features as well."""
    model = ModelBuilder(architecture(coupling=coupling), 5, 2).build(0)
    for layer in model.quantum_layers:
        layer.forward = torch.sin
    features = torch.ones(1, 5, dtype=torch.float64, requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        outputs = model(features)
    with FlopCounterMode(display=False) as backward:
        torch.autograd.backward(outputs.sum())
    assert backward.get_total_flops() == 2 * forward.get_total_flops()


@pytest.mark.parametrize(
    ("coupling", "linear"),
    [  # 2dm for each map d -> m: pre 5 -> 4 -> 3 is 64, head 3 -> 2 is 12, N 5 -> 4 -> 2 is 56
        ("serial", 64 + 12),
        ("residual", 64 + 24),
        ("additive", 64 + 12 + 56),
        ("multiplicative", 64 + 12 + 56),
        ("mac", 64 + 12 + 56 + 56),
    ],
)
def test_linear_maps_by_hand(coupling, linear):
    assert flops(architecture(coupling=coupling), 5, 2).classical == linear + ELEMENTWISE[coupling]


def test_networks_in_front_of_the_circuit_and_behind_it_by_hand():
    """With 5 features, 3 inputs and readouts, 2 outputs."""

    def classical(**changes):
        return flops(architecture(**changes), 5, 2).classical

    linear_and_bounds, head = 2 * 5 * 3 + 3 + 3, 2 * 3 * 2
    assert classical(pre="linear") == linear_and_bounds + head
    assert classical(pre="pca") == 5 + 2 * 5 * 3 + head  # the mean off, and the components
    assert classical(pre="linear", head=(7,)) == linear_and_bounds + 2 * 3 * 7 + 7 + 2 * 7 * 2
    alone = flops(architecture(coupling="quantum"), 3, 2).classical
    assert classical(pre="pca", coupling="quantum") == 5 + 2 * 5 * 3 + alone


@pytest.mark.parametrize("weighting", ["constant", "input"])
def test_a_mixture_of_circuits_costs_them_all(weighting):
    """A softmax of 4 values is 5 each, products with 3 readouts and their sum 2 each; a linear map 5 -> 4 is 40."""
    part = dict(name="density", n_circuits=4, weighting=weighting)
    one, mixed = (flops(architecture(coupling=coupling), 5, 2) for coupling in ("serial", part))
    for name in ("encoding", "circuit", "readout", "sweep"):
        assert getattr(mixed, name) == 4 * getattr(one, name)
    assert mixed.classical == one.classical + 5 * 4 + 2 * 4 * 3 + (2 * 5 * 4 if weighting == "input" else 0)


def test_a_network_without_hidden_layers_and_amplitudes_that_are_not_bounded():
    """5 -> 8 amplitudes, no tanh, no scale; 3 -> 2."""
    assert flops(architecture(encoding="amplitude", hidden=()), 5, 2).classical == 80 + 12


class Networks(nn.Module):
    """A third party's coupling with functions that are seldom used, and parts that differ in training."""

    def __init__(self, parts):
        super().__init__()
        self.pre = nn.Sequential(nn.Linear(parts.n_features, parts.n_inputs, dtype=torch.float64), nn.Softplus())
        self.norm = nn.BatchNorm1d(parts.n_inputs, dtype=torch.float64)
        self.drop = nn.Dropout(0.5)
        self.quantum = parts.quantum()
        self.head = nn.Linear(parts.n_readouts, parts.n_outputs, dtype=torch.float64)

    def forward(self, features):
        return self.head(self.quantum(self.drop(self.norm(self.pre(features))))).log_softmax(dim=1)


def test_a_coupling_of_a_third_party(monkeypatch):
    """5 -> 3: 30, softplus 3, normalisation 4 * 3, no dropout, 3 -> 2: 12, log-softmax 5 * 2 + 1."""
    monkeypatch.setitem(couplings._parts, "networks", Networks)
    assert flops(architecture(coupling="networks"), 5, 2).classical == 30 + 3 + 12 + 12 + 11


def test_the_classical_control_has_a_classical_part_only():
    """pre 5 -> 4 -> 3, stand-in 3 -> width -> 3, tanh of 3, head 3 -> 2."""
    chosen = architecture(coupling="classical")
    builder = ModelBuilder(chosen, 5, 2)
    width = nearest_width(3, 3, int(builder.live_weights.sum()))
    found = flops(chosen, 5, 2)
    assert (found.encoding, found.circuit, found.readout, found.sweep) == (0, 0, 0, 0)
    elementwise = 10 + width + 3
    assert found.classical == found.total == linear_flops(builder.build(0), 5) + elementwise
    assert found.classical == 64 + 12 * width + 12 + elementwise
    assert found.training_step == 3 * found.classical


@pytest.mark.parametrize("changes", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_sums_of_parts(changes):
    found = flops(architecture(**changes), 3, 2)
    quantum = found.encoding + found.circuit
    assert found.total == quantum + found.readout + found.classical
    assert found.training_step == 3 * found.classical + quantum + found.readout + found.sweep


def test_the_objective_reports_the_parts():
    found, expected = design_flops(design()), flops(architecture(), 3, 2)
    assert found.value == expected.total
    assert found.standard_error is None
    assert found.details == {
        "encoding": expected.encoding,
        "circuit": expected.circuit,
        "readout": expected.readout,
        "classical": expected.classical,
        "training_step": expected.training_step,
    }


def test_the_product_of_features_in_an_angle_is_not_counted():
    """iqp on 3 qubits: 3 H, 3 RZ, 3 RZZ of 8 amplitudes; angles are prepared outside the state."""
    circuit = QuantumCircuit(3)
    x = ParameterVector("x", 2)
    circuit.rzz(x[0] * x[1], 0, 1)
    assert program_flops(lower(circuit, list(x), [])) == 6 * 8
    assert flops(architecture(encoding="iqp"), 3, 2).encoding == 3 * 4 * 8 + 6 * 6 * 8
