"""Ansatze: whole parametrised circuits, one family per file, and the layer that search spaces compose.

Importing this room registers the bundled ones.
"""

from qnas.circuit.ansatze.commuting import commuting
from qnas.circuit.ansatze.gates import canonical_sequence, gates
from qnas.circuit.ansatze.layers import (
    ENTANGLERS,
    TRAINABLE,
    Weights,
    add_layer,
    in_order,
    parameters_in_order,
    weight_source,
)
from qnas.circuit.ansatze.native import native
from qnas.circuit.ansatze.orthogonal import orthogonal
from qnas.circuit.ansatze.qasm import qasm, read_openqasm
from qnas.circuit.ansatze.registry import Ansatz, ansatz, ansatze
from qnas.circuit.ansatze.sim2019 import sim2019
from qnas.circuit.ansatze.slpa import non_symmetric, slpa, symmetric

__all__ = [
    "ENTANGLERS",
    "TRAINABLE",
    "Ansatz",
    "Weights",
    "add_layer",
    "ansatz",
    "ansatze",
    "canonical_sequence",
    "commuting",
    "gates",
    "in_order",
    "native",
    "non_symmetric",
    "orthogonal",
    "parameters_in_order",
    "qasm",
    "read_openqasm",
    "sim2019",
    "slpa",
    "symmetric",
    "weight_source",
]
