"""The noise of a backend, which Aer imitates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from qiskit.providers import BackendV2
from qiskit_aer.noise import NoiseModel

from qnas.circuit.backends import BackendChoice, find_backend


@dataclass(frozen=True, eq=False)
class Device:
    """A backend and the noise of its gates and readout."""

    backend: BackendV2
    noise: NoiseModel


def device(choice: BackendChoice, n_qubits: int) -> Device:
    """The backend for circuits of that many qubits. Raises CircuitError if it has fewer."""
    return _device(find_backend(choice, n_qubits))


@lru_cache(maxsize=32)
def _device(found: BackendV2) -> Device:
    return Device(found, NoiseModel.from_backend(found))
