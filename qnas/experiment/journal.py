"""A ledger in a file: Optuna's journal, one line of JSON per entry."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from qnas.errors import RunFolderError
from qnas.experiment.store import NOTES, writing

STUDY = "qnas"
_SET_STUDY_ATTRIBUTE, _ADD_TRIAL = 2, 4
"""Two of the kinds of entries, by their `op_code`."""
_BEGINNING_OF_TRIAL = b'{"op_code":4,'
_COUNTED = ("op_code", "worker_id", "study_id", "state")


class Journal:
    """The study in a journal. Opening it for writing mends it, so only the process that holds the run may do so.

    Args:
        path: of the file.
    """

    study = STUDY

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def attributes(self) -> dict[str, Any] | None:
        """The user attributes of the study, None if its first line is not complete.

        Raises:
            RunFolderError: it is no journal.
        """
        if not self._path.is_file():
            return None
        found: dict[str, Any] | None = None
        for line in self._lines():
            entry = {} if line.startswith(_BEGINNING_OF_TRIAL) else self._entry(line)
            found = (found or {}) | (entry["user_attr"] if entry.get("op_code") == _SET_STUDY_ATTRIBUTE else {})
        return found

    def records(self) -> Iterator[dict[str, Any]]:
        """The user attributes of each evaluation. Raises RunFolderError if it is no journal."""
        for line in self._lines():
            entry = self._entry(line)
            if entry["op_code"] == _ADD_TRIAL:
                yield entry.get("user_attrs", {})

    def _lines(self) -> Iterator[bytes]:
        """All but a last line that is not complete, which another process may be writing."""
        try:
            with self._path.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))
        except OSError as error:
            raise self._unreadable(error) from error

    def _entry(self, line: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(line)
            entry["op_code"]
        except (ValueError, TypeError, LookupError) as error:
            raise self._unreadable(error) from error
        return dict(entry)

    def _unreadable(self, error: Exception) -> RunFolderError:
        reason = f"{type(error).__name__}: {error}"
        return RunFolderError(f"the ledger {self.place!r} cannot be read: {reason}; restore it.")

    def storage(self) -> BaseStorage:
        """Optuna's storage, after a last line that is not complete has been dropped."""
        _drop_unfinished_line(self._path)
        # absolute, because Optuna's lock is a symbolic link to it
        backend = _Counted(str(self._path.resolve()))
        try:
            return JournalStorage(backend)
        except (ValueError, LookupError) as error:
            raise self._unreadable(error) from error

    def writing(self) -> AbstractContextManager[None]:
        """Raises RunError, which says how to go on, where something within could not be written."""
        return writing(self._path.parent)

    def break_lock(self) -> None:
        """Remove the lock of a killed process, for which Optuna waits half a minute; only while the run is held.

        Optuna gives a lock another name before it removes it; that one may have been left, too.
        """
        for left in self._path.parent.glob(f"{self._path.name}.lock*"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is open."""


class _Counted(JournalFileBackend):
    """Optuna keeps what it reads in memory, also what it has just written; of an evaluation, it needs no content."""

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        for entry in super().read_logs(log_number_from):
            if entry["op_code"] == _ADD_TRIAL:
                entry = {key: entry[key] for key in _COUNTED if key in entry} | {"datetime_start": None}
            yield entry


def _drop_unfinished_line(path: Path) -> None:
    """A line that a killed process or a full disk cut short; the next line would be glued to it."""
    if path.is_file() and not (content := path.read_bytes()).endswith(b"\n") and content:
        kept = content.rfind(b"\n") + 1
        with path.open("r+b") as file:
            file.truncate(kept)
        NOTES.warning("the last line of %s was cut short; %d bytes are dropped", path.name, len(content) - kept)
