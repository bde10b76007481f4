"""Exported circuits are read back by Qiskit's own importer and prepare the same states."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from qiskit_machine_learning.circuit.library import raw_feature_vector

from qnas.errors import CircuitError
from qnas.front.openqasm import amplitude_angles, to_openqasm
from qnas.testing.circuits import read_back

N_QUBITS = 3
X, W = ParameterVector("x", 4), ParameterVector("w", 12)
GATES = {  # name: number of angles, number of qubits
    **dict.fromkeys(("rx", "ry", "rz", "p"), (1, 1)),
    **dict.fromkeys(("crx", "cry", "crz", "cp", "rxx", "ryy", "rzz", "rzx"), (1, 2)),
    **dict.fromkeys(("cx", "cz", "swap", "iswap", "ecr"), (0, 2)),
    **dict.fromkeys(("h", "x", "s", "sdg", "sx"), (0, 1)),
    "u": (3, 1),
}
EXPRESSIONS = (
    *X, *W, X[0] * X[1], (np.pi - X[0]) * (np.pi - X[2]) * 2, -X[3], X[1] / 3 + np.pi / 4, W[3] * X[2] - 0.1,
    X[0] / (np.pi / 2), 1 / (2 + X[1] * X[1]), 0.12345678901234567 * W[11], (W[1] + W[10]) / 2, 1e-7 + X[0],
    (np.pi / 2 + 5e-10) * X[3], 13.141592653589793 * X[0],
    2 * X[0].arctan(), X[1] ** 2, (X[2].sin() + 1).log() / 3, X[1].exp() * W[0],
)  # fmt: skip


@st.composite
def circuits(draw):
    circuit = QuantumCircuit(N_QUBITS, global_phase=draw(st.sampled_from([0.0, 0.7])))
    for name in draw(st.lists(st.sampled_from(sorted(GATES)), max_size=12)):
        n_angles, n_qubits = GATES[name]
        angles = [draw(st.sampled_from(EXPRESSIONS)) for _ in range(n_angles)]
        getattr(circuit, name)(*angles, *draw(st.permutations(range(N_QUBITS)))[:n_qubits])
    return circuit


def values_for(circuit, seed=0):
    rng = np.random.default_rng(seed)
    return {parameter: rng.uniform(0.1, 3.0) for parameter in circuit.parameters}


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_every_expression_keeps_its_value(expression):
    circuit = QuantumCircuit(1)
    circuit.rx(expression, 0)
    values = values_for(circuit)
    bound = [float(c.data[0].params[0]) for c in (circuit.assign_parameters(values), read_back(circuit, values))]
    assert bound[0] == pytest.approx(bound[1], rel=1e-15)


@settings(max_examples=60, deadline=None)
@given(circuits())
def test_the_circuit_read_back_has_the_same_unitary(circuit):
    values = values_for(circuit)
    again = read_back(circuit, values)
    assert not again.parameters
    assert Operator(again).equiv(Operator(circuit.assign_parameters(values)), rtol=0, atol=1e-10)


def test_names_are_legal_and_in_order_and_products_survive():
    circuit = QuantumCircuit(2)
    circuit.rx(X[0], 0)
    circuit.rzz(X[0] * X[1], 0, 1)
    circuit.rz(np.pi - X[1], 1)
    for weight in W:
        circuit.ry(weight, 0)
    text = to_openqasm(circuit)
    inputs = re.findall(r"^input float\[64\] (\w+);$", text, flags=re.M)
    assert inputs == [*(f"w_{k}" for k in range(12)), "x_0", "x_1"]
    assert "rx(x_0) q[0];" in text
    assert "rzz(x_0*x_1) q[0], q[1];" in text
    assert "rz(pi - x_1) q[1];" in text
    assert text.startswith("OPENQASM 3.0;")


def test_the_sign_of_a_feature_is_an_input_of_its_own():
    circuit = QuantumCircuit(1)
    circuit.rx(np.pi / 2 * (1 + X[0].sign()), 0)
    text = to_openqasm(circuit)
    assert "sign(x) is -1, 0 or 1" in text and "//   f_0 = 1.5707963267948966*(1 + sign(x_0))\n" in text
    assert [parameter.name for parameter in qasm3.loads(text).parameters] == ["f_0"]


def test_composite_gates_and_evolutions_are_written_out():
    inner = QuantumCircuit(2, global_phase=W[1])
    inner.append(PauliEvolutionGate(SparsePauliOp("XY"), time=W[0] * X[0]), [0, 1])
    circuit = QuantumCircuit(3)
    circuit.append(PauliEvolutionGate(SparsePauliOp("ZYX"), time=X[1] / 2), [0, 1, 2])
    circuit.append(inner.to_gate(), [2, 0])
    circuit.unitary(Operator.from_label("H"), [1])
    values = values_for(circuit)
    expected = Operator(circuit.decompose(reps=4).assign_parameters(values))
    assert Operator(read_back(circuit, values)).equiv(expected)


def test_an_instruction_without_gates_is_named():
    circuit = QuantumCircuit(1)
    circuit.append(Gate("oracle", 1, []), [0])
    with pytest.raises(CircuitError, match="'oracle': it has no gate sequence"):
        to_openqasm(circuit)


def test_two_parameters_with_one_legal_name_are_refused():
    circuit = QuantumCircuit(1)
    circuit.rx(X[0] + Parameter("x_0"), 0)
    with pytest.raises(CircuitError, match="both be called 'x_0'"):
        to_openqasm(circuit)


def amplitude_circuit(n_qubits):
    circuit = QuantumCircuit(n_qubits)
    circuit.compose(raw_feature_vector(2**n_qubits), inplace=True)
    return circuit


def prepared(circuit, amplitudes):
    loaded = qasm3.loads(to_openqasm(circuit))
    angles = {f"a_{k}": angle for k, angle in enumerate(amplitude_angles(amplitudes))}
    return Statevector(loaded.assign_parameters(angles))


vectors = st.integers(1, 4).flatmap(
    lambda n: arrays(float, 2**n, elements=st.sampled_from([0.0, -0.0, 1.0, -1.0]) | st.floats(-3, 3, width=16))
)


@settings(max_examples=40, deadline=None)
@given(vectors.filter(lambda v: np.linalg.norm(v) > 1e-3))
def test_the_tree_of_rotations_prepares_the_vector(amplitudes):
    state = prepared(amplitude_circuit(len(amplitudes).bit_length() - 1), amplitudes)
    assert np.allclose(state.data, amplitudes / np.linalg.norm(amplitudes), rtol=0, atol=1e-12)


def test_the_comment_computes_the_angles():
    text = to_openqasm(amplitude_circuit(3))
    comment = re.findall(r"^// (  .*)$", text, flags=re.M)
    code = "\n".join(line[2:] for line in comment if "v = [x_0" not in line)
    amplitudes = np.random.default_rng(1).normal(size=8)
    names = {"v": amplitudes, "np": np}
    exec(code, names)
    assert names["a"] == amplitude_angles(amplitudes).tolist()
    assert "//   v = [x_0, x_1, x_2, x_3, x_4, x_5, x_6, x_7]\n" in text


def test_angles_of_a_batch():
    amplitudes = np.random.default_rng(2).normal(size=(5, 2, 8))
    angles = amplitude_angles(amplitudes)
    assert angles.shape == (5, 2, 7)
    assert np.array_equal(angles[3, 1], amplitude_angles(amplitudes[3, 1]))
    assert amplitude_angles(np.array([-3.0, 4.0])) == pytest.approx([2 * np.arctan2(4, -3)])


def test_amplitudes_and_weights_stay_together():
    circuit = amplitude_circuit(2)
    circuit.crx(W[0], 1, 0)
    circuit.rz(W[1] * W[0], 1)
    amplitudes, weights = np.array([0.5, -0.5, 0.1, 0.7]), {"w[0]": 0.3, "w[1]": -1.2}
    bound = circuit.assign_parameters({**weights, **{f"x[{k}]": value for k, value in enumerate(amplitudes)}})
    loaded = qasm3.loads(to_openqasm(circuit))
    angles = {f"a_{k}": angle for k, angle in enumerate(amplitude_angles(amplitudes))}
    again = loaded.assign_parameters({**angles, "w_0": 0.3, "w_1": -1.2})
    expected = Statevector(bound.decompose("ParameterizedInitialize"))
    assert Statevector(again).equiv(expected)


def test_amplitudes_after_other_gates_are_refused():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.compose(raw_feature_vector(4), inplace=True)
    with pytest.raises(CircuitError, match=r"must be the first instruction; it stands at the places \[1\]"):
        to_openqasm(circuit)
