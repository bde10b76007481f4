"""Any sequence of gates, as in quantum architecture search at the level of gates, and its canonical form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit

from qnas.circuit.ansatze.layers import ONE_QUBIT, TRAINABLE, in_order, weight_source
from qnas.circuit.ansatze.registry import ansatz
from qnas.errors import DesignError, unknown

_NO_AXIS = "-"
GATES: dict[str, str] = {
    "h": _NO_AXIS, "x": "X", "s": "Z", "t": "Z", "rx": "X", "ry": "Y", "rz": "Z",
    "cx": "ZX", "cz": "ZZ", "crx": "ZX", "cry": "ZY", "crz": "ZZ", "rxx": "XX", "ryy": "YY", "rzz": "ZZ",
}  # fmt: skip
"""Every gate, with the axis about which it turns or controls each of its qubits."""

ROTATIONS = frozenset({*ONE_QUBIT, *TRAINABLE})
"""Those with a weight."""

_OF_TWO_PAULIS = frozenset({"rxx", "ryy", "rzz"})
_SYMMETRIC = frozenset({"cz", *_OF_TWO_PAULIS})
_EIGHTHS = {"s": 2, "t": 1}
"""Of a full turn about Z."""


@dataclass(frozen=True, order=True)
class Gate:
    """A gate on one qubit, or on an ordered pair, the control first."""

    qubits: tuple[int, ...]
    name: str

    @property
    def kind(self) -> tuple[tuple[int, ...], str]:
        """Equal for gates whose products are of the same kind again: s, t and rz of one qubit, or cx of one pair."""
        return self.qubits, GATES[self.name] if len(self.qubits) == 1 else self.name

    def commutes(self, other: Gate) -> bool:
        """Whether gates of two kinds commute: on each qubit that they share, they act about the same axis.

        XX, YY and ZZ of one pair commute, too.
        """
        if self.qubits == other.qubits and {self.name, other.name} <= _OF_TWO_PAULIS:
            return True
        mine, theirs = (dict(zip(gate.qubits, GATES[gate.name], strict=True)) for gate in (self, other))
        return all(mine[qubit] == theirs[qubit] != _NO_AXIS for qubit in mine.keys() & theirs.keys())


@ansatz("gates")
def gates(n_qubits: int, sequence: Sequence[Any]) -> QuantumCircuit:
    """The gates of a sequence in order, each rotation with its own weight.

    Args:
        n_qubits: the width.
        sequence: gates on one qubit as {"name": "ry", "qubit": 0}, gates on two as {"name": "cx", "pair": [0, 1]}, the
            control first. One of h, x, s, t, rx, ry, rz, cx, cz, crx, cry, crz, rxx, ryy, rzz.

    Raises:
        DesignError: a gate is not known, or not on qubits of the circuit.
    """
    circuit, weights = QuantumCircuit(n_qubits), weight_source()
    for place, gate in enumerate(_read(sequence)):
        if max(gate.qubits) >= n_qubits:
            raise DesignError(
                f"gate {place} of the sequence, {gate.name}, is on qubit {max(gate.qubits)}, but the {n_qubits} qubits "
                f"are numbered from 0 to {n_qubits - 1}."
            )
        angle = [next(weights)] if gate.name in ROTATIONS else []
        getattr(circuit, gate.name)(*angle, *gate.qubits)
    return in_order(circuit)


def canonical_sequence(sequence: Sequence[Any]) -> list[dict[str, Any]]:
    """One sequence for many that make the same circuit, up to a global phase and the names of weights.

    Gates that commute may change places. Those of one kind that meet in this way become one: rotations become a single
    one, which takes in x, s and t about its axis; pairs of h, x, cx and cz vanish, and s and t add up to a turn. The
    qubits of cz, rxx, ryy and rzz are sorted. What remains is put into layers: each takes, in the order of the qubits,
    every gate that may come first, if its qubits are still free. Some sequences that make one circuit keep different
    forms, such as h x h and s s.

    Args:
        sequence: as for `gates`.

    Raises:
        DesignError: a gate is not known, or not on one qubit or two different ones.
    """
    return [_written(gate) for gate in _in_layers(_reduced(_read(sequence)))]


def _read(sequence: Sequence[Any]) -> list[Gate]:
    return [_read_one(item, place) for place, item in enumerate(sequence)]


def _read_one(item: object, place: int) -> Gate:
    if not isinstance(item, Mapping):
        raise DesignError(f'gate {place} of the sequence is {item!r}; write {{"name": "ry", "qubit": 0}}, say.')
    name = item.get("name")
    if name not in GATES:
        raise DesignError(unknown(f"gate {place} of the sequence,", name, GATES))
    width = len(GATES[name])
    qubits = _qubits(item)
    if len(item) != 2 or len(qubits) != width or len(set(qubits)) != width:
        example = '"qubit": 0}' if width == 1 else '"pair": [0, 1]}, with two different qubits'
        raise DesignError(f'gate {place} of the sequence is {dict(item)}; write {{"name": "{name}", {example}.')
    return Gate(tuple(sorted(qubits)) if name in _SYMMETRIC else qubits, name)


def _qubits(item: Mapping[str, Any]) -> tuple[int, ...]:
    """Empty if what is given are no numbers of qubits."""
    given = (item["qubit"],) if "qubit" in item else item.get("pair")
    if not isinstance(given, list | tuple):
        return ()
    return tuple(given) if all(type(qubit) is int and qubit >= 0 for qubit in given) else ()


def _written(gate: Gate) -> dict[str, Any]:
    where = {"qubit": gate.qubits[0]} if len(gate.qubits) == 1 else {"pair": list(gate.qubits)}
    return {"name": gate.name, **where}


def _reduced(sequence: Iterable[Gate]) -> list[Gate]:
    """The sequence after each gate has been multiplied with the last one of its kind, where nothing is in its way."""
    runs: list[list[Gate]] = []
    for gate in sequence:
        place = _place_to_join(runs, gate)
        if place is None:
            runs.append([gate])
        else:
            runs[place] = _product([*runs[place], gate])
            runs = [run for run in runs if run]
    return [gate for run in runs for gate in run]


def _place_to_join(runs: Sequence[Sequence[Gate]], gate: Gate) -> int | None:
    for place in reversed(range(len(runs))):
        if runs[place][0].kind == gate.kind:
            return place
        if not runs[place][0].commutes(gate):
            return None
    return None


def _product(run: Sequence[Gate]) -> list[Gate]:
    """Gates of one kind as few gates; none if they do nothing."""
    rotation = next((gate for gate in run if gate.name in ROTATIONS), None)
    if rotation is not None:
        return [rotation]
    if run[0].name in _EIGHTHS:
        n_eighths = sum(_EIGHTHS[gate.name] for gate in run) % 8
        return [Gate(run[0].qubits, name) for name in "s" * (n_eighths // 2) + "t" * (n_eighths % 2)]
    return list(run[: len(run) % 2])


def _in_layers(sequence: Sequence[Gate]) -> list[Gate]:
    """The sequence in the order of the layers that `canonical_sequence` describes."""
    ordered: list[Gate] = []
    left = list(sequence)
    while left:
        layer: list[int] = []
        free = {qubit for gate in left for qubit in gate.qubits}
        for place in sorted(_ready(left), key=lambda place: (left[place], place)):
            if free.issuperset(left[place].qubits):
                free -= set(left[place].qubits)
                layer.append(place)
        ordered += [left[place] for place in layer]
        left = [gate for place, gate in enumerate(left) if place not in layer]
    return ordered


def _ready(sequence: Sequence[Gate]) -> list[int]:
    """The places of gates that may come first."""
    return [place for place, gate in enumerate(sequence) if all(other.commutes(gate) for other in sequence[:place])]
