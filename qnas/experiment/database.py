"""A ledger in a database: Optuna's tables, one study per run, so that several machines may keep theirs in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import URL, Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from qnas.errors import ConfigurationError, QnasError, RunError
from qnas.experiment.store import quiet

HIDDEN = "***"
"""What stands in the place of a password."""
_LIBPQ = ("postgresql+psycopg", "postgresql+psycopg2")
"""Drivers that stand on PostgreSQL's own library, whose options these are."""
_PATIENCE = {"connect_timeout": 10, "keepalives_idle": 60, "tcp_user_timeout": 30_000}
"""Seconds, seconds, milliseconds: a server that falls silent is not waited for as long as the system would."""
_N_TRIES = 5
_EXAMPLE = "give the URL of a database, such as postgresql://user:password@host/database"
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""What is meant where a URL names no driver."""
_FAILURES = (SQLAlchemyError, StorageInternalError, ImportError)

_STUDY = text("SELECT study_id FROM studies WHERE study_name = :study")
_ATTRIBUTES = text("SELECT a.key, a.value_json FROM study_user_attributes AS a WHERE a.study_id = :study_id")
_RECORDS = text(
    "SELECT a.trial_id, a.key, a.value_json FROM trial_user_attributes AS a "
    "JOIN trials AS t ON t.trial_id = a.trial_id WHERE t.study_id = :study_id ORDER BY a.trial_id"
)
_PROBE = text("INSERT INTO studies (study_name) VALUES (:study)")


class Database:
    """The study of one run in a database.

    Args:
        url: of SQLAlchemy, as `checked_url` returns it.
        study: the name of the study, which no other run has.
        run_dir: of the run.
    """

    def __init__(self, url: str, study: str, run_dir: Path) -> None:
        self._url = url
        self.place = shown(url)
        self.study = study
        self._run_dir = run_dir
        self._storage: RDBStorage | None = None

    def check(self) -> None:
        """Raise ConfigurationError if no ledger can be kept here; makes Optuna's tables if they are not there."""
        with self._opening(), quiet():
            # no pool, since nobody could close its connections if this fails
            engine = self._made({"poolclass": sqlalchemy.NullPool}).engine
        with self._opening(), engine.connect() as connection, connection.begin() as transaction:
            connection.execute(_PROBE, {"study": f"qnas {uuid4()}"})
            transaction.rollback()

    def attributes(self) -> dict[str, Any] | None:
        """The user attributes of the study, None if there is none of this name.

        Raises:
            ConfigurationError: the database cannot be read.
        """
        with self._reading() as connection:
            study_id = self._study_id(connection)
            if study_id is None:
                return None
            return {key: json.loads(value) for key, value in connection.execute(_ATTRIBUTES, {"study_id": study_id})}

    def records(self) -> Iterator[dict[str, Any]]:
        """The user attributes of each trial, in the order in which they were written.

        Raises:
            ConfigurationError: the database cannot be read.
        """
        with self._reading() as connection:
            chosen = {"study_id": self._study_id(connection)}
            rows = connection.execution_options(yield_per=1000).execute(_RECORDS, chosen)
            for _, of_one in groupby(rows, key=lambda row: row.trial_id):
                yield {row.key: json.loads(row.value_json) for row in of_one}

    def storage(self) -> RDBStorage:
        """Optuna's storage; its tables are made if they are not there.

        Raises:
            ConfigurationError: the database cannot be reached, or does not let us make tables.
        """
        if self._storage is None:
            with self._opening(), quiet():
                self._storage = self._made({"pool_pre_ping": True})
        return self._storage

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises RunError, which says how to go on, where something within could not be written."""
        try:
            yield
        except QnasError:
            raise
        except _FAILURES as error:
            raise RunError(
                f"the ledger {self.place!r} cannot be written: {_reason(error)}; what was evaluated so far is kept, so "
                f"mend that, and go on with: qnas resume {self._run_dir}"
            ) from error

    def close(self) -> None:
        """Leave no connection open."""
        if self._storage is not None:
            self._storage.remove_session()
            self._storage.engine.dispose()
            self._storage = None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._opening():
            engine = sqlalchemy.create_engine(self._url, poolclass=sqlalchemy.NullPool, **self._options())
            with engine.connect() as connection:
                yield connection

    def _made(self, options: dict[str, Any]) -> RDBStorage:
        """Optuna's storage, with its tables; of several searches that make them at once, all but one try again."""
        for _ in range(_N_TRIES - 1):
            try:
                return RDBStorage(self._url, {**self._options(), **options})
            except SQLAlchemyError as error:
                if not isinstance(error, IntegrityError) and "already exists" not in str(error):
                    raise
        return RDBStorage(self._url, {**self._options(), **options})

    def _options(self) -> dict[str, Any]:
        """What the URL does not say itself."""
        url = make_url(self._url)
        if url.drivername not in _LIBPQ:
            return {}
        return {"connect_args": {key: value for key, value in _PATIENCE.items() if key not in url.query}}

    def _study_id(self, connection: Connection) -> int | None:
        if not sqlalchemy.inspect(connection).has_table("studies"):
            return None
        return connection.execute(_STUDY, {"study": self.study}).scalar()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            yield
        except (*_FAILURES, RuntimeError) as error:  # the last one if its tables are of another version of Optuna
            raise ConfigurationError(f"the ledger {self.place!r} cannot be opened: {_sentence(error)}") from error


