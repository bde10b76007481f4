"""Both laws, on circuits whose variances are known in closed form (Cerezo et al. 2021)."""

from functools import reduce

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.errors import CircuitError
from qnas.objectives.scaling import gradient_scaling


def rotations(n_qubits):
    circuit = QuantumCircuit(n_qubits)
    for qubit, weight in enumerate(ParameterVector("w", n_qubits)):
        circuit.ry(weight, qubit)
    return circuit


def global_cost(n_qubits):
    """The projector on |0...0>: each weight's variance is (1/8)(3/8)^(n-1)."""
    projector = SparsePauliOp(["I", "Z"], [0.5, 0.5])
    return rotations(n_qubits), reduce(SparsePauliOp.tensor, [projector] * n_qubits)


def local_cost(n_qubits):
    """The mean of the single-qubit projectors: each weight's variance is 1/(8 n^2)."""
    strings = [("Z", [k], 0.5 / n_qubits) for k in range(n_qubits)]
    return rotations(n_qubits), SparsePauliOp.from_sparse_list(strings, num_qubits=n_qubits)


def test_a_global_cost_falls_exponentially():
    found = gradient_scaling(global_cost, range(1, 9), n_starts=2000)
    assert found.law == "exponential"
    assert found.is_barren
    assert found.exponential.exponent == pytest.approx(np.log(3 / 8), abs=0.05)
    low, high = found.exponential.interval
    assert low < np.log(3 / 8) < high


def test_a_local_cost_falls_by_a_power():
    found = gradient_scaling(local_cost, range(1, 9), n_starts=2000)
    assert found.law == "power"
    assert not found.is_barren
    assert found.power.exponent == pytest.approx(-2, abs=0.05)
    low, high = found.power.interval
    assert low < -2 < high
    assert found.variances == pytest.approx(1 / (8 * np.arange(1, 9) ** 2), rel=0.05)


def test_the_interval_holds_the_exponent_as_often_as_it_says():
    """Of 60 runs, 57 are expected to hold it; 50 or fewer would have a probability below 0.001."""
    held = 0
    for seed in range(60):
        low, high = gradient_scaling(local_cost, [1, 2, 4, 6], n_starts=300, seed=seed).power.interval
        held += low < -2 < high
    assert held > 50


def test_neighbouring_sizes_and_few_starts_decide_nothing():
    assert gradient_scaling(local_cost, [4, 5, 6], n_starts=20).law == "undecided"


@pytest.mark.parametrize("sizes", [[1, 2], [2, 2, 3], [0, 1, 2]])
def test_sizes_that_fit_no_law(sizes):
    with pytest.raises(CircuitError, match="a law is fitted to at least 3 different positive sizes, but they are"):
        gradient_scaling(local_cost, sizes)


def test_a_cost_without_effect():
    def idle(n_qubits):
        circuit = QuantumCircuit(n_qubits)
        circuit.rz(Parameter("w"), 0)
        return circuit, SparsePauliOp("Z" * n_qubits)

    with pytest.raises(CircuitError, match="no law can be fitted, because at size 1 the observable does not depend on"):
        gradient_scaling(idle, [1, 2, 3])
