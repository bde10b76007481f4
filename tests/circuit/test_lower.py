"""Lowering: the program equals the circuit up to a global phase, and what cannot be lowered is named."""

import numpy as np
import pytest
from hypothesis import given
from qiskit import QuantumCircuit
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, InverseModifier, Parameter, ParameterVector
from qiskit.circuit import library as gates
from qiskit.circuit.classical import expr
from qiskit.quantum_info import Clifford, Operator, Pauli, SparseObservable, SparsePauliOp
from qiskit_machine_learning.circuit.library import raw_feature_vector

from qnas.circuit.lower import ROTATIONS, lower
from qnas.circuit.program import Fixed, Rotation
from qnas.errors import CircuitError
from tests.circuit.reference import in_phase, unitary
from tests.circuit.strategies import PARAMETRISED, build, quick, recipes, seeds

x, y = Parameter("x"), Parameter("y")


def slot_angles(angles, parameters):
    """What the attributes of an angle map say, written out."""
    products = parameters[angles.factors].prod(axis=1)
    found = angles.offset + parameters @ angles.linear + products @ angles.quadratic
    for slot, expression in angles.expressions:
        found[slot] += float(expression.subs({f"p{k}": value for k, value in enumerate(parameters)}))
    return found


def program_unitary(program, parameters):
    angles = slot_angles(program.angles, np.asarray(parameters))
    total = Operator(np.eye(2**program.n_qubits))
    for operation in program.operations:
        if isinstance(operation, Fixed):
            matrix = operation.matrix
        else:
            half = angles[operation.slot] / 2
            pauli = Pauli(operation.pauli[::-1]).to_matrix()
            matrix = np.cos(half) * np.eye(len(pauli)) - 1j * np.sin(half) * pauli
        total = total.compose(Operator(matrix), qargs=operation.qubits)
    return total.data


def assert_equal_up_to_phase(program, parameters, circuit):
    found, expected = program_unitary(program, parameters), unitary(circuit)
    np.testing.assert_allclose(in_phase(found, expected), expected, rtol=0, atol=1e-11)


def lowered(operation, n_qubits, parameters=(x,)):
    circuit = QuantumCircuit(n_qubits)
    circuit.append(operation, range(n_qubits))
    return circuit, lower(circuit, [p for p in parameters if p in set(circuit.parameters)], [])


@quick
@given(recipes(), seeds)
def test_the_program_equals_the_circuit(recipe, seed):
    made = build(recipe)
    values = np.random.default_rng(seed).normal(size=5)
    assert_equal_up_to_phase(lower(made.circuit, made.inputs, made.weights), values, made.bound(values))


@pytest.mark.parametrize("name", sorted(ROTATIONS))
def test_each_rotation_of_the_table(name):
    made = {"u1": gates.U1Gate, "cu1": gates.CU1Gate, **PARAMETRISED}[name](x)
    circuit, program = lowered(made, made.num_qubits)
    assert all(isinstance(operation, Rotation) for operation in program.operations)
    assert_equal_up_to_phase(program, [0.7], circuit.assign_parameters({x: 0.7}))


