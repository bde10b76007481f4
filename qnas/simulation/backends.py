"""Backends whose noise Aer imitates, by name: Qiskit's generic one, and the snapshots of real ones that IBM ships."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from qiskit.providers import BackendV2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer.noise import NoiseModel

from qnas.errors import CircuitError, ConfigurationError, unknown

GENERIC = "generic"
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
    """

    name: str = GENERIC
    n_qubits: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name != GENERIC and self.name not in _snapshots():
            advice = "" if _snapshots() else _ADVICE
            raise ConfigurationError(unknown("backend", self.name, [GENERIC, *sorted(_snapshots())], advice))
        if self.name != GENERIC and (self.n_qubits, self.seed) != (None, 0):
            raise ConfigurationError(
                f"the backend {self.name!r} is as it was measured; its number of qubits and its seed cannot be set."
            )
        if self.n_qubits is not None and self.n_qubits < 1:
            raise ConfigurationError(f"the backend has {self.n_qubits} qubits; it needs at least 1.")
        if self.seed < 0:
            raise ConfigurationError(f"the backend's seed is {self.seed}; it must not be negative.")


@dataclass(frozen=True, eq=False)
class Device:
    """A backend and the noise of its gates and readout."""

    backend: BackendV2
    noise: NoiseModel


def device(choice: BackendChoice, n_qubits: int) -> Device:
    """The backend for circuits of that many qubits. Raises CircuitError if it has fewer."""
    width = n_qubits if choice.n_qubits is None else choice.n_qubits
    found = _device(BackendChoice(choice.name, width, choice.seed) if choice.name == GENERIC else choice)
    if found.backend.num_qubits < n_qubits:
        raise CircuitError(
            f"the circuit has {n_qubits} qubits, but the backend {choice.name!r} has {found.backend.num_qubits}; "
            "choose a larger one."
        )
    return found


@lru_cache(maxsize=32)
def _device(choice: BackendChoice) -> Device:
    if choice.name == GENERIC:
        basis = _ONE_QUBIT_BASIS if choice.n_qubits == 1 else None  # Qiskit's default has CX, which needs two
        backend = GenericBackendV2(choice.n_qubits, basis, seed=choice.seed)
    else:
        backend = _snapshots()[choice.name]()
    return Device(backend, NoiseModel.from_backend(backend))


@lru_cache(maxsize=1)
def _snapshots() -> dict[str, Callable[[], BackendV2]]:
    """The snapshots by name; none where qiskit-ibm-runtime is not installed."""
    if importlib.util.find_spec(_SNAPSHOTS.partition(".")[0]) is None:
        return {}
    module = importlib.import_module(_SNAPSHOTS)
    kinds = [kind for name, kind in vars(module).items() if name.startswith("Fake") and hasattr(kind, "backend_name")]
    return {kind.backend_name: kind for kind in kinds if isinstance(kind.backend_name, str)}
