"""Measured circuits on a backend: routed, transpiled, bound and noisy as they must be.

The reference is a density matrix: the same transpiled circuit, bound by Qiskit, run by Aer's exact density-matrix
method with the same noise model. Readout errors are not part of a state, so they enter through the observable: with
p(1|0) and p(0|1), what is measured for Z is p(0|1) - p(1|0) + (1 - p(0|1) - p(1|0)) Z.
"""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import CouplingMap
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from qnas.circuit.angles import angle_map
from qnas.circuit.lower import lower
from qnas.circuit.program import Fixed, Rotation
from qnas.simulation import BackendChoice, SampledSimulator
from qnas.simulation.backends import Device, device
from qnas.simulation.measured import MeasuredCircuits, Shots
from qnas.simulation.measurement import measurement
from qnas.simulation.preparation import preparation_angles
from tests.circuit.reference import unitary
from tests.simulation.cases import Case

N_SHOTS = 4000


def values(found, groups):
    return sum(group.estimates(counts) for group, counts in zip(groups, found, strict=True))


def confusions(noise):
    """p(1|0) and p(0|1) by physical qubit."""
    errors = [error for error in noise.to_dict()["errors"] if error["type"] == "roerror"]
    return {
        error["gate_qubits"][0][0]: (error["probabilities"][0][1], error["probabilities"][1][0]) for error in errors
    }


def density_matrix_values(circuit, group, noise):
    """Exact noisy expectation values of one bound circuit, shape (n_observables,), and variances of its strings."""
    body, places = circuit.copy_empty_like(), {}
    for instruction in circuit.data:
        if instruction.operation.name == "measure":
            places[circuit.find_bit(instruction.clbits[0]).index] = circuit.find_bit(instruction.qubits[0]).index
        else:
            body.append(instruction)
    body.save_density_matrix()  # expectation values that Aer saves itself are of other qubits where some are idle
    simulator = AerSimulator(method="density_matrix", noise_model=noise, max_parallel_threads=1)
    state = simulator.run(body).result().data()["density_matrix"]
    readout, strings = confusions(noise), []
    for mask in group.masks:
        support = [places[bit] for bit in places if int(mask) >> bit & 1]
        factors = []
        for qubit in support:
            one_of_zero, zero_of_one = readout[qubit]
            coefficients = [zero_of_one - one_of_zero, 1 - zero_of_one - one_of_zero]
            factors.append(SparsePauliOp(["I", "Z"], coefficients))
        operator = reduce(lambda left, right: right.tensor(left), factors)
        strings.append(state.expectation_value(operator, support).real)
    return np.array(strings) @ group.coefficients, 1 - np.square(strings)


@pytest.mark.parametrize(
    ("n_qubits", "seed", "amplitudes", "topology", "entangler"),
    [(2, 0, False, "all", "cx"), (3, 1, False, "all", "cx"), (2, 2, True, "all", "cx"), (3, 3, False, "line", "ecr")],
)
def test_noisy_values_are_those_of_a_density_matrix(n_qubits, seed, amplitudes, topology, entangler):
    """And no others: the ideal values lie many standard errors away."""
    case = Case(n_qubits, 1, seed, n_gates=60, amplitudes=amplitudes)
    choice = BackendChoice(n_qubits=n_qubits + 1, seed=seed, topology=topology, entangler=entangler)
    chosen, simulator = device(choice, n_qubits), SampledSimulator(n_shots=40 * N_SHOTS, backend=choice)
    executable = simulator.prepare(case.program, case.observables, case.varying)
    found, _ = executable.forward(case.binding())
    ideal, _ = case.executable().forward(case.binding())

    groups = measurement(case.observables, n_qubits)
    circuits = MeasuredCircuits(case.program, groups.groups, chosen)
    scale = 1.0 if case.amplitudes is None else (case.amplitudes[0] ** 2).sum()
    expected, bound = groups.constant.copy(), np.zeros(3)
    for circuit, group in zip(circuits.circuits, groups.groups, strict=True):
        angles = case.angles[0]
        if amplitudes:
            angles = np.concatenate([angles, preparation_angles(case.amplitudes)[0]])
        by_name = {f"angle[{k}]": angle for k, angle in enumerate(angles)}
        bound_circuit = circuit.assign_parameters({p: by_name[p.name] for p in circuit.parameters})
        mean, variances = density_matrix_values(bound_circuit, group, chosen.noise)
        expected += mean
        bound += np.sqrt(variances / simulator.n_shots) @ abs(group.coefficients)  # no smaller than the error
    assert np.all(abs(found[0] / scale - expected) <= 5 * bound)
    assert np.any(abs(found[0] - ideal[0]) / scale > 20 * bound)


