"""Copies elsewhere: what a target refused, and what was not found there. The backup on this disk is never touched.

Facts of each: `target`, the name that `BACKUP_TARGETS` gives it. No sentence holds an address or a key.
"""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class TargetFailed(TempleOpsError):
    """Base of what goes wrong at a target."""

    code, status, exit_code = "target_failed", 503, 3
    sentence = (
        'The target "{target}" reported an error. Nothing on this computer has changed; what was begun is not complete.'
    )
    hint = "Try again; the worker does so by itself. Look at the log of the server if it goes on"


class TargetUnreachable(TargetFailed):
    code = "target_unreachable"
    sentence = (
        'The target "{target}" does not answer. Nothing on this computer has changed; what was begun is not complete.'
    )
    hint = "Check the network and the address of the target, then try again; the worker does so by itself"


class TargetMissing(TargetFailed):
    code = "target_missing"
    sentence = (
        'The target "{target}" is not there: its disk is not mounted, or its directory was never prepared. Nothing was '
        "written."
    )
    hint = "Mount the disk. A new directory is prepared once: manage.py backup_copies init {target}"


class BucketMissing(TargetMissing):
    code = "bucket_missing"
    sentence = (
        'The bucket or container of the target "{target}" is not there, or the access key may not see it. Nothing was '
        "written."
    )
    hint = "Make it, or correct its name in BACKUP_TARGETS"


class TargetNotMounted(TargetMissing):
    """Facts: `target`, `mount_point`. It is to be prepared, and its disk is not mounted."""

    sentence = (
        'The disk of the target "{target}" is not mounted: {mount_point} is a mount point of /etc/fstab, and nothing '
        "is mounted there. Nothing was written."
    )
    hint = "Mount it: mount {mount_point}. Then: manage.py backup_copies init {target}"


class TargetDirectoryMissing(TargetMissing):
    """Facts: `target`, `path`. It is to be prepared, and there is no such directory."""

    sentence = 'The directory of the target "{target}" does not exist. Nothing was written.'
    hint = (
        "If it is a disk, mount it first. Make the directory: mkdir -p {path}. Then: manage.py backup_copies init "
        "{target}"
    )


class TargetMoved(TargetFailed):
    code = "target_moved"
    sentence = (
        'The name "{target}" stands for another place than before. Copies at the former place do not count. '
        "Nothing there has changed."
    )
    hint = (
        "The worker copies to the new place by itself. If the change was not meant, give the former address in "
        "BACKUP_TARGETS: its copies count again"
    )


class TargetDenied(TargetFailed):
    code = "target_denied"
    sentence = (
        'The target "{target}" refused the access key, or the key may not do this. Nothing on this computer has '
        "changed."
    )
    hint = "Check the access key of the target and its rights: list, read, create"


class TargetKeyMissing(TargetFailed):
    code = "target_key_missing"
    sentence = (
        'No access key is set for the target "{target}", and this machine has none of its own. Nothing was written.'
    )
    hint = "Set the key of the target in .env, as .env.example shows, and start the server again"


class TargetNotEncrypted(TargetFailed):
    code = "target_not_encrypted"
    sentence = (
        'The endpoint of the target "{target}" is plain http:// on another computer, so others on the network could '
        "read the copies. Nothing was written."
    )
    hint = "Name an https:// endpoint in .env; on a network you trust, set ALLOW_HTTP=true for the target instead"


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


class NoTarget(TargetFailed):
    """Something is wanted of every target, and there is none."""

    code, status, exit_code = "no_target", 409, 2
    sentence = "BACKUP_TARGETS names no target. Nothing was copied or read."
    hint = "Name one in BACKUP_TARGETS in .env, as .env.example shows, and start the server and the worker again"


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
    hint = (
        "If the backup is on this computer: manage.py backup_copy ID --to {target}. If not, fetch it from another "
        "target, or fetch an older one"
    )


class ObjectUnreadable(TargetFailed):
    """The target answers, and one object there cannot be looked at: a bad sector, a file of somebody else."""

    code, exit_code = "object_unreadable", 5
    sentence = (
        'A part of the copy at the target "{target}" cannot be read. It is not known whether this copy is good; '
        "other copies there are not affected."
    )
    hint = "Look at the target's disk and at the rights of its files. The worker reads the copy again"


