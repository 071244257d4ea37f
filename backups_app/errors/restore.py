"""A restore, a test copy or a rehearsal."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class PreviewOutdated(TempleOpsError):
    code, status, exit_code = "preview_outdated", 409, 2
    sentence = (
        "The preview is out of date: the choices, the backup or the server differ. Nothing was written. Look at the "
        "preview again."
    )


class RestoreNotConfirmed(TempleOpsError):
    code, status, exit_code = "confirmation_missing", 422, 2
    sentence = "Refused: this overwrites or deletes documents and no one confirmed it. Nothing was written."
    hint = "--confirm RESTORE"


class RestoreTargetTaken(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "restore_target_taken", 409, 1
    sentence = (
        'The database "{database}" holds collections and is not a test copy. Nothing was written. Choose another name.'
    )


class TargetOfAnotherTemple(RestoreTargetTaken):
    """Facts: `database`."""

    sentence = (
        'The database "{database}" is a copy that another temple on this server made. Nothing was written. Choose '
        "another name, or remove that copy there."
    )


class TargetIsTestCopy(RestoreTargetTaken):
    """Facts: `database`."""

    sentence = (
        'The database "{database}" is a test copy, and restore tests need its name. Nothing was written. Remove the '
        "test copy first: manage.py backup_restore --remove-copy {database}"
    )


class OnlyOwnRecordsToUndo(TempleOpsError):
    """Facts: `names`."""

    code, status, exit_code = "only_own_records_to_undo", 409, 1
    sentence = (
        "This restore added this product's own records alone ({names}), and these are never deleted. There is nothing "
        "to undo."
    )


class ExportTargetTaken(TempleOpsError):
    code, status, exit_code = "export_target_taken", 409, 1
    sentence = "The folder to export into exists already. Nothing was written."
    hint = "Name a folder that does not exist yet, outside BACKUP_DIR"


class ExportAmongBackups(TempleOpsError):
    """Facts: `place`, the setting whose directory it is."""

    code, status, exit_code = "export_among_backups", 409, 1
    sentence = "The folder to export into lies in a directory of {place}. Nothing was written."
    hint = "Name a folder outside BACKUP_DIR and outside the directories of BACKUP_TARGETS"


class ExportParentMissing(TempleOpsError):
    code, status, exit_code = "export_parent_missing", 409, 1
    sentence = "The folder in which the export is to be made does not exist. Nothing was written."
    hint = "Make it first, or name another one"


class ExportNameRefused(TempleOpsError):
    """Facts: `reason`, as the file system names it."""

    code, status, exit_code = "export_name_refused", 422, 2
    sentence = "The file system does not take the folder to export into ({reason}). Nothing was written."
    hint = "Name a folder by a shorter path that this user may write to"


class NotATestCopy(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "not_a_test_copy", 409, 1
    sentence = 'The database "{database}" is not marked as a test copy of this temple. Nothing was removed.'


class CopyNotAllowed(TempleOpsError):
    """Facts: `database`."""

    code, status, exit_code = "copy_not_allowed", 409, 1
    sentence = (
        'The MongoDB user of TempleOps may not do everything it needs in the database "{database}". The temple\'s '
        "database was not touched. The administrator of MongoDB allows it with: "
        'db.getSiblingDB("admin").grantRolesToUser("<user>", [{role: "readWrite", db: "{database}"}, '
        '{role: "dbAdmin", db: "{database}"}])'
    )


class RestoreUnfinished(TempleOpsError):
    """Facts: `done`, `left`, `safe`."""

    code, exit_code = "restore_unfinished", 3
    sentence = "It did not finish. {done}; {left}. {safe} Start the same again: it goes on with what is left."


class RestoreStoppedFor(RestoreUnfinished):
    """Facts: `reason`, as sentences, besides those of its kind."""

    sentence = "It did not finish. {reason} {done}; {left}. {safe} When that is repaired, start the same again."


class RestoreDiffers(TempleOpsError):
    code, exit_code = "restore_differs", 3
    sentence = "Some documents could not be restored as planned; each is named. All others are restored and verified."


class RehearsalFailed(TempleOpsError):
    """Facts: `problem`."""

    code, exit_code = "rehearsal_failed", 5
    sentence = (
        "The restore test did not restore what the backup holds: {problem}. The temple's database was not touched."
    )
