"""A circuit program as measured Qiskit circuits on Aer, transpiled once and bound at every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister
from qiskit_aer import AerSimulator

from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.simulation.backends import Device
from qnas.simulation.measurement import Counts, Group
from qnas.simulation.transpiled import pass_manager, transpiled

_LARGEST_DENSITY = 9
"""Noise acts on a density matrix of up to this many qubits (4 MiB), and on one state vector per shot beyond.

Shot branching would take a third of the time there, but in Aer 0.18 its outcomes come too often or too rarely, and
differ from run to run of one seed.
"""


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
        dense = device is not None and program.n_qubits <= _LARGEST_DENSITY
        self._simulator = AerSimulator(
            method="density_matrix" if dense else "statevector",
            fusion_threshold=1 if dense else None,  # gates and their noise merge at any width, by default from 7 qubits
            noise_model=None if device is None else device.noise,
            max_parallel_threads=1,
        )
        target = self._simulator if device is None else device.backend
        body = transpiled(program, target)
        self._parameters = body.parameters
        ends = pass_manager(target, body.places).run([group.ending(program.n_qubits) for group in groups])
        self.circuits = [_joined(body.circuit, end, program.n_qubits) for end in ends]

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


def _joined(body: QuantumCircuit, end: QuantumCircuit, n_bits: int) -> QuantumCircuit:
    """The ending behind the body, on the qubits where that leaves off."""
    start = body.copy()
    start.add_register(ClassicalRegister(n_bits))
    return start.compose(end, range(end.num_qubits), range(n_bits))
