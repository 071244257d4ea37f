"""The run of a backup: its store, its dump, its verification, its deletion step."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class StoreMissing(TempleOpsError):
    code, exit_code = "store_missing", 12
    sentence = (
        "The backup folder is not the one that backups were written to before: its disk may not be mounted. "
        "Nothing was written. Mount the disk and try again."
    )
    hint = "manage.py backup_doctor --adopt-store, if the folder was changed on purpose"


class StoreOfAnotherDatabase(TempleOpsError):
    """Facts: `database`, `other`."""

    code, exit_code = "store_of_another_database", 12
    sentence = (
        'The backup folder holds the backups of the database "{other}", and this is "{database}". A folder belongs to '
        "one database. Nothing was written."
    )
    hint = (
        "Set BACKUP_DIR to a folder of its own; or manage.py backup_doctor --adopt-store, if this database was renamed "
        "before folders bore a name"
    )


class RunCancelled(TempleOpsError):
    code, status, exit_code = "cancelled", 409, 130
    sentence = "The run was cancelled."


class OwnershipLost(TempleOpsError):
    """Not for people: the run has another owner now, so this process stops and touches nothing."""

    code = "ownership_lost"
    sentence = "Another worker has taken over this run. This one stopped and changed nothing more."


class RunInterrupted(TempleOpsError):
    code = "interrupted"
    sentence = (
        "The server stopped in the middle of this run. Nothing is deleted that is not in a verified backup. "
        "Start a new backup, or resume the deletion if that is offered."
    )


class DumpFailed(TempleOpsError):
    """Facts: `reason`."""

    code = "dump_failed"
    sentence = "The copy could not be made: {reason}. The unfinished copy was removed."


class DumpTimedOut(TempleOpsError):
    """Facts: `engine`, `seconds`."""

    code, exit_code = "dump_timeout", 124
    sentence = (
        "{engine} did not finish within {seconds} seconds. Raise MONGODUMP_TIMEOUT_SECONDS: it holds for both engines."
    )
    hint = "Raise MONGODUMP_TIMEOUT_SECONDS"


class DiskFull(TempleOpsError):
    """Facts: `needed`, `free` (both as text)."""

    code, exit_code = "disk_full", 12
    sentence = (
        "The backup disk is full: about {needed} are needed, {free} are free. "
        "Free some space, or remove old backups, and try again."
    )


class NoRoomToBegin(DiskFull):
    """The same, found before anything began."""

    sentence = (
        "The backup disk is full: about {needed} are needed, {free} are free. No backup can start. "
        "Free some space, or remove old backups, and try again."
    )


class FolderNotWritable(TempleOpsError):
    """Facts: `errno_name`."""

    code, exit_code = "permission_error", 12
    sentence = (
        "The backup folder cannot be written ({errno_name}). "
        "Give the user that runs TempleOps the right to write there: chmod 700 on BACKUP_DIR."
    )


class NoFolderToBegin(FolderNotWritable):
    """The same, found before anything began."""

    sentence = (
        "The backup folder cannot be written ({errno_name}). No backup can start. "
        "Give the user that runs TempleOps the right to write there: chmod 700 on BACKUP_DIR."
    )


class StorageFailed(TempleOpsError):
    """Facts: `errno_name`."""

    code, exit_code = "storage_failed", 12
    sentence = "The backup disk reported an error ({errno_name}) and the copy on it cannot be trusted. Check the disk."


class StoreBusy(StorageFailed):
    """Facts: `seconds`."""

    code, status = "store_busy", 409
    sentence = (
        "Another process holds a lock of the backup folder and did not release it within {seconds} seconds. No backup "
        "was changed."
    )
    hint = "Try again. If this goes on, find the stopped process of Backup Management on this machine and end it"


class VerificationFailed(TempleOpsError):
    """Facts: `problem`."""

    code, exit_code = "verification_failed", 5
    sentence = "The copy was checked and is not good: {problem}."


class DamagedDocument(TempleOpsError):
    """Facts: `number`, `readable`."""

    code = "damaged_document"
    sentence = (
        "Document {number} of this file cannot be read. Readable documents before it: {readable}. Verify this backup."
    )


class PurgeUnfinished(TempleOpsError):
    """Facts: `side`."""

    code, exit_code = "purge_unfinished", 3
    sentence = "The deletion on the {side} side is not finished. Resume it when both databases can be reached."


class PurgeStoppedFor(PurgeUnfinished):
    """Facts: `side`, `reason`, as sentences."""

    sentence = "The deletion on the {side} side is not finished. {reason} Resume it when that is repaired."


class PurgeWithheld(TempleOpsError):
    """Facts: `side`, `collection`, `reason`."""

    code, exit_code = "purge_withheld", 3
    sentence = (
        "Nothing of {collection} was deleted on the {side} side, because it cannot be deleted exactly there: {reason}."
    )


class FileNotReadable(TempleOpsError):
    """Facts: `problem`."""

    code, status, exit_code = "file_not_readable", 409, 5
    sentence = (
        "A file of this backup cannot be used: {problem}. Links and special files are never followed. Nothing was "
        "changed. Put the file itself back in its place."
    )
