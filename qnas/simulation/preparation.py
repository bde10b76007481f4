"""Real amplitudes as a circuit whose angles are theirs: one circuit prepares every sample, so it is transpiled once.

Qubit by qubit from the most significant one, each is turned by an angle that the qubits above it select. A turn that k
qubits select is 2^k RY and 2^k CX in the order of a Gray code (Mottonen et al. 2004, arXiv quant-ph/0407010).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from qiskit.circuit.library import CXGate

from qnas.circuit.program import Fixed, Operation, Rotation


def preparation(n_qubits: int, first_slot: int) -> list[Operation]:
    """From |0...0> to a state of 2^n real amplitudes; slots `first_slot` onwards are those of `preparation_angles`."""
    operations: list[Operation] = []
    slot = first_slot
    for qubit in reversed(range(n_qubits)):
        n_controls = n_qubits - 1 - qubit
        for step in range(2**n_controls):
            operations.append(Rotation("Y", (qubit,), slot))
            slot += 1
            if n_controls:
                operations.append(_cx(qubit + 1 + _changing_bit(step, n_controls), qubit))
    return operations


def preparation_angles(amplitudes: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points angles"]:
    """The angles in radians that prepare each row of amplitudes, normalised; a row of zeros gives |0...0>."""
    n_points, dim = amplitudes.shape
    angles = []
    for n_controls in range(int(dim).bit_length() - 1):
        halves = amplitudes.reshape(n_points, 2**n_controls, 2, -1)
        ends = halves[..., 0] if halves.shape[-1] == 1 else np.linalg.norm(halves, axis=-1)  # signs belong to the last
        selected = 2 * np.arctan2(ends[..., 1], ends[..., 0])
        angles.append(selected @ _gray_transform(n_controls))
    return np.concatenate(angles, axis=1)


def _gray_transform(n_controls: int) -> Float[np.ndarray, "selected steps"]:
    """From the angle of each selection to the angle of each step."""
    number = np.arange(2**n_controls)
    gray = number ^ (number >> 1)
    return (1.0 - 2.0 * (np.bitwise_count(number[:, None] & gray) & 1)) / len(number)


def _changing_bit(step: int, n_controls: int) -> int:
    """Which bit the Gray code flips after a step; at the end, the one that returns to its start."""
    return min((~step & (step + 1)).bit_length() - 1, n_controls - 1)


def _cx(control: int, target: int) -> Fixed:
    return Fixed("cx", (control, target), np.asarray(CXGate().to_matrix(), dtype=np.complex128))
