"""The backup store: the folder that holds every backup of this server, and its identity.

    .store_id                 the store's id and its database; a host decides only about the backups of its own store
    backup_<id>/              published, immutable but for the status fields of metadata.json
    .partial-<id>/            a run is writing it
    .trash-<name>-…/          on its way out (`trash.py`)
    .locks/                   who reads what (`locks.py`)
    removed.json              what was removed, when and why (`removals.py`)

Nothing here follows a link: one that stands in the store is reported and left alone.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from backups_app.backup_files import durable, layout
from backups_app.backup_files.store import store_identity, trash
from backups_app.errors import BackupNotFound, FolderNotWritable, InvalidBackupId, StoreOfAnotherDatabase
from backups_app.messages import backup_files as messages

_LOOSE = 0o077


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """An entry that looks like a backup and is not taken for one, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The published backups, newest name first, and what was passed over."""

    ids: tuple[str, ...]
    ignored: tuple[Ignored, ...]


@dataclass(frozen=True, kw_only=True)
class DiskUsage:
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class Loose:
    """An entry that others than its owner may read, named relative to the store; `repair` is the command."""

    name: str
    mode: int
    repair: str


@dataclass(frozen=True)
class Store:
    """The backup store at `root`. Making the object touches nothing. `database` is the temple's: the store
    belongs to it, and of a folder that others wrote it is the one to be read."""

    root: Path
    database: str = ""

    def prepare(self, *, adopt: bool = False) -> str:
        """Make the folder (its parent must be there) and its identity where they are missing. Return the store's id.

        A store that names no database gets this one's name where its backups are this database's; with `adopt`, an
        admin's word, in any case. Raise `StoreOfAnotherDatabase`, `FolderNotWritable` when the root is a link or no
        directory, `DiskFull`, `StorageFailed`.
        """
        if not os.path.lexists(self.root):
            with suppress(FileExistsError):  # another process was first
                durable.make_directory(self.root)
        if not _is_directory(self.root):
            raise FolderNotWritable(errno_name=messages.FOLDER_IS_LINK())
        known = store_identity.read(self.root)
        if not adopt or (known is not None and known.database):
            self.require_ours()
        if known is None:
            store_identity.make(self.root, database=self.database)
        elif self.database and not known.database:
            store_identity.name_database(self.root, known, database=self.database)
        self.require_ours()  # another process may have been first
        made = self.store_id()
        assert made is not None
        return made

    def store_id(self) -> str | None:
        """Return the id of this store, or None when the folder is missing, a link, or was never prepared."""
        known = store_identity.read(self.root) if _is_directory(self.root) else None
        return known.id if known is not None else None

    def require_ours(self) -> None:
        """Raise `StoreOfAnotherDatabase` where this store's backups are another database's. Writes nothing."""
        other = self._other_database()
        if other:
            raise StoreOfAnotherDatabase(database=self.database, other=other)

    def is_ours(self) -> bool:
        """Whether this store belongs to this database, or to none yet."""
        return not self._other_database()

    def _other_database(self) -> str:
        """Return the name of the database that this store belongs to, "" where that is ours, or nobody's yet."""
        if not self.database or not _is_directory(self.root):
            return ""
        known = store_identity.read(self.root)
        if known is not None and known.database:
            return known.database if known.database != self.database else ""
        folders = (self.root / layout.published_name(backup_id) for backup_id in self.backups().ids)
        return next((name for name in store_identity.databases(folders) if name != self.database), "")

    def backups(self) -> Listing:
        """Return the published backups of this store: real directories of the right name, that hold anything, only."""
        found, ignored = [], []
        for entry in self._entries(layout.PUBLISHED_PREFIX):
            try:
                backup_id = layout.check_id(entry.name.removeprefix(layout.PUBLISHED_PREFIX))
            except InvalidBackupId:
                ignored.append(Ignored(name=entry.name, reason=messages.NAME_OF_NO_BACKUP()))
                continue
            if not entry.is_dir(follow_symlinks=False):
                ignored.append(Ignored(name=entry.name, reason=messages.DIRECTORY_IS_LINK()))
            elif _is_empty(entry.path):
                ignored.append(Ignored(name=entry.name, reason=messages.FOLDER_EMPTY()))
            else:
                found.append(backup_id)
        return Listing(ids=tuple(sorted(found, reverse=True)), ignored=tuple(ignored))

    def folder(self, backup_id: str) -> Path:
        """Return the folder of a published backup. Raise `InvalidBackupId`, or `BackupNotFound` (also for a link, and
        for a folder whose files were removed)."""
        folder = self.root / layout.published_name(backup_id)
        if not (_is_directory(self.root) and _is_directory(folder)) or _is_empty(folder):
            raise BackupNotFound()
        return folder

    def partials(self) -> tuple[str, ...]:
        """Return the ids of the folders that runs are writing, or that dead runs left."""
        names = self._names(layout.PARTIAL_PREFIX)
        return tuple(sorted(name.removeprefix(layout.PARTIAL_PREFIX) for name in names))

    def taken_ids(self) -> frozenset[str]:
        """Return every id that stands in this store, published or not, for `layout.new_backup_id`."""
        return frozenset(self.partials()) | frozenset(
            name.removeprefix(layout.PUBLISHED_PREFIX) for name in self._names(layout.PUBLISHED_PREFIX)
        )

    def usage(self) -> DiskUsage:
        """Return the size and the free space of the store's disk. Raise `StorageFailed` if it is not there.

        Before the first backup that is the disk of the folder's parent, where `prepare` will make it.
        """
        try:
            usage = shutil.disk_usage(self.root if os.path.lexists(self.root) else self.root.parent)
        except OSError as error:
            durable.fail(error, path=self.root)
        return DiskUsage(total_bytes=usage.total, free_bytes=usage.free)

    def folder_bytes(self, backup_id: str) -> int:
        """Return the bytes that the files of a published backup take."""
        total = 0
        for where, _, files in os.walk(self.folder(backup_id), followlinks=False):
            for name in files:
                total += os.lstat(os.path.join(where, name)).st_size  # noqa: PTH118
        return total

    def loose(self) -> tuple[Loose, ...]:
        """Return what others than the owner may read, write or enter, with the command that repairs it."""
        found = []
        for where, directories, files in os.walk(self.root, followlinks=False):
            found += [_loose(self.root, Path(where, name)) for name in (*directories, *files)]
        return tuple(entry for entry in (_loose(self.root, self.root), *found) if entry is not None)

    def make_partial(self, backup_id: str) -> Path:
        """Make the folder that a run writes into. Raise FileExistsError if another run has it."""
        folder = self.root / layout.partial_name(backup_id)
        durable.make_directory(folder)
        return folder

    def partial(self, backup_id: str) -> Path:
        return self.root / layout.partial_name(backup_id)

    def publish(self, backup_id: str) -> Path:
        """Give a verified partial folder its final name. Raise FileExistsError if that name is taken,
        `StorageFailed` if the partial folder is gone."""
        folder = self.root / layout.published_name(backup_id)
        durable.rename(self.root / layout.partial_name(backup_id), folder)
        return folder

    def discard_partial(self, backup_id: str, *, now: datetime) -> None:
        """Remove what a failed run wrote. Renamed first, so that a paused owner cannot go on writing or publish it.
        Gone already is fine."""
        trashed = trash.throw(self.root, layout.partial_name(backup_id), now=now)
        if trashed is not None:
            durable.remove_tree(trashed)

    def trash(self, backup_id: str, *, now: datetime) -> Path:
        """Take a published backup out of the list; its files stay until `empty_trash`. Raise `BackupNotFound`."""
        self.folder(backup_id)
        trashed = trash.throw(self.root, layout.published_name(backup_id), now=now)
        if trashed is None:
            raise BackupNotFound()
        return trashed

    def thrown_away_at(self, backup_id: str) -> datetime | None:
        """Return when this published backup was taken out of the list; None when nobody did, or its trash is gone."""
        thrown = trash.of_backup(self.root, backup_id)
        return None if thrown is None else thrown.at

    def empty_trash(self, *, older_than: datetime) -> tuple[str, ...]:
        """Remove for good what was thrown away before `older_than`. Return the names removed."""
        return trash.empty(self.root, older_than=older_than) if _is_directory(self.root) else ()

    def _names(self, prefix: str) -> list[str]:
        return [entry.name for entry in self._entries(prefix)]

    def _entries(self, prefix: str) -> list[os.DirEntry[str]]:
        if not _is_directory(self.root):
            return []
        try:
            with os.scandir(self.root) as entries:
                found = [entry for entry in entries if entry.name.startswith(prefix)]
        except OSError as error:
            durable.fail(error, path=self.root)
        return sorted(found, key=attrgetter("name"))


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _is_empty(folder: str | Path) -> bool:
    """Whether somebody removed all that was in it: what a file manager leaves there is nothing."""
    if os.path.lexists(f"{folder}/{layout.METADATA}"):  # of thousands of folders it is quicker than to read them
        return False
    try:
        with os.scandir(folder) as entries:
            return all(entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def _loose(root: Path, path: Path) -> Loose | None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode) or not mode & _LOOSE:
        return None
    name = "." if path == root else str(path.relative_to(root))
    right = "700" if stat.S_ISDIR(mode) else "600"
    return Loose(name=name, mode=stat.S_IMODE(mode), repair=f"chmod {right}")
