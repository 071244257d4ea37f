"""One row of the list of backups: a run's document with what the list adds to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.messages.browsing import ON_HOST
from backups_app.messages.message import Message
from backups_app.pages.backups.keeping import KeptBecause
from backups_app.records import PURGEABLE_WHEN_CONFIRMED, RunKind, Side, Status
from backups_app.use_cases.copies.overview import Copy

WITHOUT_A_BACKUP = (RunKind.TEST_COPY, RunKind.REHEARSAL)
LOST = (Files.GONE, Files.UNMOUNTED)


@dataclass(frozen=True, kw_only=True)
class BackupRow:
    """A backup, or a run that made none. `documents_more` and `bytes_more` compare it with the newest good backup
    before it, None without one. `bookings_deleted` counts what its run deleted; `restore_tested_at` is the last restore
    test of it that succeeded; `kept` says why it stays, None for what is no backup here; `copies` are those elsewhere;
    `own_bytes` is what an incremental takes of the disk."""

    run: RunRecord
    documents_more: int | None
    bytes_more: int | None
    bookings_deleted: int
    restore_tested_at: datetime | None
    kept: KeptBecause | None = None
    copies: Sequence[Copy] = ()
    own_bytes: int | None = None

    @property
    def id(self) -> str:
        return self.run.backup_id

    @property
    def good(self) -> bool:
        """Whether its files are here and verified."""
        return is_good(self.run)

    @property
    def on_host(self) -> Message | None:
        """Where its files are, if that is the folder of another host."""
        return ON_HOST(host=self.run.host or "?") if self.run.files == Files.ELSEWHERE else None

    @property
    def lost(self) -> bool:
        """Whether it made a backup whose files are not in the backup folder, nor in that of another host."""
        return whereabouts.made_a_backup(self.run) and not self.run.published and self.on_host is None

    @property
    def was_removed(self) -> bool:
        """Whether a person or the rules removed it."""
        return not self.run.published and bool(self.run.removed)

    @property
    def needs_attention(self) -> bool:
        """Whether it failed, or something of it is unfinished, unverified, damaged or missing. What was removed on
        purpose needs none."""
        if self.run.status in (Status.IN_PROGRESS, Status.CANCELLED) or self.was_removed:
            return False
        unfinished = self.run.resume_available or self.run.keep_available
        return self.run.status != Status.SUCCESS or unfinished or not (self.good or self.on_host)

    @property
    def is_safety_backup(self) -> bool:
        return self.run.kind == RunKind.RESTORE

    @property
    def pinned(self) -> Mapping[str, object]:
        """Who pinned it, when and why; empty where nobody did."""
        return self.run.pinned


def is_good(run: RunRecord) -> bool:
    """Whether a run's backup is here, verified and dated by a right clock."""
    return run.published and run.verified and not run.damaged and not run.dated_in_future


def rows_of(runs: Sequence[RunRecord], *, kept: Mapping[str, KeptBecause] | None = None) -> list[BackupRow]:
    """Given all runs, newest first, and why each backup is kept, return the rows of the list, newest first. Restore
    tests and test copies have no row: they stand under Restores. A safety backup holds what a restore found, which may be
    nothing at all, so nothing is compared with it."""
    tested = _restore_tests(runs)
    listed = [run for run in runs if run.kind not in WITHOUT_A_BACKUP]
    rows: list[BackupRow] = []
    before: RunRecord | None = None
    for run in reversed(listed):
        is_compared = before is not None and run.published and run.kind != RunKind.RESTORE
        rows.append(
            BackupRow(
                run=run,
                documents_more=_more(run.documents, before.documents) if before and is_compared else None,
                bytes_more=_more(run.size_bytes, before.size_bytes) if before and is_compared else None,
                bookings_deleted=bookings_deleted(run),
                restore_tested_at=tested.get(run.backup_id),
                kept=(kept or {}).get(run.backup_id),
            )
        )
        before = run if is_good(run) and run.kind != RunKind.RESTORE else before
    return rows[::-1]


def bookings_deleted(run: RunRecord) -> int:
    """Return how many bookings and employee bookings a run deleted: on the side where it deleted more."""
    return sum(max(run.purge.collection(side, name).deleted or 0 for side in Side) for name in PURGEABLE_WHEN_CONFIRMED)


def _more(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before


def _restore_tests(runs: Iterable[RunRecord]) -> dict[str, datetime]:
    """Return when each backup was last restored as a test, with success. `runs` are newest first."""
    found: dict[str, datetime] = {}
    for run in runs:
        if run.kind != RunKind.REHEARSAL or run.status != Status.SUCCESS:
            continue
        found.setdefault(str(run.restore.choices["backup_id"]), run.finished_at or run.created_at)
    return found
