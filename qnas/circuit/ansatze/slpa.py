"""The stabilizer-logical product ansatz, and the two circuits that its paper compares it with (arXiv 2406.18316).

A stabilizer group is a group of commuting Pauli strings, a logical Pauli is a string that commutes with all of them.
Strings are labels with qubit 0 leftmost. Those of a design are short words, so that one design makes sense for several
widths: a stabilizer is a word repeated over all qubits ("X" is XXXX on 4 qubits, "ZI" is ZIZI), the logicals are words
at every place of a ring ("ZZ" is ZZII, IZZI, IIZZ, ZIIZ). The words are ours; on 4 qubits the defaults are the strings
of the paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, cycle, islice

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Pauli

from qnas.circuit.ansatze.registry import ansatz
from qnas.circuit.ansatze.rotations import check_count, turn
from qnas.errors import DesignError
from qnas.references import cites

_NEIGHBOURS = "XX_YY_ZZ"


@ansatz("symmetric")
@cites("chinzei2025")
def symmetric(n_qubits: int, n_layers: int = 1) -> QuantumCircuit:
    """Rotations about XX, YY and ZZ on the neighbours of a ring.

    On an even number of qubits all of them commute with X on all qubits and with Z on all qubits.
    """
    check_count("n_layers", n_layers)
    return _turned(on_ring(_words(_NEIGHBOURS), n_qubits) * n_layers)


@ansatz("non_symmetric")
@cites("chinzei2025")
def non_symmetric(n_qubits: int, n_layers: int = 1) -> QuantumCircuit:
    """Rotations about X and Y of every qubit and ZZ on the neighbours of a ring."""
    check_count("n_layers", n_layers)
    strings = [at(word, start, n_qubits) for word in ("X", "Y", "ZZ") for start in range(n_qubits)]
    return _turned([*dict.fromkeys(strings)] * n_layers)


@ansatz("slpa")
@cites("chinzei2025")
def slpa(n_qubits: int, stabilizers: str = "X_Z", logicals: str = _NEIGHBOURS, n_blocks: int = 1) -> QuantumCircuit:
    """Blocks of rotations exp(-i w/2 L S), each with its own weight: one logical L, every S of the stabilizer group.

    The rotations of a block commute, and the derivatives by their weights can be measured together.

    Args:
        n_qubits: even for the default stabilizers, which do not commute on an odd number of qubits.
        stabilizers: words of the generators of the group, each repeated over all qubits, joined with _; may be empty.
        logicals: words of the logicals, joined with _; see `on_ring`.
        n_blocks: one logical each, in the order of `on_ring`, from the start again after the last one.

    Raises:
        DesignError: a word is none or does not fit the width, generators do not commute or are not independent, or a
            logical does not commute with one of them or belongs to the group.
    """
    check_count("n_blocks", n_blocks)
    group = stabilizer_group([repeated(word, n_qubits) for word in _words(stabilizers)], n_qubits)
    strings = on_ring(_words(logicals), n_qubits)
    for string in strings:
        _check_logical(string, group)
    return _turned([(Pauli(string) @ one).to_label() for string in islice(cycle(strings), n_blocks) for one in group])


def on_ring(words: Sequence[str], n_qubits: int) -> list[str]:
    """Every word at every place of a ring, each string once.

    The places are 0, 2, ..., then 1, 3, ..., and the words take turns: XXII, IIYY, IZZI, XIIX, YYII, ... on 4 qubits.
    """
    if not words:
        raise DesignError("there are no words of logicals; give at least one, e.g. ZZ.")
    places = [*range(0, n_qubits, 2), *range(1, n_qubits, 2)]
    rounds = [[*words[k:], *words[:k]] for k in range(len(words))]
    strings = [at(word, place, n_qubits) for one in rounds for word, place in zip(cycle(one), places, strict=False)]
    return list(dict.fromkeys(strings))


def at(word: str, start: int, n_qubits: int) -> str:
    """The word on consecutive qubits of a ring from `start` on, identities elsewhere."""
    _check_word(word, n_qubits)
    padded = word + "I" * (n_qubits - len(word))
    return "".join(padded[(qubit - start) % n_qubits] for qubit in range(n_qubits))


def repeated(word: str, n_qubits: int) -> str:
    """The word again and again, over all qubits."""
    _check_word(word, n_qubits)
    if n_qubits % len(word):
        raise DesignError(
            f"the stabilizer {word!r} has {len(word)} letters, which do not repeat to {n_qubits} qubits; "
            f"give a word whose length divides {n_qubits}."
        )
    return word * (n_qubits // len(word))


def stabilizer_group(generators: Sequence[str], n_qubits: int) -> list[Pauli]:
    """All products of the generators, with their signs, the identity first: 1, a, b, ab, c, ...

    Raises:
        DesignError: generators do not commute, or one is a product of those before it.
    """
    for first, second in combinations(generators, 2):
        if Pauli(first).anticommutes(Pauli(second)):
            raise DesignError(f"the stabilizers {first} and {second} do not commute; leave one of them out.")
    group = [Pauli("I" * n_qubits)]
    for generator in generators:
        if _without_sign(generator) in map(_without_sign, group):
            raise DesignError(f"the stabilizer {generator} is a product of those before it; leave it out.")
        group += [one @ Pauli(generator) for one in group]
    return group


def _words(joined: str) -> list[str]:
    return joined.split("_") if joined else []


def _check_word(word: str, n_qubits: int) -> None:
    if not set(word) <= set("IXYZ") or not set(word) & set("XYZ") or len(word) > n_qubits:
        raise DesignError(
            f"{word!r} is no Pauli word on {n_qubits} qubits; write at most {n_qubits} letters of I, X, Y, Z that are "
            "not all I."
        )


def _check_logical(string: str, group: Iterable[Pauli]) -> None:
    for one in group:
        if one.anticommutes(Pauli(string)):
            raise DesignError(f"the logical {string} and the stabilizer {one} do not commute; leave one of them out.")
        if _without_sign(one) == string:
            raise DesignError(
                f"the logical {string} belongs to the stabilizer group, so that one of its rotations would do nothing; "
                "use more qubits, or leave out it or a stabilizer."
            )


def _without_sign(pauli: Pauli | str) -> str:
    return str(pauli).lstrip("-")


def _turned(strings: Sequence[str]) -> QuantumCircuit:
    """Rotations about strings in order, each with its own weight; a minus sign turns the other way."""
    circuit = QuantumCircuit(len(strings[0].lstrip("-")))
    for weight, string in zip(ParameterVector("w", len(strings)), strings, strict=True):
        turn(circuit, _without_sign(string), -weight if string.startswith("-") else weight)
    return circuit
