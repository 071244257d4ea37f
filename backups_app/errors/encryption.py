"""The keys of copies: a private key that is missing or wrong, a copy that does not open."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError
from backups_app.errors.copies import CopyNotFound, TargetFailed


class KeyMissing(TempleOpsError):
    code, status, exit_code = "key_missing", 409, 14
    sentence = "This copy is encrypted, and no private key was given. Nothing was changed."
    hint = "Name the file that holds the private key: --identity FILE, or BACKUP_COPY_IDENTITY_FILE"


class WrongKey(TempleOpsError):
    code, status, exit_code = "wrong_key", 409, 14
    sentence = "The copy is encrypted to other keys: none of the given private keys opens it. Nothing was changed."
    hint = "Give the private key whose public key was in BACKUP_COPY_RECIPIENTS when the copy was made"


class KeyNotReadable(TempleOpsError):
    """Facts: `problem`."""

    code, status, exit_code = "key_not_readable", 409, 14
    sentence = "The file with the private key cannot be used: {problem}. Nothing was changed."
    hint = "A line of it begins with AGE-SECRET-KEY-1; manage.py backup_keys new makes one"


class RecipientsMissing(TempleOpsError):
    code, status, exit_code = "recipients_missing", 409, 2
    sentence = "Copies are not encrypted: BACKUP_COPY_RECIPIENTS names no public key."
    hint = "manage.py backup_keys new makes a pair of keys and prints the line for .env"


class KeyOfNoRecipient(WrongKey):
    """Facts: `public`."""

    code = "key_of_no_recipient"
    sentence = (
        "This private key belongs to {public}, which is not in BACKUP_COPY_RECIPIENTS: "
        "it would not open the next copies."
    )
    hint = "Add that public key to BACKUP_COPY_RECIPIENTS, or test the key that belongs to one of them"


class CopyUnreadable(TempleOpsError):
    """Facts: `problem`."""

    code, status, exit_code = "copy_unreadable", 409, 5
    sentence = "The copy cannot be used: {problem}. It was not added to the backups."
    hint = "Fetch another backup, or the same one from another target"


class SiteUnreadable(CopyUnreadable):
    """Facts: `problem`. Of a copy's `site.json` alone: its backup is fetched all the same."""

    code = "site_unreadable"
    sentence = (
        "The site.json of the copy cannot be used: {problem}. Nothing of it was taken over; the backup itself is not "
        "affected."
    )
    hint = "The schedules, people and audit trail of an older backup, or of one at another target, can come instead"


class NoCopyToTest(CopyNotFound):
    sentence = 'At the target "{target}" there is no copy yet that was made to the present keys.'
    hint = "Copy a backup first: manage.py backup_copy latest --to {target}"


class BackupDiffers(TempleOpsError):
    """Facts: `backup_id`."""

    code, status, exit_code = "backup_differs", 409, 1
    sentence = "The backup {backup_id} on this computer differs from the copy. Both stay as they are."
    hint = "Fetch the copy into another BACKUP_DIR"


class CopiesWouldBeClear(TargetFailed):
    """Without public keys copies are readable; at this target lie encrypted ones."""

    code, status, exit_code = "copies_would_be_clear", 409, 14
    sentence = (
        'The target "{target}" holds encrypted copies, and BACKUP_COPY_RECIPIENTS is empty: everybody with access '
        "there could read new ones. Nothing was copied; the backup on this computer is safe."
    )
    hint = (
        "Put the line BACKUP_COPY_RECIPIENTS=… from the paper of the key into .env and restart. If copies are to be "
        "readable from now on: BACKUP_COPY_RECIPIENTS=none"
    )
