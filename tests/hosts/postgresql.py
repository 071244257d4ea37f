"""A PostgreSQL server of our own for the tests. It does not run as root: then it runs as the user `postgres`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.hosts import site

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, of the newest version; None where there is none that can run here."""
    found = [path.parent for place in PLACES for path in sorted(Path("/").glob(f"{place[1:]}/initdb"))]
    may_run = os.getuid() != 0 or shutil.which("runuser") is not None
    return found[0] if found and may_run else None


@dataclass(frozen=True)
class Server:
    """A server that listens on `port` of this machine and asks for a password."""

    bin: Path
    port: int
    socket: Path

    def make(self, name: str, *, like: str = "") -> str:
        """Make a role and a database that it owns, empty or as one that was made before and that nobody uses. Return
        its address for `DATABASE_URL`."""
        password = f"{name}/p@ss word"
        self._sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        self._sql(f"CREATE DATABASE {name} OWNER {name} TEMPLATE {like or 'template1'}")
        self._sql(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        if like:
            self._sql(f"REASSIGN OWNED BY {like} TO {name}", database=name)
        return f"postgres://{name}:{quote(password, safe='')}@127.0.0.1:{self.port}/{name}"

    def _sql(self, text: str, *, database: str = "postgres") -> None:
        where = ["-h", str(self.socket), "-p", str(self.port), "-U", "postgres", "-d", database, "-q"]
        as_postgres([str(self.bin / "psql"), *where, "-v", "ON_ERROR_STOP=1", "-c", text])


@contextmanager
def running() -> Iterator[Server]:
    """Run a server for the block, with its data in a folder that its user may enter: no one of pytest's."""
    with tempfile.TemporaryDirectory(prefix="templeops-postgresql-", ignore_cleanup_errors=True) as name:
        if os.getuid() == 0:
            shutil.chown(name, "postgres", "postgres")
        yield from _running(Path(name))


def _running(folder: Path) -> Iterator[Server]:
    found, port = programs(), site.free_port()
    assert found is not None
    data = folder / "data"
    as_postgres([str(found / "initdb"), "-D", str(data), "-U", "postgres", "--auth-host=scram-sha-256",
                 "--auth-local=trust", "--no-sync"])  # fmt: skip
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=100"
    control = [str(found / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    as_postgres([*control, "-o", options, "start"])
    try:
        yield Server(bin=found, port=port, socket=folder)
    finally:
        as_postgres([*control, "-m", "immediate", "stop"])


def as_postgres(command: Sequence[str]) -> None:
    """Run a command as a user who is not root."""
    whole = ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else list(command)
    ended = subprocess.run(whole, capture_output=True, text=True, check=False, cwd="/")
    assert ended.returncode == 0, ended.stdout + ended.stderr
