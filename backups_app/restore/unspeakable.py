"""A collection whose name the driver cannot address: its missing documents are inserted, nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pymongo.database import Database

from backups_app.backup_files import document_digests
from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import unspeakable
from backups_app.progress import Progress
from backups_app.restore import batches
from backups_app.restore import work as works
from backups_app.restore.batches import Numbered
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.work import Work


def insert(
    *,
    database: Database[Any],
    physical: str,
    work: Work,
    frames: Iterator[bytes],
    outcome: CollectionOutcome,
    progress: Progress,
) -> set[bytes]:
    """Insert what is missing. Return the identities of the documents that were told about. Raise pymongo's errors."""
    handled: set[bytes] = set()
    chosen = (Numbered(number, frame) for number, frame in enumerate(frames) if work.actions[number] == works.INSERT)
    for batch in batches.cut(chosen):
        progress.checkpoint()
        written = unspeakable.insert_missing(database=database, name=physical, frames=[one.frame for one in batch])
        outcome.inserted += len(written.done)
        outcome.unchanged += len(written.stale)
        by_key = {raw_ids.key(raw_ids.of(one.frame)): raw_ids.of(one.frame) for one in batch}
        for named, keys in ((outcome.refused, written.refused), (outcome.clashes, written.clashes)):
            named.add(by_key[key] for key in keys)
            handled.update(document_digests.identity_hash(key) for key in keys)
            for reason in keys.values():
                outcome.because(reason)
        progress.advance(outcome.name, len(batch))
    others = work.count(works.REPLACE) + work.deletes
    if others:
        outcome.refused.count += others
        outcome.because(unspeakable.PROBLEM, others)
    return handled
