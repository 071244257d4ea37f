"""Speed of the purge: all of it (file, ledger, exact delete, the look afterwards) and the unsafe `_id $in`, each on a
server of its own that is filled again. Documents have three indexes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from backups_app.backup_files.manifest import Manifest
from backups_app.dump.python_dump import PythonDump
from backups_app.mongo import raw_ids
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.mongo.exact_writes import filters, live_documents
from backups_app.progress import Silent
from backups_app.purge.delete import purge_collection
from backups_app.records import UNDUMPED_INTERNAL, Side
from backups_app.verification import verdict
from tests.benchmarks.data import fill

UNSAFE_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A database with bookings, its verified backup, and the bookings in memory."""

    database: Database[dict[str, Any]]
    folder: Path
    manifest: Manifest
    frames: list[bytes]


Method = Callable[[Filled], None]


def seconds(method: Method, replica_set: str | None, documents: int) -> float:
    """Fill a collection with three indexes, back it up, and return how long deleting all of it takes."""
    with (
        tempfile.TemporaryDirectory(prefix="templeops-bench-") as name,
        EmbeddedServer(data_dir=Path(name, "data"), replica_set=replica_set, cache_gigabytes=1) as server,
        server.client() as near,
        MongoClient[dict[str, Any]](server.uri, w="majority", journal=True) as client,
    ):
        fill(near["bench"], collection="bookings", count=documents)
        for field in ("number", "devotee.phone", "updatedAt"):
            near["bench"]["bookings"].create_index(field)
        filled = _filled(client["bench"], server.uri, Path(name, "backup"))
        started = time.perf_counter()
        method(filled)
        taken = time.perf_counter() - started
        assert near["bench"]["bookings"].count_documents({}) == 0
        return taken


def _filled(database: Database[dict[str, Any]], uri: str, folder: Path) -> Filled:
    folder.mkdir(mode=0o700)
    report = PythonDump().dump(
        database=database, uri=uri, out=folder, excluded=UNDUMPED_INTERNAL, timeout_seconds=3600, progress=Silent()
    )
    verified = verdict.verify(folder=folder, database=database.name, report=report, progress=Silent())
    raw = database["bookings"].with_options(codec_options=live_documents.RAW)
    frames = [bytes(document.raw) for document in raw.find()]
    return Filled(database=database, folder=folder, manifest=verified.manifest, frames=frames)


def exact(filled: Filled) -> None:
    """What the product does."""
    report = purge_collection(
        side=Side.LOCAL,
        database=filled.database,
        local=filled.database,
        folder=filled.folder,
        manifest=filled.manifest,
        collection="bookings",
        run_id="bench",
        two_sided=False,
        forget_base=lambda _: None,
        progress=Silent(),
        now=datetime.now(UTC),
    )
    assert report.deleted == len(filled.frames)


def unsafe_in(filled: Filled) -> None:
    """What must never be done: it deletes what was edited meanwhile."""
    for start in range(0, len(filled.frames), UNSAFE_AT_ONCE):
        ids = raw_ids.ids_of(filled.frames[start : start + UNSAFE_AT_ONCE])
        filled.database["bookings"].delete_many(filters.by_ids(ids))
