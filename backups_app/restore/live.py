"""The target database as a restore sees it: its structures, its documents raw, their digests."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.backup_files import layout
from backups_app.backup_files.digests.document_digests import DocumentDigests
from backups_app.mongo import connections, scanning
from backups_app.mongo.collections import collection_of
from backups_app.mongo.structures import structures
from backups_app.mongo.structures.structures import Structure
from backups_app.progress import Progress

_AT_ONCE = 5_000


@dataclass(frozen=True)
class Live:
    """A database at work. Nothing is remembered: each call looks again."""

    database: Database[Any]

    def structure(self, name: str) -> Structure | None:
        """Return a collection or view with its indexes as they are now, or None."""
        return structures.structure_of(self.database, name)

    def free_bytes(self) -> int | None:
        """Return what is free on the server's disk, or None where it does not say. A database that does not exist yet
        knows nothing of the disk, so the server's own is asked then."""
        for database in (self.database, self.database.client.admin):
            with suppress(OperationFailure):
                message = database.command("dbStats")
                if message.get("fsTotalSize"):
                    return int(message["fsTotalSize"]) - int(message["fsUsedSize"])
        return None

    def is_empty(self, name: str, *, kind: str) -> bool:
        """Return whether there is no document now. Raise pymongo's errors."""
        physical = collection_of(self.database, physical_name(name, kind=kind))
        return physical.find_one({}, {"_id": 1}) is None

    def frames(self, name: str, *, kind: str) -> Iterator[bytes]:
        """Yield the documents that are there now, raw. Raise pymongo's errors."""
        return chain.from_iterable(self.batches(name, kind=kind))

    def batches(self, name: str, *, kind: str) -> Generator[list[bytes], None, None]:
        """As `frames`, several documents at a time; the next ones are fetched while these are looked at."""
        database = connections.for_scans(self.database)
        command = {
            "find": physical_name(name, kind=kind),
            "batchSize": _AT_ONCE,
            "readConcern": {"level": "majority"},
        }
        with (
            database.client.start_session(causal_consistency=False) as session,
            closing(scanning.batches(database, command, session=session, size=_AT_ONCE)) as answers,
            ThreadPoolExecutor(1, thread_name_prefix="restore-read") as reader,
        ):
            ahead = reader.submit(next, answers, None)
            while batch := ahead.result():
                ahead = reader.submit(next, answers, None)
                yield scanning.copies(batch.array)

    def digest(self, name: str, *, kind: str, progress: Progress) -> DocumentDigests:
        """Return the digest of what is there now; of nothing where there is no such collection."""
        result = DocumentDigests()
        if self.structure(name) is None:
            return result
        for batch in self.batches(name, kind=kind):
            result.add_all(batch)
            progress.checkpoint()
        return result


def physical_name(name: str, *, kind: str) -> str:
    """Return the name of the collection that holds the documents: for a time-series, its buckets."""
    return layout.BUCKETS_PREFIX + name if kind == "timeseries" else name
