"""Gradient-measurement efficiency: published limits, the bound, and which weights are measured together."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.ansatze import sim2019
from qnas.errors import CircuitError, DesignError
from qnas.objectives import gradient_efficiency
from qnas.objectives.gradient_efficiency import design_gradient_efficiency, largest_efficiency
from qnas.testing.designs import LAYER, design
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC, evolved

X0X1 = SparsePauliOp("IIXX")


@pytest.mark.parametrize(
    ("generators", "limit", "bound", "dimension"),
    [(SYMMETRIC, 1, 4, 60), (SLPA, 4, 4, 60), (NON_SYMMETRIC, 1, 1, 255)],
    ids=["symmetric", "slpa", "non_symmetric"],
)
def test_the_efficiency_tends_to_the_published_limits(generators, limit, bound, dimension):
    """The value falls to the limit as L / (L - constant): near the observable a few operators commute by chance."""
    found = [gradient_efficiency(evolved(generators, n), X0X1) for n in (1, 2, 4, 8)]
    excess = np.array([one.value - limit for one in found])
    assert np.all(excess > 0) and np.all(np.diff(excess) < 0)
    assert found[-1].value == pytest.approx(limit, rel=0.1)
    assert found[-1].bound == pytest.approx(bound, abs=1e-9)
    assert found[-1].lie_algebra_dim == dimension


def test_two_of_them_meet_the_bound_and_one_does_not():
    distances = [gradient_efficiency(evolved(one, 8), X0X1).distance for one in (SLPA, NON_SYMMETRIC, SYMMETRIC)]
    assert distances == pytest.approx([0, 0, 3], abs=0.1)


def test_the_derivatives_of_a_block_are_measured_together():
    """All four generators of a block are one generator times stabilisers, which commute with everything else."""
    found = gradient_efficiency(evolved(SLPA, 2), X0X1)
    blocks = [{f"w[{4 * k + j}]" for j in range(4)} for k in range(24)]
    assert len(found.groups) == found.n_groups == 23
    assert all(sum(block <= set(group) for group in found.groups) == 1 for block in blocks)
    assert sorted(name for group in found.groups for name in group) == sorted(set().union(*blocks))


def test_the_seed_draws_the_weights_and_the_groups_do_not_depend_on_it():
    found = [gradient_efficiency(evolved(SYMMETRIC, 3), X0X1, seed=seed) for seed in range(4)]
    assert all(one == found[0] for one in found)


def test_rotations_about_one_axis_are_all_measured_together():
    """Derivatives of a shallow circuit may be measured together beyond the bound, which is for deep ones."""
    circuit = QuantumCircuit(1)
    for weight in ParameterVector("w", 5):
        circuit.rx(weight, 0)
    found = gradient_efficiency(circuit, SparsePauliOp("Z"))
    assert (found.value, found.n_groups, found.lie_algebra_dim) == (5, 1, 1)
    assert (found.bound, found.distance) == (1, -4)
    assert found.groups == (("w[0]", "w[1]", "w[2]", "w[3]", "w[4]"),)


def test_weights_without_effect_do_not_count():
    """One on another qubit, one that commutes with the observable, one that no gate feels."""
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    circuit.ry(Parameter("b"), 0)
    circuit.rz(Parameter("c"), 0)
    circuit.rx(Parameter("d"), 1)
    found = gradient_efficiency(circuit, SparsePauliOp("IZ"))
    assert sorted(name for group in found.groups for name in group) == ["a", "b"]
    assert found.value == 2 / found.n_groups == 1


def test_one_weight_in_several_places_has_one_gradient_operator():
    circuit, w = QuantumCircuit(2), Parameter("w")
    circuit.rx(w, 0)
    circuit.rx(w, 1)
    found = gradient_efficiency(circuit, SparsePauliOp("ZZ"))
    assert (found.value, found.groups) == (1, (("w",),))


@pytest.mark.parametrize("n_qubits", [1, 4, 9])
def test_the_bound_solves_its_inequalities(n_qubits):
    for dimension in {1, 2, 3, 4**n_qubits // 5 + 1, 4**n_qubits - 1}:
        bound = largest_efficiency(dimension, n_qubits)
        assert bound <= dimension * (1 + 1e-12)
        slack = 4**n_qubits / bound - bound - dimension
        assert slack >= -1e-6 * 4**n_qubits
        assert bound == pytest.approx(dimension) or slack == pytest.approx(0, abs=1e-6 * 4**n_qubits)
    assert largest_efficiency(4**n_qubits - 1, n_qubits) == pytest.approx(1)


def refused(circuit, observable):
    with pytest.raises(CircuitError) as refusal:
        gradient_efficiency(circuit, observable)
    return str(refusal.value)


def test_what_cannot_be_measured_is_refused_in_one_sentence():
    circuit = sim2019(2, 1)
    assert refused(QuantumCircuit(2), SparsePauliOp("ZZ")) == (
        "the circuit has no weights, so there are no derivatives to measure."
    )
    assert refused(circuit, SparsePauliOp("ZZZ")) == "the observable acts on 3 qubits, but the circuit has 2."
    assert refused(circuit, SparsePauliOp("ZZ", 1j)) == (
        "observable 0 has complex coefficients [0.+1.j]; it must be Hermitian."
    )
    assert refused(circuit, SparsePauliOp("II")) == (
        "the observable does not depend on any weight, so there are no derivatives to measure."
    )
    assert refused(sim2019(11, 1), SparsePauliOp("Z" * 11)) == (
        "gradient operators are matrices, which are limited to 10 qubits, but the circuit has 11."
    )


@pytest.mark.parametrize("encoding", [dict(name="angle", axis="x"), "amplitude"])
def test_a_design_is_measured_at_its_sample_for_its_mean_readout(encoding):
    candidate = design(encoding=encoding, layers=[LAYER, LAYER])
    found = design_gradient_efficiency(candidate)
    assert found == design_gradient_efficiency(candidate)
    assert found.standard_error is None
    assert found.details["lie_algebra_dim"] == 63
    assert found.details["distance"] == found.details["bound"] - found.value
    assert 1 <= found.value <= 12 / found.details["n_groups"]
    circuits = found.details["circuits"]
    assert circuits["commuting_groups"] == found.details["n_groups"] <= circuits["slpa_blocks"]
    assert circuits["parameter_shift"] == 2 * sum(map(len, found.details["groups"]))  # Z on each qubit is one setting
    assert circuits["spsa"] == 2


def test_the_classical_control_has_no_derivatives_to_measure():
    with pytest.raises(DesignError, match="the coupling 'classical' has no circuit"):
        design_gradient_efficiency(design(coupling="classical"))
