"""The dimension of the dynamical Lie algebra: how expressive a circuit can be at any depth (arXiv 2406.18316)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Complex, Float, UInt64
from qiskit import QuantumCircuit
from qiskit.quantum_info import PauliList, SparsePauliOp

from qnas.circuit.lower import lower
from qnas.circuit.program import CircuitProgram
from qnas.errors import CircuitError
from qnas.objectives.design import Design
from qnas.objectives.generators import MOST_DENSE_QUBITS, Generators
from qnas.objectives.generators import generators as generators_of
from qnas.objectives.objective import objective
from qnas.references import cites

CHINZEI2024 = "Chinzei, Yamano, Tran, Endo and Oshima 2024, arXiv 2406.18316"
MOST_QUBITS = 32
MOST_ELEMENTS = 2**22
_DRAWN_AT_ONCE = 256
_NOTHING_NEW = 1e-14
"""Squared length of what a draw adds to a closed space, through rounding; what is drawn is of order one."""
_WELL_CONDITIONED = 1e-2
"""Directions whose squared length is below this part of the longest one's would magnify rounding; they come again."""
Codes = UInt64[np.ndarray, " _"]
"""Pauli strings as integers: bit q for X on qubit q, bit n + q for Z, both for Y."""
_NO_STRINGS = np.empty(0, dtype=np.uint64)
Rows = Float[np.ndarray, "_ entries"]
Matrices = Complex[np.ndarray, "_ dim dim"]


def lie_algebra_dim(generators: QuantumCircuit | PauliList | Sequence[str]) -> int:
    """The dimension of the dynamical Lie algebra: the span of i times the generators and all nested commutators.

    The identity does not count: generators are taken without their trace.

    Args:
        generators: Pauli strings, whose phases do not matter, or a circuit, of which every parameter is a weight. Its
            fixed gates are moved to the end, and rotations that turn together are one generator; see
            `qnas.objectives.generators`. Without rotations the dimension is 0.

    Raises:
        CircuitError: a label is no Pauli string, the circuit does not lower, there are more than 32 qubits or more
            than 2^22 elements, or matrices are needed (sums of Pauli strings, fixed gates that are no Clifford gates)
            for more than 6 qubits.
    """
    if isinstance(generators, QuantumCircuit):
        return program_dimension(lower(generators, [], list(generators.parameters)))
    strings = generators if isinstance(generators, PauliList) else _parsed(generators)
    plain = PauliList.from_symplectic(strings.z, strings.x)
    return dimension(Generators(tuple(SparsePauliOp(string) for string in plain)), plain.num_qubits)


@objective("maximize", "dimensions", name="lie_algebra_dim", reference=CHINZEI2024, scale="log")
@cites("chinzei2025")
def design_lie_algebra_dim(design: Design) -> int:
    """The dimension of the Lie algebra of a design's weights, for all its inputs; 0 for the classical control.

    A re-uploaded encoding between weights is no generator, as its angles are given, but it does turn the generators of
    the weights, so that their commutators with it count.
    """
    return program_dimension(design.program) if design.initial_model().quantum_layers else 0


def program_dimension(program: CircuitProgram) -> int:
    """The dimension of the Lie algebra of a circuit program's weights; see `dimension`."""
    return dimension(generators_of(program), program.n_qubits)


def dimension(generators: Generators, n_qubits: int) -> int:
    """The dimension of the smallest Lie algebra that holds the generators of the weights and all their commutators with
    those of the inputs.

    By the Jacobi identity, commutators with generators alone reach all of it. Where the generators fall apart into
    single Pauli strings, these are multiplied as bit vectors; elsewhere matrices are orthogonalised.
    """
    if n_qubits > MOST_QUBITS:
        raise CircuitError(f"a Lie algebra is computed for at most {MOST_QUBITS} qubits, but there are {n_qubits}.")
    weights, inputs = _strings_of(generators.weights), _strings_of(generators.inputs)
    own, others, n_sums = _fall_apart(weights, inputs, n_qubits)
    if not n_sums:
        return _closure_of_strings(own, others, n_qubits)
    if n_qubits > MOST_DENSE_QUBITS:
        raise CircuitError(
            f"some generators are sums of Pauli strings, whose Lie algebra needs matrices, which are limited to "
            f"{MOST_DENSE_QUBITS} qubits, but there are {n_qubits}; give every rotation a weight of its own."
        )
    matrices = _traceless([*generators.weights, *generators.inputs])
    return _closure_of_matrices(matrices[: len(generators.weights)], matrices)


