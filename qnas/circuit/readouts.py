"""Readouts: the observables whose expectation values leave the circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from jaxtyping import Int
from qiskit.quantum_info import SparsePauliOp

from qnas.circuit.diagonals import diagonal_operator, z_string
from qnas.errors import DesignError, unknown
from qnas.plugins import Registry, registering


@dataclass(frozen=True)
class Mixture:
    """Observables of which trained linear combinations are read.

    Readout value k is sum_j a_kj <observables[j]>; the a_kj are weights of the circuit's readout, trained with the
    weights of the circuit in every training configuration, and start uniform on +-1 / sqrt(number of observables).

    Attributes:
        observables: what is measured.
        n_values: how many combinations there are.
    """

    observables: tuple[SparsePauliOp, ...]
    n_values: int


Readout = Callable[..., list[SparsePauliOp] | Mixture]

readouts: Registry[Readout] = Registry("readout", "qnas.readouts")


def readout(name: str) -> Callable[[Readout], Readout]:
    """Register a function `(n_qubits, **options) -> [SparsePauliOp, ...]` under a short name.

    Each operator yields one readout value, its expectation; qubit 0 is rightmost in a label. Where linear combinations
    of expectations are to be trained, the function returns a `qnas.circuit.readouts.Mixture` instead. Where it has a
    parameter `n_outputs`, it is given the number of outputs of the model there, which is no option. All other
    parameters after `n_qubits` are options, and those without a default must be given. What cannot be built raises a
    DesignError.
    """
    return registering(readouts, name)


@readout("z")
def z(n_qubits: int) -> list[SparsePauliOp]:
    """Z of every qubit."""
    return [z_string((k,), n_qubits) for k in range(n_qubits)]


@readout("z_first")
def z_first(n_qubits: int) -> list[SparsePauliOp]:
    """Z of qubit 0 alone."""
    return [z_string((0,), n_qubits)]


@readout("z_classes")
def z_classes(n_qubits: int, n_outputs: int) -> list[SparsePauliOp]:
    """Z of one qubit per output, qubits 0 to n_outputs - 1."""
    if n_outputs > n_qubits:
        raise DesignError(
            f"the readout 'z_classes' needs a qubit for each output, but there are {n_outputs} outputs and n_qubits is "
            f"{n_qubits}; use more qubits, or the readout 'z'."
        )
    return [z_string((k,), n_qubits) for k in range(n_outputs)]


@readout("zz")
def zz(n_qubits: int) -> list[SparsePauliOp]:
    """Z Z of every pair of qubits."""
    if n_qubits < 2:
        raise DesignError(f"the readout 'zz' needs at least 2 qubits, but n_qubits is {n_qubits}; use the readout 'z'.")
    return [z_string((i, j), n_qubits) for i in range(n_qubits) for j in range(i + 1, n_qubits)]


@readout("parity")
def parity(n_qubits: int) -> list[SparsePauliOp]:
    """The parities of the first qubits: Z_0, Z_0 Z_1, ..., up to the parity of all.

    They are as many as the qubits and hold strings of every length, which `z` and `zz` do not.
    """
    return [z_string(tuple(range(k + 1)), n_qubits) for k in range(n_qubits)]


# --- probabilities of blocks of basis states ------------------------------------------------------------------------

Blocks = Int[np.ndarray, " dim"]


def _contiguous(n_qubits: int, n_blocks: int) -> Blocks:
    """Consecutive indices; where the blocks cannot be equal, the first ones hold one state more."""
    size, n_larger = divmod(2**n_qubits, n_blocks)
    return np.repeat(np.arange(n_blocks), [size + (k < n_larger) for k in range(n_blocks)])


def _parity(n_qubits: int, n_blocks: int) -> Blocks:
    """The number of ones modulo the number of blocks."""
    return np.bitwise_count(np.arange(2**n_qubits)).astype(np.int64) % n_blocks


PARTITIONS: dict[str, Callable[[int, int], Blocks]] = {"contiguous": _contiguous, "parity": _parity}
"""The block of each basis state."""


@readout("probabilities")
def probabilities(n_qubits: int, n_outputs: int, partition: str = "contiguous") -> list[SparsePauliOp]:
    """The probability of each of n_outputs blocks of basis states, as projectors.

    Args:
        n_qubits: basis state i has bit k of i on qubit k.
        n_outputs: how many blocks there are.
        partition: "contiguous": consecutive basis states, as many in each block as in any other, or one more;
            "parity": the states whose number of ones is k modulo n_outputs, for two outputs their parity.
    """
    if partition not in PARTITIONS:
        raise DesignError(unknown("partition of the readout 'probabilities',", partition, PARTITIONS))
    blocks = PARTITIONS[partition](n_qubits, n_outputs)
    if n_outputs == 1:
        raise DesignError("the readout 'probabilities' of one output is always 1; use another readout.")
    if len(np.unique(blocks)) < n_outputs:
        raise DesignError(
            f"the readout 'probabilities' with the partition {partition!r} divides the basis states of {n_qubits} "
            f"qubits into at most {len(np.unique(blocks))} blocks, but there are {n_outputs} outputs; use more qubits."
        )
    return [diagonal_operator((blocks == k).astype(np.float64)) for k in range(n_outputs)]


# --- learned mixtures -----------------------------------------------------------------------------------------------


@readout("pauli_mixture")
def pauli_mixture(n_qubits: int, n_outputs: int, locality: int = 2) -> Mixture:
    """One trained linear combination per output of all Pauli strings on 1 to `locality` qubits."""
    if locality < 1:
        raise DesignError(f"the option locality of the readout 'pauli_mixture' is {locality}; it must be at least 1.")
    return Mixture(tuple(_pauli_strings(n_qubits, locality)), n_outputs)


def _pauli_strings(n_qubits: int, locality: int) -> Iterator[SparsePauliOp]:
    for length in range(1, min(locality, n_qubits) + 1):
        for qubits in combinations(range(n_qubits), length):
            for symbols in product("XYZ", repeat=length):
                yield SparsePauliOp.from_sparse_list([("".join(symbols), list(qubits), 1.0)], n_qubits)
