"""Whether a copy at a target is what its name says: of this database, and of the backup that is here under its id.

Somebody who can write to a target can put a copy there under any id. A row knows a copy by the hash of its manifest.
"""

from __future__ import annotations

from backups_app.backup_files import layout, metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.configuration import Configuration
from backups_app.errors import (
    BackupDiffers,
    CopyDamaged,
    CopyNotEncrypted,
    CopyNotKnown,
    CopyOfAnotherDatabase,
    VerificationFailed,
)
from backups_app.messages import verification as messages
from backups_app.runs import preparation
from backups_app.runs.description import folder_records
from backups_app.storage import copy_rows
from backups_app.storage.copy_manifest import Contents
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.copy_rows import State


def is_known(target: str, found: FoundCopy) -> bool:
    """Return whether a row knows this copy: the name of its manifest and every byte of it."""
    rows = copy_rows.of_target(target).filter(backup_id=found.backup_id, state=State.COMPLETE)
    known = {(entry["name"], entry["sha256"]) for row in rows for entry in row.written if entry["name"] == row.manifest}
    return found.stored is not None and (found.stored.name, found.stored.sha256) in known


def is_here(configuration: Configuration, backup_id: str) -> bool:
    """Return whether a backup of this id is in the folder of this computer."""
    return backup_id in preparation.store(configuration).backups().ids


def require_same_backup(configuration: Configuration, *, target: str, found: FoundCopy, contents: Contents) -> None:
    """Raise where a copy is not that of a backup of this database: `CopyOfAnotherDatabase`; `BackupDiffers` where
    another backup of its id is here; `VerificationFailed` where it lacks files of its manifest or they are others;
    `CopyDamaged` where its readable part names another base. Its bytes are not read."""
    folder_records.require_sound(found.backup_id, contents.metadata)
    require_database(configuration, target=target, found=found, contents=contents)
    manifest = folder_records.manifest_in(contents.metadata)
    if found.manifest is None or (found.manifest.base or "") != manifest.base:
        raise CopyDamaged(target=target)
    _require_files(manifest, contents)
    if is_here(configuration, found.backup_id):
        folder = preparation.store(configuration).folder(found.backup_id)
        written = metadata.read_plain(folder) or {}
        if written.get("manifest") != contents.metadata.get("manifest"):
            raise BackupDiffers(backup_id=found.backup_id)


def require_proof(configuration: Configuration, *, target: str, found: FoundCopy, contents: Contents) -> None:
    """Raise where a restore test from a copy would prove nothing of ours: `CopyNotKnown` where neither a row nor the
    backup here knows it, `CopyNotEncrypted` where copies are encrypted, and what `require_same_backup` raises."""
    require_same_backup(configuration, target=target, found=found, contents=contents)
    if configuration.copy_recipients and (found.manifest is None or not found.manifest.encrypted):
        raise CopyNotEncrypted(target=target, backup_id=found.backup_id)
    if not is_here(configuration, found.backup_id) and not is_known(target, found):
        raise CopyNotKnown(target=target, backup_id=found.backup_id)


def require_database(configuration: Configuration, *, target: str, found: FoundCopy, contents: Contents) -> None:
    """Raise `CopyOfAnotherDatabase` where a copy says that it is of another database."""
    database = configuration.database_name
    other = folder_records.other_database(contents.metadata, database=database)
    if other:
        raise CopyOfAnotherDatabase(target=target, backup_id=found.backup_id, database=database, other=other)


def _require_files(manifest: Manifest, contents: Contents) -> None:
    """The index of a file is made again where it is lost: all others must be there."""
    copied = {one.path: one for one in contents.files}
    for path, expected in sorted(manifest.files.items()):
        if path.endswith(layout.INDEX_SUFFIX):
            continue
        if path not in copied:
            raise VerificationFailed(problem=messages.FILE_MISSING(path=path))
        if (copied[path].size_bytes, copied[path].sha256) != (expected.bytes, expected.sha256):
            raise VerificationFailed(problem=messages.FILE_HASH_DIFFERS(path=path))
    for name, entry in manifest.collections.items():
        if {path for path in (entry.file, entry.metadata) if path} - manifest.files.keys():
            raise VerificationFailed(problem=messages.MANIFEST_AND_FILES_DIFFER(name=name))
