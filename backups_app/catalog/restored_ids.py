"""What a restore put back while the deletion of an earlier run was unfinished: that run, resumed, deletes none of it.

    {_id: {restored: "20250119_143022", collection: "bookings", restore: "20250120_090000", part: 0}, state: "restored",
     run: "20250119_143022", collection: "bookings", identities: Binary(…), at}

The purge ledger has an entry only of a batch that was begun. Of all others this says which documents a restore claimed:
by the first eight bytes of the hash of each `_id`; without `identities` every document of the collection. It is in the
ledger's collection, and is written before the restore writes its first document, majority and journaled.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson.binary import Binary
from pymongo.database import Database

from backups_app import batches
from backups_app.backup_files.digests import document_digests
from backups_app.catalog import purge_ledger

STATE = "restored"
WIDTH = 8
AT_ONCE = 500_000
"""So many stand in one record: 4 MB."""


@dataclass(frozen=True, kw_only=True)
class RestoredIds:
    """The documents of one collection that an unfinished purge leaves alone: 8 bytes each. `all`: every one."""

    begins: Sequence[int] = ()
    all: bool = False

    def holds(self, key: bytes) -> bool:
        """Return whether a restore put a document back, given its key (`raw_ids.key`)."""
        if self.all or not self.begins:
            return self.all
        begin = int.from_bytes(document_digests.identity_hash(key)[:WIDTH], "big")
        at = bisect_left(self.begins, begin)
        return at < len(self.begins) and self.begins[at] == begin


def remember(
    database: Database[Any],
    *,
    run_ids: Sequence[str],
    collection: str,
    restore: str,
    identities: Iterable[bytes] | None,
    now: datetime,
) -> None:
    """Write down what a restore claims of a collection, for each of these unfinished runs. `identities` are the first
    `WIDTH` bytes of their hashes; None: every document. Repeating is harmless."""
    if not run_ids:
        return
    parts: list[bytes | None] = [None]
    if identities is not None:
        most_bytes = AT_ONCE * WIDTH
        parts = [b"".join(one) for one in batches.cut(identities, size_of=len, most=AT_ONCE, most_bytes=most_bytes)]
    for run_id in run_ids:
        for number, part in enumerate(parts):
            key = {"restored": run_id, "collection": collection, "restore": restore, "part": number}
            found: dict[str, Any] = {"state": STATE, "run": run_id, "collection": collection, "at": now}
            found |= {} if part is None else {"identities": Binary(part)}
            purge_ledger.entries(database).replace_one({"_id": key}, found, upsert=True)


def of_run(database: Database[Any], *, run_id: str, collection: str) -> RestoredIds:
    """Return what restores put back of a collection since this run was interrupted."""
    begins = array("Q")
    for found in purge_ledger.entries(database).find({"run": run_id, "collection": collection, "state": STATE}):
        if "identities" not in found:
            return RestoredIds(all=True)
        begins.frombytes(found["identities"])
    if sys.byteorder == "little":
        begins.byteswap()
    return RestoredIds(begins=array("Q", sorted(begins)))


def expire(database: Database[Any], *, now: datetime, days: int, still_open: Iterable[str]) -> int:
    """Forget what is older than `days` days, but for the runs that may still go on. Return how many records."""
    old = {"state": STATE, "at": {"$lt": now - timedelta(days=days)}, "run": {"$nin": list(still_open)}}
    return purge_ledger.entries(database).delete_many(old).deleted_count
