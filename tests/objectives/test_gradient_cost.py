"""Circuits of one gradient: blocks are read by simulated ancillas, and counts follow from the definitions."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliGate
from qiskit.quantum_info import Pauli, PauliList, SparsePauliOp, Statevector, random_clifford

import qnas
from qnas.circuit.ansatze import sim2019, slpa
from qnas.circuit.lower import lower
from qnas.errors import CircuitError
from qnas.objectives import gradient_cost, gradient_efficiency
from qnas.objectives.gradient_operators import commuting, images
from tests.circuit.strategies import few, quick, seeds
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC, evolved, qaoa

X0X1 = SparsePauliOp("IIXX")
labels = st.integers(1, 3).flatmap(lambda n: st.lists(st.text("XYZ", min_size=n, max_size=n), min_size=1, max_size=6))


def place(name):
    """Of the rotation whose weight is w[k]."""
    return int(name[2:-1])


def derivative(circuit, weight, point, observable):
    """By parameter shift of Qiskit states."""
    shift = np.pi / 2 * (np.arange(len(point)) == weight)
    ends = [Statevector(circuit.assign_parameters(point + sign * shift).decompose()) for sign in (1, -1)]
    plus, minus = (end.expectation_value(observable).real for end in ends)
    return (plus - minus) / 2


def read_by_one_ancilla(chosen, block, point, observable):
    """The strings that are measured in the end, Y on the ancilla times O S_j, and their expectation values."""
    strings, n_qubits = [Pauli(label[::-1]) for label in chosen], len(chosen[0])
    bound = evolved(chosen).assign_parameters(point)
    circuit = QuantumCircuit(n_qubits + 1)
    circuit.h(n_qubits)
    for k, instruction in enumerate(bound.data):
        if k == block[0]:
            circuit.append(PauliGate(strings[k].to_label()).control(1), [n_qubits, *range(n_qubits)])
        circuit.append(instruction.operation, range(n_qubits))
    measured = [SparsePauliOp("Y").tensor(observable @ SparsePauliOp(strings[block[0]] @ strings[j])) for j in block]
    state = Statevector(circuit.decompose())
    return measured, [state.expectation_value(operator) for operator in measured]


def checked(chosen, observable, seed=0):
    """The cost, after every block has been read by one ancilla."""
    circuit = evolved(chosen)
    point, found = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(chosen)), gradient_cost(circuit, observable)
    for names in found.blocks:
        block = [place(name) for name in names]
        operators, values = read_by_one_ancilla(chosen, block, point, observable)
        expected = [derivative(circuit, weight, point, observable) for weight in block]
        assert values == pytest.approx(expected, abs=1e-9)
        together = PauliList([operator.paulis[0] for operator in operators])
        assert all(together.commutes(string).all() for string in together)
    return found


@pytest.mark.parametrize(("chosen", "n_blocks"), [(SLPA, 11), (SYMMETRIC, 11), (NON_SYMMETRIC, 10)])
def test_one_ancilla_reads_each_block_of_the_circuits_of_chinzei_et_al(chosen, n_blocks):
    """48 weights of SLPA, 12 of the other two, some of them without effect.

    Two logicals that follow one another and commute share a circuit if nothing behind them tells them apart.
    """
    found = checked(chosen, X0X1)
    assert found.slpa_blocks == len(found.blocks) == n_blocks


@pytest.mark.parametrize("n_cycles", [2, 4])
def test_slpa_costs_an_eighth_of_parameter_shift(n_cycles):
    """Two circuits per weight against one per block of four."""
    found = gradient_cost(slpa(4, n_blocks=12 * n_cycles), X0X1)
    assert found.parameter_shift == 2 * 48 * n_cycles
    assert found.commuting_groups == found.slpa_blocks == 12 * n_cycles - 1
    assert found.groups == gradient_efficiency(slpa(4, n_blocks=12 * n_cycles), X0X1).groups


def test_an_observable_that_does_not_share_the_symmetry_takes_two_circuits_per_block():
    """Z on one qubit commutes with half of the stabilizers; 2 B circuits for B blocks, as in arXiv 2306.14962."""
    assert checked(SLPA, SparsePauliOp("IIIZ")).slpa_blocks == 2 * 12


@quick
@given(labels, seeds)
def test_one_ancilla_reads_each_block_of_any_rotations(chosen, seed):
    rng = np.random.default_rng(seed)
    observable = SparsePauliOp("".join(rng.choice(list("XYZ"), len(chosen[0]))))
    assume(depends_on_weights(chosen, observable))
    found = checked(chosen, observable, seed)
    n_weights = sum(map(len, found.groups))
    assert found.parameter_shift == 2 * n_weights
    assert found.commuting_groups <= found.slpa_blocks <= n_weights
    assert sorted(name for block in found.blocks for name in block) == sorted(sum(found.groups, ()))
    assert_gradient_operators_commute(evolved(chosen), observable, found.blocks)


def depends_on_weights(chosen, observable):
    try:
        return bool(gradient_efficiency(evolved(chosen), observable).groups)
    except CircuitError:
        return False


def assert_gradient_operators_commute(circuit, observable, blocks):
    dim, rng = 2**circuit.num_qubits, np.random.default_rng(3)
    probes = rng.normal(size=(dim, 8)) + 1j * rng.normal(size=(dim, 8))
    program = lower(circuit, [], list(circuit.parameters))
    operators = images(program, rng.uniform(0, 6, circuit.num_parameters), observable, probes)
    for block in blocks:
        assert commuting(operators[[place(name) for name in block]]).all()


@few
@given(seeds)
def test_clifford_gates_between_rotations_are_moved_through(seed):
    """A Clifford gate in the middle, and all behind it turned by it, is the same circuit up to a last gate."""
    chosen, clifford = SLPA[:24], random_clifford(4, seed=seed)
    strings = [Pauli(label[::-1]) for label in chosen]
    turned = [one.evolve(clifford, frame="s") for one in strings[13:]]
    circuit = evolved(chosen[:13])
    circuit.append(clifford, range(4))
    behind = evolved([one.to_label().lstrip("-")[::-1] for one in turned])
    weights = {parameter: Parameter(f"w[{13 + k}]") for k, parameter in enumerate(behind.parameters)}
    circuit.compose(behind.assign_parameters(weights), inplace=True)
    found = gradient_cost(circuit, SparsePauliOp(X0X1.paulis.evolve(clifford, frame="s")))
    plain = gradient_cost(evolved(chosen), X0X1)
    assert {frozenset(block) for block in found.blocks} == {frozenset(block) for block in plain.blocks}
    assert (found.parameter_shift, found.slpa_blocks) == (plain.parameter_shift, plain.slpa_blocks)


def test_every_setting_of_the_observable_is_run():
    """XX and ZZ commute, so that one circuit per block reads both, but no circuit measures both qubit by qubit."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    one, two, three = (
        gradient_cost(circuit, SparsePauliOp(strings)) for strings in (["ZZ"], ["XX", "ZZ", "II"], ["IX", "IZ"])
    )
    assert (one.parameter_shift, one.slpa_blocks, one.spsa) == (2, 1, 2)
    assert (two.parameter_shift, two.slpa_blocks, two.spsa) == (4, 1, 4)
    assert (three.parameter_shift, three.slpa_blocks, three.spsa) == (4, 2, 4)
    assert one.commuting_groups == two.commuting_groups == three.commuting_groups == 1


