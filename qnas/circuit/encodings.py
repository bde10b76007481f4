"""Encodings: how features become a quantum state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit_machine_learning.circuit.library.raw_feature_vector import ParameterizedInitialize

from qnas.errors import DesignError, unknown
from qnas.plugins import Registry
from qnas.references import cites

EncodingFunction = Callable[..., QuantumCircuit]
Width = Callable[[int], int]


@dataclass(frozen=True)
class Encoding:
    """An encoding part: `build(features, n_qubits, **options)` and how many features it takes on n qubits."""

    build: EncodingFunction
    width: Width
    reuploads: bool = True


encodings: Registry[Encoding] = Registry("encoding", "qnas.encodings", Encoding)


def encoding(
    name: str, width: Width = lambda n_qubits: n_qubits, reuploads: bool = True
) -> Callable[[EncodingFunction], EncodingFunction]:
    """Register a function `(features, n_qubits, **options) -> QuantumCircuit` as an encoding.

    `features` are the inputs of the circuit, as Parameters. Any other parameter of the circuit is a weight, and each
    upload has weights of its own, in the order in which they first appear, whatever their names. The function's
    parameters after `n_qubits` are the options; those without a default must be given. `reupload` is none of them: it
    belongs to every encoding that allows it.

    Args:
        name: its short name in search spaces.
        width: the number of features it takes on n qubits; by default one per qubit. It must accept fewer.
        reuploads: whether it may be applied again before each layer.
    """

    def register(build: EncodingFunction) -> EncodingFunction:
        encodings.add(name, Encoding(build, width, reuploads))
        return build

    return register


_AXES = ("x", "y", "z")


@encoding("angle")
def angle(
    features: Sequence[Parameter], n_qubits: int, axis: str = "y", scale: int | float = 1.0, trainable: bool = False
) -> QuantumCircuit:
    """Feature k as a rotation of qubit k about `axis`. About z it leaves |0> as it is, so z needs re-uploading.

    Args:
        features, n_qubits: as for every encoding.
        axis: "x", "y" or "z".
        scale: what each feature is multiplied by; RY(2x) has the scale 2.
        trainable: multiply each feature by w / pi, too, with a weight w of its own. Weights start uniform on
            [0, 2 pi), so that this factor starts uniform on [0, 2), with mean 1.
    """
    if axis not in _AXES:
        raise DesignError(unknown("axis of the angle encoding", axis, _AXES))
    circuit = QuantumCircuit(n_qubits)
    weights = ParameterVector("scale", len(features) if trainable else 0)
    for qubit, feature in enumerate(features):
        scaled = feature if scale == 1 else scale * feature
        getattr(circuit, f"r{axis}")(scaled * weights[qubit] / np.pi if trainable else scaled, qubit)
    return circuit


@encoding("dense_angle", width=lambda n_qubits: 2 * n_qubits)
@cites("larose2020")
def dense_angle(features: Sequence[Parameter], n_qubits: int) -> QuantumCircuit:
    """Two features per qubit, RY then RZ (LaRose and Coyle 2020, arXiv 2003.01695)."""
    circuit = QuantumCircuit(n_qubits)
    for k, feature in enumerate(features):
        (circuit.ry if k < n_qubits else circuit.rz)(feature, k % n_qubits)
    return circuit


@encoding("iqp")
@cites("havlicek2019")
def iqp(features: Sequence[Parameter], n_qubits: int, repeats: int = 1) -> QuantumCircuit:
    """Hadamards, RZ(x_i) and RZZ(x_i x_j) on every pair, repeated (Havlicek et al. 2019, arXiv 1804.11326)."""
    circuit = QuantumCircuit(n_qubits)
    for _ in range(repeats):
        circuit.h(range(n_qubits))
        for i, feature in enumerate(features):
            circuit.rz(feature, i)
        for i, first in enumerate(features):
            for j, second in enumerate(features[:i]):
                circuit.rzz(first * second, j, i)
    return circuit


@encoding("zz")
@cites("havlicek2019")
def zz(features: Sequence[Parameter], n_qubits: int, repeats: int = 2) -> QuantumCircuit:
    """The ZZ feature map as Qiskit writes it (Havlicek et al. 2019, arXiv 1804.11326).

    Hadamards, RZ(2 x_i) and RZZ(2 (pi - x_i) (pi - x_j)) on every pair, repeated.
    """
    circuit = QuantumCircuit(n_qubits)
    for _ in range(repeats):
        circuit.h(range(n_qubits))
        for i, feature in enumerate(features):
            circuit.rz(2 * feature, i)
        for i, first in enumerate(features):
            for j, second in enumerate(features[:i]):
                circuit.rzz(2 * (np.pi - first) * (np.pi - second), j, i)
    return circuit


@encoding("basis")
def basis(features: Sequence[Parameter], n_qubits: int) -> QuantumCircuit:
    """Qubit k is 1 where feature k is positive and 0 where it is negative, by RX(pi (1 + sign(x)) / 2).

    A feature of exactly 0 yields an equal superposition. The derivative by a feature is zero, so that a pre-network in
    front of it stays at its start.
    """
    circuit = QuantumCircuit(n_qubits)
    for qubit, feature in enumerate(features):
        circuit.rx(np.pi / 2 * (1 + feature.sign()), qubit)
    return circuit


@encoding("amplitude", width=lambda n_qubits: 2**n_qubits, reuploads=False)
@cites("mottonen2005")
def amplitude(features: Sequence[Parameter], n_qubits: int) -> QuantumCircuit:
    """The features, divided by their norm, as the amplitudes of the basis states; missing ones are 0."""
    circuit = QuantumCircuit(n_qubits)
    amplitudes = [*features, *[0.0] * (2**n_qubits - len(features))]
    circuit.append(ParameterizedInitialize(amplitudes), range(n_qubits))
    return circuit
