"""Lower any plain Qiskit circuit to a circuit program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    ClassicalRegister,
    ControlFlowOp,
    Gate,
    Instruction,
    Operation,
    Parameter,
    ParameterExpression,
    Qubit,
)
from qiskit.circuit.library import PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit.transpiler.passes import HighLevelSynthesis

from qnas.circuit.angles import angle_map
from qnas.circuit.parameters import check_parameters
from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.circuit.program import Operation as ProgramOperation
from qnas.errors import CircuitError

Factor = tuple[str, tuple[int, ...], float]
"""A Pauli string, the positions of the gate's qubits it acts on, and the factor of the gate's angle."""

Number: TypeAlias = ParameterExpression | float | int
"""An angle as Qiskit holds it."""

AMPLITUDE_ENCODING = "ParameterizedInitialize"
"""Name of Qiskit Machine Learning's raw feature vector; lowered to initial amplitudes."""

_LARGEST_FIXED_GATE = 3
_UNLOWERABLE = (
    "gate {gate.name!r} on {gate.num_qubits} qubits cannot be lowered: it has neither a matrix nor a definition; "
    "remove it, or write it with Qiskit's standard gates."
)
_IGNORED = frozenset({"id", "global_phase"})
_STANDARD = get_standard_gate_name_mapping()
_REFUSED = {
    "measure": "remove the measurements (circuit.remove_final_measurements()); observables say what is read",
    "reset": "qnas simulates unitary circuits only; take a fresh qubit instead",
    "store": "it writes a classical variable; bind the value with circuit.assign_parameters instead",
    "initialize": "use StatePreparation, which is unitary, or amplitude encoding (raw_feature_vector)",
}


def _controlled(pauli: str) -> tuple[Factor, ...]:
    """exp(-i phi/2 |1><1| P) as two commuting rotations; qubit 0 of the gate is the control."""
    return ((pauli, (1,), 0.5), ("Z" + pauli, (0, 1), -0.5))


ROTATIONS: dict[str, tuple[tuple[Factor, ...], ...]] = {
    # one entry per parameter of the gate; u is applied right to left: lambda, theta, phi
    "rx": ((("X", (0,), 1.0),),),
    "ry": ((("Y", (0,), 1.0),),),
    "rz": ((("Z", (0,), 1.0),),),
    "p": ((("Z", (0,), 1.0),),),
    "u1": ((("Z", (0,), 1.0),),),
    "rxx": ((("XX", (0, 1), 1.0),),),
    "ryy": ((("YY", (0, 1), 1.0),),),
    "rzz": ((("ZZ", (0, 1), 1.0),),),
    "rzx": ((("ZX", (0, 1), 1.0),),),
    "crx": (_controlled("X"),),
    "cry": (_controlled("Y"),),
    "crz": (_controlled("Z"),),
    "cp": ((("Z", (0,), 0.5), ("Z", (1,), 0.5), ("ZZ", (0, 1), -0.5)),),
    "cu1": ((("Z", (0,), 0.5), ("Z", (1,), 0.5), ("ZZ", (0, 1), -0.5)),),
}
"""Gates that are rotations as they stand, up to a global phase."""


@dataclass
class _Lowering:
    """What has been lowered so far."""

    operations: list[ProgramOperation] = field(default_factory=list)
    slots: list[ParameterExpression] = field(default_factory=list)
    amplitudes: list[Number | complex] | None = None

    def rotate(self, pauli: str, qubits: tuple[int, ...], angle: ParameterExpression) -> None:
        self.operations.append(Rotation(pauli, qubits, len(self.slots)))
        self.slots.append(angle)

    def fix(self, gate: Operation, qubits: tuple[int, ...]) -> None:
        self.operations.append(Fixed(standard_name(gate) or "unitary", qubits, Operator(gate).data))


