"""PostgreSQL, Debian's own, for the Django database. It can be killed, and started again on its port."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import psycopg
import pytest

from tests.services import unprivileged
from tests.services.killable import Server
from tests.services.processes import free_ports

MISSING = "PostgreSQL is not here: apt-get install postgresql brings it."
OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=200", "unix_socket_directories=")


class Postgres(Server):
    """A server of databases without passwords, for this machine only."""

    def url(self, name: str) -> str:
        """Return DATABASE_URL of a database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, *, like: str = "template0") -> str:
        """Make a database, empty or as another one that nobody uses, and return its DATABASE_URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'.encode())
        return self.url(name)

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server with nothing in it. Skip the test where the programs are not here."""
    programs = _programs()
    (port,) = free_ports(1)
    with unprivileged.folder() as folder:
        data = folder / "data"
        made = [
            str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8",
            "--locale=C.UTF-8",
        ]  # fmt: skip
        subprocess.run(unprivileged.command(made), check=True, capture_output=True, cwd=folder)
        options = [*OPTIONS, f"port={port}", "listen_addresses=127.0.0.1"]
        run = [str(programs / "postgres"), "-D", str(data), *(word for one in options for word in ("-c", one))]
        with Postgres(port=port, command=unprivileged.command(run), folder=folder) as server:
            yield server


def _programs() -> Path:
    """Return the folder of the newest server: Debian keeps it out of PATH."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = of_debian[-1] if of_debian else which("initdb")
    if found is None:
        pytest.skip(MISSING)
    return Path(found).parent
