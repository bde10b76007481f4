"""Where a ledger is kept: what the two places, a journal and a database, have in common."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage

from qnas.errors import RunError

NOTES = logging.getLogger("qnas.notes")
"""What the user should see at once; the command line prints it, and like all else it stands in log.txt."""


@runtime_checkable
class Store(Protocol):
    """Where the study of one run lies.

    Attributes:
        place: what messages call it.
        study: the name of the study.
    """

    place: str
    study: str

    def attributes(self) -> Mapping[str, Any] | None:
        """The user attributes of the study, None if it has not been made. Writes nothing.

        Raises:
            UsageError: it cannot be read.
        """

    def records(self) -> Iterator[dict[str, Any]]:
        """The user attributes of each trial, in the order in which they were written. Writes nothing."""

    def storage(self) -> BaseStorage:
        """Optuna's storage for writing, after mending what a killed process left."""

    def writing(self) -> AbstractContextManager[None]:
        """Raises RunError, which says how to go on, where something within could not be written."""

    def close(self) -> None:
        """Leave no connection open."""


@contextmanager
def writing(run_dir: Path) -> Iterator[None]:
    """Raises RunError, which says how to go on, where something in a run folder could not be written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(
            f"the run folder {str(run_dir)!r} cannot be written: {reason}; what was evaluated so far is kept, so make "
            f"room or mend that, and go on with: qnas resume {run_dir}"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's log lines and its notes on experimental functions, off for a while."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