def test_a_weight_in_several_places_turns_several_rotations():
    circuit, w = QuantumCircuit(2), Parameter("w")
    circuit.rx(w, 0)
    circuit.cry(w, 0, 1)
    found = gradient_cost(circuit, SparsePauliOp("ZI"))
    assert found.parameter_shift == 2 * 3
    assert found.commuting_groups == 1
    assert set(found.blocks) == {("w",)}


def test_rotations_in_front_of_a_gate_that_is_no_clifford_gate_stand_alone():
    circuit = evolved(["XX", "XI"])
    assert gradient_cost(circuit, SparsePauliOp("IZ")).blocks == (("w[0]", "w[1]"),)
    circuit.t(0)
    found = gradient_cost(circuit, SparsePauliOp("IZ"))
    assert found.blocks == (("w[0]",), ("w[1]",))


def test_weights_without_effect_cost_nothing():
    circuit = evolved(["XI", "IX", "ZI"])
    found = gradient_cost(circuit, SparsePauliOp("IZ"))
    assert (found.parameter_shift, found.commuting_groups, found.slpa_blocks) == (2, 1, 1)
    assert found.blocks == found.groups == (("w[0]",),)


def test_blocks_need_no_lie_algebra():
    """Of 8 qubits with sums of strings, which `gradient_efficiency` refuses."""
    circuit = qaoa(8, [(k, (k + 1) % 8) for k in range(8)])
    with pytest.raises(CircuitError, match="some generators are sums of Pauli strings"):
        gradient_efficiency(circuit, SparsePauliOp("IIIIIIZZ"))
    assert gradient_cost(circuit, SparsePauliOp("IIIIIIZZ")).parameter_shift == 2 * 32


@pytest.mark.parametrize("template", [2, 6, 13])
def test_groups_are_at_most_blocks_and_blocks_at_most_half_of_parameter_shift(template):
    found = gradient_cost(sim2019(4, template, n_layers=2), SparsePauliOp("ZIII"))
    assert found.commuting_groups <= found.slpa_blocks <= found.parameter_shift / 2


def test_spsa_costs_as_little_as_one_weight_and_errs_by_all_others():
    """Over all directions, the mean of what one step yields is the derivative, and its variance the others' squares."""
    circuit, rng = sim2019(2, 6), np.random.default_rng(4)
    observable, point = SparsePauliOp("ZZ"), rng.uniform(0, 2 * np.pi, circuit.num_parameters)
    exact = np.array([derivative_at(circuit, unit, point, observable) for unit in np.eye(len(point))])
    directions = rng.choice([-1.0, 1.0], size=(200, len(point)))
    found = np.array([derivative_at(circuit, each, point, observable) for each in directions])[:, None] * directions
    assert gradient_cost(circuit, observable).spsa == 2
    others = (exact**2).sum() - exact**2
    assert np.all(np.abs(found.mean(axis=0) - exact) < 5 * np.sqrt(others / len(found)))
    assert found.var(axis=0) == pytest.approx(others, rel=0.3)


def derivative_at(circuit, direction, point, observable, step=1e-4):
    """Along a direction, by a difference of two circuits."""
    ends = [Statevector(circuit.assign_parameters(point + sign * step * direction)) for sign in (1, -1)]
    plus, minus = (end.expectation_value(observable).real for end in ends)
    return (plus - minus) / (2 * step)


@pytest.mark.parametrize(
    ("circuit", "observable", "text"),
    [
        (QuantumCircuit(2), "ZZ", "the circuit has no weights, so there are no derivatives to measure."),
        (sim2019(2, 1), "ZZZ", "the observable acts on 3 qubits, but the circuit has 2."),
        (sim2019(2, 1), "II", "the observable does not depend on any weight, so there are no derivatives to measure."),
    ],
)
def test_what_cannot_be_counted_is_refused_in_one_sentence(circuit, observable, text):
    with pytest.raises(CircuitError) as refusal:
        qnas.gradient_cost(circuit, SparsePauliOp(observable))
    assert str(refusal.value) == text
