"""Dump engines: what each promises, and which one makes the copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pymongo.database import Database

from backups_app.dump.mongodump import Mongodump
from backups_app.dump.python_dump import Compression, PythonDump
from backups_app.dump.report import DumpReport
from backups_app.errors import MongodumpMissing
from backups_app.mongo import mongodump_process
from backups_app.mongo.mongodump_process import ChildProcess
from backups_app.progress import Progress


class DumpEngine(Protocol):
    """Copies one database into a folder, in mongodump's format. Every engine passes `tests/contracts/`."""

    @property
    def name(self) -> str: ...

    def version(self) -> str:
        """Return the version as people know it, for the record."""

    def dump(
        self,
        *,
        database: Database[dict[str, Any]],
        uri: str,
        out: Path,
        excluded: frozenset[str],
        timeout_seconds: int,
        progress: Progress,
        on_child: Callable[[ChildProcess], None] | None = None,
    ) -> DumpReport:
        """Copy `database`, reached by `uri`, into `out/<database>/`, less the collections `excluded` by name.

        Files are 0600, directories 0700, everything is fsynced when it returns. `on_child` hears of a child process.
        Raise `DumpFailed`, `DumpTimedOut`, `DiskFull`, `FolderNotWritable`, `StorageFailed`, `DatabaseUnreachable`, or
        what progress raises. What lies in `out` then is no backup.
        """


def choose(*, setting: str, compression: Compression = "none") -> DumpEngine:
    """Given `BACKUP_ENGINE` (auto, mongodump, python), return the engine to use: auto takes mongodump where it is on
    PATH, the built-in one elsewhere. Raise `MongodumpMissing` when it was asked for by name and is not there."""
    program = None if setting == "python" else mongodump_process.find("mongodump")
    if program is not None:
        return Mongodump(program=program, compression=compression)
    if setting == "mongodump":
        raise MongodumpMissing()
    return PythonDump(compression=compression)
