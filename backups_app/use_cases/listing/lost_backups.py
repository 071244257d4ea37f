"""What is still known of a backup whose folder is not here: the record of its run, and when it was removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import Error as DatabaseFailure
from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.backup_files import layout
from backups_app.backup_files.store import removals, trash
from backups_app.backup_files.store.removals import Removal
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupElsewhere,
    BackupNotFound,
    BackupRemoved,
    RemovedByPerson,
    RemovedByRules,
    TempleOpsError,
)
from backups_app.messages.protection import retention as messages
from backups_app.runs import preparation
from backups_app.storage import counted
from backups_app.use_cases.listing import listing


@dataclass(frozen=True, kw_only=True)
class LostBackup:
    """`record` is None where no run of that id is on record, or where MongoDB cannot be asked. `removed_at` is known
    where we removed it, or as long as it lies in the trash; `removal` says by whom and why."""

    backup_id: str
    record: RunRecord | None = None
    removed_at: datetime | None = None
    removal: Removal | None = None
    in_trash_until: datetime | None = None

    @property
    def in_trash(self) -> bool:
        """Whether it can be brought back."""
        return self.in_trash_until is not None

    @property
    def was_there(self) -> bool:
        """Whether there ever was such a backup: its run published it, or it lies in the trash."""
        published = self.record is not None and whereabouts.made_a_backup(self.record)
        return published or self.removed_at is not None


def known_of(*, configuration: Configuration, backup_id: str) -> LostBackup | None:
    """Return what is known; None for what is no id. It never fails: a page that reports a failure is made of it."""
    try:
        layout.check_id(backup_id)
        store = preparation.store(configuration)
        removed_at, removal = store.thrown_away_at(backup_id), removals.of_backup(store.root, backup_id)
    except (TempleOpsError, OSError):
        return None
    try:
        record = listing.get_run(configuration=configuration, backup_id=backup_id)
    except (PyMongoError, TempleOpsError):
        record = None
    return LostBackup(
        backup_id=backup_id,
        record=record,
        removed_at=removed_at or (removal.at if removal else None),
        removal=removal,
        in_trash_until=removed_at + trash.KEPT if removed_at else None,
    )


def named(error: TempleOpsError, *, configuration: Configuration, backup_id: str) -> TempleOpsError:
    """Given that a backup was not found, return what to say of it: that its files are gone or on another host, where
    there was such a backup, and else `error` itself."""
    known = known_of(configuration=configuration, backup_id=backup_id)
    if known is None or not known.was_there:
        return error
    files = known.record.files if known.record is not None else ""
    if files in (Files.HERE, Files.UNMOUNTED):  # what was not found is something else of it; nobody can know
        return error
    if known.record is not None and files == Files.ELSEWHERE:
        return BackupElsewhere(host=known.record.host or "unknown")
    return _removed(known, copies=_copies(configuration, backup_id))


def _copies(configuration: Configuration, backup_id: str) -> list[str]:
    """Return the targets that the backup can be fetched from; none where the Django database does not answer."""
    try:
        return counted.fetchable_from(backup_id=backup_id, targets=[one.name for one in configuration.targets])
    except DatabaseFailure:
        return []


def first_named(
    error: TempleOpsError, *, configuration: Configuration, backup_ids: Sequence[str]
) -> tuple[str, TempleOpsError]:
    """Given that one of these backups was not found, return the first of which there is something to say, and that;
    else the first and `error` itself."""
    for backup_id in backup_ids:
        found = named(error, configuration=configuration, backup_id=backup_id)
        if found is not error:
            return backup_id, found
    return (backup_ids[0] if backup_ids else ""), error


def require_not_elsewhere(*, configuration: Configuration, backup_id: str) -> None:
    """Raise `BackupElsewhere` for a backup in the folder of another host."""
    found = named(BackupNotFound(), configuration=configuration, backup_id=backup_id)
    if isinstance(found, BackupElsewhere):
        raise found


def _removed(known: LostBackup, *, copies: Sequence[str]) -> BackupRemoved:
    """Return when and why it was removed, where that is known, and which targets have a copy. Its facts `removed`:
    `{at, by, how, reasons, in_trash_until}`, times in UTC, `in_trash_until` None where it cannot be brought back."""
    removal, there = known.removal, {"backup_id": known.backup_id, "copies": list(copies)}
    if removal is None:
        return BackupRemoved(**there)
    removed = {
        "at": formats.utc_seconds(removal.at),
        "by": removal.by,
        "how": removal.how,
        "reasons": list(removal.reasons),
        "in_trash_until": formats.utc_seconds(known.in_trash_until) if known.in_trash_until else None,
    }
    at = f"{removal.at:%Y-%m-%d %H:%M} UTC"
    if removal.how == removals.PERSON:
        return RemovedByPerson(at=at, by=removal.by, removed=removed, **there)
    reasons = tuple(messages.reason(code) for code in removal.reasons)
    return RemovedByRules(at=at, reasons=reasons, removed=removed, **there)
