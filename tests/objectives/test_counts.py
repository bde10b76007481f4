"""Objectives that count, counted by hand."""

import pytest

from qnas.objectives.counts import depth, memory, parameters, qubits
from qnas.objectives.objective import Estimate
from qnas.simulation.memory import required_bytes
from qnas.testing.designs import LAYER, design


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (3 * 4 + 4) + (4 * 3 + 3) + 6 + (3 * 2 + 2)),  # pre 3 -> 4 -> 3, 3 RY and 3 RZ, head 3 -> 2
        (dict(hidden=()), (3 * 3 + 3) + 6 + (3 * 2 + 2)),
        (dict(coupling="quantum"), 6),
        (dict(coupling="quantum", layers=[LAYER] * 3), 18),
        (dict(coupling="additive"), (16 + 15) + 6 + 8 + (16 + 10)),  # and N 3 -> 4 -> 2
        (dict(coupling="mac"), (16 + 15) + 6 + 8 + 2 * (16 + 10)),
        (dict(readout="zz", coupling="residual"), (16 + 15) + 6 + (6 * 2 + 2)),
    ],
)
def test_parameters_are_all_weights(changes, expected):
    assert parameters(design(**changes)) == expected


def test_a_circuit_alone_has_its_own_weights():
    assert parameters(design("pqc", coupling="mac")) == 6


def test_inert_weights_are_parameters_but_not_live():
    candidate = design("pqc", readout="z_first", layers=[dict(rotation="ry", entangler="cx", topology="line")])
    assert parameters(candidate) == 3
    assert candidate.builder.live_weights.tolist() == [True, False, False]


@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_qubits(n_qubits):
    assert qubits(design(n_qubits=n_qubits)) == n_qubits


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 3 + 3),  # RY of the input, RY, RZ; a ring of 3 CX, each after the other
        (dict(layers=[LAYER] * 2), 3 + 3 + 2 + 3),
        (dict(encoding=dict(name="angle", axis="y", reupload=True), layers=[LAYER] * 2), 2 * (3 + 3)),
        (dict(encoding="amplitude"), 1 + 2 + 3),
    ],
)
def test_depth_is_the_longest_path(changes, expected):
    assert depth(design(**changes)) == expected


def test_counts_are_integers():
    assert [type(count(design())) for count in (parameters, qubits, depth)] == [int, int, int]


@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_memory_is_16_bytes_for_each_amplitude(n_qubits):
    found = memory(design(n_qubits=n_qubits))
    assert found.value == 16 * 2**n_qubits
    assert found.details == {"training_step": required_bytes(design(n_qubits=n_qubits).program)}


def test_the_classical_control_has_no_state():
    assert memory(design(coupling="classical")) == Estimate(0)
