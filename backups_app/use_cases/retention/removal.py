"""One backup is removed by name: its id typed again, every guard asked, and for a day in the trash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backups_app.backup_files import layout
from backups_app.backup_files.store import removals
from backups_app.backup_files.store.trash import Thrown
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupHeld,
    BackupInUse,
    BackupIsNewest,
    BackupIsNewestFull,
    BackupIsNewestSuccess,
    BackupOfTheFloor,
    BackupOfTheFullFloor,
    BackupPinned,
    CopyMissing,
    HistoryShrunk,
    HolderDamaged,
    RemovalDuringPurge,
    RemovalNotConfirmed,
    RemovalRefused,
    needed_by,
)
from backups_app.records import Origin
from backups_app.retention import guards as codes
from backups_app.retention.facts import Backup
from backups_app.retention.guards import Guards, bases
from backups_app.runs import preparation
from backups_app.use_cases import confirmation
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.retention import facts, simulation, taking_out
from backups_app.use_cases.retention.taking_out import RemovalRequest


def remove(
    *, configuration: Configuration, backup_id: str, typed: str, requested_by: str, origin: Origin, now: datetime
) -> Thrown:
    """Move one backup into the trash, from where it can be brought back for a day. `typed` is its id, typed again.

    Raise `RemovalNotConfirmed`, `BackupNotFound`, each guard's refusal (`RemovalRefused`), and what
    `taking_out.at_work` raises.
    """
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    preparation.store(configuration).folder(backup_id)
    confirmation.require(backup_id, typed=typed, refusal=RemovalNotConfirmed())
    asked = RemovalRequest(by=requested_by, origin=origin, now=now)
    with taking_out.at_work(configuration) as work:
        found = facts.read(configuration=configuration, seconds=facts.PATIENT_SECONDS)
        backup = found.of(backup_id)
        for refusal in _refusals(backup, simulation.guards(found, configuration, now), found.backups):
            raise refusal
        work.require_complete(found)
        return work.take_out(backup, asked=asked, how=removals.PERSON, reasons=(removals.PERSON,))


def refusals(*, configuration: Configuration, backup_id: str, now: datetime) -> list[RemovalRefused]:
    """Return every reason why this backup cannot be removed now; none when it can. Raise `BackupNotFound`."""
    found = facts.read(configuration=configuration)
    return _refusals(found.of(backup_id), simulation.guards(found, configuration, now), found.backups)


def _refusals(backup: Backup, guards: Guards, backups: Sequence[Backup]) -> list[RemovalRefused]:
    others = {one.backup_id for one in backups} - {backup.backup_id}
    return [named(code, backup, guards) for code in guards.refusals(backup, needed=bases(backups, staying=others))]


PLAIN: dict[str, type[RemovalRefused]] = {
    codes.PINNED: BackupPinned,
    codes.HELD: BackupHeld,
    codes.IN_USE: BackupInUse,
    codes.PURGE_UNFINISHED: RemovalDuringPurge,
    codes.COPY_MISSING: CopyMissing,
}


def named(code: str, backup: Backup, guards: Guards) -> RemovalRefused:
    """Return the failure that a guard's code stands for about `backup`, with its facts."""
    if code == codes.NEEDED:
        return needed_by([one.backup_id for one in guards.backups if one.base == backup.backup_id])
    if code == codes.NEWEST:
        return _newest(backup, guards)
    if code == codes.FLOOR:
        kind = BackupOfTheFloor if guards.is_of_the_newest(backup) else BackupOfTheFullFloor
        return kind(count=guards.min_keep)
    if code == codes.SHRUNK:
        last = guards.last_shrinkage
        assert last is not None
        return HistoryShrunk(collection=last.collection, before=last.before, after=last.after, backup_id=last.backup_id)
    if code == codes.HOLDER_DAMAGED:
        assert guards.last_damaged is not None
        return HolderDamaged(backup_id=guards.last_damaged[1])
    return PLAIN[code]()


def _newest(backup: Backup, guards: Guards) -> RemovalRefused:
    if guards.is_newest_of_all(backup):
        return BackupIsNewest()
    return BackupIsNewestFull() if backup == guards.newest_full else BackupIsNewestSuccess()