def lower(circuit: QuantumCircuit, inputs: Sequence[Parameter], weights: Sequence[Parameter]) -> CircuitProgram:
    """The circuit program of `circuit`, equal to it up to a global phase.

    A `PauliEvolutionGate` of several Pauli strings is the product formula that Qiskit synthesises for it.

    Args:
        circuit: unitary, of any gates that lower; it may begin with amplitude encoding
            (`qiskit_machine_learning.circuit.library.raw_feature_vector`) on all its qubits.
        inputs, weights: its parameters, in the order of the caller's arrays. Those that the circuit does not
            contain are allowed and have no effect.

    Raises:
        CircuitError: there is no qubit, a gate cannot be lowered, or a parameter is neither input nor weight, or both.
    """
    _check_circuit(circuit)
    check_parameters(circuit, inputs, weights)
    lowering = _Lowering()
    for operation, qubits in _flat(circuit, tuple(range(circuit.num_qubits))):
        _lower_operation(lowering, operation, qubits, circuit.num_qubits)
    parameters = [*inputs, *weights]
    return CircuitProgram(
        n_qubits=circuit.num_qubits,
        n_inputs=len(inputs),
        n_weights=len(weights),
        operations=tuple(lowering.operations),
        angles=angle_map(lowering.slots, parameters),
        amplitude_inputs=_amplitude_inputs(lowering.amplitudes, inputs),
    )


def _check_circuit(circuit: object) -> None:
    if not isinstance(circuit, QuantumCircuit):
        raise CircuitError(f"the circuit is a {type(circuit).__name__}; give a Qiskit QuantumCircuit.")
    if circuit.num_qubits == 0:
        raise CircuitError("the circuit has no qubits; it needs at least one.")


def _flat(circuit: QuantumCircuit, qubits: tuple[int, ...]) -> Iterator[tuple[Instruction, tuple[int, ...]]]:
    position: dict[Qubit, int] = {qubit: qubits[k] for k, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        touched = tuple(position[qubit] for qubit in instruction.qubits)
        if isinstance(instruction.operation, Instruction):
            yield instruction.operation, touched
        else:
            yield from _flat(_synthesised(instruction.operation), touched)


def _synthesised(operation: Operation) -> QuantumCircuit:
    """Objects that stand for gates, such as a Clifford or an annotated gate, as Qiskit's transpiler opens them."""
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, range(operation.num_qubits))
    opened: QuantumCircuit = HighLevelSynthesis()(circuit)
    return opened


def standard_name(gate: Operation) -> str:
    """The name of a gate of Qiskit's own; empty for any other, because a circuit may name its gates as it likes."""
    standard = _STANDARD.get(gate.name)
    return gate.name if standard is not None and getattr(gate, "base_class", None) is standard.base_class else ""


def _free(parameter: object) -> bool:
    return isinstance(parameter, ParameterExpression) and bool(parameter.parameters)


def _lower_operation(lowering: _Lowering, gate: Instruction, qubits: tuple[int, ...], n_qubits: int) -> None:
    name = standard_name(gate)
    if name in _IGNORED or isinstance(gate, Barrier):
        return
    _refuse(gate)
    if gate.name == AMPLITUDE_ENCODING:
        _lower_amplitudes(lowering, gate, qubits, n_qubits)
    elif not any(_free(parameter) for parameter in gate.params):
        _lower_fixed(lowering, gate, qubits, n_qubits)
    elif name in ROTATIONS:
        for parameter, factors in zip(gate.params, ROTATIONS[name], strict=True):
            for pauli, positions, factor in factors:
                angle = parameter if factor == 1.0 else factor * parameter
                lowering.rotate(pauli, tuple(qubits[k] for k in positions), angle)
    elif name in ("u", "u3"):
        theta, phi, lam = gate.params
        for pauli, angle in (("Z", lam), ("Y", theta), ("Z", phi)):
            _rotate_or_fix(lowering, pauli, qubits, angle)
    elif isinstance(gate, PauliEvolutionGate) and _single_pauli(gate):
        _lower_evolution(lowering, gate, qubits)
    else:
        _lower_definition(lowering, gate, qubits, n_qubits)


