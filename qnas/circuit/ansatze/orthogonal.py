"""Orthogonal circuits, which keep the Hamming weight, the other family of density networks (arXiv 2405.20237).

Their one gate is the reconfigurable beam splitter, RBS(w) = exp(-i w (X Y - Y X)/2): |10> becomes
cos w |10> + sin w |01>, |01> becomes cos w |01> - sin w |10>, and |00> and |11> stay. On states of Hamming weight 1 a
circuit of them is an orthogonal matrix of n rows, a product of plane rotations, and a pyramid of them reaches every
such matrix of determinant 1.
"""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector

from qnas.circuit.ansatze.registry import ansatz
from qnas.circuit.ansatze.rotations import check_count, turn
from qnas.circuit.topologies import Pairs
from qnas.errors import DesignError, unknown
from qnas.references import cites


@ansatz("orthogonal")
@cites("coyle2025", by_option={"layout": {"pyramid": "kerenidis2021"}})
def orthogonal(n_qubits: int, layout: str = "pyramid", n_layers: int = 1, hamming_weight: int = 1) -> QuantumCircuit:
    """X on some qubits, then layers of RBS gates, each with its own weight.

    From |0...0> the X gates prepare a basis state of the given Hamming weight; without them the gates would do nothing.
    After an encoding they exchange |0> and |1> of their qubits, and the gates keep how likely each Hamming weight is.

    Args:
        n_qubits: at least 2.
        layout: which pairs a layer joins: "pyramid" (neighbours, n (n - 1)/2 gates, arXiv 2106.07198), "brick"
            (neighbours, n - 1 gates: the even pairs, then the odd ones) or "butterfly" (n/2 log2 n gates where n is a
            power of 2).
        n_layers: how often the layout is repeated.
        hamming_weight: on how many qubits there is an X, spread evenly from qubit 0 on; at least 1, less than n_qubits.
    """
    if layout not in LAYOUTS:
        raise DesignError(unknown("layout of the ansatz 'orthogonal',", layout, LAYOUTS))
    if n_qubits < 2:
        raise DesignError(f"the ansatz 'orthogonal' needs at least 2 qubits, but n_qubits is {n_qubits}.")
    check_count("n_layers", n_layers)
    check_count("hamming_weight", hamming_weight, most=n_qubits - 1)
    circuit = QuantumCircuit(n_qubits)
    circuit.x([k * n_qubits // hamming_weight for k in range(hamming_weight)])
    pairs = LAYOUTS[layout](n_qubits) * n_layers
    for weight, (first, second) in zip(ParameterVector("w", len(pairs)), pairs, strict=True):
        beam_splitter(circuit, first, second, weight)
    return circuit


def beam_splitter(circuit: QuantumCircuit, first: int, second: int, weight: Parameter) -> None:
    """RBS as two commuting rotations, about X Y and, the other way, about Y X."""
    for paulis, angle in (("XY", weight), ("YX", -weight)):
        letters = dict(zip((first, second), paulis, strict=True))
        turn(circuit, "".join(letters.get(qubit, "I") for qubit in range(circuit.num_qubits)), angle)


def _pyramid(n_qubits: int) -> Pairs:
    return [(k, k + 1) for length in range(n_qubits - 1, 0, -1) for k in range(length)]


def _brick(n_qubits: int) -> Pairs:
    return [(k, k + 1) for start in (0, 1) for k in range(start, n_qubits - 1, 2)]


def _butterfly(n_qubits: int) -> Pairs:
    strides = [2**level for level in reversed(range((n_qubits - 1).bit_length()))]
    return [(k, k + stride) for stride in strides for k in range(n_qubits - stride) if not k & stride]


LAYOUTS: dict[str, Callable[[int], Pairs]] = {"pyramid": _pyramid, "brick": _brick, "butterfly": _butterfly}
"""The pairs of one layer on n qubits, in the order of application."""
