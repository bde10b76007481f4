"""Simulators behind one contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from qnas.errors import ConfigurationError, unknown
from qnas.simulation.contract import Simulator
from qnas.simulation.exact import ExactSimulator
from qnas.simulation.sampled import SampledSimulator

__all__ = ["ExactSimulator", "SampledSimulator", "SimulationSettings", "Simulator", "make_simulator"]


@dataclass(frozen=True)
class SimulationSettings:
    """Which simulator trains the candidates."""

    name: str = "exact"


SIMULATORS: dict[str, Callable[[SimulationSettings], Simulator]] = {"exact": lambda settings: ExactSimulator()}


def make_simulator(settings: SimulationSettings) -> Simulator:
    """The simulator that the settings name. Raises ConfigurationError if there is none of that name."""
    if settings.name not in SIMULATORS:
        raise ConfigurationError(unknown("simulator", settings.name, SIMULATORS, "Set simulation.name."))
    return SIMULATORS[settings.name](settings)
