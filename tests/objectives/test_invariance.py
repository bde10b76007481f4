"""Circuits that mean the same score the same: other global phases, other names of qubits, other gates.

One seed draws the same weights for each of them, so that numbers agree to rounding, not to a standard error. FLOPs are
those of the gates that are written; by which ones they differ is a table.
"""

import inspect
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression, ParameterVector
from qiskit.circuit.library import GlobalPhaseGate
from qiskit.quantum_info import Operator, SparsePauliOp

from qnas.circuit.ansatze.registry import ansatze
from qnas.circuit.lower import lower, standard_name
from qnas.errors import CircuitError
from qnas.objectives import (
    entangling_capability,
    expressibility,
    flops,
    gradient_cost,
    gradient_efficiency,
    gradient_variance,
    lie_algebra_dim,
)
from qnas.objectives.flops import program_flops, readout_flops
from qnas.testing.designs import architecture
from tests.circuit.strategies import build, quick, recipes, seeds

REWRITTEN = {
    "rx": (8, lambda c, a, q: (c.h(q), c.rz(a, q), c.h(q))),
    "ry": (0, lambda c, a, q: (c.sdg(q), c.rx(a, q), c.s(q))),
    "rz": (0, lambda c, a, q: c.p(a, q)),
    "p": (0, lambda c, a, q: c.rz(a, q)),
    "u": (0, lambda c, a, b, d, q: (c.rz(d, q), c.ry(a, q), c.rz(b, q))),
    "rzz": (0, lambda c, a, q, r: (c.cx(q, r), c.rz(a, r), c.cx(q, r))),
    "rxx": (16, lambda c, a, q, r: (c.h([q, r]), c.rzz(a, q, r), c.h([q, r]))),
    "rzx": (8, lambda c, a, q, r: (c.h(r), c.rzz(a, q, r), c.h(r))),
    "crz": (0, lambda c, a, q, r: (c.rz(a / 2, r), c.cx(q, r), c.rz(-a / 2, r), c.cx(q, r))),
    "crx": (8, lambda c, a, q, r: (c.h(r), c.crz(a, q, r), c.h(r))),
    "cry": (0, lambda c, a, q, r: (c.sdg(r), c.crx(a, q, r), c.s(r))),
    "cp": (0, lambda c, a, q, r: (c.rz(a / 2, q), c.rz(a / 2, r), c.rzz(-a / 2, q, r))),
    "x": (8, lambda c, q: (c.h(q), c.z(q), c.h(q))),
    "z": (0, lambda c, q: (c.s(q), c.s(q))),
    "y": (0, lambda c, q: (c.z(q), c.x(q))),
    "h": (2, lambda c, q: (c.ry(np.pi / 2, q), c.x(q))),
    "cz": (8, lambda c, q, r: (c.h(r), c.cx(q, r), c.h(r))),
    "cx": (8, lambda c, q, r: (c.h(r), c.cz(q, r), c.h(r))),
    "swap": (0, lambda c, q, r: (c.cx(q, r), c.cx(r, q), c.cx(q, r))),
}
"""Other gates of the same unitary up to a global phase, and by how many FLOPs per amplitude they cost more: an H is 4,
a rotation at a fixed angle 6, what moves amplitudes or changes signs 0."""
SIZES = dict(max_qubits=3, max_gates=8)


def rewritten(circuit):
    """With other gates; and what these cost more, in FLOPs per amplitude.

    Gates at a constant angle stay: as fixed gates, some cost less than rotations would.
    """
    made, extra = QuantumCircuit(*circuit.qregs), 0
    for instruction in circuit.data:
        name = standard_name(instruction.operation)
        if name in REWRITTEN and all(isinstance(angle, ParameterExpression) for angle in instruction.params):
            more, write = REWRITTEN[name]
            write(made, *instruction.operation.params, *instruction.qubits)
            extra += more
        else:
            made.append(instruction)
    return made, extra


def relabelled(circuit, order):
    made = QuantumCircuit(circuit.num_qubits)
    return made.compose(circuit, qubits=order)


def with_global_phase(circuit):
    """Of the circuit, and as a gate."""
    made = circuit.copy()
    made.global_phase += 1.3
    made.append(GlobalPhaseGate(0.4), [])
    return made


def random_operator(n_qubits, seed):
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(3)]
    return SparsePauliOp(labels, rng.normal(size=3))


def numbers(circuit, operator):
    """Everything that a circuit scores, at one seed; no variances where no weight has any effect."""
    states = expressibility(circuit, n_pairs=200), entangling_capability(circuit, n_samples=50)
    found = [value for one in states for value in (one.value, one.standard_error)]
    with suppress(CircuitError):
        variances = gradient_variance(circuit, operator, n_starts=20)
        found += [*variances.values, *variances.standard_errors]
    return found


