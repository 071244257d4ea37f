"""From which full backup does an incremental begin? Or why is the next one a full one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backups_app.backup_files.digests import base_digests
from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound
from backups_app.messages import runs as messages
from backups_app.messages.message import Message
from backups_app.progress import Progress
from backups_app.records import RunKind, is_ahead

STREAM, ALL = "stream", "all"
COPY_RECIPIENTS = "copy_recipients"
"""The field of a run that names the public keys that copies were encrypted to; not there without keys or targets."""
OLDEST = timedelta(days=1)
LARGEST_SHARE = 5
"""A delta of more than a fifth of its base makes the next backup a full one."""
SMALL_BYTES = 1024 * 1024
"""A delta that is smaller is never too large: of a small database our own records alone are more than a fifth."""


@dataclass(frozen=True, kw_only=True)
class ChosenBase:
    """The full backup to begin from, and the number that the next incremental has on it."""

    backup: OpenBackup
    number: int

    @property
    def backup_id(self) -> str:
        return self.backup.backup_id

    def as_document(self, *, by_stream: bool | None = None) -> dict[str, Any]:
        """Return what the record and `metadata.json` say of it. `by_stream`: whether a change stream reported what had
        changed, or everything was read; None while nobody knows."""
        known = {} if by_stream is None else {"read": STREAM if by_stream else ALL}
        return {"base": self.backup_id, "number": self.number, **known}

    @property
    def recipients(self) -> set[str]:
        """The public keys that copies were encrypted to when it was made."""
        (recipients,) = RunRecord(self.backup.document).stored_fields(COPY_RECIPIENTS).values()
        return set(recipients or ())

    @property
    def manifest(self) -> Manifest:
        return self.backup.manifest


def choose(*, store: Store, max_chain: int, now: datetime, is_known_bad: Callable[[str], bool]) -> ChosenBase | Message:
    """Return the newest full backup of the store's database that a run of ours made, or why there must be a new one:
    there is none, it is not good, it is a day old, `max_chain` incrementals begin from it, or the last of them is
    large. `is_known_bad`: whether a verification found the backup of this id damaged."""
    chain: list[OpenBackup] = []
    for backup_id in store.backups().ids:
        backup = _opened(store, backup_id)
        if backup is None or not _is_ours(backup, store.database):
            continue
        if backup.manifest.base:
            chain.append(backup)
            continue
        if problem := _problem(backup, is_known_bad):
            return messages.FULL_FOR_DAMAGE(backup_id=backup_id, problem=problem)
        return _decided(backup, [one for one in chain if one.manifest.base == backup_id], max_chain, now)
    return messages.FULL_WITHOUT_BASE()


def _opened(store: Store, backup_id: str) -> OpenBackup | None:
    try:
        return opening.open_backup(store=store, backup_id=backup_id)
    except BackupNotFound:  # removed since the folder was listed
        return None


def _problem(backup: OpenBackup, is_known_bad: Callable[[str], bool]) -> str:
    if backup.problem or not backup.verified:
        return backup.problem or messages.FILES_NOT_WHAT_WAS_VERIFIED()
    return messages.VERIFICATION_FOUND_DAMAGE() if is_known_bad(backup.backup_id) else ""


def _is_ours(backup: OpenBackup, database: str) -> bool:
    record = RunRecord(backup.document)
    return bool(backup.document) and record.kind == RunKind.BACKUP and backup.manifest.database == database


def _decided(base: OpenBackup, chain: Sequence[OpenBackup], max_chain: int, now: datetime) -> ChosenBase | Message:
    """`chain`: the incrementals on this base, newest first."""
    taken_at = RunRecord(base.document).backup_timestamp
    if taken_at is None or is_ahead(taken_at, now=now) or now - taken_at >= OLDEST:
        return messages.FULL_AFTER_A_DAY()
    if len(chain) >= max_chain:
        return messages.FULL_AFTER_MANY(n=len(chain))
    delta_bytes = _stored_bytes(chain[0].manifest) if chain else 0
    if delta_bytes > written_at_most(base.manifest):
        return messages.FULL_AFTER_MUCH()
    number = max((RunRecord(one.document).incremental.number for one in chain), default=0) + 1
    return ChosenBase(backup=base, number=number)


def written_at_most(base: Manifest) -> int:
    """Return the bytes that an incremental on this base is expected to write at most: after a larger one comes a full
    backup."""
    return max(SMALL_BYTES, _stored_bytes(base) // LARGEST_SHARE)


def _stored_bytes(manifest: Manifest) -> int:
    return sum(file.bytes for file in manifest.files.values())


def digests(*, folder: Path, manifest: Manifest, progress: Progress) -> dict[str, BaseDigests]:
    """Return the digests of a full backup's collections; those that are not there are made.

    Raise `VerificationFailed` where it is not what was verified, `DiskFull`, `FolderNotWritable`, `StorageFailed`, and
    what `progress` raises.
    """
    return {
        name: base_digests.opened(folder=folder, manifest=manifest, name=name, checkpoint=progress.checkpoint)
        for name, entry in manifest.collections.items()
        if entry.file is not None
    }
