"""Copies elsewhere: what a target refused, and what was not found there. The backup on this disk is never touched.

Facts of each: `target`, the name that `BACKUP_TARGETS` gives it. No sentence holds an address or a key.
"""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class TargetFailed(TempleOpsError):
    """Base of what goes wrong at a target."""

    code, status, exit_code = "target_failed", 503, 3
    sentence = 'The target "{target}" reported an error. The backup on this computer is safe; the copy is not complete.'
    hint = "The worker tries again by itself. Look at the log of the server if it goes on"


class TargetUnreachable(TargetFailed):
    code = "target_unreachable"
    sentence = 'The target "{target}" does not answer. The backup on this computer is safe; the copy is not complete.'
    hint = "Check the network and the address of the target. The worker tries again by itself"


class TargetMissing(TargetFailed):
    code = "target_missing"
    sentence = (
        'The target "{target}" is not there: its disk is not mounted, its bucket does not exist, or it was never '
        "prepared. Nothing was written."
    )
    hint = "Mount the disk or make the bucket. A new directory is prepared once: manage.py backup_copies init {target}"


class TargetDenied(TargetFailed):
    code = "target_denied"
    sentence = 'The target "{target}" refused the access key, or the key may not do this. The copy is not complete.'
    hint = "Check the access key of the target and its rights: list, read, create"


class TargetFull(TargetFailed):
    code = "target_full"
    sentence = 'The target "{target}" is full. The backup on this computer is safe; the copy is not complete.'
    hint = "Make room there, or remove old copies: manage.py backup_remove ID --from {target} --confirm ID"


class TargetClockDiffers(TargetFailed):
    code = "target_clock_differs"
    sentence = (
        'The clock of this computer and that of the target "{target}" differ, so it refused every request. '
        "Nothing was written."
    )
    hint = "Set this computer's clock right"


class TargetMisconfigured(TargetFailed):
    """Facts: `setting`, the name of the setting that is wrong."""

    code = "target_misconfigured"
    sentence = 'The target "{target}" cannot be used as it is set up: {setting} is missing or wrong.'
    hint = "Correct it in .env, as .env.example shows"


class TargetNotFound(TargetFailed):
    code, status, exit_code = "target_not_found", 404, 10
    sentence = 'There is no target "{target}" in BACKUP_TARGETS.'
    hint = "manage.py backup_copies lists the targets"


class TargetNotEmpty(TargetFailed):
    """A directory that is to become a target holds something else."""

    code, status, exit_code = "target_not_empty", 409, 1
    sentence = 'The directory of the target "{target}" holds other files. Nothing was written.'
    hint = "Name an empty directory of its own"


class ObjectExists(TargetFailed):
    """Objects are created, never overwritten."""

    code = "object_exists"
    sentence = 'An object of that name is at the target "{target}" already. It was not overwritten.'
    hint = "The worker tries again under a new name"


class ObjectMissing(TargetFailed):
    code, exit_code = "object_missing", 10
    sentence = 'A part of the copy is missing at the target "{target}". The copy does not count.'
    hint = "Copy it again: manage.py backup_copy ID --to {target}"


class CopyDamaged(TargetFailed):
    code, exit_code = "copy_damaged", 5
    sentence = 'What is at the target "{target}" differs from what was sent. The copy does not count.'
    hint = "Copy it again: manage.py backup_copy ID --to {target}"


class CopyNotFound(TargetFailed):
    """Facts: `backup_id`."""

    code, status, exit_code = "copy_not_found", 404, 10
    sentence = 'There is no copy of backup {backup_id} at the target "{target}".'
    hint = "manage.py backup_copies --from {target} lists what is there"


class CopySourceDamaged(TempleOpsError):
    """A file of the backup is not as its manifest says: what is copied must be what was verified. Fact: `backup_id`."""

    code, exit_code = "copy_source_damaged", 5
    sentence = "A file of backup {backup_id} on this computer is not as it was when it was verified. It was not copied."
    hint = "manage.py backup_verify {backup_id}; make a new backup"
