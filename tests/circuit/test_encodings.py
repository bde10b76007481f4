"""Encodings: the states they prepare, and how many features they take."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import z_feature_map, zz_feature_map
from qiskit.quantum_info import Operator, Statevector

from qnas.circuit import encodings as room
from qnas.circuit.encodings import Encoding, encoding, encodings
from qnas.circuit.lower import lower
from qnas.errors import DesignError, PluginError
from qnas.model.angles import AngleFunction

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


@pytest.mark.parametrize("scale", [2.0, -0.5, 3])
def test_angle_multiplies_features_by_a_scale(scale):
    expected = QuantumCircuit(2)
    for k in range(2):
        expected.rx(scale * VALUES[k], k)
    assert encoded("angle", 2, 2, axis="x", scale=scale)[1] == expected


def test_a_trainable_scale_is_a_weight_over_pi_for_each_feature():
    features = ParameterVector("x", 3)
    circuit = encodings["angle"].build(list(features), 3, scale=2.0, trainable=True)
    weights = [parameter for parameter in circuit.parameters if parameter not in list(features)]
    program = lower(circuit, list(features), weights)
    assert program.n_weights == program.n_slots == 3
    assert not program.angles.expressions and not program.angles.linear.any()  # products alone
    drawn = np.array([0.4, 3.0, 6.1])
    at = torch.from_numpy(np.concatenate([VALUES[:3], drawn]))
    found = AngleFunction(program.angles, np.arange(3))(at).numpy()
    np.testing.assert_allclose(found, 2.0 * drawn / np.pi * VALUES[:3], rtol=0, atol=1e-14)


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


@pytest.mark.parametrize("n_qubits", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, {"repeats": 1}, {"repeats": 3}])
def test_zz_is_qiskits_zz_feature_map(n_qubits, options):
    _, circuit = encoded("zz", n_qubits, n_qubits, **options)
    qiskits = zz_feature_map(max(n_qubits, 2), reps=options.get("repeats", 2)) if n_qubits > 1 else None
    if qiskits is None:  # Qiskit's own needs two qubits; on one it is the Z feature map
        qiskits = z_feature_map(1, reps=options.get("repeats", 2))
    assert Operator(circuit).equiv(Operator(qiskits.assign_parameters(VALUES[:n_qubits].tolist())))


def test_zz_of_fewer_features_leaves_the_other_qubits_unturned():
    _, circuit = encoded("zz", 2, 3, repeats=1)
    assert circuit.count_ops() == {"h": 3, "rz": 2, "rzz": 1}


def test_basis_holds_a_bit_for_each_sign():
    _, circuit = encoded("basis", 3, 4)
    assert Statevector(circuit).probabilities_dict(decimals=12) == {"0101": 1.0}  # of 0.3, -1.1, 2.0 and none


def test_basis_of_zero_is_an_equal_superposition():
    features = ParameterVector("x", 1)
    circuit = encodings["basis"].build(list(features), 1).assign_parameters([0.0])
    assert Statevector(circuit).probabilities() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("name", list(encodings))
@pytest.mark.parametrize("n_features", [1, 2])
def test_every_encoding_takes_fewer_features_than_its_width(name, n_features):
    features = ParameterVector("x", n_features)
    circuit = encodings[name].build(list(features), 3)
    program = lower(circuit, list(features), [])
    assert (program.n_qubits, program.n_inputs) == (3, n_features)
    assert set(circuit.parameters) == set(features)


@pytest.mark.parametrize("n_features", [1, 3, 4])
def test_amplitude_pads_with_zeros(n_features):
    _, circuit = encoded("amplitude", n_features, 2)
    expected = np.zeros(4)
    expected[:n_features] = VALUES[:n_features] / np.linalg.norm(VALUES[:n_features])
    found = Statevector(circuit.decompose("ParameterizedInitialize")).data
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "expected"), [("angle", 3), ("dense_angle", 6), ("iqp", 3), ("zz", 3), ("basis", 3), ("amplitude", 8)]
)
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
