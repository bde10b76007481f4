"""The bridge to Qiskit Machine Learning: a circuit as an `EstimatorQNN`, and an `EstimatorQNN` as a circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.exceptions import QiskitError
from qiskit.primitives import BaseEstimatorV2, StatevectorEstimator
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp
from qiskit.transpiler import PassManager
from qiskit_machine_learning.neural_networks import EstimatorQNN

from qnas.circuit.lower import AMPLITUDE_ENCODING
from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError

_ROTATIONS = ("rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx")
"""Gates that obey the shift rule of two terms, which Qiskit Machine Learning differentiates by."""
_FIXED = (
    "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "cx", "cy", "cz", "swap", "ecr", "ccx", "ccz", "cswap",
)  # fmt: skip


@dataclass(frozen=True)
class Parts:
    """What a quantum layer and an `EstimatorQNN` have in common."""

    circuit: QuantumCircuit
    input_params: tuple[Parameter, ...]
    weight_params: tuple[Parameter, ...]
    observables: tuple[SparsePauliOp, ...]


def to_estimator_qnn(
    parts: Parts, estimator: BaseEstimatorV2 | None = None, pass_manager: PassManager | None = None
) -> EstimatorQNN:
    """An `EstimatorQNN` of the same expectation values; see `QuantumLayer.to_estimator_qnn`."""
    circuit, observables = _opened(parts), list(parts.observables)
    if pass_manager is not None:
        circuit = pass_manager.run(circuit)
        observables = [operator.apply_layout(circuit.layout) for operator in observables]
        _check_complete(circuit, parts)
    return EstimatorQNN(
        circuit=circuit,
        estimator=StatevectorEstimator(default_precision=0.0) if estimator is None else estimator,
        observables=observables,
        input_params=parts.input_params,
        weight_params=parts.weight_params,
        input_gradients=True,
        default_precision=None,  # that of the estimator, as in the gradient
    )


def check_differentiable(program: CircuitProgram) -> None:
    """Raise CircuitError for a circuit that an EstimatorQNN cannot differentiate."""
    if program.amplitude_inputs is not None:
        raise CircuitError(
            f"the circuit begins with amplitude encoding ({AMPLITUDE_ENCODING!r}), which has no gates, and so no "
            "gradient in an EstimatorQNN, until its features are known; bind them with circuit.assign_parameters, or "
            "choose an encoding in angles."
        )


def _opened(parts: Parts) -> QuantumCircuit:
    """The circuit with parameters in plain rotations only, and all of them.

    Aer's estimator (0.18) gives wrong values for controlled rotations with free parameters and knows no composite
    gates. A global phase has no effect, but its parameters disturb the gradient. A parameter that no gate uses turns
    a qubit in |0> about z, which is a phase too, because the network asks that the circuit contains all.
    """
    basis = [*_ROTATIONS, *_FIXED]
    gates = transpile(parts.circuit, basis_gates=basis, optimization_level=0, seed_transpiler=0)
    gates.global_phase = 0
    own = set(gates.parameters)
    circuit = gates.copy_empty_like()
    for parameter in (*parts.input_params, *parts.weight_params):
        if parameter not in own:
            circuit.rz(parameter, 0)
    return circuit.compose(gates)


def _check_complete(circuit: QuantumCircuit, parts: Parts) -> None:
    removed = {*parts.input_params, *parts.weight_params} - set(circuit.parameters)
    if removed:
        raise CircuitError(
            f"the pass manager removed every gate that uses {', '.join(sorted(p.name for p in removed))}, which an "
            "EstimatorQNN must contain; lower its optimization level, or take them out of the circuit."
        )


def from_estimator_qnn(qnn: EstimatorQNN) -> Parts:
    """The parts of an `EstimatorQNN`; see `QuantumLayer.from_estimator_qnn`.

    Qubits that a layout has added, and that neither a gate nor an observable touches, are left out.
    """
    if not isinstance(qnn, EstimatorQNN):
        raise CircuitError(f"the network is a {type(qnn).__name__}; give an EstimatorQNN of Qiskit Machine Learning.")
    circuit, observables = qnn.circuit, tuple(map(_pauli_sum, qnn.observables))
    if circuit.layout is not None and all(operator.num_qubits == circuit.num_qubits for operator in observables):
        circuit, observables = _without_idle_qubits(circuit, observables)
    return Parts(circuit, tuple(qnn.input_params), tuple(qnn.weight_params), observables)


def _pauli_sum(observable: object) -> SparsePauliOp:
    if isinstance(observable, SparsePauliOp):
        return observable
    if isinstance(observable, SparseObservable):
        return SparsePauliOp.from_sparse_observable(observable)
    if isinstance(observable, Operator):
        return SparsePauliOp.from_operator(observable)
    try:
        return SparsePauliOp(observable)
    except (QiskitError, TypeError) as error:
        raise CircuitError(
            f"an observable of the network is a {type(observable).__name__}, which cannot be read as a sum of Pauli "
            "strings; give a SparsePauliOp."
        ) from error


def _without_idle_qubits(
    circuit: QuantumCircuit, observables: Sequence[SparsePauliOp]
) -> tuple[QuantumCircuit, tuple[SparsePauliOp, ...]]:
    gates = [instruction for instruction in circuit.data if instruction.operation.name not in ("barrier", "delay")]
    number = {qubit: k for k, qubit in enumerate(circuit.qubits)}
    busy = {number[qubit] for instruction in gates for qubit in instruction.qubits}
    lists = [operator.to_sparse_list() for operator in observables]
    busy.update(qubit for terms in lists for _, qubits, _ in terms for qubit in qubits)
    kept = sorted(busy) or [0]
    smaller = QuantumCircuit([circuit.qubits[k] for k in kept], circuit.clbits)
    for instruction in gates:
        smaller.append(instruction)
    position = {k: place for place, k in enumerate(kept)}
    moved = [[(label, [position[k] for k in qubits], c) for label, qubits, c in terms] for terms in lists]
    return smaller, tuple(SparsePauliOp.from_sparse_list(terms, len(kept)) for terms in moved)
