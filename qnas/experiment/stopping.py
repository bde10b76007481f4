"""When a search ends before its budget is spent."""

from __future__ import annotations

import time
from collections.abc import Sequence

from qnas.config import StopSettings
from qnas.errors import ConfigurationError
from qnas.experiment.losses import Volumes
from qnas.experiment.results import Findings


def check_stopping(settings: StopSettings) -> None:
    """Raise ConfigurationError for a rule that would end a search at once, or never."""
    for key in ("seconds", "hypervolume", "patience"):
        value = getattr(settings, key)
        if value is not None and not value > 0:
            raise ConfigurationError(f"stop.{key} is {value}; allowed are numbers greater than 0, or null.")


class TimeIsUpError(Exception):
    """The search is over, whatever it waits for; the text ends a sentence."""


class Stopping:
    """The rules of a run; the clock starts when it is made."""

    def __init__(self, settings: StopSettings) -> None:
        self._settings = settings
        self._began = time.monotonic()
        self._volumes: Volumes | None = None

    def reason(self, findings: Findings) -> str:
        """Why the search is over, as the end of a sentence; empty if it is not.

        Args:
            findings: of what the searcher was told, so that all machines end alike; those of the last call, and more.
        """
        return self._front_is_good(findings) or self._nothing_moves(findings)

    def check_clock(self) -> None:
        """Raise TimeIsUpError if it is."""
        limit = self._settings.seconds
        if limit is not None and time.monotonic() - self._began >= limit:
            raise TimeIsUpError(f"stop.seconds={limit:g} are over")

    def _front_is_good(self, findings: Findings) -> str:
        wanted = self._settings.hypervolume
        if wanted is None or not (history := self._history(findings)) or history[-1] < wanted:
            return ""
        return f"the hypervolume is {history[-1]:.4g}, at least stop.hypervolume={wanted:g}"

    def _nothing_moves(self, findings: Findings) -> str:
        patience = self._settings.patience
        if patience is None or len(history := self._history(findings)) <= patience:
            return ""
        if history[-1] > history[-1 - patience]:
            return ""
        return f"the hypervolume has not grown for stop.patience={patience} evaluations"

    def _history(self, findings: Findings) -> Sequence[float]:
        """The hypervolume after each evaluation; empty as long as it has no unit."""
        if self._volumes is None:
            population = findings.config.search.population
            self._volumes = Volumes(findings.objectives, findings.constraints, population)
        history = self._volumes.after(findings.evaluations)
        return history if self._volumes.is_scaled else []
