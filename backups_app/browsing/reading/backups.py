"""The list of backups: from the folders, with what the records know beside it. Works with MongoDB down.

A folder is never hidden: one that nobody verified, or whose `metadata.json` is damaged, is listed as such; a recorded
backup without a folder is listed as gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import known_backups, opening, whereabouts
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound
from backups_app.messages import backup_files as file_messages
from backups_app.messages import browsing as messages
from backups_app.records import RunKind, is_ahead


class BackupState(StrEnum):
    """What the files of a backup are worth."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    DAMAGED = "damaged"
    GONE = "gone"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupSummary:
    """One line of the list. `status` and `sync_status` are empty where no run of ours made the backup; counts are None
    where nobody has counted. `record` is the run's document, or else what `metadata.json` holds; may be empty."""

    backup_id: str
    state: BackupState
    timestamp: datetime
    status: str = ""
    sync_status: str = ""
    database: str = ""
    collections: tuple[str, ...] = ()
    documents: int | None = None
    bytes: int | None = None
    created_by: str = ""
    engine: str = ""
    note: str = ""
    problem: str = ""
    record: RunRecord = field(default_factory=RunRecord)

    @property
    def readable(self) -> bool:
        """Whether one can look inside: its folder is here."""
        return self.state in (BackupState.VERIFIED, BackupState.UNVERIFIED, BackupState.DAMAGED)

    @property
    def is_safety_backup(self) -> bool:
        """Whether a restore made it of what it was about to change."""
        return self.record.kind == RunKind.RESTORE

    def is_ahead(self, *, now: datetime) -> bool:
        """Whether it is dated in the future: a clock was wrong, so its time is evidence for nothing."""
        return is_ahead(self.timestamp, now=now)


def summaries(*, store: Store, runs: Iterable[RunRecord] | None = None) -> tuple[BackupSummary, ...]:
    """Given the store and, if MongoDB can be reached, the run documents, return every backup, newest first."""
    store_id = store.store_id()
    records = {run.id: run for run in runs or ()}
    listed = [_summary(store, backup_id, records.get(backup_id)) for backup_id in store.backups().ids]
    here = {summary.backup_id for summary in listed}
    known_backups.forget_others(store, here)
    lost = [run for run in records.values() if whereabouts.made_a_backup(run) and run.id not in here]
    missing = [_missing(run, store_id) for run in lost]
    return tuple(sorted((*listed, *missing), key=lambda entry: (entry.timestamp, entry.backup_id), reverse=True))


def summary(*, store: Store, backup_id: str, run: RunRecord | None = None) -> BackupSummary:
    """Return the line of one backup. Raise `InvalidBackupId`, `BackupNotFound`."""
    try:
        return _of_open(opening.open_backup(store=store, backup_id=backup_id), run)
    except BackupNotFound:
        if run is None or not whereabouts.made_a_backup(run):
            raise
        return _missing(run, store.store_id())


def _summary(store: Store, backup_id: str, run: RunRecord | None) -> BackupSummary:
    """What was verified and is as it was then needs no `metadata.json` read again."""
    known = known_backups.still_verified(store, backup_id)
    if known is not None:
        return _bare(backup_id, BackupState.VERIFIED, run or known.record, **known.held)
    try:
        return _of_open(known_backups.opened(store, backup_id), run)
    except (BackupNotFound, OSError):  # removed or made unreadable since the folder was listed
        return _bare(backup_id, BackupState.GONE, run or RunRecord(), problem=file_messages.FOLDER_NOT_OPENED())


def _of_open(backup: OpenBackup, run: RunRecord | None) -> BackupSummary:
    manifest = backup.manifest
    state = BackupState.VERIFIED if backup.verified else BackupState.UNVERIFIED
    held = known_backups.held_in(manifest)
    if not backup.verified:
        held |= {"documents": None, "bytes": None}
    return _bare(
        backup.backup_id,
        BackupState.DAMAGED if backup.problem else state,
        run or RunRecord(backup.document),
        problem=backup.problem,
        **held,
    )


def _missing(run: RunRecord, store_id: str | None) -> BackupSummary:
    elsewhere = whereabouts.files_of(run, here=False, store_id=store_id) is Files.ELSEWHERE
    problem = messages.ON_HOST(host=run.host or "unknown") if elsewhere else messages.FILES_GONE()
    return _bare(
        run.id,
        BackupState.ELSEWHERE if elsewhere else BackupState.GONE,
        run,
        problem=problem,
        database=run.database,
        collections=tuple(run.collections_backed_up),
        documents=run.documents,
        bytes=run.size_bytes,
    )


def _bare(backup_id: str, state: BackupState, record: RunRecord, **known: Any) -> BackupSummary:
    return BackupSummary(
        backup_id=backup_id,
        state=state,
        timestamp=record.backup_timestamp or _from_id(backup_id),
        status=record.status,
        sync_status=record.sync_status,
        created_by=record.created_by,
        engine=record.engine,
        note=record.note,
        record=record,
        **known,
    )


def _from_id(backup_id: str) -> datetime:
    """Somebody else chose the name of a foreign folder: digits that are no date stand at the end of the list."""
    try:
        return datetime.strptime(backup_id[:15], "%Y%m%d_%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def crowded_minutes(entries: Sequence[BackupSummary]) -> frozenset[datetime]:
    """Return the minutes in which more than one of these backups was made."""
    minutes = Counter(minute_of(entry.timestamp) for entry in entries)
    return frozenset(minute for minute, count in minutes.items() if count > 1)


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
