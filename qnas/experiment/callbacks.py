"""What watches a run, and cannot break it."""

from __future__ import annotations

import logging
from typing import Any, Protocol, runtime_checkable

from qnas.config import Config
from qnas.errors import UsageError
from qnas.experiment.results import Findings
from qnas.experiment.store import NOTES

_LOG = logging.getLogger("qnas")
_NAMES = ("on_start", "on_evaluation", "on_generation", "on_end")


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

    Raises:
        UsageError: it has none of them, or is a class.
    """

    def __init__(self, watcher: object) -> None:
        if watcher is not None and (isinstance(watcher, type) or not any(hasattr(watcher, name) for name in _NAMES)):
            raise UsageError(
                f"callbacks is {watcher!r}; allowed is one object with some of {', '.join(_NAMES)}, such as that of a "
                "subclass of qnas.Callbacks."
            )
        self._watcher = watcher
        self._noted: set[str] = set()

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
        except BaseException as error:  # a callback of the user's may raise anything, also SystemExit
            log = _LOG if name in self._noted else NOTES  # the user sees the first one
            log.warning("the callback %s raised %s: %s", name, type(error).__name__, error, exc_info=True)
            self._noted.add(name)
