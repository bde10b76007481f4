"""Simulators behind one contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from qnas.circuit.backends import BackendChoice
from qnas.errors import ConfigurationError, unknown
from qnas.simulation.contract import Simulator
from qnas.simulation.exact import ExactSimulator
from qnas.simulation.sampled import SampledSimulator

__all__ = ["BackendChoice", "ExactSimulator", "SampledSimulator", "SimulationSettings", "Simulator", "make_simulator"]


@dataclass(frozen=True)
class SimulationSettings:
    """Which simulator trains the candidates.

    Attributes:
        name: "exact", "shots" (ideal gates and readout) or "noisy" (those of a backend).
        memory_gib: the budget of one simulation; None for what is available. Workers do not know of each other.
        n_shots, gradient, spsa_step, n_spsa_averages: of shots; see `SampledSimulator`.
        backend, backend_qubits, backend_seed, backend_topology, backend_entangler: whose noise; see `BackendChoice`.
    """

    name: str = "exact"
    memory_gib: float | None = None
    n_shots: int = 1024
    gradient: str = "parameter_shift"
    spsa_step: float = 0.2
    n_spsa_averages: int = 1
    backend: str = "generic"
    backend_qubits: int | None = None
    backend_seed: int = 0
    backend_topology: str = "all"
    backend_entangler: str = "cx"


def make_simulator(settings: SimulationSettings, *, seed: int = 0) -> Simulator:
    """The simulator that the settings name.

    Args:
        settings: as configured.
        seed: of all shots; exact simulation has no randomness.

    Raises:
        ConfigurationError: there is none of that name, a value is out of its range, or one is set in vain.
    """
    if settings.name not in SIMULATORS:
        raise ConfigurationError(unknown("simulator", settings.name, SIMULATORS, "Set simulation.name."))
    if settings.memory_gib is not None and not 0 < settings.memory_gib < float("inf"):
        raise ConfigurationError(f"simulation.memory_gib is {settings.memory_gib}; give a number greater than 0.")
    make, used = SIMULATORS[settings.name]
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.name not in ("name", "memory_gib", *used) and value != field.default:
            raise ConfigurationError(
                f"simulation.{field.name} is {value!r}, but simulation={settings.name} does not use it; "
                f"leave it out, or choose {' or '.join(_users(field.name))}."
            )
    return make(settings, seed)


def _exact(settings: SimulationSettings, seed: int) -> Simulator:
    return ExactSimulator(_memory_bytes(settings))


def _memory_bytes(settings: SimulationSettings) -> int | None:
    return None if settings.memory_gib is None else int(settings.memory_gib * 2**30)


def _shots(settings: SimulationSettings, seed: int) -> Simulator:
    return _sampled(settings, None, seed)


def _noisy(settings: SimulationSettings, seed: int) -> Simulator:
    chosen = BackendChoice(
        name=settings.backend,
        n_qubits=settings.backend_qubits,
        seed=settings.backend_seed,
        topology=settings.backend_topology,
        entangler=settings.backend_entangler,
    )
    return _sampled(settings, chosen, seed)


def _sampled(settings: SimulationSettings, backend: BackendChoice | None, seed: int) -> Simulator:
    return SampledSimulator(
        n_shots=settings.n_shots,
        gradient=settings.gradient,
        spsa_step=settings.spsa_step,
        n_spsa_averages=settings.n_spsa_averages,
        backend=backend,
        seed=seed,
        memory_bytes=_memory_bytes(settings),
    )


_OF_SHOTS = ("n_shots", "gradient", "spsa_step", "n_spsa_averages")
_OF_BACKENDS = ("backend", "backend_qubits", "backend_seed", "backend_topology", "backend_entangler")
SIMULATORS: dict[str, tuple[Callable[[SimulationSettings, int], Simulator], tuple[str, ...]]] = {
    "exact": (_exact, ()),
    "shots": (_shots, _OF_SHOTS),
    "noisy": (_noisy, (*_OF_SHOTS, *_OF_BACKENDS)),
}
"""How each simulator is made, and the settings that it uses."""


def _users(field: str) -> list[str]:
    return [f"simulation={name}" for name, (_, used) in SIMULATORS.items() if field in used]
