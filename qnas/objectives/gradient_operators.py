"""Gradient operators, whose expectation values are derivatives: which of them commute, and so share one measurement.

Operators are known by what they do to a few random vectors (arXiv 2406.18316).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from qiskit.quantum_info import Operator, SparsePauliOp

from qnas.circuit.program import CircuitProgram, Fixed, Operation
from qnas.errors import CircuitError
from qnas.model.angles import AngleFunction, slopes
from qnas.simulation.observables import check_observables
from qnas.simulation.paulis import PauliString, flipped, signs

MOST_QUBITS = 10
_N_PROBES = 4
_VANISHES = 1e-10
"""Of gradient operators and of their commutators, relative to the size of what they are made of."""
Square = Complex[np.ndarray, "dim dim"]
Columns = Complex[np.ndarray, "dim columns"]
Images = Complex[np.ndarray, "operators dim columns"]
Groups = tuple[tuple[str, ...], ...]
"""The names of the weights in each group."""


def measured_together(
    program: CircuitProgram,
    inputs: Float[np.ndarray, " inputs"],
    observable: SparsePauliOp,
    names: Sequence[str],
    rng: np.random.Generator,
) -> Groups:
    """The names of the weights whose derivatives are measured together; see `qnas.gradient_efficiency`."""
    _check(program, observable)
    point = np.concatenate([inputs, rng.uniform(0, 2 * np.pi, program.n_weights)])
    found = images(program, point, observable, _probes(2**program.n_qubits, rng))
    alive = _sizes(found) > _VANISHES * _sizes(observable.to_matrix()[None])
    if not alive.any():
        raise CircuitError("the observable does not depend on any weight, so there are no derivatives to measure.")
    own = np.array(names)[alive].tolist()
    return tuple(tuple(own[k] for k in group) for group in grouped(commuting(found[alive])))


def _check(program: CircuitProgram, observable: SparsePauliOp) -> None:
    if not program.n_weights:
        raise CircuitError("the circuit has no weights, so there are no derivatives to measure.")
    if program.n_qubits > MOST_QUBITS:
        raise CircuitError(
            f"gradient operators are matrices, which are limited to {MOST_QUBITS} qubits, but the circuit has "
            f"{program.n_qubits}."
        )
    if observable.num_qubits != program.n_qubits:
        raise CircuitError(
            f"the observable acts on {observable.num_qubits} qubits, but the circuit has {program.n_qubits}."
        )
    check_observables([observable], program.n_qubits)


def grouped(commute: Bool[np.ndarray, "operators operators"]) -> list[list[int]]:
    """Groups of operators that all commute with one another: each operator joins the first group that it fits, those
    that commute with the fewest others first.

    On the ansatze of qnas that is the smallest number of groups there can be, as the tests prove by as many operators
    of which no two commute. Taking the largest clique out again and again, another common choice, needs more now and
    then: two operators that it leaves over may not commute.
    """
    groups: list[list[int]] = []
    for k in np.argsort(commute.sum(axis=1), kind="stable"):
        fitting = next((group for group in groups if commute[k, group].all()), None)
        if fitting is None:
            groups.append([int(k)])
        else:
            fitting.append(int(k))
    return [sorted(group) for group in sorted(groups, key=min)]


def commuting(images: Images) -> Bool[np.ndarray, "operators operators"]:
    """Which Hermitian operators commute, from their images of random vectors, in pairs v and u.

    <u| [A, B] |v> = <A u|B v> - <B u|A v> is zero for random u and v only if the commutator is.
    """
    scaled = images / _sizes(images)[:, None, None]
    products = np.einsum("idk,jdk->kij", scaled[..., ::2].conj(), scaled[..., 1::2], optimize=True)
    commutators = products - products.transpose(0, 2, 1)
    return np.asarray(np.abs(commutators).max(axis=0) < _VANISHES)


def images(
    program: CircuitProgram, point: Float[np.ndarray, " parameters"], observable: SparsePauliOp, probes: Columns
) -> Images:
    """Gamma_j v for every weight j and every column v of `probes`, at one point of inputs and weights."""
    angles = AngleFunction(program.angles, np.arange(program.n_slots))(torch.from_numpy(point)).numpy()
    whole = np.eye(2**program.n_qubits, dtype=complex)
    for operation in program.operations:
        whole = _applied(operation, angles, whole)
    cost = whole.conj().T @ observable.to_matrix(sparse=True) @ whole
    by_slot = _images_by_slot(program, angles, cost, probes)
    slope = slopes(program.angles, torch.from_numpy(point))[:, program.n_inputs :]
    return np.tensordot(slope.T, by_slot, axes=1)


def _images_by_slot(
    program: CircuitProgram, angles: Float[np.ndarray, " slots"], cost: Square, probes: Columns
) -> Complex[np.ndarray, "slots dim columns"]:
    """-i [G, O] v = -i G (O v) + i O (G v) for the rotation G of every slot."""
    both = np.concatenate([probes, cost @ probes], axis=1)
    found = np.empty((program.n_slots, *probes.shape), dtype=complex)
    prefix = np.eye(len(cost), dtype=complex)
    for operation in program.operations:
        prefix = _applied(operation, angles, prefix)
        if not isinstance(operation, Fixed):
            string = PauliString.of(operation.pauli, operation.qubits)
            on_probes, on_cost = np.split(prefix.conj().T @ _times(string, prefix @ both), 2, axis=1)
            found[operation.slot] = -1j * (on_cost - cost @ on_probes)
    return found


def _applied(operation: Operation, angles: Float[np.ndarray, " slots"], matrix: Square) -> Square:
    """The operation times the matrix."""
    if isinstance(operation, Fixed):
        return Operator(matrix).compose(Operator(operation.matrix), qargs=operation.qubits).data
    half = angles[operation.slot] / 2
    turned = _times(PauliString.of(operation.pauli, operation.qubits), matrix)
    return np.cos(half) * matrix - 1j * np.sin(half) * turned


def _times(string: PauliString, columns: Columns) -> Columns:
    """The Pauli string times each column."""
    n_qubits = len(columns).bit_length() - 1
    return string.factor * signs(string.z, n_qubits)[:, None] * columns[flipped(string.x, n_qubits)]


def _probes(dim: int, rng: np.random.Generator) -> Columns:
    """Pairs of random vectors of length one."""
    drawn = rng.normal(size=(dim, 2 * _N_PROBES)) + 1j * rng.normal(size=(dim, 2 * _N_PROBES))
    return drawn / np.linalg.norm(drawn, axis=0)


def _sizes(operators: Images) -> Float[np.ndarray, " operators"]:
    return np.linalg.norm(operators, axis=(1, 2))