def _parsed(labels: Sequence[str]) -> PauliList:
    if isinstance(labels, str):
        raise CircuitError(f"expected a list of Pauli labels, but got the one string {labels!r}; write [{labels!r}].")
    widths = sorted({len(label) for label in labels})
    if len(widths) != 1:
        raise CircuitError(f"Pauli labels are of one width, but these have {widths or 'none, as there are no labels'}.")
    wrong = [label for label in labels if not label or set(label) - set("IXYZ")]
    if wrong:
        raise CircuitError(f"{wrong[0]!r} is no Pauli label; write one letter of I, X, Y, Z per qubit.")
    return PauliList(list(labels))


# --- Pauli strings as bit vectors ---------------------------------------------------------------------------------


def _strings_of(operators: Sequence[SparsePauliOp]) -> list[Codes]:
    """The strings of each operator, without the identity; coefficients do not matter to what follows."""
    codes = [_codes(one.simplify().paulis) for one in operators]
    return [one[one != 0] for one in codes]


def _codes(paulis: PauliList) -> Codes:
    bits = np.concatenate([paulis.x, paulis.z], axis=1).astype(np.uint64)
    return np.bitwise_or.reduce(bits << np.arange(bits.shape[1], dtype=np.uint64), axis=1)


def _fall_apart(weights: list[Codes], inputs: list[Codes], n_qubits: int) -> tuple[Codes, Codes, int]:
    """The single strings among the generators and among their parts, and how many sums are left.

    A string K of the algebra splits a sum S: [K, [K, S]] / 4 is the part of S that does not commute with K. Parts that
    are strings of the algebra themselves are taken away, as X is from X - ZX next to a rotation about X.
    """
    own, others = ([one for one in part if len(one) == 1] for part in (weights, inputs))
    own_sums, other_sums = ([one for one in part if len(one) > 1] for part in (weights, inputs))
    n_known = -1
    while n_known < len(own) + len(others):
        n_known = len(own) + len(others)
        known_own, known = _distinct(own), _distinct(own + others)
        own_sums, found_own = _split(own_sums, known_own, known, n_qubits)
        other_sums, found_others = _split(other_sums, known, known, n_qubits)
        own, others = own + found_own, others + found_others
    return _distinct(own), _distinct(others), len(own_sums) + len(other_sums)


def _distinct(strings: list[Codes]) -> Codes:
    return np.unique(np.concatenate([_NO_STRINGS, *strings]))


def _split(sums: list[Codes], removable: Codes, known: Codes, n_qubits: int) -> tuple[list[Codes], list[Codes]]:
    """The parts of sums that known strings tell apart: sums that are left, and single strings."""
    parts: list[Codes] = []
    for terms in sums:
        rest = terms[~np.isin(terms, removable)]
        patterns = np.stack([_anticommute(known, term, n_qubits) for term in rest]) if len(rest) else rest[:, None]
        labels = np.unique(patterns, axis=0, return_inverse=True)[1].ravel()
        parts += [rest[labels == label] for label in np.unique(labels)]
    return [part for part in parts if len(part) > 1], [part for part in parts if len(part) == 1]


def _closure_of_strings(seeds: Codes, others: Codes, n_qubits: int) -> int:
    """How many strings there are, seeds included, when every string is multiplied by each seed and each of the others
    that it does not commute with; those that are already among them lead to nothing new."""
    found, turns = _NO_STRINGS, list[np.uint64]()
    for turn, is_seed in [*((seed, True) for seed in seeds), *((other, False) for other in others)]:
        if turn in found:
            continue
        turns.append(turn)
        itself = np.array([turn]) if is_seed else _NO_STRINGS
        newest = _not_in(found, [itself, _multiplied(found, turn, n_qubits)])
        while len(newest):
            found = np.sort(np.concatenate([found, newest]), kind="stable")
            _check_size(len(found))
            newest = _not_in(found, [_multiplied(newest, turn, n_qubits) for turn in turns])
    return len(found)


