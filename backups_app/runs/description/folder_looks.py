"""What became of the files of backups, as a list looks: at the folder, its directories and `metadata.json`.

A file that came, went or was replaced changes its directory; `metadata.json` is read again when it is another one.
What was written into a data file in its place, no directory shows: opening, verifying, restoring and retention look at
each file, and a list looks at each file of the newest backups and of some older ones in turn.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from itertools import count
from pathlib import Path

from backups_app.backup_files import layout, metadata, stamps
from backups_app.backup_files.stamps import Change, ExpectedFiles
from backups_app.catalog.run import listed_runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound, InvalidBackupId, StorageFailed, VerificationFailed
from backups_app.runs.description import folder_records

IN_EACH_LOOK = 64
"""So many of the newest backups, and so many of the others in turn, are looked at file by file."""
YOUNG_NS = 2_000_000_000
"""What changed a moment ago can change again without another time: a disk's clock ticks, on some only once in two
seconds."""

Stamp = tuple[tuple[int, int, int, int] | None, ...]


class KnownFolder:
    """A folder as it was when its `metadata.json` was read. `expected` is None where there is no manifest, `record` as
    long as nobody asked for it."""

    __slots__ = ("base", "change", "directories", "expected", "is_foreign", "record", "stamp")

    def __init__(
        self, *, stamp: Stamp, expected: ExpectedFiles | None, base: str, is_foreign: bool, change: Change
    ) -> None:
        self.stamp, self.expected, self.base = stamp, expected, base
        self.is_foreign, self.change = is_foreign, change
        self.directories = expected.directories if expected else ()
        self.record: RunRecord | None = None


_known: dict[str, KnownFolder] = {}
_turns = count()


class FolderLooks:
    """One look at the folders of a store: each is looked at once. `each_file` are the ids of the backups
    that are looked at file by file, None all."""

    def __init__(self, root: Path, *, each_file: Collection[str] | None = None) -> None:
        self._root, self._each_file = str(root), each_file
        self._seen: dict[str, KnownFolder] = {}
        self._now_ns = time.time_ns()

    def change(self, backup_id: str) -> Change | None:
        """Return what became of a backup's files since they were verified, and of its base's; None where nobody
        verified what lies here. Raise `VerificationFailed`, `StorageFailed`,
        `BackupNotFound`."""
        known = self._folder(backup_id)
        if known.expected is None:
            return None
        found = known.change
        if known.base and found is Change.NONE:
            found = self._of_the_base(known.base)
        return None if found is Change.OTHERS and known.is_foreign else found

    def record(self, backup_id: str) -> RunRecord:
        """Return the record that a folder's `metadata.json` stands for, as lists have it. Raise as `change`."""
        known = self._folder(backup_id)
        if known.record is None:
            written = metadata.read(Path(f"{self._root}/{layout.PUBLISHED_PREFIX}{backup_id}")) or {}
            known.record = listed_runs.shortened(folder_records.from_metadata(backup_id, written))
        return known.record

    def _of_the_base(self, base: str) -> Change:
        """A base that is gone is of another size."""
        try:
            known = self._folder(layout.check_id(base))
        except (InvalidBackupId, BackupNotFound, VerificationFailed, StorageFailed):
            return Change.SIZE
        return Change.SIZE if known.expected is None else known.change

    def _folder(self, backup_id: str) -> KnownFolder:
        if backup_id not in self._seen:
            self._seen[backup_id] = self._looked_at(backup_id)
        return self._seen[backup_id]

    def _looked_at(self, backup_id: str) -> KnownFolder:
        folder = f"{self._root}/{layout.PUBLISHED_PREFIX}{backup_id}"
        known = _known.get(folder)
        if known is None or known.stamp != _stamp(folder, known.directories):
            return self._read(folder)
        is_asked = self._each_file is None or backup_id in self._each_file or known.change is not Change.NONE
        if known.expected is not None and is_asked:
            known.change, _ = known.expected.compare(folder)
        return known

    def _read(self, folder: str) -> KnownFolder:
        before = _stamp(folder, ())
        if before[0] is None:
            raise BackupNotFound()
        written = metadata.read_plain(Path(folder)) or {}
        manifest = folder_records.manifest_in(written) if "manifest" in written else None
        expected = None if manifest is None else ExpectedFiles(manifest, written.get(stamps.FIELD))
        stamp = _stamp(folder, expected.directories if expected else ())
        known = KnownFolder(
            stamp=stamp,
            expected=expected,
            base=manifest.base if manifest else "",
            is_foreign=written.get("kind") == folder_records.FOREIGN,
            change=expected.compare(folder)[0] if expected else Change.NONE,
        )
        if stamp[: len(before)] == before and self._is_old(stamp):
            _known[folder] = known
        return known

    def _is_old(self, stamp: Stamp) -> bool:
        return all(one is None or max(one[1], one[2]) < self._now_ns - YOUNG_NS for one in stamp)


def of_a_list(root: Path, backup_ids: Sequence[str]) -> FolderLooks:
    """Given the ids of the published backups, newest first, return the look of a list. What is known of folders that
    are gone is forgotten."""
    newest, older = backup_ids[:IN_EACH_LOOK], backup_ids[IN_EACH_LOOK:]
    start = next(_turns) * IN_EACH_LOOK % len(older) if older else 0
    in_turn = (*older, *older)[start : start + IN_EACH_LOOK]
    if len(_known) > 2 * len(backup_ids) + IN_EACH_LOOK:
        here = {f"{root}/{layout.PUBLISHED_PREFIX}{backup_id}" for backup_id in backup_ids}
        for folder in set(_known) - here:
            _known.pop(folder, None)
    return FolderLooks(root, each_file={*newest, *in_turn})


def _stamp(folder: str, directories: Sequence[str]) -> Stamp:
    below = [layout.METADATA, *directories]
    return (_path_stamp(folder), *[_path_stamp(f"{folder}/{name}") for name in below])


def _path_stamp(path: str) -> tuple[int, int, int, int] | None:
    """None for what is not there."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size
