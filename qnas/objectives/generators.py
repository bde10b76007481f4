"""The generators of a circuit: what each of its rotations is once the fixed gates have been moved out of the way.

Fixed gates move to the end of the circuit, through the rotations that come after them: R(P) C = C R(C^dagger P C). So

    U(x, w) = C_total  prod_k exp(-i phi_k/2 C_k^dagger P_k C_k),

with the rotations in the order of the circuit, C_k the fixed gates between its first weight and rotation k, and C_total
all of them. Gates before the first weight and after the last one change the algebra by a common basis at most, and are
left out. A circuit is taken as it is: the more often a layer with fixed gates is repeated, the more generators
C^-m P C^m there are, until they repeat themselves; for endless layers, repeat the layer until the dimension stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Operator, Pauli, SparsePauliOp

from qnas.circuit.program import CircuitProgram, Fixed, Operation, Rotation
from qnas.errors import CircuitError
from qnas.model.angles import slopes

MOST_DENSE_QUBITS = 6
_N_POINTS = 3
_SAME_DIRECTION = 1e-9
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Generators:
    """Hermitian generators, up to a factor.

    Attributes:
        weights: one per rotation by a weight, or per run of rotations that turn together (see `generators`).
        inputs: the same for rotations by inputs alone that come between weights, such as a re-uploaded encoding.
    """

    weights: tuple[SparsePauliOp, ...]
    inputs: tuple[SparsePauliOp, ...] = ()


@dataclass(frozen=True, eq=False)
class _Moved:
    """A rotation after the fixed gates have been moved; `slope` holds its angle's derivatives at a few points."""

    generator: SparsePauliOp
    slope: Float[np.ndarray, " derivatives"]
    has_weight: bool


def generators(program: CircuitProgram) -> Generators:
    """The generators of a circuit program.

    Consecutive rotations turn together, as one generator that is a sum, where their strings commute and their angles
    are multiples of one another up to a constant: the two rotations of a controlled one, or one weight on all edges of
    a graph. The same weight in another place of the circuit is a generator of its own: each place is its own step in
    time.

    Raises:
        CircuitError: a fixed gate between rotations is no Clifford gate and the circuit is too wide for matrices.
    """
    found = [_summed(run) for run in _runs(_moved(program))]
    return Generators(
        weights=tuple(generator for generator, has_weight in found if has_weight),
        inputs=tuple(generator for generator, has_weight in found if not has_weight),
    )


def _moved(program: CircuitProgram) -> list[_Moved]:
    """Every rotation between the first and the last weight."""
    depends = np.asarray(program.angles.depends[program.n_inputs :].any(axis=0))
    slope = _slopes_at_a_few_points(program)
    frame: Clifford | Operator = Clifford(np.eye(2 * program.n_qubits, dtype=bool))
    found = []
    for operation in _between_weights(program, {int(slot) for slot in np.flatnonzero(depends)}):
        if isinstance(operation, Fixed):
            frame = _extended(frame, operation)
        else:
            generator = _pulled_back(string_of(operation, program.n_qubits), frame)
            found.append(_Moved(generator, slope[operation.slot], bool(depends[operation.slot])))
    return found


def _between_weights(program: CircuitProgram, slots: set[int]) -> tuple[Operation, ...]:
    """The operations from the first rotation by a weight to the last one."""
    places = [
        k
        for k, operation in enumerate(program.operations)
        if isinstance(operation, Rotation) and operation.slot in slots
    ]
    return program.operations[places[0] : places[-1] + 1] if places else ()


def _slopes_at_a_few_points(program: CircuitProgram) -> Float[np.ndarray, "slots derivatives"]:
    """Derivatives of every angle by every parameter, at points where logarithms and arcsines exist."""
    points = np.random.default_rng(0).uniform(0.1, 0.9, (_N_POINTS, program.angles.n_parameters))
    return np.concatenate([slopes(program.angles, torch.from_numpy(point)) for point in points], axis=1)


def string_of(rotation: Rotation, n_qubits: int) -> Pauli:
    """The Pauli string of a rotation, on all qubits."""
    return SparsePauliOp.from_sparse_list([(rotation.pauli, list(rotation.qubits), 1.0)], n_qubits).paulis[0]


def _extended(frame: Clifford | Operator, gate: Fixed) -> Clifford | Operator:
    clifford = as_clifford(gate.matrix.tobytes(), len(gate.qubits)) if isinstance(frame, Clifford) else None
    if clifford is not None:
        return frame.compose(clifford, qargs=gate.qubits)
    if frame.num_qubits > MOST_DENSE_QUBITS:
        raise CircuitError(
            f"gate {gate.name!r} on qubits {list(gate.qubits)} is no Clifford gate, and the Lie algebra of a circuit "
            f"with such gates between its rotations needs matrices, which are limited to {MOST_DENSE_QUBITS} qubits; "
            f"this circuit has {frame.num_qubits}."
        )
    return Operator(frame).compose(Operator(gate.matrix), qargs=gate.qubits)


@lru_cache(maxsize=256)
def as_clifford(matrix: bytes, n_qubits: int) -> Clifford | None:
    """The gate as a Clifford, or None where it is none."""
    try:
        return Clifford.from_matrix(np.frombuffer(matrix, dtype=complex).reshape(2**n_qubits, -1))
    except QiskitError:
        return None


def _pulled_back(string: Pauli, frame: Clifford | Operator) -> SparsePauliOp:
    """frame^dagger P frame."""
    if isinstance(frame, Clifford):
        return SparsePauliOp(string.evolve(frame, frame="h"))
    matrix = frame.data.conj().T @ string.to_matrix() @ frame.data
    return SparsePauliOp.from_operator(Operator(matrix), atol=_ROUNDING)


def _runs(rotations: Iterable[_Moved]) -> list[list[_Moved]]:
    """Consecutive rotations that turn together."""
    runs: list[list[_Moved]] = []
    for rotation in rotations:
        if runs and all(_turn_together(rotation, other) for other in runs[-1]):
            runs[-1].append(rotation)
        else:
            runs.append([rotation])
    return runs


def _turn_together(one: _Moved, other: _Moved) -> bool:
    lengths = np.linalg.norm(one.slope) * np.linalg.norm(other.slope)
    parallel = abs(one.slope @ other.slope) >= (1 - _SAME_DIRECTION) * lengths > 0
    return bool(parallel) and _commute(one.generator, other.generator)


def _commute(one: SparsePauliOp, other: SparsePauliOp) -> bool:
    if all(one.paulis.commutes(string).all() for string in other.paulis):
        return True
    commutator = (one @ other - other @ one).simplify(atol=_ROUNDING)
    return bool(np.allclose(commutator.coeffs, 0, atol=_ROUNDING))


def _summed(run: list[_Moved]) -> tuple[SparsePauliOp, bool]:
    """The one generator of a run, and whether a weight turns it."""
    if len(run) == 1:
        return run[0].generator, run[0].has_weight
    along = run[0].slope / np.linalg.norm(run[0].slope)
    terms = [rotation.generator * float(rotation.slope @ along) for rotation in run]
    return SparsePauliOp.sum(terms).simplify(atol=_ROUNDING), run[0].has_weight
