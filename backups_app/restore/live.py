"""The target database as a restore sees it: its structures, its documents raw, their digests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.backup_files import layout
from backups_app.backup_files.document_digests import DocumentDigests
from backups_app.mongo import connections, scanning, structures
from backups_app.mongo.structures import Structure
from backups_app.progress import Progress


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
                said = database.command("dbStats")
                if said.get("fsTotalSize"):
                    return int(said["fsTotalSize"]) - int(said["fsUsedSize"])
        return None

    def frames(self, name: str, *, kind: str) -> Iterator[bytes]:
        """Yield the documents that are there now, raw. Raise pymongo's errors."""
        database = connections.for_scans(self.database)
        command = {
            "find": physical_name(name, kind=kind),
            "batchSize": 20_000,
            "readConcern": {"level": "majority"},
        }
        for batch in scanning.batches(database, command, size=20_000):
            for document in scanning.documents(batch.array):
                yield bytes(document)

    def digest(self, name: str, *, kind: str, progress: Progress) -> DocumentDigests:
        """Return the digest of what is there now; of nothing where there is no such collection."""
        result = DocumentDigests()
        if self.structure(name) is None:
            return result
        for frame in self.frames(name, kind=kind):
            result.add(frame)
            if result.documents % 2_000 == 0:
                progress.checkpoint()
        return result


def physical_name(name: str, *, kind: str) -> str:
    """Return the name of the collection that holds the documents: for a time-series, its buckets."""
    return layout.BUCKETS_PREFIX + name if kind == "timeseries" else name
