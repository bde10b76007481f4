"""A circuit program in the gates and on the qubits of a backend, transpiled once; its angles stay free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.circuit.library import standard_gates as gates
from qiskit.providers import BackendV2
from qiskit.quantum_info import Operator, Pauli
from qiskit.transpiler import StagedPassManager, generate_preset_pass_manager

from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.simulation.preparation import preparation

_ROTATIONS: dict[str, type[Gate]] = {
    "X": gates.RXGate,
    "Y": gates.RYGate,
    "Z": gates.RZGate,
    "XX": gates.RXXGate,
    "YY": gates.RYYGate,
    "ZZ": gates.RZZGate,
    "ZX": gates.RZXGate,
}
_OPTIMIZATION_LEVEL = 1


@dataclass(frozen=True, eq=False)
class Transpiled:
    """A circuit program as a backend runs it, before anything is measured; shared, so not to be changed.

    Attributes:
        circuit: its parameters are free, so that its gates are the same at all inputs and weights.
        parameters: the slots of the program and, where it starts from amplitudes, the angles that prepare them.
        places: the qubit of the backend on which each qubit of the program ends; None where a simulator stands in for
            the backend, which has no qubits of its own.
    """

    circuit: QuantumCircuit
    parameters: tuple[Parameter, ...]
    places: tuple[int, ...] | None


@lru_cache(maxsize=8)
def transpiled(program: CircuitProgram, backend: BackendV2) -> Transpiled:
    """A program transpiled with a fixed seed at optimization level 1; one that was asked for lately is not again."""
    body, parameters = _body(program)
    circuit = pass_manager(backend).run(body)
    places = None if circuit.layout is None else tuple(circuit.layout.final_index_layout())
    return Transpiled(circuit, tuple(parameters), places)


def pass_manager(backend: BackendV2, places: Sequence[int] | None = None) -> StagedPassManager:
    """The passes that lay circuits out on a backend, qubit k on `places[k]` if these are given."""
    layout = None if places is None else list(places)
    return generate_preset_pass_manager(_OPTIMIZATION_LEVEL, backend=backend, initial_layout=layout, seed_transpiler=0)


def _body(program: CircuitProgram) -> tuple[QuantumCircuit, list[Parameter]]:
    operations = list(program.operations)
    n_parameters = program.n_slots
    if program.amplitude_inputs is not None:
        operations = preparation(program.n_qubits, program.n_slots) + operations
        n_parameters += 2**program.n_qubits - 1
    parameters = list(ParameterVector("angle", n_parameters))
    body = QuantumCircuit(program.n_qubits)
    for operation in operations:
        body.append(_gate(operation, parameters), operation.qubits)
    return body, parameters


def _gate(operation: Rotation | Fixed, parameters: Sequence[Parameter]) -> Gate:
    if isinstance(operation, Fixed):
        return _fixed(operation)
    angle = parameters[operation.slot]
    if operation.pauli in _ROTATIONS:
        return _ROTATIONS[operation.pauli](angle)
    return PauliEvolutionGate(Pauli(operation.pauli[::-1]), time=angle / 2)


def _fixed(operation: Fixed) -> Gate:
    """Qiskit's own gate of that name if it is the same, since a circuit may name its gates as it likes."""
    standard = get_standard_gate_name_mapping().get(operation.name)
    if not isinstance(standard, Gate) or standard.params or standard.num_qubits != len(operation.qubits):
        return UnitaryGate(operation.matrix)
    same = np.allclose(Operator(standard).data, operation.matrix, rtol=0, atol=1e-12)
    return standard if same else UnitaryGate(operation.matrix)
