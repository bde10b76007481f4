"""Encodings: the states they prepare, and how many features they take."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import zz_feature_map
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit import encodings as room
from qnas.circuit.encodings import Encoding, encoding, encodings
from qnas.errors import DesignError, PluginError

VALUES = np.array([0.3, -1.1, 2.0, 0.7, -0.4, 1.6])


def encoded(name, n_features, n_qubits, **options):
    features = ParameterVector("x", n_features)
    circuit = encodings[name].build(list(features), n_qubits, **options)
    return circuit, circuit.assign_parameters(dict(zip(features, VALUES.tolist(), strict=False)))


@pytest.mark.parametrize(("axis", "gate"), [("x", "rx"), ("y", "ry"), ("z", "rz")])
@pytest.mark.parametrize("n_features", [1, 3])
def test_angle_turns_each_qubit_about_its_axis(axis, gate, n_features):
    expected = QuantumCircuit(3)
    for k in range(n_features):
        getattr(expected, gate)(VALUES[k], k)
    assert encoded("angle", n_features, 3, axis=axis)[1] == expected


def test_angle_turns_about_y_by_default():
    assert encoded("angle", 2, 2)[0].count_ops() == {"ry": 2}


def test_an_unknown_axis():
    with pytest.raises(DesignError, match="unknown axis of the angle encoding 'w': Allowed: x, y, z"):
        encoded("angle", 2, 2, axis="w")


def test_dense_angle_has_two_features_per_qubit():
    expected = QuantumCircuit(3)
    for k in range(3):
        expected.ry(VALUES[k], k)
    for k in range(2):
        expected.rz(VALUES[3 + k], k)
    assert encoded("dense_angle", 5, 3)[1] == expected


@pytest.mark.parametrize("repeats", [1, 2])
def test_iqp_is_qiskits_zz_feature_map(repeats):
    """Qiskit writes exp(-i Z) as P(2 x) and has its own map of pairs, which is made the product here."""
    _, circuit = encoded("iqp", 3, 3, repeats=repeats)
    qiskits = zz_feature_map(3, reps=repeats, data_map_func=lambda v: v[0] / 2 if len(v) == 1 else v[0] * v[1] / 2)
    expected = qiskits.assign_parameters(VALUES[:3].tolist())
    assert Operator(circuit).equiv(Operator(expected))


@pytest.mark.parametrize("n_features", [1, 3, 4])
def test_amplitude_pads_with_zeros(n_features):
    _, circuit = encoded("amplitude", n_features, 2)
    expected = np.zeros(4)
    expected[:n_features] = VALUES[:n_features] / np.linalg.norm(VALUES[:n_features])
    found = Statevector(circuit.decompose("ParameterizedInitialize")).data
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "expected"), [("angle", 3), ("dense_angle", 6), ("iqp", 3), ("amplitude", 8)])
def test_widths_on_three_qubits(name, expected):
    assert encodings[name].width(3) == expected


def test_only_amplitude_cannot_be_uploaded_again():
    assert [name for name in encodings if not encodings[name].reuploads] == ["amplitude"]


def test_an_encoding_of_ones_own(monkeypatch):
    monkeypatch.setattr(room.encodings, "_parts", dict(room.encodings._parts))

    @encoding("half", width=lambda n_qubits: n_qubits // 2, reuploads=False)
    def half(features, n_qubits):
        return QuantumCircuit(n_qubits)

    assert encodings["half"] == Encoding(half, encodings["half"].width, reuploads=False)
    assert encodings["half"].width(6) == 3


def test_an_unknown_encoding():
    with pytest.raises(
        PluginError, match=r"unknown encoding 'angel': did you mean 'angle'\? Allowed: amplitude, angle"
    ):
        encodings["angel"]