def _refuse(gate: Instruction) -> None:
    if isinstance(gate, ControlFlowOp) or getattr(gate, "condition", None) is not None:
        raise CircuitError(
            f"the circuit contains classical control ({gate.name!r}); qnas simulates unitary circuits, so write out "
            "the gates that are to act."
        )
    if gate.name in _REFUSED and not isinstance(gate, Gate):
        raise CircuitError(f"the circuit contains {gate.name!r}, which is not unitary: {_REFUSED[gate.name]}.")


def _lower_amplitudes(lowering: _Lowering, gate: Instruction, qubits: tuple[int, ...], n_qubits: int) -> None:
    if lowering.operations or lowering.amplitudes is not None or qubits != tuple(range(n_qubits)):
        raise CircuitError(
            f"amplitude encoding ({gate.name!r}) acts on qubits {list(qubits)} after {len(lowering.operations)} other "
            f"operations; it must come first and act on all qubits 0 to {n_qubits - 1} in order."
        )
    lowering.amplitudes = list(gate.params)


def _amplitude_inputs(amplitudes: list[Number | complex] | None, inputs: Sequence[Parameter]) -> tuple[int, ...] | None:
    if amplitudes is None:
        return None
    position = {parameter: k for k, parameter in enumerate(inputs)}
    for amplitude in amplitudes:
        if amplitude not in position and (_free(amplitude) or complex(amplitude) != 0):
            raise CircuitError(f"amplitude {amplitude} is neither an input parameter nor 0; only these can be encoded.")
    return tuple(position.get(amplitude, -1) for amplitude in amplitudes)


def _lower_fixed(lowering: _Lowering, gate: Instruction, qubits: tuple[int, ...], n_qubits: int) -> None:
    """Small gates are kept as matrices; larger ones, and circuits used as instructions, are opened."""
    evolves = isinstance(gate, PauliEvolutionGate)
    if evolves or not hasattr(gate, "to_matrix") or len(qubits) > _LARGEST_FIXED_GATE:
        _lower_definition(lowering, gate, qubits, n_qubits)
        return
    try:
        lowering.fix(gate, qubits)
    except QiskitError as error:
        raise CircuitError(_UNLOWERABLE.format(gate=gate)) from error


def _rotate_or_fix(lowering: _Lowering, pauli: str, qubits: tuple[int, ...], angle: Number) -> None:
    if _free(angle):
        lowering.rotate(pauli, qubits, angle)
    elif float(angle) != 0.0:
        gate = QuantumCircuit(1)
        getattr(gate, f"r{pauli.lower()}")(float(angle), 0)
        lowering.fix(gate.data[0].operation, qubits)


def _single_pauli(gate: PauliEvolutionGate) -> bool:
    operator = gate.operator
    if isinstance(operator, list) or len(operator) != 1:
        return False
    return set(operator.to_sparse_list()[0][0]) <= set("XYZ")  # a SparseObservable may hold projectors, too


def _lower_evolution(lowering: _Lowering, gate: PauliEvolutionGate, qubits: tuple[int, ...]) -> None:
    """exp(-i t c P) is a rotation by 2 t c; identities in P are left out."""
    ((paulis, positions, coefficient),) = gate.operator.to_sparse_list()
    if paulis:
        touched = tuple(qubits[k] for k in positions)
        lowering.rotate(paulis, touched, 2 * coefficient.real * gate.time)


def _lower_definition(lowering: _Lowering, gate: Instruction, qubits: tuple[int, ...], n_qubits: int) -> None:
    definition = _definition(gate)
    if any(isinstance(register, ClassicalRegister) for register in definition.cregs):
        raise CircuitError(
            f"gate {gate.name!r} uses classical bits; qnas simulates unitary circuits, so make it of gates only."
        )
    for inner, inner_qubits in _flat(definition, qubits):
        _lower_operation(lowering, inner, inner_qubits, n_qubits)


def _definition(gate: Instruction) -> QuantumCircuit:
    try:
        definition: QuantumCircuit | None = gate.definition
    except (QiskitError, TypeError, ValueError) as error:
        raise CircuitError(f"gate {gate.name!r} cannot be lowered to Pauli rotations: {error}.") from error
    if definition is None:
        raise CircuitError(_UNLOWERABLE.format(gate=gate))
    return definition
