"""Copies that are not encrypted beside encrypted ones: none is made, and none is trusted, unless somebody says that
this is meant.

After a fire the new machine's `.env` may lack the public keys; nobody would notice that its copies can be read. And a
copy that is not encrypted can be written by everybody who can write to the target.
"""

from __future__ import annotations

from backups_app.configuration import Configuration
from backups_app.errors import CopiesWouldBeClear
from backups_app.storage import copy_reading, copy_rows
from backups_app.storage.copy_rows import State
from backups_app.storage.target import StorageTarget


def require_meant(configuration: Configuration, target: StorageTarget) -> None:
    """Raise `CopiesWouldBeClear` where copies would not be encrypted, the target holds encrypted ones, and nobody set
    BACKUP_COPY_RECIPIENTS=none. Raise kinds of `TargetFailed`."""
    if configuration.copy_recipients or configuration.copies_in_clear:
        return
    if encrypted_lie_at(target):
        raise CopiesWouldBeClear(target=target.name)


def encrypted_lie_at(target: StorageTarget) -> bool:
    """Return whether a target holds an encrypted copy. Raise kinds of `TargetFailed`."""
    rows = copy_rows.of_target(target.name).filter(state=State.COMPLETE)
    known = set(rows.values_list("manifest", flat=True))
    return rows.exclude(recipients="").exists() or any(
        one.manifest is not None and one.manifest.encrypted for one in copy_reading.find(target, known=known)
    )
