"""Dimensions of Lie algebras: published ones, closed forms, and the definition by derivatives of the unitary."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Clifford, Operator, PauliList, SparsePauliOp, random_clifford

from qnas.circuit.ansatze import sim2019
from qnas.circuit.lower import lower
from qnas.errors import CircuitError
from qnas.objectives import lie_algebra_dim
from qnas.objectives.generators import Generators
from qnas.objectives.lie_algebra import design_lie_algebra_dim, dimension, program_dimension
from qnas.testing.designs import LAYER, design
from tests.circuit.strategies import few, quick, seeds
from tests.objectives.algebras import NON_SYMMETRIC, SLPA, SYMMETRIC, at, evolved, ising, qaoa, universal

labels = st.integers(1, 3).flatmap(lambda n: st.lists(st.text("IXYZ", min_size=n, max_size=n), min_size=1, max_size=5))
GATES = ("rx", "rz", "rzz", "crx", "cp", "cx", "h", "s", "t", "cry")
recipes = st.lists(st.tuples(st.sampled_from(GATES), st.permutations(range(3))), min_size=1, max_size=9)
PARAMETRISED = ("rx", "rz", "rzz", "crx", "cp", "cry")


def from_recipe(recipe):
    """A circuit on 3 qubits, one weight per gate that takes one."""
    circuit = QuantumCircuit(3)
    for k, (name, qubits) in enumerate(recipe):
        width = 1 if name in ("rx", "rz", "h", "s", "t") else 2
        angle = [Parameter(f"w{k}")] if name in PARAMETRISED else []
        getattr(circuit, name)(*angle, *qubits[:width])
    return circuit


def closure(matrices):
    """The dimension of the Lie algebra of Hermitian matrices without trace, by the rank of ever more commutators."""
    dim = len(matrices[0])
    basis = independent([(matrix - np.trace(matrix) / dim * np.eye(dim)).ravel() for matrix in matrices])
    while True:
        square = [row.reshape(dim, dim) for row in basis]
        commutators = [(1j * (a @ b - b @ a)).ravel() for a in square for b in square]
        grown = independent([*basis, *commutators])
        if len(grown) == len(basis):
            return len(basis)
        basis = grown


def independent(rows):
    """An orthonormal basis of the span; what finite differences leave over does not count."""
    if not len(rows):
        return []
    _, lengths, basis = np.linalg.svd(np.array(rows), full_matrices=False)
    return basis[lengths > 1e-6]


def derivatives(circuit, n_points=5, step=1e-4):
    """i U^dagger dU/dw for every weight at random weights, by finite differences: they generate the algebra."""
    rng, found = np.random.default_rng(0), []
    for point in rng.uniform(0, 2 * np.pi, (n_points, circuit.num_parameters)):
        inverse = Operator(circuit.assign_parameters(point)).adjoint().data
        for unit in step * np.eye(circuit.num_parameters):
            ends = [Operator(circuit.assign_parameters(point + k * unit)).data for k in (-2, -1, 1, 2)]
            slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
            found.append(1j * inverse @ slope)
    return found


@pytest.mark.parametrize(("given_", "expected"), [(SYMMETRIC, 60), (SLPA, 60), (NON_SYMMETRIC, 255)])
def test_the_circuits_of_chinzei_et_al(given_, expected):
    assert lie_algebra_dim(given_) == expected
    assert lie_algebra_dim(PauliList(given_)) == expected
    assert lie_algebra_dim(evolved(given_)) == expected


@pytest.mark.parametrize(
    ("given_", "expected"), [(["X"], 1), (["X", "Z"], 3), (["X", "X"], 1), (["XX", "ZZ"], 2), (["XI", "IX", "ZI"], 4)]
)
def test_algebras_that_can_be_counted_by_hand(given_, expected):
    assert lie_algebra_dim(given_) == expected


@pytest.mark.parametrize("n_qubits", [2, 3, 5, 8, 20])
def test_the_open_ising_chain_is_a_chain_of_free_fermions(n_qubits):
    """so(2n), of dimension n (2n - 1)."""
    assert lie_algebra_dim(ising(n_qubits, ring=False)) == n_qubits * (2 * n_qubits - 1)


@pytest.mark.parametrize("n_qubits", [3, 4, 6, 20])
def test_the_closed_ising_chain_is_two_of_them(n_qubits):
    """One for each parity, so(2n) + so(2n) (arXiv 2309.05690)."""
    assert lie_algebra_dim(ising(n_qubits, ring=True)) == 2 * n_qubits * (2 * n_qubits - 1)


@pytest.mark.parametrize("n_qubits", [1, 2, 3, 6, 8])
def test_universal_generators_reach_everything_but_the_identity(n_qubits):
    assert lie_algebra_dim(universal(n_qubits)) == 4**n_qubits - 1


@pytest.mark.parametrize("n_qubits", [3, 4, 5, 6])
def test_qaoa_on_a_cycle(n_qubits):
    """A centre of dimension 2 and n - 1 copies of su(2) (arXiv 2407.12587)."""
    ring = [(k, (k + 1) % n_qubits) for k in range(n_qubits)]
    assert lie_algebra_dim(qaoa(n_qubits, ring)) == 3 * n_qubits - 1


def test_weights_of_their_own_turn_qaoa_into_the_ising_chain():
    assert lie_algebra_dim(evolved(ising(4, ring=True))) == 56


@pytest.mark.parametrize("given_", [["III"], ["III", "III"]])
def test_the_identity_contributes_nothing(given_):
    assert lie_algebra_dim(given_) == 0
    assert lie_algebra_dim([*given_, "XII", "IXI"]) == 2


def test_phases_do_not_matter():
    assert lie_algebra_dim(PauliList(["-X", "iZ"])) == 3


@quick
@given(labels)
def test_bit_vectors_agree_with_matrices(chosen):
    assert lie_algebra_dim(chosen) == closure([Operator(SparsePauliOp(label)).data for label in chosen])


@quick
@given(labels, seeds)
def test_sums_agree_with_matrices(chosen, seed):
    """Random sums of the strings: the orthogonalisation against a closure of all commutators."""
    n_qubits, rng = len(chosen[0]), np.random.default_rng(seed)
    sums = [SparsePauliOp(chosen, rng.normal(size=len(chosen)) + 0.1) for _ in range(2)]
    assert dimension(Generators(tuple(sums)), n_qubits) == closure([one.to_matrix() for one in sums])


@quick
@given(labels, seeds)
def test_the_names_of_qubits_do_not_matter(chosen, seed):
    order = np.random.default_rng(seed).permutation(len(chosen[0]))
    assert lie_algebra_dim(["".join(label[k] for k in order) for label in chosen]) == lie_algebra_dim(chosen)


@quick
@given(labels, seeds)
def test_a_clifford_gate_around_all_generators_changes_nothing(chosen, seed):
    turned = PauliList(chosen).evolve(random_clifford(len(chosen[0]), seed=seed))
    assert lie_algebra_dim(turned) == lie_algebra_dim(chosen)


@few
@given(recipes)
def test_a_circuit_has_the_algebra_of_its_derivatives(recipe):
    circuit = from_recipe(recipe)
    expected = closure(derivatives(circuit)) if circuit.num_parameters else 0
    assert lie_algebra_dim(circuit) == expected


@pytest.mark.parametrize("gate", ["t", "h"])
def test_gates_before_and_after_all_rotations_do_not_matter(gate):
    """At 8 qubits a T gate in between would be refused."""
    plain, circuit = evolved(universal(8)[:12]), QuantumCircuit(8)
    getattr(circuit, gate)(range(8))
    circuit.compose(plain, inplace=True)
    getattr(circuit, gate)(range(8))
    assert lie_algebra_dim(circuit) == lie_algebra_dim(plain)


def test_a_layer_with_fixed_gates_grows_with_its_repeats_up_to_the_orbit_of_its_generators():
    """Template 9: H on all, CZ on a chain, RX on all."""
    layer = QuantumCircuit(4)
    layer.h(range(4))
    for control, target in ((3, 2), (2, 1), (1, 0)):
        layer.cz(control, target)
    clifford, orbit = Clifford(layer), [PauliList(["XIII", "IXII", "IIXI", "IIIX"])]
    for _ in range(20):
        orbit.append(orbit[-1].evolve(clifford))
    dimensions = [lie_algebra_dim(sim2019(4, 9, n_layers=n)) for n in (1, 2, 3, 4)]
    assert dimensions == [4, 12, 255, 255]
    assert lie_algebra_dim(PauliList([string for strings in orbit for string in strings])) == 255


def test_a_controlled_rotation_is_one_generator():
    circuit = QuantumCircuit(2)
    circuit.crx(Parameter("w"), 0, 1)
    assert lie_algebra_dim(circuit) == 1
    circuit.cp(Parameter("v"), 0, 1)
    assert lie_algebra_dim(circuit) == closure(derivatives(circuit))


@pytest.mark.parametrize("second", ["rx", "rz"])
def test_one_weight_in_two_places_is_two_generators(second):
    """Whether strings do not commute, or another rotation comes in between."""
    circuit, w = QuantumCircuit(2), Parameter("w")
    circuit.rx(w, 0)
    if second == "rx":
        circuit.rz(Parameter("v"), 0)
        circuit.rx(w, 1)
    else:
        circuit.rz(w, 0)
    assert lie_algebra_dim(circuit) == {"rx": 4, "rz": 3}[second]


def test_the_same_weights_in_every_layer_are_generators_of_their_own():
    repeated = qaoa(3, [(0, 1), (1, 2)], n_layers=2)
    once = repeated.assign_parameters(dict(zip(repeated.parameters, [*ParameterVector("w", 2)] * 2, strict=True)))
    assert once.num_parameters < repeated.num_parameters
    assert lie_algebra_dim(once) == lie_algebra_dim(repeated) == 9


def test_angles_that_are_other_functions_of_one_weight_turn_apart():
    circuit, w = QuantumCircuit(2), Parameter("w")
    circuit.rx(w, 0)
    circuit.rx(w.sin(), 1)
    assert lie_algebra_dim(circuit) == 2
    together = QuantumCircuit(2)
    together.rx(w.sin(), 0)
    together.rx(-3 * w.sin(), 1)
    assert lie_algebra_dim(together) == 1


def test_an_evolution_of_commuting_strings_is_one_generator():
    circuit = QuantumCircuit(3)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZZI", "IZZ"]), Parameter("t")), range(3))
    assert lie_algebra_dim(circuit) == 1


@pytest.mark.parametrize("n_qubits", [4, 6, 8])
def test_controlled_rotations_fall_apart_where_other_rotations_tell_their_strings_apart(n_qubits):
    """[Y0, [Y0, X1 - Z0 X1]] is Z0 X1 alone, so that no matrices are needed."""
    circuit = QuantumCircuit(n_qubits)
    for k in range(n_qubits):
        circuit.ry(Parameter(f"a{k}"), k)
        circuit.crx(Parameter(f"b{k}"), k, (k + 1) % n_qubits)
    assert lie_algebra_dim(circuit) == 4**n_qubits - 1


@pytest.mark.slow
def test_matrices_reach_the_full_algebra_of_five_qubits():
    sums = [SparsePauliOp(universal(5)[k::2], np.arange(1, 1 + len(universal(5)[k::2]))) for k in (0, 1)]
    assert dimension(Generators(tuple(sums)), 5) == 4**5 - 1


# --- inputs ----------------------------------------------------------------------------------------------------


def with_input(build):
    circuit, x = QuantumCircuit(2), Parameter("x")
    build(circuit, x)
    weights = [parameter for parameter in circuit.parameters if parameter != x]
    return program_dimension(lower(circuit, [x], weights))


def test_an_encoding_before_all_weights_prepares_the_state_only():
    def build(circuit, x):
        circuit.rx(x, 0)
        circuit.rz(Parameter("w"), 0)

    assert with_input(build) == 1


def test_an_encoding_between_weights_turns_them_but_is_no_generator():
    def build(circuit, x):
        circuit.rz(Parameter("w0"), 0)
        circuit.rxx(x, 0, 1)
        circuit.rz(Parameter("w1"), 0)

    assert with_input(build) == 3  # Z0, Y0 X1, X0 X1

    def of_another_qubit(circuit, x):
        circuit.rz(Parameter("w0"), 0)
        circuit.rx(x, 1)
        circuit.rz(Parameter("w1"), 0)

    assert with_input(of_another_qubit) == 1

    def commuting(circuit, x):
        circuit.rz(Parameter("w0"), 0)
        circuit.rzz(x, 0, 1)
        circuit.rz(Parameter("w1"), 0)

    assert with_input(commuting) == 1


def test_controlled_encodings_are_sums_too():
    def build(circuit, x):
        circuit.rz(Parameter("w0"), 1)
        circuit.crx(x, 0, 1)
        circuit.rz(Parameter("w1"), 1)

    z, turn = SparsePauliOp("ZI"), SparsePauliOp(["XI", "XZ"], [1, -1])
    nested = [z.to_matrix()]
    for _ in range(6):
        nested += [1j * (a @ b - b @ a) for a in (z.to_matrix(), turn.to_matrix()) for b in nested]
        nested = list(independent([m.ravel() for m in nested]).reshape(-1, 4, 4))
    assert with_input(build) == len(nested)


# --- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_", "text"),
    [
        ([], "Pauli labels are of one width, but these have none, as there are no labels."),
        (["XX", "X"], "Pauli labels are of one width, but these have [1, 2]."),
        ("XX", "expected a list of Pauli labels, but got the one string 'XX'; write ['XX']."),
        (["XA"], "'XA' is no Pauli label; write one letter of I, X, Y, Z per qubit."),
        (["-X"], "'-X' is no Pauli label; write one letter of I, X, Y, Z per qubit."),
        ([""], "'' is no Pauli label; write one letter of I, X, Y, Z per qubit."),
        ([at(33, x=[0])], "a Lie algebra is computed for at most 32 qubits, but there are 33."),
        (
            qaoa(7, [(k, (k + 1) % 7) for k in range(7)]),
            "some generators are sums of Pauli strings, whose Lie algebra needs matrices, which are limited to 6 "
            "qubits, but there are 7; give every rotation a weight of its own.",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_sentence(given_, text):
    with pytest.raises(CircuitError) as refusal:
        lie_algebra_dim(given_)
    assert str(refusal.value) == text


def test_gates_that_are_no_clifford_gates_are_refused_on_wide_circuits():
    circuit = QuantumCircuit(7)
    circuit.rx(Parameter("a"), 3)
    circuit.t(3)
    circuit.rx(Parameter("b"), 3)
    with pytest.raises(CircuitError) as refusal:
        lie_algebra_dim(circuit)
    assert str(refusal.value) == (
        "gate 't' on qubits [3] is no Clifford gate, and the Lie algebra of a circuit with such gates between its "
        "rotations needs matrices, which are limited to 6 qubits; this circuit has 7."
    )


def test_counting_stops_somewhere(monkeypatch):
    monkeypatch.setattr(importlib.import_module("qnas.objectives.lie_algebra"), "MOST_ELEMENTS", 1000)
    assert lie_algebra_dim(universal(4)) == 255
    with pytest.raises(CircuitError, match=r"the Lie algebra has more than 1,000 elements, where qnas stops counting"):
        lie_algebra_dim(universal(5))


def test_a_circuit_without_weights_has_no_algebra():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    assert lie_algebra_dim(circuit) == 0


# --- designs ---------------------------------------------------------------------------------------------------


def test_a_design_is_measured_by_its_weights():
    """RY and RZ on 3 qubits, where the encoding comes first: su(2) each; a second layer reaches everything."""
    assert design_lie_algebra_dim(design()) == 9
    assert design_lie_algebra_dim(design(layers=[LAYER, LAYER])) == 63


def test_the_classical_control_has_no_algebra():
    assert design_lie_algebra_dim(design(coupling="classical")) == 0
