"""A hand on the dump: act at a chosen moment of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.dump.python_dump import PythonDump
from backups_app.dump.report import DumpReport
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.progress import Silent


class Hand(Silent):
    """Progress that acts: `on_advance` with the label of each batch, once per label."""

    def __init__(self, on_advance: Callable[[str], object]) -> None:
        self._act = on_advance
        self._seen: set[str] = set()
        self.done: dict[str, int] = {}

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.done[label] = self.done.get(label, 0) + count
        if label not in self._seen:
            self._seen.add(label)
            self._act(label)


@pytest.fixture
def dump(local_server: EmbeddedServer, a_folder: Path) -> Callable[..., DumpReport]:
    """Dump a database of the local server into `a_folder` with the built-in engine."""

    def dump(database: Database[Any], *, engine: PythonDump | None = None, **changed: Any) -> DumpReport:
        values: dict[str, Any] = {
            "uri": local_server.uri,
            "out": a_folder,
            "excluded": frozenset(),
            "timeout_seconds": 60,
            "progress": Silent(),
        }
        return (engine or PythonDump()).dump(database=database, **{**values, **changed})

    return dump
