"""A PostgreSQL server of the tests' own, in a temporary folder, with passwords and with users of few rights."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy

PASSWORD = "s3cret of the tests/@"
_ADMIN = "admin"
_numbers = count()


@dataclass(frozen=True)
class Server:
    """Where it listens.

    Args:
        folder: of its data and its log.
        port: on 127.0.0.1.
    """

    folder: Path
    port: int

    def url(self, database="postgres", user=_ADMIN, password=PASSWORD):
        """As a user types it."""
        return sqlalchemy.URL.create("postgresql", user, password, "127.0.0.1", self.port, database).render_as_string(
            hide_password=False
        )

    def new_database(self):
        """The URL of an empty database."""
        name = f"qnas_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, *statements, database="postgres"):
        """Run SQL as the one who may do everything; the rows of the last statement, if it has any."""
        url = self.url(database).replace("postgresql://", "postgresql+psycopg://")
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            for statement in statements:
                found = connection.execute(sqlalchemy.text(statement))
            return found.fetchall() if found.returns_rows else []

    def control(self, *arguments):
        """pg_ctl, with what it says if it fails."""
        log = self.folder / "log"
        _run([_binary("pg_ctl"), "-D", self.folder / "data", "-w", "-s", "-l", log, *arguments])

    def start(self):
        """Until it takes connections."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.control("-o", options, "start")

    def stop(self):
        """At once."""
        self.control("-m", "immediate", "stop")


@contextmanager
def server():
    """One that runs for a while; skips the test if PostgreSQL is not installed here."""
    if _binary("initdb") is None or (os.geteuid() == 0 and _unprivileged() is None):
        pytest.skip("PostgreSQL is not installed: there is no /usr/lib/postgresql/*/bin/initdb, or no user postgres")
    with tempfile.TemporaryDirectory(prefix="qnas-pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, _unprivileged())
        made = Server(folder, _free_port())
        given = ["--auth=scram-sha-256", f"--username={_ADMIN}", f"--pwfile={folder / 'password'}", "--no-sync"]
        _run([_binary("initdb"), "-D", folder / "data", "--encoding=UTF8", "--locale=C", *given])
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _binary(name):
    """The newest one."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4].split(".")[0]))
    return str(found[-1]) if found else shutil.which(name)


def _unprivileged():
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


def _run(command):
    """As a user that PostgreSQL accepts, which root is not."""
    as_user = ["runuser", "-u", _unprivileged(), "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_user, *map(str, command)], cwd="/tmp", text=True, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
