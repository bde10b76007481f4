"""Gradient operators: against derivatives of the observable, and groups of them against larger searches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.ansatze import sim2019
from qnas.circuit.lower import lower
from qnas.objectives.gradient_operators import commuting, grouped, images
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
