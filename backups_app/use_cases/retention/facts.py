"""What the folders, the records and the locks say of each backup, as the rules and guards want to know it.

An unknown fact keeps a backup: counts that nobody knows are held, a pin that cannot be read is a pin.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from backups_app.backup_files import collection_metadata, locks, removals
from backups_app.backup_files.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog import purge_ledger, runs
from backups_app.catalog.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError
from backups_app.mongo import availability
from backups_app.records import INTERNAL, RunKind, Side, Status
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker
from backups_app.runs import description, folder_records, preparation
from backups_app.runs.closing import holding
from backups_app.storage import counted

PATIENT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All backups of this store's database, and what happened between them. `documents` are the runs' documents by
    backup, `without_folder` those of all other runs, for pages that show them; `complete` is false where MongoDB did
    not answer: then nothing may be removed."""

    backups: tuple[Backup, ...]
    deletions: tuple[Deletion, ...]
    lost_holders: tuple[LostHolder, ...]
    documents: Mapping[str, RunRecord]
    without_folder: tuple[RunRecord, ...]
    complete: bool

    def of(self, backup_id: str) -> Backup:
        """Return what is known of one backup. Raise `BackupNotFound`."""
        found = next((one for one in self.backups if one.backup_id == backup_id), None)
        if found is None:
            raise BackupNotFound()
        return found


def read(*, configuration: Configuration, seconds: float = description.LOOK_SECONDS) -> Facts:
    """Return the facts as they are now. To remove something, read them under the lease and with `PATIENT_SECONDS`."""
    store = preparation.store(configuration)
    records, unfinished = _recorded(configuration, seconds)
    copied = _copied(configuration)
    active = {used for record in (records or {}).values() for used in _used_by(record)}
    known = dict(records or {})
    here = {
        backup_id: description.merged_with_metadata(store, backup_id, known.pop(backup_id, None))
        for backup_id in store.backups().ids
    }
    backups = [
        _backup(
            store,
            document,
            written,
            record=(records or {}).get(backup_id),
            active=active,
            unfinished=unfinished,
            copied=copied,
        )
        for backup_id, (document, written) in here.items()
    ]
    documents = {backup_id: document for backup_id, (document, _) in here.items()}
    store_id = store.store_id()
    return Facts(
        backups=tuple(backups),
        deletions=tuple(_deletions([*documents.values(), *known.values()])),
        lost_holders=tuple(_lost_holders(store, known.values())),
        documents=documents,
        without_folder=tuple(description.unpublished(document, store_id) for document in known.values()),
        complete=records is not None,
    )


def _recorded(configuration: Configuration, seconds: float) -> tuple[dict[str, RunRecord] | None, frozenset[str]]:
    """Return the records by id and the runs whose purge is open; None where the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=seconds):
            database = preparation.local_database(configuration)
            records = {document.id: document for document in runs.recent(database)}
            return records, frozenset(purge_ledger.runs_with_open(database))
    except (PyMongoError, TempleOpsError):
        return None, frozenset()


def _used_by(record: RunRecord) -> set[str]:
    """Return the backups that an unfinished run reads or writes: its own, and the one that it restores."""
    if not record.in_progress:
        return set()
    restored = record.restore.choices.get("backup_id")
    return {record.id, *(str(other) for other in (restored, record.incremental.base) if other)}


def _backup(
    store: Store,
    document: RunRecord,
    written: Mapping[str, Any],
    *,
    record: RunRecord | None,
    active: set[str],
    unfinished: frozenset[str],
    copied: set[str] | None,
) -> Backup:
    backup_id = document.id
    resumable = written.get("resume_available") or (record is not None and record.resume_available)
    documents, limited = _counts(store, backup_id, written)
    return Backup(
        backup_id=backup_id,
        taken_at=document.created_at,
        arrived_at=max(document.created_at, _changed_at(store, backup_id)),
        maker=_maker(document, written, database=store.database),
        verified=document.verified and not document.damaged,
        success=document.status == Status.SUCCESS,
        base=(written.get("incremental") or {}).get("base"),
        chained=bool(written.get("incremental_requested")),
        pinned=bool(written.get("pinned") or (record is not None and record.pinned)),
        in_use=backup_id in active or locks.is_read(store.root, backup_id),
        purge_unfinished=backup_id in unfinished or bool(resumable),
        holds=held(record, written),
        released=is_signed(written.get("released")),
        accepted=is_signed(written.get("accepted")),
        copied=copied is None or backup_id in copied,
        documents=documents,
        limited=limited,
    )


def _copied(configuration: Configuration) -> set[str] | None:
    """Return the backups that have a copy that counts; None where no copies are made."""
    names = [target.name for target in configuration.targets]
    return counted.backup_ids(targets=names, recipients=configuration.copy_recipients) if names else None


def is_signed(status: Any) -> bool:
    """Whether an admin's word (`released`, `accepted`) says who gave it and when: anything else is none."""
    return isinstance(status, Mapping) and bool(status.get("by")) and bool(status.get("at"))


