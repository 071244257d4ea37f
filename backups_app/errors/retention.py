"""Retention, and the removal of a backup by name: what stays, and why."""

from __future__ import annotations

from collections.abc import Sequence

from backups_app.errors.base import TempleOpsError
from backups_app.messages import words


class RemovalRefused(TempleOpsError):
    """Base of the guards' refusals: this backup stays (`retention/guards.py`)."""

    status, exit_code = 409, 1


class BackupIsNewest(RemovalRefused):
    code = "backup_newest"
    sentence = "This is the newest good backup, so it stays. Nothing was removed."
    hint = "Make a newer backup first"


class BackupIsNewestFull(BackupIsNewest):
    """Newer ones are incremental, and none of them can be relied on without a full one."""

    sentence = "This is the newest good full backup, so it stays. Nothing was removed."
    hint = "Make a newer full backup first"


class BackupIsNewestSuccess(BackupIsNewest):
    """Newer ones are partial: without the newest changes from Atlas."""

    sentence = "This is the newest complete backup, so it stays. Nothing was removed."
    hint = "Make a newer complete backup first"


class BackupOfTheFloor(RemovalRefused):
    """Facts: `count`."""

    code = "backup_floor"
    sentence = "The {count} newest backups always stay (MIN_KEEP), and this is one of them. Nothing was removed."
    hint = "Make a newer backup first"


class BackupOfTheFullFloor(BackupOfTheFloor):
    """Facts: `count`. Newer incrementals do not count beside it."""

    sentence = "The {count} newest full backups always stay (MIN_KEEP), and this is one of them. Nothing was removed."
    hint = "Make a newer full backup first"


class BackupPinned(RemovalRefused):
    code = "backup_pinned"
    sentence = "This backup is pinned, so it stays. Nothing was removed."
    hint = "Unpin it first"


class BackupHeld(RemovalRefused):
    code = "backup_held"
    sentence = (
        "This backup may be the only one that holds documents which its run deleted, or its restore replaced. "
        "Nothing was removed."
    )
    hint = "Release it first, if nobody needs those documents any more"


class CopiesMayBeOnly(RemovalRefused):
    """Copies at a former place of a target, of backups that are in no other known place. Facts: `target`, `backups`."""

    code = "copies_may_be_only"
    sentence = "At {target} may be the only copies of: {backups}. Nothing was forgotten."
    hint = "Give the target its former address again and fetch them, then forget the others"


class CopyMayBeOnly(RemovalRefused):
    """A copy of a backup that is in no other known place, and of which no record says what it holds. Facts:
    `backup_id`, `target`."""

    code = "copy_may_be_only"
    sentence = "This may be the only copy of this backup, and no record here says what it holds. Nothing was removed."
    hint = (
        "Bring it back first: manage.py backup_fetch {backup_id} --from {target}. If it cannot be read, only the tools "
        "of the target remove it"
    )


class BackupNeeded(RemovalRefused):
    """Facts: `incrementals`, their number in words, and `names`, their ids (`needed_by`)."""

    code = "backup_needed"
    sentence = (
        "This backup is the base of {incrementals} and is restored together with them, so it stays: {names}. "
        "Nothing was removed."
    )
    hint = "Remove the incremental backups that begin from it first"


MOST_NAMES = 5


def needed_by(backup_ids: Sequence[str]) -> BackupNeeded:
    """Return the refusal to remove the base of these incrementals: how many, and the ids of the newest."""
    newest = sorted(backup_ids, reverse=True)
    names, rest = ", ".join(newest[:MOST_NAMES]), len(newest) - MOST_NAMES
    if rest > 0:
        names = words.NAMES_AND_MORE(names=names, n=rest)
    return BackupNeeded(incrementals=words.INCREMENTALS(n=len(newest)), names=names)


class BackupInUse(RemovalRefused):
    code = "backup_in_use"
    sentence = "This backup is being read: by a restore, a verification or a comparison. Nothing was removed."
    hint = "Try again when that has ended"


class RemovalDuringPurge(RemovalRefused):
    code = "purge_unfinished"
    sentence = "The deletion that belongs to this backup is not finished, and it needs the backup. Nothing was removed."
    hint = "Resume the deletion, or keep the remaining documents after all"


class CopyMissing(RemovalRefused):
    code = "copy_missing"
    sentence = "No copy of this backup elsewhere is complete yet, so it stays here. Nothing was removed."
    hint = "Copy it first"


class HistoryShrunk(RemovalRefused):
    """Facts: `collection`, `before`, `after`, `backup_id`."""

    code = "shrunk"
    sentence = (
        'The collection "{collection}" shrank from {before} documents to {after} in backup {backup_id}. Neither that '
        "backup nor an older one is removed until somebody accepts this. Nothing was removed."
    )
    hint = "Look at it. If the loss was intended: manage.py backup_retention accept {backup_id}"


class HolderDamaged(RemovalRefused):
    """Facts: `backup_id`."""

    code = "holder_damaged"
    sentence = (
        "Backup {backup_id} held deleted documents and is damaged or gone. They may be in an older backup, so every "
        "older one stays. Nothing was removed."
    )
    hint = "Restore what is needed; then release backup {backup_id}"


class RemovalNotConfirmed(TempleOpsError):
    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: the id that was typed is not the backup's. Nothing was changed."
    hint = "--confirm followed by the backup's id"


class NothingToRelease(TempleOpsError):
    code, status, exit_code = "nothing_to_release", 409, 1
    sentence = (
        "This backup holds no deleted or replaced documents, so there is nothing to release. Nothing was changed."
    )


class NothingToAccept(TempleOpsError):
    code, status, exit_code = "nothing_to_accept", 409, 1
    sentence = "No collection lost more than half of its documents in this backup. Nothing was changed."


class ClocksApart(TempleOpsError):
    code, status = "clock_differs", 409
    sentence = (
        "The clocks of this computer and of the local MongoDB differ by more than ten minutes, so the age of backups "
        "is not known. Nothing was removed."
    )
    hint = "Set both clocks right"


class NewestDamaged(TempleOpsError):
    """Facts: `backup_id`."""

    code, exit_code = "newest_damaged", 5
    sentence = "The newest full backup ({backup_id}) was read again and is damaged, so no older backup was removed."
    hint = "Make a new backup"


class NothingToRelyOn(TempleOpsError):
    code, status, exit_code = "nothing_to_rely_on", 409, 1
    sentence = "There is no verified backup of this database here, so no backup was removed."
    hint = "Make a backup first"


class RunWaits(TempleOpsError):
    code, status, exit_code = "run_waits", 409, 11
    sentence = "A run is waiting, so no further backup was removed. The next good run tries again."


class NotInTrash(TempleOpsError):
    code, status, exit_code = "not_in_trash", 410, 10
    sentence = "This backup cannot be brought back: it is not in the trash, or its day there is over."


class BringBackRefused(TempleOpsError):
    """Facts: `reason`."""

    code, status, exit_code = "bring_back_refused", 409, 1
    sentence = "This backup cannot be brought back: {reason}. Nothing was changed."


class RetentionFailed(TempleOpsError):
    """Facts: `reason`, as a sentence. A warning of a run whose backup is good."""

    code = "retention_failed"
    sentence = "Old backups were not removed after this run. {reason}"
