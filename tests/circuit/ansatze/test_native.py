"""Native circuits: a transpiler finds nothing to translate and nothing to route."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector

from qnas.circuit import topologies as room
from qnas.circuit.ansatze import native
from qnas.circuit.ansatze.native import connected, matched
from qnas.circuit.backends import BackendChoice, find_backend
from qnas.circuit.topologies import topologies
from qnas.errors import CircuitError, DesignError
from tests.circuit.ansatze.listing import listed, names
from tests.circuit.strategies import few, quick

TOPOLOGIES = room.BUNDLED
SNAPSHOTS = ("fake_manila", "fake_torino", "fake_sherbrooke")
"""With CX, CZ and ECR; the last has each pair in one direction only."""


def is_native(circuit, target):
    return all(target.instruction_supported(name, qubits) for name, qubits in listed(circuit))


def two_qubit_gates(circuit):
    return [(name, qubits) for name, qubits in listed(circuit) if len(qubits) == 2]


designs = st.fixed_dictionaries(
    {
        "n_qubits": st.integers(1, 6),
        "rotation": st.lists(st.sampled_from(["rz", "sx", "x"]), min_size=1, max_size=4).map("_".join),
        "edges": st.sampled_from(["all", "matching"]),
        "n_layers": st.integers(1, 3),
        "topology": st.sampled_from(TOPOLOGIES),
        "entangler": st.sampled_from(["cx", "cz", "ecr"]),
    }
)


def generic(options):
    choice = BackendChoice(topology=options["topology"], entangler=options["entangler"])
    return find_backend(choice, options["n_qubits"])


@quick
@given(designs)
def test_every_gate_is_one_of_the_backend_on_qubits_that_have_it(options):
    assert is_native(native(**options), generic(options).target)


@few
@given(designs)
def test_a_transpiler_has_nothing_to_route(options):
    """With encoding angles in front, at both levels."""
    n_qubits = options["n_qubits"]
    backend = generic(options)
    circuit = QuantumCircuit(n_qubits)
    for qubit, feature in enumerate(ParameterVector("x", n_qubits)):
        circuit.ry(feature, qubit)
    circuit.compose(native(**options), inplace=True)
    for level in (0, 1):
        made = transpile(circuit, backend, initial_layout=list(range(n_qubits)), optimization_level=level)
        assert is_native(made, backend.target)
        assert len(two_qubit_gates(made)) <= len(two_qubit_gates(circuit))
        assert level or sorted(two_qubit_gates(made)) == sorted(two_qubit_gates(circuit))
        assert made.layout.final_index_layout() == list(range(n_qubits))


def test_a_layer_gate_by_gate():
    circuit = native(3, rotation="rz_sx_rz", topology="line", entangler="ecr", n_layers=2)
    on_all = [(name, (qubit,)) for name in ("rz", "sx", "rz") for qubit in range(3)]
    assert listed(circuit) == [*on_all, ("ecr", (0, 1)), ("ecr", (1, 2))] * 2
    assert names(circuit) == [f"w[{k}]" for k in range(12)]


def test_matchings_take_turns():
    circuit = native(4, rotation="rz", topology="ring", edges="matching", n_layers=3)
    even, odd = [(0, 1), (2, 3)], [(0, 3), (1, 2)]
    assert [qubits for name, qubits in two_qubit_gates(circuit)] == even + odd + even


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("n_qubits", [2, 5, 8, 20])
def test_matchings_hold_every_pair_once_and_no_qubit_twice(topology, n_qubits):
    pairs = sorted(topologies[topology](n_qubits))
    matchings = matched(pairs)
    assert sorted(pair for matching in matchings for pair in matching) == pairs
    for matching in matchings:
        qubits = [qubit for pair in matching for qubit in pair]
        assert len(set(qubits)) == len(qubits)
    most = max(sum(qubit in pair for pair in pairs) for qubit in range(n_qubits))
    assert most <= len(matchings) <= 2 * most - 1


def test_connected_or_not():
    assert connected(1, [])
    assert connected(4, [(2, 3), (1, 2), (0, 1)])
    assert not connected(4, [(0, 1), (2, 3)])


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_snapshots_of_real_backends(name):
    pytest.importorskip("qiskit_ibm_runtime")
    backend = find_backend(BackendChoice(name), 5)
    circuit = native(5, backend=name, n_layers=2)
    assert is_native(circuit, backend.target)
    made = transpile(circuit, backend, initial_layout=list(range(5)), optimization_level=0)
    assert sorted(listed(made)) == sorted(listed(circuit))


def test_qubits_of_a_backend_that_lie_apart(monkeypatch):
    monkeypatch.setattr(topologies, "_parts", dict(topologies._parts))
    topologies.add("apart", lambda n_qubits: [(0, 1), (2, 3)])
    with pytest.raises(DesignError) as refusal:
        native(4, topology="apart")
    assert str(refusal.value) == (
        "qubits 0 to 3 of the backend 'generic' are not connected by its pairs [(0, 1), (2, 3)]; choose another number "
        "of qubits, or another backend."
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (dict(backend="genric"), "unknown backend 'genric': did you mean 'generic'?"),
        (dict(topology="lime"), "unknown topology of the generic backend 'lime': did you mean 'line'? Allowed: all, "),
        (dict(entangler="cy"), "unknown entangler of the generic backend 'cy': "),
        (
            dict(rotation="rz_ry"),
            "unknown one-qubit gate of the backend 'ry': did you mean 'rz'? Allowed: id, rz, sx, x. Join several with "
            "_.",
        ),
        (dict(edges="some"), "unknown value of edges 'some': "),
        (dict(n_layers=0), "n_layers is 0; it must be at least 1."),
    ],
)
def test_circuits_that_cannot_be(options, text):
    with pytest.raises(DesignError) as refusal:
        native(3, **options)
    assert str(refusal.value).startswith(text)


def test_more_qubits_than_the_backend_has():
    pytest.importorskip("qiskit_ibm_runtime")
    with pytest.raises(CircuitError, match="the circuit has 6 qubits, but the backend 'fake_manila' has 5"):
        native(6, backend="fake_manila")