class CopyDamaged(TargetFailed):
    code, exit_code = "copy_damaged", 5
    sentence = 'The copy at the target "{target}" differs from what was written there. It does not count.'
    hint = (
        "If the backup is on this computer: manage.py backup_copy ID --to {target}. If not, fetch it from another "
        "target, or fetch an older one"
    )


class CopyNotFound(TargetFailed):
    """Facts: `backup_id`."""

    code, status, exit_code = "copy_not_found", 404, 10
    sentence = 'There is no copy of backup {backup_id} at the target "{target}".'
    hint = "manage.py backup_copies --from {target} lists what is there"


class ObjectsMayBelong(TargetFailed):
    """A manifest cannot be read: what no other one names may belong to it."""

    code, status, exit_code = "objects_may_belong", 409, 1
    sentence = 'A copy at the target "{target}" cannot be read, so objects there may belong to it. Nothing was removed.'
    hint = "Remove that copy first, or read it with the version of TempleOps that made it"


class CopySourceDamaged(TempleOpsError):
    """A file of the backup is not as its manifest says: what is copied must be what was verified. Fact: `backup_id`."""

    code, exit_code = "copy_source_damaged", 5
    sentence = (
        "A file of backup {backup_id} on this computer has changed since it was verified. The backup was not copied."
    )
    hint = "manage.py backup_verify {backup_id}; make a new backup"


class CopyOfAnotherDatabase(TargetFailed):
    """Facts: `backup_id`, `database`, `other`."""

    code, status, exit_code = "copy_of_another_database", 409, 12
    sentence = (
        'The copy of backup {backup_id} at the target "{target}" is of the database "{other}", and this is '
        '"{database}". Nothing of it was used.'
    )
    hint = "Give each temple a prefix of its own in BACKUP_TARGETS"


class CopyOfAnotherSite(TargetFailed):
    """Facts: `backup_id`, `site`, the first digits of its id."""

    code, status, exit_code = "copy_of_another_site", 409, 12
    sentence = (
        'The copy of backup {backup_id} at the target "{target}" is of another site ({site}), whose database has the '
        "same name. Nothing of it was used."
    )
    hint = (
        "Give each temple a prefix of its own in BACKUP_TARGETS. If that site was this temple's: manage.py "
        "backup_fetch {backup_id} --from {target} --of-site {site}"
    )


class CopySiteUnknown(TargetFailed):
    """A copy from before they named their site, beside those of another site. Facts: `backup_id`."""

    code, status, exit_code = "copy_site_unknown", 409, 12
    sentence = (
        'The copy of backup {backup_id} at the target "{target}" does not say which site made it, and copies of '
        "another site with the same database name lie there. Nothing of it was used."
    )
    hint = "If it is yours, fetch it by its id: manage.py backup_fetch {backup_id} --from {target}"


class SeveralSites(TargetFailed):
    """Facts: `n`, `sites`: of each the first digits of its id, the host and the newest backup."""

    code, status, exit_code = "several_sites", 409, 2
    sentence = (
        'At the target "{target}" lie copies of {n} sites with this database name, and nothing here says which one '
        "this machine belongs to: {sites}. Nothing was fetched."
    )
    hint = "Say which one with --of-site, as in: manage.py backup_fetch latest --from {target} --of-site {example}"


class SiteNotFound(TargetFailed):
    """Facts: `site`."""

    code, status, exit_code = "site_not_found", 404, 10
    sentence = 'At the target "{target}" no copy that can be opened is of the site "{site}". Nothing was fetched.'
    hint = "manage.py backup_copies --from {target} names the site of each copy that a key opens"


class CopyNotKnown(TargetFailed):
    """Facts: `backup_id`."""

    code, status, exit_code = "copy_not_known", 409, 1
    sentence = (
        'No record here knows the copy of backup {backup_id} at the target "{target}", and the backup is not on this '
        "computer: a restore test from it would prove nothing."
    )
    hint = "Read and compare it first: manage.py backup_copies --from {target} --take-in"


class CopyNotEncrypted(TargetFailed):
    """A copy that is not encrypted where others are. Facts: `backup_id`."""

    code, status, exit_code = "copy_not_encrypted", 409, 14
    sentence = (
        'The copy of backup {backup_id} at the target "{target}" is not encrypted, though copies are: somebody else '
        "may have written it. Nothing of it was used."
    )
    hint = "If it is yours: manage.py backup_fetch {backup_id} --from {target} --accept-unencrypted"