def cost(circuit, operator):
    """FLOPs of the circuit and of its readout."""
    return program_flops(lower(circuit, [], list(circuit.parameters))), readout_flops([operator])


@pytest.mark.parametrize("name", REWRITTEN)
def test_the_other_gates_are_the_same_unitary(name):
    _, write = REWRITTEN[name]
    n_qubits = 2 if "r" in inspect.signature(write).parameters else 1
    angles = [0.3, 1.1, -0.7][: len(inspect.signature(write).parameters) - 1 - n_qubits]
    first, second = QuantumCircuit(n_qubits), QuantumCircuit(n_qubits)
    getattr(first, name)(*angles, *range(n_qubits))
    write(second, *angles, *range(n_qubits))
    assert Operator(first).equiv(second)


@pytest.mark.slow
@quick
@given(recipes(**SIZES), seeds)
def test_a_global_phase_changes_nothing_at_all(recipe, seed):
    circuit = build(recipe).circuit
    operator, other = random_operator(circuit.num_qubits, seed), with_global_phase(circuit)
    assert numbers(other, operator) == numbers(circuit, operator)
    assert lie_algebra_dim(other) == lie_algebra_dim(circuit)
    assert cost(other, operator) == cost(circuit, operator)


@pytest.mark.slow
@quick
@given(recipes(**SIZES), seeds)
def test_the_names_of_qubits_do_not_matter(recipe, seed):
    circuit = build(recipe).circuit
    order = np.random.default_rng(seed).permutation(circuit.num_qubits).tolist()
    other, operator = relabelled(circuit, order), random_operator(circuit.num_qubits, seed)
    moved = operator.apply_layout(order)
    assert numbers(other, moved) == pytest.approx(numbers(circuit, operator), rel=1e-6, abs=1e-9)
    assert lie_algebra_dim(other) == lie_algebra_dim(circuit)
    assert cost(other, moved) == cost(circuit, operator)


@pytest.mark.slow
@quick
@given(recipes(**SIZES, names=(*REWRITTEN, "t", "ccx", "evolution_2")), seeds)
def test_other_gates_of_the_same_unitary_score_the_same_and_flops_differ_by_these_gates(recipe, seed):
    circuit = build(recipe).circuit
    (other, extra), operator = rewritten(circuit), random_operator(circuit.num_qubits, seed)
    assert numbers(other, operator) == pytest.approx(numbers(circuit, operator), rel=1e-6, abs=1e-9)
    assert lie_algebra_dim(other) == lie_algebra_dim(circuit)
    (n_circuit, n_readout), (n_other, n_other_readout) = cost(circuit, operator), cost(other, operator)
    assert n_other - n_circuit == extra * 2**circuit.num_qubits
    assert n_other_readout == n_readout


@pytest.mark.slow
@quick
@given(recipes(**SIZES, names=("rx", "ry", "rz", "rzz", "rxx", "crz", "cx", "cz", "h", "swap")), seeds)
def test_gradients_are_measured_in_the_same_groups(recipe, seed):
    circuit = build(recipe).circuit
    order = np.random.default_rng(seed).permutation(circuit.num_qubits).tolist()
    operator = SparsePauliOp("".join(np.random.default_rng(seed).choice(list("XYZ"), circuit.num_qubits)))
    variants = [
        (circuit, operator),
        (with_global_phase(circuit), operator),
        (relabelled(circuit, order), operator.apply_layout(order)),
        (rewritten(circuit)[0], operator),
    ]
    if circuit.num_parameters and gradient_variance(circuit, operator, n_starts=5).values.max() > 1e-12:
        first, *others = [(gradient_efficiency(*one), gradient_cost(*one)) for one in variants]
        assert all(other == first for other in others)


def test_of_a_design_only_the_part_that_is_written_otherwise_costs_more(monkeypatch):
    """Two layers of RX and CZ on 3 qubits: 6 RX and 4 CZ as H RZ H and H CX H are 20 H of 4 * 8, three times as many
    per training step: forward, and undone on two states."""

    def plain(n_qubits):
        circuit, weights = QuantumCircuit(n_qubits), iter(ParameterVector("w", 2 * n_qubits))
        for _ in range(2):
            for k in range(n_qubits):
                circuit.rx(next(weights), k)
            for k in range(n_qubits - 1):
                circuit.cz(k, k + 1)
        return circuit

    monkeypatch.setitem(ansatze._parts, "plain", plain)
    monkeypatch.setitem(ansatze._parts, "otherwise", lambda n_qubits: rewritten(plain(n_qubits))[0])
    first, second = (flops(architecture(ansatz=name), 3, 2) for name in ("plain", "otherwise"))
    for part in ("encoding", "readout", "classical"):
        assert getattr(second, part) == getattr(first, part)
    assert second.circuit - first.circuit == second.total - first.total == 20 * 4 * 8
    assert second.training_step - first.training_step == 3 * 20 * 4 * 8
