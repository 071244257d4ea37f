"""Retention, and the removal of a backup by name: what stays, and why."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class RemovalRefused(TempleOpsError):
    """Base of the guards' refusals: this backup stays (`retention/guards.py`)."""

    status, exit_code = 409, 1


class BackupIsNewest(RemovalRefused):
    code = "backup_newest"
    sentence = "This is the newest backup that one can rely on, so it stays. Nothing was removed."
    hint = "Make a newer backup first"


class BackupOfTheFloor(RemovalRefused):
    """Facts: `count`."""

    code = "backup_floor"
    sentence = "This is one of the {count} newest backups, and so many always stay (MIN_KEEP). Nothing was removed."
    hint = "Make a newer backup first"


class BackupPinned(RemovalRefused):
    code = "backup_pinned"
    sentence = "This backup is pinned, so it stays. Nothing was removed."
    hint = "Remove its pin first"


class BackupHeld(RemovalRefused):
    code = "backup_held"
    sentence = (
        "This backup may be the only one that holds documents which its run deleted, or its restore replaced. "
        "Nothing was removed."
    )
    hint = "Release it first, if nobody needs those documents any more"


class BackupNeeded(RemovalRefused):
    code = "backup_needed"
    sentence = "Another backup is restored together with this one, so it stays. Nothing was removed."
    hint = "Remove the incremental backups that begin from it first"


class BackupInUse(RemovalRefused):
    code = "backup_in_use"
    sentence = "This backup is being read: by a restore, a verification or a comparison. Nothing was removed."
    hint = "Try again when that has ended"


class RemovalDuringPurge(RemovalRefused):
    code = "purge_unfinished"
    sentence = "The deletion that belongs to this backup is not finished, and it needs the backup. Nothing was removed."
    hint = "Resume the deletion, or keep what is left"


class CopyMissing(RemovalRefused):
    code = "copy_missing"
    sentence = "No copy of this backup elsewhere is complete yet, so it stays here. Nothing was removed."
    hint = "Copy it first"


class HistoryShrunk(RemovalRefused):
    """Facts: `collection`, `before`, `after`, `backup_id`."""

    code = "shrunk"
    sentence = (
        'The collection "{collection}" shrank from {before} to {after} documents in backup {backup_id}. Neither that '
        "backup nor an older one is removed until somebody accepts it. Nothing was removed."
    )
    hint = "Look at it. If the loss was meant: manage.py backup_retention accept {backup_id}"


class HolderDamaged(RemovalRefused):
    """Facts: `backup_id`."""

    code = "holder_damaged"
    sentence = (
        "Backup {backup_id} held deleted documents and is damaged or gone. What it held may be in an older backup, so "
        "every older one stays. Nothing was removed."
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
        "The clocks of this computer and of the local MongoDB differ by more than ten minutes, so nobody can tell how "
        "old a backup is. Nothing was removed."
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
    sentence = "A run is waiting, so the backups were left as they are. The next good run tries again."


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