def checked_url(given: str) -> str:
    """The URL of a database with its driver, and of a file of SQLite with its absolute path.

    Raises:
        ConfigurationError: it is no URL of a database that outlives the process.
    """
    url = _parsed(given)
    query = dict(url.query)
    if (password := query.pop("password", None)) is not None:
        user = query.pop("user", None) or url.username or ""  # without any, SQLAlchemy leaves the password out
        url = url.set(query=query, username=str(user), password=str(password))
    if url.get_backend_name() == "sqlite":
        if not url.database or ":memory:" in url.database:
            raise ConfigurationError(f"ledger.url is {given!r}, a database in memory; give a file: sqlite:////path.")
        if not url.database.startswith("file:"):
            url = url.set(database=str(Path(url.database).expanduser().resolve()))
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername)).render_as_string(hide_password=False)


def _parsed(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(f"ledger.url is {shown(given)!r}; {_EXAMPLE}.") from error
    if "@" in (url.host or ""):
        raise ConfigurationError(f"ledger.url is {shown(given)!r}; in a user or password, write @ as %40, / as %2F.")
    return url


def shown(url: str) -> str:
    """A URL, also one that cannot be read, without its password."""
    url = re.sub(r"(://[^:/@]*):.*@", rf"\1:{HIDDEN}@", url)
    return re.sub(r"([?&](?:ssl)?password=)[^&]*", rf"\1{HIDDEN}", url)


def has_password(url: str) -> bool:
    """Whether a URL says its password, or that of a key of its own."""
    return shown(url) != url


def place_of(url: str) -> str:
    """Which database a URL names, whoever opens it by whichever driver."""
    parts = make_url(url)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.get_backend_name()}://{parts.host or ''}{port}/{parts.database or ''}"


def without_password(url: str) -> str:
    """A URL that leaves the password to the driver, e.g. to ~/.pgpass."""
    parts = make_url(url)
    query = {key: value for key, value in parts.query.items() if key != "sslpassword"}
    kept = (parts.drivername, parts.username, None, parts.host, parts.port, parts.database, query)
    return URL.create(*kept).render_as_string(hide_password=False)


def _sentence(error: Exception) -> str:
    """What is wrong, and what to do."""
    reason = _reason(error)
    if reason == "unable to open database file":  # of SQLite, which has neither user nor host
        return f"{reason}; see that its folder is there and may be written to."
    advice = next((text for kind, text in _ADVICE if isinstance(error, kind)), "")
    return f"{reason}; {advice}" if advice else f"{reason}."


def _reason(error: BaseException) -> str:
    """The first line of the innermost error, without a full stop."""
    cause = getattr(error, "orig", None) or error.__cause__
    if cause is not None:
        return _reason(cause)
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (NoSuchModuleError, f"{_EXAMPLE}."),
    (ImportError, "install its driver, for PostgreSQL by: pip install 'qnas-hqnn[postgresql]'."),
    (sqlalchemy.exc.OperationalError, "check that it is up, and the user, password, host and database in ledger.url."),
    (DBAPIError, "its user must be allowed to make tables there, and to read and write them."),
)
