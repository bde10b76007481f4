"""Topologies: which ordered pairs of qubits an entangler joins."""

from __future__ import annotations

from collections.abc import Callable

from qnas.plugins import Registry, registering

Pairs = list[tuple[int, int]]
Topology = Callable[[int], Pairs]

BUNDLED = ("line", "ring", "all", "star")
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
