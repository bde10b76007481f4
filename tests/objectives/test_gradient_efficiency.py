"""Gradient-measurement efficiency: published limits, and gradient operators against derivatives of the observable."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.ansatze import sim2019
from qnas.circuit.lower import lower
from qnas.errors import CircuitError, DesignError
from qnas.objectives import gradient_efficiency
from qnas.objectives.gradient_efficiency import (
    commuting,
    design_gradient_efficiency,
    grouped,
    images,
    largest_efficiency,
)
from qnas.testing.designs import LAYER, design
from tests.circuit.reference import unitary
from tests.circuit.strategies import build, few, quick, recipes, seeds
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC, evolved

X0X1 = SparsePauliOp("IIXX")


def gradient_operators(made, observable, point, step=1e-3):
    """-2 d(U^dagger O U)/dp for every parameter p by differences of fourth order."""

    def heisenberg(at):
        whole = unitary(made.bound(at))
        return whole.conj().T @ observable.to_matrix() @ whole

    found = []
    for unit in step * np.eye(len(point)):
        far, near = (heisenberg(point + k * unit) - heisenberg(point - k * unit) for k in (2, 1))
        found.append(-2 * (8 * near - far) / (12 * step))
    return found


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


@few
@given(recipes(max_qubits=3, max_gates=10), seeds)
def test_gradient_operators_are_derivatives_of_the_observable(recipe, seed):
    """Gates of all kinds, angles of all kinds: -i [G, O] is -2 dO/dw."""
    made, rng = build(recipe), np.random.default_rng(seed)
    dim = 2**made.n_qubits
    observable = SparsePauliOp("".join(rng.choice(list("XYZ"), made.n_qubits)), 0.7)
    point = rng.uniform(0.3, 0.9, len(made.parameters))
    program = lower(made.circuit, made.inputs, made.weights)
    found = images(program, point, observable, np.eye(dim, dtype=complex))
    expected = gradient_operators(made, observable, point)[len(made.inputs) :]
    assert found == pytest.approx(np.array(expected), abs=1e-7)


@pytest.mark.parametrize("template", [2, 4, 6, 13])
def test_operators_commute_where_their_commutator_vanishes(template):
    circuit = sim2019(3, template)
    point = np.random.default_rng(1).uniform(0, 2 * np.pi, circuit.num_parameters)
    operators = images(lower(circuit, [], list(circuit.parameters)), point, SparsePauliOp("IXZ"), np.eye(8) + 0j)
    rng = np.random.default_rng(2)
    probes = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    alive = [one for one in operators if np.linalg.norm(one) > 1e-9]
    expected = [[np.linalg.norm(a @ b - b @ a) < 1e-9 for b in alive] for a in alive]
    assert np.array_equal(commuting(np.array([one @ probes for one in alive])), expected)


def test_a_deep_circuit_leaves_no_doubt_which_operators_commute():
    """Random vectors give commutators of rounding or far above it, nothing in between."""
    circuit = evolved(SLPA, 2)
    point = np.random.default_rng(0).uniform(0, 2 * np.pi, circuit.num_parameters)
    operators = images(lower(circuit, [], list(circuit.parameters)), point, X0X1, np.eye(16) + 0j)
    products = np.einsum("iab,jbc->ijac", operators, operators, optimize=True)
    sizes = np.linalg.norm(products - products.transpose(1, 0, 2, 3), axis=(2, 3))
    assert not np.any((sizes > 1e-11) & (sizes < 1e-7))


@quick
@given(st.integers(1, 12), seeds)
def test_groups_share_out_all_operators_and_commute(n_operators, seed):
    drawn = np.random.default_rng(seed).integers(2, size=(n_operators, n_operators)).astype(bool)
    commute = drawn | drawn.T | np.eye(n_operators, dtype=bool)
    groups = grouped(commute)
    assert sorted(k for group in groups for k in group) == list(range(n_operators))
    assert all(commute[np.ix_(group, group)].all() for group in groups)
    assert len(groups) <= 1 + (~commute).sum(axis=1).max()


def largest_clique(adjacent):
    """Of nodes that are all adjacent, by Bron and Kerbosch with pivots."""

    def grow(chosen, open_, closed):
        if not open_ and not closed:
            return chosen
        pivot = max(open_ | closed, key=lambda k: len(near[k] & open_))
        found = []
        for k in open_ - near[pivot]:
            found = max(found, grow([*chosen, k], open_ & near[k], closed & near[k]), key=len)
            open_, closed = open_ - {k}, closed | {k}
        return found

    near = [set(np.flatnonzero(row).tolist()) - {k} for k, row in enumerate(adjacent)]
    return grow([], set(range(len(adjacent))), set())


def greedy_cliques(commute):
    """The largest group is taken out again and again."""
    left, groups = np.arange(len(commute)), []
    while len(left):
        group = left[largest_clique(commute[np.ix_(left, left)])]
        groups, left = [*groups, group], np.setdiff1d(left, group)
    return groups


ANSATZE = {
    **{f"template {k}": sim2019(4, k) for k in range(1, 20)},
    **{f"template {k} twice": sim2019(4, k, n_layers=2) for k in (1, 2, 5, 9, 10, 13, 18, 19)},
    **{name: evolved(strings) for name, strings in (("symmetric", SYMMETRIC), ("slpa", SLPA), ("not", NON_SYMMETRIC))},
}


@pytest.mark.parametrize("name", ANSATZE)
def test_there_are_no_fewer_groups(name):
    """No two of as many operators commute, so they need as many groups; the largest cliques never need fewer."""
    for observable in (SparsePauliOp("IIIZ"), X0X1, SparsePauliOp(["ZIII", "IZII", "IIZI", "IIIZ"])):
        commute = commutation(ANSATZE[name], observable)
        groups = grouped(commute)
        distinct = np.unique(commute, axis=0, return_index=True)[1]  # those with equal rows commute
        assert len(groups) == len(largest_clique(~commute[np.ix_(distinct, distinct)])) <= len(greedy_cliques(commute))


def test_the_largest_cliques_may_need_one_group_more():
    commute = commutation(sim2019(4, 10), SparsePauliOp(["ZIII", "IZII", "IIZI", "IIIZ"]))
    assert (len(grouped(commute)), len(greedy_cliques(commute))) == (4, 5)


def commutation(circuit, observable):
    """Which gradient operators commute, of those that do not vanish."""
    rng, dim = np.random.default_rng(0), 2**circuit.num_qubits
    probes = rng.normal(size=(dim, 8)) + 1j * rng.normal(size=(dim, 8))
    point = rng.uniform(0, 2 * np.pi, circuit.num_parameters)
    operators = images(lower(circuit, [], list(circuit.parameters)), point, observable, probes)
    return commuting(operators[np.linalg.norm(operators, axis=(1, 2)) > 1e-9])


def test_separate_cliques_are_found():
    owner = np.array([0, 1, 2, 0, 1, 0])
    assert grouped(owner[:, None] == owner) == [[0, 3, 5], [1, 4], [2]]


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


def test_the_classical_control_has_no_derivatives_to_measure():
    with pytest.raises(DesignError, match="the coupling 'classical' has no circuit"):
        design_gradient_efficiency(design(coupling="classical"))
