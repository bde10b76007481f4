"""Topologies: which ordered pairs of qubits an entangler joins."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import isqrt

from qiskit.transpiler import CouplingMap

from qnas.plugins import Registry, registering

Pairs = list[tuple[int, int]]
Topology = Callable[[int], Pairs]

BUNDLED = ("line", "ring", "all", "star", "grid", "heavy_hex")
"""Those of qnas itself; where several join the same pairs, the first of them stands for all."""

topologies: Registry[Topology] = Registry("topology", "qnas.topologies")


def topology(name: str) -> Callable[[Topology], Topology]:
    """Register a function `(n_qubits) -> [(control, target), ...]` under a short name."""
    return registering(topologies, name)


def simplest(name: str, n_qubits: int) -> str:
    """The first bundled topology that joins the same pairs in the same order; `name` itself if there is none.

    Only bundled ones stand for others, so that a plug-in changes no fingerprint but those of its own designs.
    """
    try:
        pairs = topologies[name](n_qubits)
        return next((bundled for bundled in BUNDLED if topologies[bundled](n_qubits) == pairs), name)
    except Exception:  # noqa: BLE001 - of a plug-in, or a name that is not known; building the circuit says so
        return name


@topology("line")
def line(n_qubits: int) -> Pairs:
    """Neighbours, from qubit 0 up."""
    return [(k, k + 1) for k in range(n_qubits - 1)]


@topology("ring")
def ring(n_qubits: int) -> Pairs:
    """The line, closed; on two qubits it is the line."""
    return line(n_qubits) + ([(n_qubits - 1, 0)] if n_qubits > 2 else [])


@topology("all")
def all_pairs(n_qubits: int) -> Pairs:
    """Every unordered pair once, the lower qubit as control."""
    return [(i, j) for i in range(n_qubits) for j in range(i + 1, n_qubits)]


@topology("star")
def star(n_qubits: int) -> Pairs:
    """Qubit 0 with every other one."""
    return [(0, k) for k in range(1, n_qubits)]


@topology("grid")
def grid(n_qubits: int) -> Pairs:
    """Neighbours in rows of equal length, as square as can be; the last row may be shorter."""
    width = isqrt(max(n_qubits - 1, 0)) + 1
    return [
        (k, neighbour)
        for k in range(n_qubits)
        for neighbour in (k + 1, k + width)
        if neighbour < n_qubits and (neighbour % width or neighbour == k + width)
    ]


@topology("heavy_hex")
def heavy_hex(n_qubits: int) -> Pairs:
    """Neighbours in a patch of the lattice of hexagons with a qubit on each corner and each edge.

    The patch is what is found first around a corner inside the smallest lattice of Qiskit's that is large enough, and
    its qubits are numbered in that order.
    """
    distances = (distance for distance in count(3, 2) if CouplingMap.from_heavy_hex(distance).size() >= n_qubits)
    lattice = CouplingMap.from_heavy_hex(next(distances))
    found = [max(lattice.physical_qubits, key=lambda qubit: len(lattice.neighbors(qubit)))]
    for qubit in found:
        found += [other for other in sorted(lattice.neighbors(qubit)) if other not in found]
    number = {qubit: k for k, qubit in enumerate(found[:n_qubits])}
    edges = {tuple(sorted((number[a], number[b]))) for a, b in lattice.get_edges() if a in number and b in number}
    return sorted((a, b) for a, b in edges)