def test_a_controlled_rotation_is_two_rotations_by_half_the_angle():
    _, program = lowered(gates.CRYGate(2 * x), 2)
    assert program.operations == (Rotation("Y", (1,), 0), Rotation("ZY", (0, 1), 1))
    assert program.angles.linear.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize(
    ("gate", "n_qubits"),
    [
        (gates.UGate(0.3, x, -0.2), 1),
        (gates.UGate(x, 0.0, x * x), 1),
        (gates.U2Gate(x, 0.1), 1),
        (gates.RGate(x, 0.4), 1),
        (gates.CUGate(x, 0.1, x, 0.3), 2),
        (gates.RXGate(x).control(2, annotated=False), 3),
        (gates.RXGate(x).control(2, annotated=True), 3),
        (gates.CRZGate(x, ctrl_state=0), 2),
        (gates.XXPlusYYGate(x, 0.2), 2),
        (gates.MSGate(3, x), 3),
        (gates.MCPhaseGate(x, 3), 4),
        (gates.PauliEvolutionGate(SparsePauliOp("IYXZ", -0.7), x), 4),
        (gates.PauliEvolutionGate(SparsePauliOp("XZY", 0.7), 0.3), 3),
        (gates.PauliEvolutionGate(SparsePauliOp(["XX", "ZZ", "YY"], [0.2, 0.3, -1.0]), x), 2),
        (gates.PauliGate("XYZI"), 4),
        (gates.QFTGate(4), 4),
        (gates.UnitaryGate(Operator(gates.QFTGate(3)).data), 3),
        (gates.UnitaryGate(Operator(gates.QFTGate(4)).data), 4),
        (gates.DiagonalGate([1, -1, 1j, 1, 1, 1, 1, -1] * 2), 4),
        (AnnotatedOperation(gates.RXGate(x), [InverseModifier(), ControlModifier(1)]), 2),
        (Clifford(gates.ECRGate()), 2),
    ],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_gates_that_qiskit_opens(gate, n_qubits):
    circuit, program = lowered(gate, n_qubits)
    assert_equal_up_to_phase(program, [0.37][: program.n_inputs], circuit.assign_parameters([0.37][: program.n_inputs]))


def test_an_evolution_of_one_pauli_string_is_one_rotation_without_its_identities():
    _, program = lowered(gates.PauliEvolutionGate(SparsePauliOp("XIYZ", -0.25), x), 4)
    assert program.operations == (Rotation("ZYX", (0, 1, 3), 0),)
    assert program.angles.linear.tolist() == [[-0.5]]


def test_an_evolution_of_the_identity_is_a_phase():
    assert lowered(gates.PauliEvolutionGate(SparsePauliOp("II"), x), 2)[1].operations == ()


def test_barriers_identities_and_global_phases_leave_nothing():
    circuit = QuantumCircuit(2, global_phase=x)
    circuit.barrier()
    circuit.id(0)
    circuit.append(gates.GlobalPhaseGate(x), [])
    assert lower(circuit, [x], []).operations == ()


def test_composites_are_opened_on_their_qubits():
    inner = QuantumCircuit(2)
    inner.ry(x, 1)
    middle = QuantumCircuit(3)
    middle.append(inner.to_instruction(), [2, 0])
    outer = QuantumCircuit(4)
    outer.append(middle.to_instruction(), [3, 1, 2])
    assert lower(outer, [x], []).operations == (Rotation("Y", (3,), 0),)


def test_amplitude_encoding_becomes_initial_amplitudes():
    features = ParameterVector("x", 4)
    circuit = raw_feature_vector(4)
    circuit = circuit.assign_parameters(dict(zip(circuit.parameters, features, strict=True)))
    circuit.h(0)
    program = lower(circuit, [features[2], features[0], features[1], features[3]], [])
    assert program.amplitude_inputs == (1, 2, 0, 3)
    assert [operation.name for operation in program.operations] == ["h"]


def test_unused_parameters_are_allowed():
    circuit = QuantumCircuit(1)
    circuit.rx(y, 0)
    program = lower(circuit, [x], [y])
    assert (program.n_inputs, program.n_weights, program.n_slots) == (1, 1, 1)
    assert program.angles.depends.tolist() == [[False], [True]]


def measured():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    return circuit


def reset():
    circuit = QuantumCircuit(1)
    circuit.reset(0)
    return circuit


def initialised():
    circuit = QuantumCircuit(1)
    circuit.initialize([0.6, 0.8])
    return circuit


def controlled_by_a_bit():
    circuit = QuantumCircuit(1, 1)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    return circuit


def repeated():
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(3)):
        circuit.x(0)
    return circuit


def with_a_variable():
    circuit = QuantumCircuit(1)
    circuit.add_var("flag", expr.lift(True))
    return circuit


def measured_amid():
    circuit = QuantumCircuit(1, 1)
    circuit.rx(x, 0)
    circuit.measure(0, 0)
    circuit.rx(x, 0)
    return circuit


def composite_with_bits():
    inner = QuantumCircuit(1, 1, name="peek")
    inner.measure(0, 0)
    circuit = QuantumCircuit(1, 1)
    circuit.append(inner.to_instruction(), [0], [0])
    return circuit


