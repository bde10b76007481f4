"""Sequences of gates, and the one form of those that make the same circuit."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from qnas.circuit.ansatze import canonical_sequence, gates
from qnas.circuit.ansatze.gates import GATES, ROTATIONS, Gate
from qnas.errors import DesignError
from tests.circuit.ansatze.listing import listed, names
from tests.circuit.strategies import few, quick, seeds

N_QUBITS = 3
SYMMETRIC = ("cz", "rxx", "ryy", "rzz")
OWN_INVERSE = ("h", "x", "cx", "cz")
WITHOUT_TURNS = tuple(name for name in GATES if name not in ("x", "s", "t"))


def gate(name, *qubits):
    return {"name": name, "qubit": qubits[0]} if len(qubits) == 1 else {"name": name, "pair": list(qubits)}


def qubits_of(item):
    return tuple(item.get("pair", (item.get("qubit"),)))


def sequences(allowed=tuple(GATES), max_size=14):
    def on_qubits(name):
        return st.permutations(range(N_QUBITS)).map(lambda order: gate(name, *order[: len(GATES[name])]))

    return st.lists(st.sampled_from(allowed).flatmap(on_qubits), max_size=max_size)


def kind(item):
    """What a gate must have in common with another one for the two to become one."""
    qubits = qubits_of(item)
    return item["name"], tuple(sorted(qubits)) if item["name"] in SYMMETRIC else qubits


def matrix(sequence, weights=()):
    return Operator(gates(N_QUBITS, sequence).assign_parameters(list(weights)))


def test_gates_in_the_order_of_the_sequence():
    sequence = [gate("h", 0), gate("ry", 2), gate("cx", 2, 0), gate("crz", 0, 1), gate("t", 1)]
    circuit = gates(3, sequence)
    assert listed(circuit) == [("h", (0,)), ("ry", (2,)), ("cx", (2, 0)), ("crz", (0, 1)), ("t", (1,))]
    assert names(circuit) == ["w[0]", "w[1]"]


def test_every_gate_is_one_of_qiskit_and_those_with_a_weight_have_one():
    for name, axes in GATES.items():
        circuit = gates(2, [gate(name, *range(len(axes)))])
        assert listed(circuit) == [(name, tuple(range(len(axes))))]
        assert circuit.num_parameters == (name in ROTATIONS)


# --- the canonical form -------------------------------------------------------------------------------------------


def test_which_gates_commute():
    """Exactly those whose matrices do, of all on 3 qubits that are not of one kind."""
    every = [
        Gate(qubits, name)
        for name, axes in GATES.items()
        for qubits in permutations(range(N_QUBITS), len(axes))
        if name not in SYMMETRIC or list(qubits) == sorted(qubits)
    ]
    matrices = {one: [as_matrix(one, angle) for angle in (0.7, 1.3)] for one in every}
    for one, other in product(every, every):
        if one.kind != other.kind:
            first, second = matrices[one][0], matrices[other][1]
            assert one.commutes(other) == np.allclose(first @ second, second @ first)


def as_matrix(one, angle):
    return matrix([gate(one.name, *one.qubits)], [angle] * (one.name in ROTATIONS)).data


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ([gate("h", 0), gate("h", 0)], []),
        ([gate("cz", 1, 0), gate("cz", 0, 1)], []),
        ([gate("cx", 1, 0), gate("cx", 0, 1)], [gate("cx", 1, 0), gate("cx", 0, 1)]),
        ([gate("rx", 0), gate("rx", 0), gate("rx", 0)], [gate("rx", 0)]),
        ([gate("rx", 0), gate("ry", 0), gate("rx", 0)], [gate("rx", 0), gate("ry", 0), gate("rx", 0)]),
        ([gate("ryy", 1, 0), gate("rzz", 1, 0), gate("ryy", 0, 1)], [gate("ryy", 0, 1), gate("rzz", 0, 1)]),
        ([gate("s", 0)] * 3 + [gate("t", 0)] * 3, [gate("t", 0)]),
        ([gate("t", 0)] * 3, [gate("s", 0), gate("t", 0)]),
        ([gate("t", 0), gate("rz", 0), gate("s", 0)], [gate("rz", 0)]),
        ([gate("x", 0), gate("rx", 0), gate("rz", 0)], [gate("rx", 0), gate("rz", 0)]),
        ([gate("h", 1), gate("h", 0)], [gate("h", 0), gate("h", 1)]),
        ([gate("rz", 0), gate("cx", 0, 1), gate("rz", 0)], [gate("rz", 0), gate("cx", 0, 1)]),
        ([gate("rx", 0), gate("h", 1), gate("h", 1), gate("rx", 0)], [gate("rx", 0)]),
        ([gate("rx", 0), gate("cx", 0, 1), gate("cx", 0, 1), gate("x", 0)], [gate("rx", 0)]),
    ],
)
def test_what_becomes_of_small_sequences(given_, expected):
    assert canonical_sequence(given_) == expected


def test_layers_are_as_few_as_free_qubits_allow():
    """On a chain, CZ gates that are given in a row are done in two layers."""
    chain = [gate("cz", k, k + 1) for k in range(4)]
    found = canonical_sequence(chain)
    assert found == [gate("cz", 0, 1), gate("cz", 2, 3), gate("cz", 1, 2), gate("cz", 3, 4)]
    assert (gates(5, chain).depth(), gates(5, found).depth()) == (4, 2)


@quick
@given(sequences())
def test_the_form_of_a_form_is_itself(sequence):
    form = canonical_sequence(sequence)
    assert canonical_sequence(form) == form
    assert len(form) <= len(sequence)


@quick
@given(sequences(), seeds)
def test_the_form_does_not_feel_what_it_is_to_see_through(sequence, seed):
    """Neighbours that commute change places, a gate and its inverse are put in, a rotation is doubled."""
    rng, changed = np.random.default_rng(seed), list(sequence)
    for _ in range(10):
        move = rng.choice([swapped, with_a_pair, with_a_double])
        changed = move(changed, rng)
    assert canonical_sequence(changed) == canonical_sequence(sequence)


def swapped(sequence, rng):
    places = [k for k in range(len(sequence) - 1) if commute(*sequence[k : k + 2])]
    if not places:
        return sequence
    k = rng.choice(places)
    return [*sequence[:k], sequence[k + 1], sequence[k], *sequence[k + 2 :]]


def commute(one, other):
    return Gate(qubits_of(one), one["name"]).commutes(Gate(qubits_of(other), other["name"]))


def with_a_pair(sequence, rng):
    name, k = rng.choice(OWN_INVERSE), rng.integers(len(sequence) + 1)
    pair = gate(str(name), *rng.permutation(N_QUBITS)[: len(GATES[name])].tolist())
    return [*sequence[:k], pair, pair, *sequence[k:]]


def with_a_double(sequence, rng):
    places = [k for k, item in enumerate(sequence) if item["name"] in ROTATIONS]
    if not places:
        return sequence
    k = rng.choice(places)
    return [*sequence[:k], sequence[k], *sequence[k:]]


@quick
@given(sequences(tuple(sorted({*GATES} - ROTATIONS))))
def test_without_weights_the_circuit_stays(sequence):
    assert matrix(canonical_sequence(sequence)).equiv(matrix(sequence), atol=1e-10)


@quick
@given(sequences(WITHOUT_TURNS), seeds)
def test_weights_of_rotations_that_become_one_add_up(sequence, seed):
    n_weights = sum(item["name"] in ROTATIONS for item in sequence)
    weights = np.random.default_rng(seed).uniform(-3, 3, n_weights)
    form = canonical_sequence(sequence)
    assert matrix(form, added_up(sequence, weights, form)).equiv(matrix(sequence, weights), atol=1e-10)


def added_up(sequence, weights, form):
    """The weights of the form: gate after gate, a rotation is new in it or joins the last one of its kind."""
    left, sums = iter(weights), {}
    for k, item in enumerate(sequence):
        if item["name"] in ROTATIONS:
            before, after = (n_of_kind(item, canonical_sequence(sequence[:end])) for end in (k, k + 1))
            own = sums.setdefault(kind(item), [])
            own += [0.0] * (after - before)
            own[-1] += next(left)
    in_turn = {key: iter(values) for key, values in sums.items()}
    return [next(in_turn[kind(item)]) for item in form if item["name"] in ROTATIONS]


def n_of_kind(item, sequence):
    return sum(kind(other) == kind(item) for other in sequence)


@few
@given(sequences(max_size=4))
def test_a_form_is_a_list_of_plain_gates(sequence):
    for item in canonical_sequence(sequence):
        assert item == gate(item["name"], *qubits_of(item))
    QuantumCircuit(N_QUBITS).compose(gates(N_QUBITS, canonical_sequence(sequence)))


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (
            gate("cnot", 0, 1),
            "unknown gate 1 of the sequence, 'cnot': Allowed: h, x, s, t, rx, ry, rz, cx, cz, crx, cry, crz, rxx, ryy, "
            "rzz.",
        ),
        ("h", 'gate 1 of the sequence is \'h\'; write {"name": "ry", "qubit": 0}, say.'),
        ({"qubit": 1}, "unknown gate 1 of the sequence, 'None': Allowed: h, x, "),
        (gate("ry", 3), "gate 1 of the sequence, ry, is on qubit 3, but the 3 qubits are numbered from 0 to 2."),
    ],
)
def test_gates_that_cannot_be(item, text):
    with pytest.raises(DesignError) as refusal:
        gates(3, [gate("h", 0), item])
    assert str(refusal.value).startswith(text)


@pytest.mark.parametrize(
    "item",
    [
        gate("ry", -1),
        gate("ry", True),
        gate("ry", 0, 1),
        gate("cx", 0),
        gate("cx", 1, 1),
        {"name": "cx", "pair": 1},
        {"name": "ry", "qubit": 0, "angle": 1.0},
    ],
)
def test_gates_that_are_not_on_their_qubits(item):
    with pytest.raises(DesignError) as refusal:
        gates(3, [gate("h", 0), item])
    written = {
        "ry": '{"name": "ry", "qubit": 0}',
        "cx": '{"name": "cx", "pair": [0, 1]}, with two different qubits',
    }
    assert str(refusal.value) == f"gate 1 of the sequence is {item}; write {written[item['name']]}."


def test_a_form_of_what_is_no_sequence_of_gates():
    with pytest.raises(DesignError, match="unknown gate 0 of the sequence, 'cnot'"):
        canonical_sequence([gate("cnot", 0, 1)])
