"""Backends by name: Qiskit's generic one, and the snapshots of real ones that IBM ships."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from qiskit.providers import BackendV2
from qiskit.providers.fake_provider import GenericBackendV2

from qnas.circuit.topologies import topologies
from qnas.errors import CircuitError, ConfigurationError, unknown

GENERIC = "generic"
ENTANGLERS = ("cx", "cz", "ecr")
"""Two-qubit gates without a weight that backends have."""

_ONE_QUBIT_BASIS = ["id", "rz", "sx", "x"]
_SNAPSHOTS = "qiskit_ibm_runtime.fake_provider"
_ADVICE = "Snapshots of real backends, such as fake_manila, come with pip install 'qnas-hqnn[ibm]'."


@dataclass(frozen=True)
class BackendChoice:
    """Which backend.

    Attributes:
        name: "generic", whose error rates are drawn at random, or a snapshot, e.g. "fake_manila".
        n_qubits: of the generic backend; None for as many as the circuit has.
        seed: of the generic backend's error rates.
        topology: which qubits the generic backend joins, by the name of a topology.
        entangler: the two-qubit gate of the generic backend: "cx", "cz" or "ecr".
    """

    name: str = GENERIC
    n_qubits: int | None = None
    seed: int = 0
    topology: str = "all"
    entangler: str = "cx"

    def __post_init__(self) -> None:
        if self.name != GENERIC:
            self._check_snapshot()
        if self.n_qubits is not None and self.n_qubits < 1:
            raise ConfigurationError(f"the backend has {self.n_qubits} qubits; it needs at least 1.")
        if self.seed < 0:
            raise ConfigurationError(f"the backend's seed is {self.seed}; it must not be negative.")
        if self.topology not in topologies.names():
            raise ConfigurationError(unknown("topology of the generic backend", self.topology, topologies.names()))
        if self.entangler not in ENTANGLERS:
            raise ConfigurationError(unknown("entangler of the generic backend", self.entangler, ENTANGLERS))

    def _check_snapshot(self) -> None:
        if self.name not in _snapshots():
            advice = "" if _snapshots() else _ADVICE
            raise ConfigurationError(unknown("backend", self.name, [GENERIC, *sorted(_snapshots())], advice))
        if any(getattr(self, field.name) != field.default for field in fields(self) if field.name != "name"):
            raise ConfigurationError(
                f"the backend {self.name!r} is as it was measured; its number of qubits, seed, topology and entangler "
                "cannot be set."
            )


def find_backend(choice: BackendChoice, n_qubits: int) -> BackendV2:
    """The backend for circuits of that many qubits; the same object every time, because it is slow to make.

    Raises:
        CircuitError: it has fewer qubits.
    """
    if choice.name == GENERIC and choice.n_qubits is None:
        choice = replace(choice, n_qubits=n_qubits)
    found = _backend(choice)
    if found.num_qubits < n_qubits:
        raise CircuitError(
            f"the circuit has {n_qubits} qubits, but the backend {choice.name!r} has {found.num_qubits}; "
            "choose a larger one."
        )
    return found


@lru_cache(maxsize=32)
def _backend(choice: BackendChoice) -> BackendV2:
    return _snapshots()[choice.name]() if choice.name != GENERIC else _generic(choice)


def _generic(choice: BackendChoice) -> BackendV2:
    """Pairs are joined both ways."""
    pairs = topologies[choice.topology](choice.n_qubits or 1)
    both_ways = [list(edge) for a, b in pairs for edge in ((a, b), (b, a))]
    basis = [choice.entangler, *_ONE_QUBIT_BASIS] if pairs else _ONE_QUBIT_BASIS
    return GenericBackendV2(choice.n_qubits, basis, coupling_map=both_ways or None, seed=choice.seed)


@lru_cache(maxsize=1)
def _snapshots() -> dict[str, Callable[[], BackendV2]]:
    """The snapshots by name; none where qiskit-ibm-runtime is not installed."""
    if importlib.util.find_spec(_SNAPSHOTS.partition(".")[0]) is None:
        return {}
    module = importlib.import_module(_SNAPSHOTS)
    kinds = [kind for name, kind in vars(module).items() if name.startswith("Fake") and hasattr(kind, "backend_name")]
    return {kind.backend_name: kind for kind in kinds if isinstance(kind.backend_name, str)}
