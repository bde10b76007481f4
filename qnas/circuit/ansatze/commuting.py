"""Commuting-block circuits (Bowles, Wierichs and Park, arXiv 2306.14962), one family of density networks (2405.20237).

Our reading: the generators of a block are all strings of one Pauli letter on few qubits, so that they commute. The
source also asks that two blocks commute or anticommute as wholes, string by string; that holds here for a single block,
and between the blocks of the ansatz `slpa`, but not between the blocks of this one.
"""

from __future__ import annotations

from itertools import combinations

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from qnas.circuit.ansatze.registry import ansatz
from qnas.circuit.ansatze.rotations import check_count, turn
from qnas.errors import DesignError
from qnas.references import cites


@ansatz("commuting")
@cites("bowles2025")
def commuting(n_qubits: int, blocks: str = "zx", max_weight: int = 2) -> QuantumCircuit:
    """Blocks of commuting rotations, each about all strings of one letter on 1 to `max_weight` qubits.

    Args:
        n_qubits: the width.
        blocks: the letter of each block in the order of application, of x, y and z. Rotations of a last block z do
            nothing to readouts of Z.
        max_weight: how many qubits a string acts on at most, at most `n_qubits`.
    """
    if not blocks or not set(blocks) <= set("xyz"):
        raise DesignError(f"blocks is {blocks!r}; write one letter of x, y, z per block, e.g. zx.")
    check_count("max_weight", max_weight, most=n_qubits)
    strings = [string for letter in blocks for string in strings_of(letter.upper(), max_weight, n_qubits)]
    circuit = QuantumCircuit(n_qubits)
    for weight, string in zip(ParameterVector("w", len(strings)), strings, strict=True):
        turn(circuit, string, weight)
    return circuit


def strings_of(letter: str, max_weight: int, n_qubits: int) -> list[str]:
    """All Pauli strings of one letter on 1 to `max_weight` qubits as labels, those on fewer qubits first."""
    chosen = [qubits for weight in range(1, max_weight + 1) for qubits in combinations(range(n_qubits), weight)]
    return ["".join(letter if qubit in qubits else "I" for qubit in range(n_qubits)) for qubits in chosen]
