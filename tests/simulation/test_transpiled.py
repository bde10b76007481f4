"""A transpiled program: the same unitary on other qubits, in the gates of its backend, once."""

import numpy as np
import pytest
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit.backends import BackendChoice, find_backend
from qnas.simulation.preparation import preparation_angles
from qnas.simulation.transpiled import transpiled
from tests.simulation.cases import Case


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("amplitudes", [False, True])
def test_it_makes_the_state_of_the_program(seed, amplitudes):
    """On a line of five qubits; the program's qubits end where `places` says."""
    case = Case(3, 1, seed, n_gates=20, amplitudes=amplitudes)
    found = transpiled(case.program, find_backend(BackendChoice(n_qubits=5, topology="line"), 3))
    angles = case.angles[0]
    if amplitudes:
        angles = np.concatenate([angles, preparation_angles(case.amplitudes)[0]])
    values = dict(zip(found.parameters, angles, strict=True))
    bound = found.circuit.assign_parameters({p: values[p] for p in found.circuit.parameters})
    state = Statevector(bound)
    exact, _ = case.executable().forward(case.binding())
    scale = 1.0 if case.amplitudes is None else (case.amplitudes[0] ** 2).sum()
    measured = [state.expectation_value(Operator(one), list(found.places)).real for one in case.observables]
    assert scale * np.array(measured) == pytest.approx(exact[0], abs=1e-9)


def test_gates_are_those_of_the_backend_and_angles_stay_free():
    case = Case(3, 1, 0)
    found = transpiled(case.program, find_backend(BackendChoice(entangler="ecr"), 3))
    assert set(found.circuit.count_ops()) <= {"ecr", "rz", "sx", "x"}
    assert set(found.circuit.parameters) <= set(found.parameters)
    assert len(found.parameters) == case.program.n_slots > 0


def test_it_is_transpiled_once_per_backend():
    case, other = Case(2, 1, 0), Case(2, 1, 0)
    line, ring = (find_backend(BackendChoice(n_qubits=4, topology=name), 2) for name in ("line", "ring"))
    assert transpiled(case.program, line) is transpiled(case.program, line)
    assert transpiled(case.program, line) is not transpiled(case.program, ring)
    assert transpiled(case.program, line) is not transpiled(other.program, line)
