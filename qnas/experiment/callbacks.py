"""What watches a run, and cannot break it."""

from __future__ import annotations

import logging
from typing import Any, Protocol, runtime_checkable

from qnas.config import Config
from qnas.experiment.results import Findings

_LOG = logging.getLogger("qnas")


@runtime_checkable
class Callbacks(Protocol):
    """Watches a run. Subclass it and override what you want to be told of; the rest does nothing."""

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Nothing has been evaluated; workers start when there is something to evaluate."""

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """A design has a result, or after early stopping a further one; `known` if it came from the ledger."""

    def on_generation(self, findings: Findings, generation: int) -> None:
        """So many generations of `search.population` designs have been told to the searcher; 1 for the first."""

    def on_end(self, findings: Findings) -> None:
        """The results are written."""


class Guarded(Callbacks):
    """Passes everything on; what a callback raises is logged, and the run goes on. Ctrl-C gets through.

    Args:
        watcher: may be None, or have some of the callbacks only.
    """

    def __init__(self, watcher: object) -> None:
        self._watcher = watcher

    def on_start(self, config: Config, *, n_evaluations: int, n_workers: int) -> None:
        """Pass it on."""
        self._call("on_start", config, n_evaluations=n_evaluations, n_workers=n_workers)

    def on_evaluation(self, findings: Findings, design_id: int, *, known: bool) -> None:
        """Pass it on."""
        self._call("on_evaluation", findings, design_id, known=known)

    def on_generation(self, findings: Findings, generation: int) -> None:
        """Pass it on."""
        self._call("on_generation", findings, generation)

    def on_end(self, findings: Findings) -> None:
        """Pass it on."""
        self._call("on_end", findings)

    def _call(self, name: str, *arguments: Any, **options: Any) -> None:
        callback = getattr(self._watcher, name, None)
        if callback is None:
            return
        try:
            callback(*arguments, **options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a callback of the user's may raise anything, also SystemExit
            _LOG.warning("the callback %s raised %s: %s", name, type(error).__name__, error)
