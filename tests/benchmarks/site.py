"""A temple with a million bookings and all that its commands need; and how long a command takes in its own process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backups_app.mongo.embedded import EmbeddedServer
from tests.benchmarks.data import fill
from tests.benchmarks.table import Measured

ROOT = Path(__file__).resolve().parents[2]
TIMED = ROOT / "tests" / "benchmarks" / "timed_command.py"
FOUR = ("bookings", "devotees", "donations", "payments")


@dataclass(kw_only=True)
class Site:
    """`database` is the temple's; `folder` holds everything that is made."""

    folder: Path
    server: EmbeddedServer
    database: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def backups(self) -> Path:
        return Path(self.environment["BACKUP_DIR"])

    def manage(self, *arguments: str) -> tuple[Measured, Any]:
        """Run a command; return what it took and the JSON that it printed, if any. Raise RuntimeError when it fails."""
        measured, out = timed([sys.executable, str(ROOT / "manage.py"), *arguments], environment=self.environment)
        return measured, json.loads(out) if "--json" in arguments else out

    def child(self, module: str, *arguments: str) -> Any:
        """Run a module of the benchmarks in a process of its own and return the JSON that it printed."""
        return json.loads(timed([sys.executable, "-m", module, *arguments], environment=self.environment)[1])

    def backup(self) -> str:
        """Make a backup and return its id."""
        return str(self.manage("backup_now", "--json")[1]["backup_id"])

    def drop(self, name: str) -> None:
        """Drop a database that a round before this one made."""
        with self.server.client() as client:
            client.drop_database(name)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend a folder for one round."""
        folder = self.folder / "scratch"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def timed(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> tuple[Measured, str]:
    """Run a program to its end. Return its seconds and peak memory, and what it printed. Raise RuntimeError when it
    fails."""
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(TIMED), str(write_end), *command], pass_fds=[write_end],
        env=None if environment is None else dict(environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT,
    )  # fmt: skip
    os.close(write_end)
    out, errors = process.communicate()
    with open(read_end, "rb") as report:
        seconds, peak_mb, code = json.loads(report.read() or "[0, 0, null]")
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {errors[-2000:]}")
    return Measured(seconds=seconds, peak_mb=peak_mb), out


@contextmanager
def site(folder: Path, *, documents: int, collections: Sequence[str] = FOUR[:1]) -> Iterator[Site]:
    """Start a server, fill it, and prepare what commands need."""
    folder.mkdir()
    (folder / "mongod").mkdir()
    with EmbeddedServer(data_dir=folder / "mongod", replica_set="bench", cache_gigabytes=1) as server:
        with server.client() as client:
            for name in collections:
                fill(client["bench"], collection=name, count=documents // len(collections))
                client["bench"][name].create_index("number", name="number_1")
        made = Site(folder=folder, server=server, database="bench", environment=_environment(folder, server.uri))
        made.manage("migrate", "--verbosity", "0")
        yield made


def _environment(folder: Path, uri: str) -> dict[str, str]:
    return os.environ | {
        "MONGODB_LOCAL_URL": uri,
        "MONGODB_CLOUD_URL": "",
        "DATABASE_NAME": "bench",
        "PRIMARY_DATABASE": "local",
        "BACKUP_DIR": str(folder / "backups"),
        "BACKUP_ENGINE": "python",
        "BACKUP_TARGETS": f"nas=file://{folder / 'nas'}",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "SECRET_KEY": "a-key-for-the-benchmark-only-0123456789abcdef0123456789abcdef",
    }