def _check_size(n_elements: int) -> None:
    if n_elements > MOST_ELEMENTS:
        raise CircuitError(
            f"the Lie algebra has more than {MOST_ELEMENTS:,} elements, where qnas stops counting; use fewer qubits."
        )


def _multiplied(strings: Codes, turn: np.uint64, n_qubits: int) -> Codes:
    return strings[_anticommute(strings, turn, n_qubits)] ^ turn


def _anticommute(strings: Codes, turn: np.uint64, n_qubits: int) -> Bool[np.ndarray, " _"]:
    width = np.uint64(n_qubits)
    x, z = turn & ((np.uint64(1) << width) - np.uint64(1)), turn >> width
    return (np.bitwise_count(strings & (z | x << width)) & 1).astype(bool)


def _not_in(known: Codes, candidates: list[Codes]) -> Codes:
    """Each candidate that is not among the known ones, once, sorted as these are; quicker than numpy's sets."""
    every = np.sort(np.concatenate(candidates))
    once = every[np.concatenate([every[:1] == every[:1], every[1:] != every[:-1]])]
    if not len(known):
        return once
    place = np.minimum(np.searchsorted(known, once), len(known) - 1)
    return once[known[place] != once]


# --- sums of Pauli strings as matrices ----------------------------------------------------------------------------


def _traceless(operators: Sequence[SparsePauliOp]) -> Matrices:
    """Without trace, and of the size of a Pauli string unless they are zero."""
    matrices = np.stack([one.to_matrix() for one in operators])
    dim = matrices.shape[-1]
    matrices -= np.trace(matrices, axis1=1, axis2=2)[:, None, None] / dim * np.eye(dim)
    sizes = np.linalg.norm(matrices, axis=(1, 2), keepdims=True) / np.sqrt(dim)
    return matrices / np.where(sizes > 0, sizes, 1.0)


def _closure_of_matrices(seeds: Matrices, turns: Matrices) -> int:
    """The dimension of the smallest space that holds the seeds and is closed under commutators with `turns`.

    Commutators i[h, x] of random combinations h of turns and x of the space lie in the space with probability one only
    if all do, and until then each adds a dimension.
    """
    rng = np.random.default_rng(0)
    basis = _rows(seeds[:0])
    while True:
        n_drawn = min(_DRAWN_AT_ONCE, 4 * len(basis))
        h = np.tensordot(_unit(rng.normal(size=(n_drawn, len(turns)))), turns, axes=1)
        x = _hermitian(_unit(rng.normal(size=(n_drawn, len(basis)))) @ basis)
        product = h @ x
        drawn = _rows(1j * (product - product.conj().transpose(0, 2, 1)))
        found = _new_directions(basis, np.concatenate([_rows(seeds), drawn]))
        if not len(found):
            return len(basis)
        basis = np.concatenate([basis, found])


def _unit(rows: Rows) -> Rows:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)


def _rows(matrices: Matrices) -> Rows:
    """Hermitian matrices as real vectors of equal length: Re + Im, symmetric plus antisymmetric."""
    return (matrices.real + matrices.imag).reshape(len(matrices), matrices.shape[1] * matrices.shape[2])


def _hermitian(rows: Rows) -> Matrices:
    """The inverse of `_rows`."""
    dim = int(np.sqrt(rows.shape[1]))
    square = rows.reshape(-1, dim, dim)
    turned = square.transpose(0, 2, 1)
    return (square + turned) / 2 + 0.5j * (square - turned)


def _new_directions(basis: Rows, candidates: Rows) -> Rows:
    """Orthonormal directions in the span of the candidates, orthogonal to the basis; none if there is only rounding."""
    for _ in range(2):  # once is not orthogonal to rounding
        candidates = candidates - (candidates @ basis.T) @ basis
    lengths, turn = np.linalg.eigh(candidates @ candidates.T)
    strong = lengths > max(_NOTHING_NEW, _WELL_CONDITIONED * lengths[-1])
    return (turn[:, strong].T @ candidates) / np.sqrt(lengths[strong])[:, None]
