"""Verified backups that this process has opened: what a list says of them, for as long as their files are the same.

Each of their files is looked at each time; `metadata.json` is read again only when it is another file.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any

from backups_app.backup_files import layout, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.stamps import Change, ExpectedFiles
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.catalog.run import listed_runs
from backups_app.catalog.run.run_record import RunRecord


class KnownBackup:
    """`record` is what lists have of `metadata.json`, `held` what it holds: fields of a summary."""

    __slots__ = ("base", "expected", "held", "record", "stamp")

    def __init__(self, backup: OpenBackup, stamp: metadata.Stamp) -> None:
        self.stamp, self.base = stamp, backup.manifest.base
        self.expected = ExpectedFiles(backup.manifest, backup.document.get(stamps.FIELD))
        without = ("manifest", stamps.FIELD)
        record = RunRecord({name: value for name, value in backup.document.items() if name not in without})
        self.record, self.held = listed_runs.shortened(record), held_in(backup.manifest)


_known: dict[str, KnownBackup] = {}


def held_in(manifest: Manifest) -> dict[str, Any]:
    """Return what a manifest says that a backup holds, as fields of a summary."""
    counts = manifest.counts()
    return {
        "database": manifest.database,
        "collections": stamps.shared(tuple(manifest.collections)),
        "documents": counts.documents,
        "bytes": counts.bytes,
    }


def still_verified(store: Store, backup_id: str) -> KnownBackup | None:
    """Return what is known of a backup that is as it was when it was verified, and its base too; None of any other."""
    folder = _path(store, backup_id)
    known = _known.get(folder)
    if known is None or os.path.islink(folder) or known.stamp != metadata.stamp(folder):  # noqa: PTH114 - of thousands
        return None
    if known.expected.compare(folder)[0] is not Change.NONE:
        return None
    return known if not known.base or still_verified(store, known.base) is not None else None


def opened(store: Store, backup_id: str) -> OpenBackup:
    """Open a backup, and know it where it is verified. Raise as `opening.open_backup`."""
    folder = _path(store, backup_id)
    before = metadata.stamp(folder)
    backup = opening.open_backup(store=store, backup_id=backup_id)
    if backup.verified and not backup.problem and before is not None and before == metadata.stamp(folder):
        _known[folder] = KnownBackup(backup, before)
    return backup


def forget_others(store: Store, backup_ids: Collection[str]) -> None:
    """Forget the backups that are not among these, when they are many."""
    if len(_known) > 2 * len(backup_ids) + 100:
        for folder in set(_known) - {_path(store, backup_id) for backup_id in backup_ids}:
            _known.pop(folder, None)


def _path(store: Store, backup_id: str) -> str:
    return f"{store.root}/{layout.PUBLISHED_PREFIX}{backup_id}"
