"""The circuit program: Pauli rotations and fixed gates, the one form that everything in qnas computes with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex

from qnas.circuit.angles import AngleMap


@dataclass(frozen=True)
class Rotation:
    """exp(-i phi/2 P), where phi is the angle of `slot` and `pauli[k]` acts on `qubits[k]`."""

    pauli: str
    qubits: tuple[int, ...]
    slot: int


@dataclass(frozen=True, eq=False)
class Fixed:
    """A gate without parameters; `matrix` is little-endian in `qubits`, as Qiskit orders it."""

    name: str
    qubits: tuple[int, ...]
    matrix: Complex[np.ndarray, "dim dim"]


Operation = Rotation | Fixed


@dataclass(frozen=True, eq=False)
class CircuitProgram:
    """A lowered circuit.

    Attributes:
        n_qubits: width of the register; qubit 0 is the least significant bit of a basis state.
        n_inputs, n_weights: how many parameters of each kind; inputs come first in `angles`.
        operations: in the order of application.
        angles: the angle of every slot as a function of inputs and weights.
        amplitude_inputs: for amplitude encoding, the input at each basis state (-1: none there, the amplitude is
            zero), in the order of the basis states; None where the circuit starts from |0...0>.
    """

    n_qubits: int
    n_inputs: int
    n_weights: int
    operations: tuple[Operation, ...]
    angles: AngleMap
    amplitude_inputs: tuple[int, ...] | None = None

    @property
    def n_slots(self) -> int:
        return self.angles.n_slots

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        return tuple(operation for operation in self.operations if isinstance(operation, Rotation))