def with_gate(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


@pytest.mark.parametrize(
    ("circuit", "text"),
    [
        (measured(), "the circuit contains 'measure', which is not unitary: remove the measurements (circuit.re"),
        (reset(), "the circuit contains 'reset', which is not unitary: qnas simulates unitary circuits only; take a"),
        (initialised(), "the circuit contains 'initialize', which is not unitary: use StatePreparation, which is"),
        (controlled_by_a_bit(), "the circuit contains classical control ('if_else'); qnas simulates unitary circuits,"),
        (repeated(), "the circuit contains classical control ('for_loop'); qnas simulates unitary circuits, so write"),
        (with_a_variable(), "the circuit contains 'store', which is not unitary: it writes a classical variable; bind"),
        (measured_amid(), "the circuit contains 'measure', which is not unitary: remove the measurements (circuit.re"),
        (composite_with_bits(), "gate 'peek' uses classical bits; qnas simulates unitary circuits, so make it of gate"),
        (
            with_gate(Gate("mystery", 2, [])),
            "gate 'mystery' on 2 qubits cannot be lowered: it has neither a matrix nor a definition; remove it, or wri",
        ),
        (with_gate(Gate("mystery", 4, [])), "gate 'mystery' on 4 qubits cannot be lowered: it has neither a matrix no"),
        (with_gate(Gate("mystery", 1, [x])), "gate 'mystery' on 1 qubits cannot be lowered: it has neither a matrix n"),
        (with_gate(gates.RVGate(x, 0.1, 0.2)), "gate 'rv' cannot be lowered to Pauli rotations: "),
    ],
)  # fmt: skip
def test_what_cannot_be_lowered_is_named(circuit, text):
    with pytest.raises(CircuitError) as caught:
        lower(circuit, list(circuit.parameters), [])
    assert str(caught.value).startswith(text)


def after_another_gate():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    return circuit.compose(raw_feature_vector(4))


def on_some_qubits():
    circuit = QuantumCircuit(3)
    return circuit.compose(raw_feature_vector(4), [0, 1])


def in_another_order():
    return QuantumCircuit(2).compose(raw_feature_vector(4), [1, 0])


def twice():
    circuit = raw_feature_vector(4)
    return circuit.compose(circuit)


@pytest.mark.parametrize(
    ("circuit", "text"),
    [
        (after_another_gate(), r"acts on qubits \[0, 1\] after 1 other operations; it must come first and act on all"),
        (on_some_qubits(), r"acts on qubits \[0, 1\] after 0 other operations; .* act on all qubits 0 to 2 in order"),
        (in_another_order(), r"acts on qubits \[1, 0\] after 0"),
        (twice(), r"it must come first"),
        (raw_feature_vector(2).assign_parameters([0.6, 0.8]), "amplitude 0.6.* is neither an input parameter nor 0"),
    ],
)
def test_misplaced_amplitude_encoding(circuit, text):
    with pytest.raises(CircuitError, match=text):
        lower(circuit, list(circuit.parameters), [])


def test_amplitudes_cannot_be_weights():
    circuit = raw_feature_vector(2)
    with pytest.raises(CircuitError, match=r"amplitude x\[0\] is neither an input parameter nor 0"):
        lower(circuit, [], list(circuit.parameters))


def test_unknown_parameters_are_listed():
    circuit = QuantumCircuit(1)
    circuit.rx(x + y, 0)
    with pytest.raises(CircuitError, match="parameters that are neither inputs nor weights: x, y; add them to input_p"):
        lower(circuit, [], [])


def test_parameters_of_the_same_name_that_are_others():
    circuit = QuantumCircuit(1)
    circuit.rx(x + y, 0)
    text = "the circuit's parameters x are not those that are given under these names, because two Parameters that are"
    with pytest.raises(CircuitError, match=text):
        lower(circuit, [Parameter("x")], [y])


@pytest.mark.parametrize("angle", [1j * x, x + 1j, 1j * x.exp()])
def test_complex_angles(angle):
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    with pytest.raises(CircuitError, match=r"the angle .* is complex; angles are real numbers in radians"):
        lower(circuit, [x], [])


def test_a_circuit_without_qubits():
    with pytest.raises(CircuitError, match="the circuit has no qubits; it needs at least one"):
        lower(QuantumCircuit(0), [], [])


@pytest.mark.parametrize(
    ("inputs", "weights", "named"),
    [([x], [x, y], "x"), ([x, x], [y], "x"), ([x], [y, y], "y"), ([x, y], [y, x], "x, y")],
)
def test_parameters_named_twice(inputs, weights, named):
    circuit = QuantumCircuit(1)
    circuit.rx(x + y, 0)
    with pytest.raises(CircuitError, match=f"but these are named twice: {named}; name each once"):
        lower(circuit, inputs, weights)


@pytest.mark.parametrize("name", ["rx", "id", "p", "u", "barrier", "global_phase", "reset", "measure", "h"])
def test_a_gate_of_the_users_own_may_have_any_name(name):
    angle = Parameter("t")
    inner = QuantumCircuit(1, name=name)
    inner.ry(angle, 0)
    inner.x(0)
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.append(inner.to_gate(), [0])
    assert_equal_up_to_phase(lower(circuit, [], [angle]), [0.7], circuit.assign_parameters({angle: 0.7}))


def test_evolution_by_a_sparse_observable():
    angle = Parameter("t")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.append(gates.PauliEvolutionGate(SparseObservable("ZY"), angle), [0, 1])
    circuit.append(gates.PauliEvolutionGate(SparseObservable("0X"), angle), [0, 1])
    assert_equal_up_to_phase(lower(circuit, [], [angle]), [0.7], circuit.assign_parameters({angle: 0.7}))
