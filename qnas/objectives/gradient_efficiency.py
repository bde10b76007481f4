"""Gradient-measurement efficiency: how many derivatives one setting measures on average (arXiv 2406.18316)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram, Fixed, Operation
from qnas.errors import CircuitError
from qnas.model.angles import AngleFunction, slopes
from qnas.objectives.design import Design
from qnas.objectives.lie_algebra import CHINZEI2024, program_dimension
from qnas.objectives.objective import Estimate, objective
from qnas.references import cites
from qnas.simulation.observables import check_observables
from qnas.simulation.paulis import PauliString, flipped, signs

MOST_QUBITS = 10
_N_PROBES = 4
_VANISHES = 1e-10
"""Of gradient operators and of their commutators, relative to the size of what they are made of."""
Square = Complex[np.ndarray, "dim dim"]
Columns = Complex[np.ndarray, "dim columns"]
Images = Complex[np.ndarray, "operators dim columns"]


@dataclass(frozen=True)
class GradientEfficiency:
    """What one measurement setting yields.

    Attributes:
        value: F_eff^(L) = L / n_groups, of the L weights that have an effect.
        n_groups: how many settings measure all derivatives.
        bound: the largest F with F <= X <= 4^n / F - F, where X is the dimension of the Lie algebra. It holds for
            circuits deep enough, so that shallow ones may score above it.
        lie_algebra_dim: X.
        groups: the names of the weights whose derivatives are measured together.
    """

    value: float
    n_groups: int
    bound: float
    lie_algebra_dim: int
    groups: tuple[tuple[str, ...], ...]

    @property
    def distance(self) -> float:
        """How far the value is below the bound."""
        return self.bound - self.value


def gradient_efficiency(circuit: QuantumCircuit, observable: SparsePauliOp, seed: int = 0) -> GradientEfficiency:
    """F_eff of a circuit whose cost is the expectation value of an observable; every parameter is a weight.

    The derivative by weight j is the expectation value, in the initial state, of the gradient operator
    Gamma_j = -i [G_j(w), O(w)] up to a factor, with O(w) = U^dagger O U and G_j(w) = U_j^dagger G_j U_j, where U_j is
    the circuit up to and with rotation j. Operators that commute at random weights are measured together; the groups
    are found greedily, so that there may be fewer. Weights whose gradient operator vanishes do not count.

    Args:
        circuit: plain Qiskit that lowers, with parameters.
        observable: as wide as the circuit.
        seed: of the weights, uniform on [0, 2 pi), and of the vectors that commutators are tested with.

    Raises:
        CircuitError: the circuit has no parameters, more than 10 qubits, or another width than the observable, the
            observable is not Hermitian, no gradient operator differs from zero, or the Lie algebra cannot be computed.
    """
    program = lower(circuit, [], list(circuit.parameters))
    names = [parameter.name for parameter in circuit.parameters]
    return _gradient_efficiency(program, np.empty(0), observable, names, np.random.default_rng(seed))


@objective("maximize", "weights per setting", cost="states", name="gradient_efficiency", reference=CHINZEI2024)
@cites("chinzei2025")
def design_gradient_efficiency(design: Design) -> Estimate:
    """F_eff of a design's circuit for its mean readout, its encoding evaluated at one seeded data sample."""
    names, inputs = [weight.name for weight in design.builder.design.weights], design.sample_input[0].numpy()
    found = _gradient_efficiency(design.program, inputs, design.mean_readout, names, design.rng("gradient_efficiency"))
    shown = ("n_groups", "bound", "distance", "lie_algebra_dim", "groups")
    return Estimate(found.value, None, {name: getattr(found, name) for name in shown})


def _gradient_efficiency(
    program: CircuitProgram,
    inputs: Float[np.ndarray, " inputs"],
    observable: SparsePauliOp,
    names: Sequence[str],
    rng: np.random.Generator,
) -> GradientEfficiency:
    groups = measured_together(program, inputs, observable, names, rng)
    dimension = program_dimension(program)
    return GradientEfficiency(
        value=sum(map(len, groups)) / len(groups),
        n_groups=len(groups),
        bound=largest_efficiency(dimension, program.n_qubits),
        lie_algebra_dim=dimension,
        groups=groups,
    )


def measured_together(
    program: CircuitProgram,
    inputs: Float[np.ndarray, " inputs"],
    observable: SparsePauliOp,
    names: Sequence[str],
    rng: np.random.Generator,
) -> tuple[tuple[str, ...], ...]:
    """The names of the weights whose derivatives are measured together; see `gradient_efficiency`."""
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


def largest_efficiency(lie_algebra_dim: int, n_qubits: int) -> float:
    """The largest F with F <= X <= 4^n / F - F, where X is the dimension of the Lie algebra."""
    root = np.sqrt(float(lie_algebra_dim) ** 2 + 4.0 ** (n_qubits + 1))
    return float(min(lie_algebra_dim, 2 * 4.0**n_qubits / (lie_algebra_dim + root)))


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


# --- gradient operators, by what they do to a few random vectors ----------------------------------------------------


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
