"""What the folders, the records and the locks say of each backup, as the rules and guards want to know it.

An unknown fact keeps a backup: counts that nobody knows are held, a pin that cannot be read is a pin.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app.backup_files import locks
from backups_app.backup_files.store import removals
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import listed_runs, run_moments
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError
from backups_app.mongo import availability
from backups_app.records import RunKind, Side, Status
from backups_app.retention.facts import Backup, Deletion, LostHolder, Maker
from backups_app.runs import preparation
from backups_app.runs.closing import holding
from backups_app.runs.copies import elsewhere
from backups_app.runs.description import description, folder_records
from backups_app.runs.description.folder_looks import FolderLooks
from backups_app.storage import counted
from backups_app.use_cases.retention import written_facts
from backups_app.use_cases.retention.written_facts import WrittenFacts

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
    copies = _copies(configuration)
    active = {used for record in (records or {}).values() for used in _used_by(record)}
    known = dict(records or {})
    looks, ids = FolderLooks(store.root), store.backups().ids
    written = written_facts.of_folders(store, ids)
    here = {
        backup_id: description.listed(store, backup_id, known.pop(backup_id, None), looks=looks) for backup_id in ids
    }
    documents = description.on_their_bases(here)
    backups = [
        _backup(
            store,
            documents[backup_id],
            written[backup_id],
            record=(records or {}).get(backup_id),
            active=active,
            unfinished=unfinished,
            copies=copies,
        )
        for backup_id in ids
    ]
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
            return listed_runs.every(database), frozenset(purge_ledger.runs_with_open(database))
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
    written: WrittenFacts,
    *,
    record: RunRecord | None,
    active: set[str],
    unfinished: frozenset[str],
    copies: _Copies,
) -> Backup:
    backup_id = document.id
    resumable = written.resume_available or (record is not None and record.resume_available)
    return Backup(
        backup_id=backup_id,
        taken_at=document.created_at,
        arrived_at=max(document.created_at, _changed_at(store, backup_id)),
        read_at=run_moments.contents_read_at(document),
        maker=_maker(document, written, database=store.database),
        verified=document.verified and not document.damaged,
        success=document.status == Status.SUCCESS,
        base=written.base or document.incremental.base,  # a record knows it where metadata.json is damaged
        chained=written.chained,
        pinned=bool(written.pinned or (record is not None and record.pinned)),
        in_use=backup_id in active or locks.is_read(store.root, backup_id),
        purge_unfinished=backup_id in unfinished or bool(resumable),
        holds=_held(record, written),
        released=is_signed(written.released),
        accepted=is_signed(written.accepted),
        copied=copies.counting is None or _is_at(copies.counting, backup_id, written.base),
        copied_here=backup_id in copies.on_this_computer,
        copied_silent=_is_at(copies.silent, backup_id, written.base),
        documents=written.documents,
        limited=written.limited,
    )


@dataclass(frozen=True, kw_only=True)
class _Copies:
    """The ids of the backups with a copy that counts, for each target, None where no copies are made; with one that
    does not, on this computer or at targets that do not answer."""

    counting: list[set[str]] | None = None
    on_this_computer: frozenset[str] = frozenset()
    silent: list[set[str]] = field(default_factory=list)


def _copies(configuration: Configuration) -> _Copies:
    if not configuration.targets:
        return _Copies()
    now = timezone.now()

    def at(names: list[str]) -> list[set[str]]:
        return list(counted.by_target(targets=names, recipients=configuration.copy_recipients).values())

    return _Copies(
        counting=at(elsewhere.trusted_targets(configuration, now=now)),
        on_this_computer=frozenset(counted.on_this_computer(targets=[one.name for one in configuration.targets])),
        silent=at(elsewhere.silent_targets(configuration, now=now)),
    )


def _is_at(targets: Sequence[set[str]], backup_id: str, base: str | None) -> bool:
    return any(counted.is_whole(backup_id=backup_id, base=base, ids=ids) for ids in targets)


def is_signed(status: Any) -> bool:
    """Whether an admin's word (`released`, `accepted`) says who gave it and when: anything else is none."""
    return isinstance(status, Mapping) and bool(status.get("by")) and bool(status.get("at"))


def _held(record: RunRecord | None, written: WrittenFacts) -> Mapping[str, int] | None:
    """Return how many deleted or replaced documents a backup holds, by collection: the larger of what the record and
    the folder say, for either may be older than the other. None where one of them knows that it does not know."""
    by_folder = written.holds_alone
    if record is None or record.kind == folder_records.FOREIGN:
        return by_folder
    by_record = None if record.in_progress else holding.holds_alone(record)
    if by_folder is None or by_record is None:
        return by_record
    return {name: max(by_folder.get(name, 0), by_record.get(name, 0)) for name in {*by_folder, *by_record}}


def _maker(document: RunRecord, written: WrittenFacts, *, database: str) -> Maker:
    """A folder of another database is somebody else's, the one who made it."""
    if document.kind == RunKind.RESTORE:
        return Maker.SAFETY
    return Maker.REQUESTED if document.kind == RunKind.BACKUP and written.database == database else Maker.FOREIGN


def _changed_at(store: Store, backup_id: str) -> datetime:
    try:
        return datetime.fromtimestamp(os.lstat(store.folder(backup_id)).st_ctime, UTC)
    except (TempleOpsError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _deletions(documents: Sequence[RunRecord]) -> list[Deletion]:
    """Return what runs and restores deleted on purpose from the local database."""
    found = []
    for document in documents:
        at = document.finished_at or document.created_at
        begun_at = run_moments.state_held(document)
        taken = [(name, entry.deleted) for name, entry in document.purge.side(Side.LOCAL).items()]
        if document.kind == RunKind.RESTORE:
            taken += [(entry["name"], entry.get("deleted")) for entry in document.restore.collections]
        found += [
            Deletion(collection=name, at=at, documents=int(count), begun_at=begun_at) for name, count in taken if count
        ]
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
