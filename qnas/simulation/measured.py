"""A circuit program as measured Qiskit circuits on Aer, transpiled once and bound at every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Gate, Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate, get_standard_gate_name_mapping
from qiskit.circuit.library import standard_gates as gates
from qiskit.providers import BackendV2
from qiskit.quantum_info import Operator, Pauli
from qiskit.transpiler import StagedPassManager, generate_preset_pass_manager
from qiskit_aer import AerSimulator

from qnas.circuit.program import CircuitProgram, Fixed, Rotation
from qnas.errors import CircuitError
from qnas.simulation.backends import Device
from qnas.simulation.measurement import Counts, Group
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
_LARGEST_DENSITY = 9
"""Noise acts on a density matrix of up to this many qubits (4 MiB), and on one state vector per shot beyond."""
_OPTIMIZATION_LEVEL = 1


@dataclass(frozen=True)
class Shots:
    """How often each circuit is measured, and the seed of the job that does it."""

    n_shots: int
    seed: int


class MeasuredCircuits:
    """One circuit per group of Pauli strings; all of them, at all points, are one job.

    Args:
        program: what comes before the measurements.
        groups: what is measured.
        device: whose gates and noise; None for ideal gates.

    The parameters are the slots of the program and, where it starts from amplitudes, the angles that prepare them.
    """

    def __init__(self, program: CircuitProgram, groups: Sequence[Group], device: Device | None) -> None:
        body, self._parameters = _body(program)
        self._simulator = AerSimulator(
            method="statevector" if device is None or program.n_qubits > _LARGEST_DENSITY else "density_matrix",
            noise_model=None if device is None else device.noise,
            max_parallel_threads=1,
        )
        target = self._simulator if device is None else device.backend
        self.circuits = _transpiled(body, [group.ending(program.n_qubits) for group in groups], target)

    def run(self, angles: Float[np.ndarray, "points parameters"], shots: Shots) -> list[list[Counts]]:
        """Per circuit, the counts at each row of angles."""
        n_points = len(angles)
        if not self.circuits or not n_points:
            return [[] for _ in self.circuits]
        if self._parameters:
            binds = [dict(zip(self._parameters, angles.T.tolist(), strict=True))] * len(self.circuits)
            circuits = self.circuits
        else:
            binds = None
            circuits = [circuit for circuit in self.circuits for _ in range(n_points)]
        job = self._simulator.run(circuits, parameter_binds=binds, shots=shots.n_shots, seed_simulator=shots.seed)
        result = job.result()
        if not result.success:
            raise CircuitError(f"Aer could not run {len(self.circuits) * n_points} circuits: {result.status}.")
        counts = [experiment.data.counts for experiment in result.results]
        return [counts[start : start + n_points] for start in range(0, len(counts), n_points)]


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


def _transpiled(body: QuantumCircuit, endings: Sequence[QuantumCircuit], target: BackendV2) -> list[QuantumCircuit]:
    """The body once, and each ending on the qubits where the body leaves off."""
    start = _pass_manager(target).run(body)
    places = None if start.layout is None else start.layout.final_index_layout()
    ends = _pass_manager(target, places).run(list(endings))
    start.add_register(ClassicalRegister(body.num_qubits))
    return [start.compose(end, range(end.num_qubits), range(body.num_qubits)) for end in ends]


def _pass_manager(target: BackendV2, places: list[int] | None = None) -> StagedPassManager:
    return generate_preset_pass_manager(_OPTIMIZATION_LEVEL, backend=target, initial_layout=places, seed_transpiler=0)