def test_binding_many_points_at_once_is_binding_each():
    case = Case(3, 4, seed=5)
    case.varying[:] = True
    case.angles[:] = np.random.default_rng(0).uniform(-3, 3, case.angles.shape)
    chosen = device(BackendChoice(), 3)
    groups = measurement(case.observables, 3).groups
    circuits = MeasuredCircuits(case.program, groups, chosen)
    found = values(circuits.run(case.angles, Shots(10 * N_SHOTS, seed=1)), groups)
    parameters = sorted({p for c in circuits.circuits for p in c.parameters}, key=lambda p: p.index)
    for row, angles in enumerate(case.angles):
        expected, bound = 0.0, 0.0
        for circuit, group in zip(circuits.circuits, groups, strict=True):
            here = {p: angles[p.index] for p in parameters if p in circuit.parameters}
            mean, variances = density_matrix_values(circuit.assign_parameters(here), group, chosen.noise)
            expected = expected + mean
            bound = bound + np.sqrt(variances / (10 * N_SHOTS)) @ abs(group.coefficients)
        assert np.all(abs(found[row] - expected) <= 5 * bound)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_routing_keeps_track_of_qubits(seed):
    """On a line of five qubits, without noise."""
    backend = GenericBackendV2(5, coupling_map=CouplingMap.from_line(5), seed=seed)
    case = Case(4, 3, seed)
    groups = measurement(case.observables, 4)
    circuits = MeasuredCircuits(case.program, groups.groups, Device(backend, NoiseModel(backend.operation_names)))
    allowed = set(backend.coupling_map.get_edges())
    for circuit in circuits.circuits:
        pairs = [[circuit.find_bit(q).index for q in i.qubits] for i in circuit.data if len(i.qubits) == 2]
        assert all(tuple(pair) in allowed for pair in pairs)
        assert set(circuit.count_ops()) <= {"rz", "sx", "x", "cx", "measure"}
    found = values(circuits.run(case.angles, Shots(N_SHOTS, seed=0)), groups.groups) + groups.constant
    exact, _ = case.executable().forward(case.binding())
    size = np.array([abs(operator.coeffs).sum() for operator in case.observables])
    assert np.all(abs(found - exact) <= 5 * size / np.sqrt(N_SHOTS))


@pytest.mark.parametrize("pauli", ["X", "Y", "Z", "XX", "YY", "ZZ", "ZX", "XZ", "YX", "XYZ"])
def test_every_rotation_is_its_gate(pauli):
    n_qubits = 3
    qubits = tuple(reversed(range(n_qubits)))[: len(pauli)]
    generator = SparsePauliOp.from_sparse_list([(pauli, qubits, 1.0)], n_qubits).to_matrix()
    circuit, (angle,) = QuantumCircuit(n_qubits), ParameterVector("a", 1)
    circuit.h(range(n_qubits))
    circuit.rx(0.3, 0)
    circuit.ry(0.4, 1)
    program = lower(circuit, [], [])
    program = replace(
        program,
        n_weights=1,
        operations=(*program.operations, Rotation(pauli, qubits, 0)),
        angles=angle_map([angle], [angle]),
    )
    observables = [SparsePauliOp(label) for label in ("XYZ", "YYI", "IZX")]
    groups = measurement(observables, n_qubits).groups
    found = values(MeasuredCircuits(program, groups, None).run(np.array([[0.7]]), Shots(N_SHOTS, seed=0)), groups)
    state = unitary(circuit)[:, 0]
    state = np.cos(0.35) * state - 1j * np.sin(0.35) * generator @ state
    expected = [np.vdot(state, operator.to_matrix() @ state).real for operator in observables]
    assert np.all(abs(found[0] - expected) <= 5 / np.sqrt(N_SHOTS))


def test_a_gate_that_borrows_a_name_keeps_its_matrix():
    case = Case(1, 1, seed=0, n_gates=0)
    flips = Fixed("z", (0,), np.array([[0, 1], [1, 0]], dtype=complex))
    groups = measurement([SparsePauliOp("Z")], 1).groups
    circuits = MeasuredCircuits(replace(case.program, operations=(flips,)), groups, None)
    assert values(circuits.run(np.empty((2, 0)), Shots(10, seed=0)), groups).tolist() == [[-1.0], [-1.0]]