def held(record: RunRecord | None, written: Mapping[str, Any]) -> Mapping[str, int] | None:
    """Return how many deleted or replaced documents a backup holds, by collection: the larger of what the record and
    the folder say, for either may be older than the other. None where one of them knows that it does not know."""
    by_folder = written.get("holds_alone")
    by_folder = by_folder if _are_counts(by_folder) else None
    if record is None or record.kind == folder_records.FOREIGN:
        return by_folder
    by_record = None if record.in_progress else holding.holds_alone(record)
    if by_folder is None or by_record is None:
        return by_record
    return {name: max(by_folder.get(name, 0), by_record.get(name, 0)) for name in {*by_folder, *by_record}}


def _are_counts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(type(count) is int and count >= 0 for count in value.values())


def _maker(document: RunRecord, written: Mapping[str, Any], *, database: str) -> Maker:
    """A folder of another database is somebody else's, the one who made it."""
    of_database = (written.get("manifest") or {}).get("database")
    if document.kind == RunKind.RESTORE:
        return Maker.SAFETY
    return Maker.REQUESTED if document.kind == RunKind.BACKUP and of_database == database else Maker.FOREIGN


def _changed_at(store: Store, backup_id: str) -> datetime:
    try:
        return datetime.fromtimestamp(os.lstat(store.folder(backup_id)).st_ctime, UTC)
    except (TempleOpsError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _counts(store: Store, backup_id: str, written: Mapping[str, Any]) -> tuple[dict[str, int], frozenset[str]]:
    """Return the number of documents of each of the temple's collections, and which are capped or expire."""
    try:
        manifest, folder = folder_records.manifest_in(written), store.folder(backup_id)
    except TempleOpsError:
        return {}, frozenset()
    kept = {
        name: entry
        for name, entry in manifest.collections.items()
        if name not in INTERNAL and entry.type != "view" and not name.startswith("system.")
    }
    limited = {
        name
        for name, entry in kept.items()
        if entry.metadata and _is_limited(folder, entry.metadata, manifest.files[entry.metadata].sha256)
    }
    return {name: entry.documents for name, entry in kept.items()}, frozenset(limited)


@lru_cache(maxsize=100_000)
def _is_limited(folder: Path, relative: str, _: str) -> bool:
    """Whether a collection is capped or has documents that expire. The digest of its file stands for its content."""
    known = collection_metadata.read(folder, relative)
    expires = "expireAfterSeconds"
    return bool(known.options.get("capped")) or expires in known.options or any(expires in one for one in known.indexes)


def _deletions(documents: Sequence[RunRecord]) -> list[Deletion]:
    """Return what runs and restores deleted on purpose from the local database."""
    found = []
    for document in documents:
        at = document.finished_at or document.created_at
        taken = [(name, entry.deleted) for name, entry in document.purge.side(Side.LOCAL).items()]
        if document.kind == RunKind.RESTORE:
            taken += [(entry["name"], entry.get("deleted")) for entry in document.restore.collections]
        found += [Deletion(collection=name, at=at, documents=int(count)) for name, count in taken if count]
    return found


def _lost_holders(store: Store, records: Any) -> list[LostHolder]:
    """Return the runs that held something and whose folder is gone, though it was not removed here by name or rule."""
    removed, store_id = removals.all_of(store.root), store.store_id()
    return [
        LostHolder(backup_id=record.id, taken_at=record.created_at)
        for record in records
        if whereabouts.files_of(record, here=False, store_id=store_id) is Files.GONE
        and record.id not in removed
        and not record.removed
        and holds_something(record)
        and not is_signed(record.released)
    ]


def holds_something(record: RunRecord) -> bool:
    """Whether a run that ended holds deleted or replaced documents, or nobody knows."""
    if record.kind not in (RunKind.BACKUP, RunKind.RESTORE) or record.in_progress:
        return False
    counts = holding.holds_alone(record)
    return counts is None or any(counts.values())
