"""The samples of a preview that was kept: read again from the backup and from the database, as they are now."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from backups_app.backup_files.reading import given_ids
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.shown import shortened
from backups_app.browsing.reading import opening
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError
from backups_app.mongo import connections, raw_ids
from backups_app.mongo.collections import collection_of
from backups_app.mongo.connections import MongoDatabase
from backups_app.mongo.exact_writes import live_documents
from backups_app.records import Side
from backups_app.restore.live import Live, physical_name
from backups_app.restore.preview import PreviewedCollection, RestorePreview, Sample
from backups_app.runs import preparation


def read_again(*, configuration: Configuration, preview: RestorePreview) -> None:
    """Give each sample of the preview its documents. One that is on neither side any more is left out.

    Raise `BackupNotFound` and what an unreachable database raises.
    """
    if not any(entry.samples for entry in preview.collections):
        return
    store = preparation.store(configuration)
    backup = opening.open_backup(store=store, backup_id=preview.choices.backup_id)
    temple = preparation.local_database(configuration)
    database = connections.database(temple.client, preview.choices.target)
    with connections.reachable(Side.LOCAL):
        for entry in preview.collections:
            entry.samples = _read(backup, database, entry)


def _read(backup: OpenBackup, database: MongoDatabase, entry: PreviewedCollection) -> list[Sample]:
    live = _live(database, entry)
    found = []
    for sample in entry.samples:
        now = live.get(raw_ids.key(sample.raw_id))
        frame = None if sample.number is None else _in_backup(backup, entry.name, sample.number)
        if frame is not None or (now is not None and sample.number is None):
            now, frame = (None if one is None else shortened.shorten(one) for one in (now, frame))
            found.append(replace(sample, now=now, backup=frame))
    return found


def _live(database: MongoDatabase, entry: PreviewedCollection) -> dict[bytes, bytes]:
    if not entry.samples or Live(database).structure(entry.name) is None:
        return {}
    collection = collection_of(database, physical_name(entry.name, kind=entry.type))
    return live_documents.read(collection=collection, ids=[sample.raw_id for sample in entry.samples])


def _in_backup(backup: OpenBackup, name: str, number: int) -> bytes | None:
    """Return a document of the backup with its `_id`, or None where it cannot be read now."""
    try:
        frame = next(islice(open_collection(backup=backup, collection=name).frames(start=number), 1), None)
        return None if frame is None else given_ids.with_id(frame, number=number)
    except (TempleOpsError, InvalidFrame, OSError, ValueError):
        return None
