"""The target database as a restore sees it: its structures, its documents raw, their digests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.document_digests import Digest
from backups_app.mongo import connections, scanning, structures
from backups_app.mongo.structures import Structure
from backups_app.progress import Progress


@dataclass(frozen=True)
class Live:
    """A database at work. `there` is read once: make a new one to look again."""

    database: Database[Any]

    @cached_property
    def there(self) -> dict[str, Structure]:
        """Every collection and view by name, without indexes."""
        return structures.all_of(self.database)

    def structure(self, name: str) -> Structure | None:
        """Return a collection with its indexes as they are now, or None."""
        found = self.there.get(name)
        return None if found is None else structures.with_indexes(self.database, found)

    def documents_of(self, name: str, *, kind: str) -> Collection[Any]:
        """Return the collection where the documents of `name` lie. Raise pymongo's `InvalidName` for a name that the
        server takes and pymongo does not (`a..b`, `a.`)."""
        return self.database[physical_name(name, kind=kind)]

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

    def digest(self, name: str, *, kind: str, progress: Progress) -> Digest:
        """Return the digest of what is there now; of nothing where there is no such collection."""
        result = Digest()
        if name not in structures.all_of(self.database):
            return result
        for frame in self.frames(name, kind=kind):
            result.add(frame)
            if result.documents % 2_000 == 0:
                progress.checkpoint()
        return result


def physical_name(name: str, *, kind: str) -> str:
    """Return the name of the collection that holds the documents: for a time-series, its buckets."""
    return layout.BUCKETS_PREFIX + name if kind == "timeseries" else name
