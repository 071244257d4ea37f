"""The backup store: the folder that holds every backup of this server, and its identity.

    .store_id                 made once; a host judges only the backups of its own store
    backup_<id>/              published, immutable but for the status fields of metadata.json
    .partial-<id>/            a run is writing it
    .trash-<name>-<moment>/   on its way out

Nothing here follows a link: one that stands in the store is reported and left alone.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backups_app.backup_files import descent, durable, layout
from backups_app.errors import BackupNotFound, FolderNotWritable, InvalidBackupId

_TRASH_TIME = "%Y%m%dT%H%M%SZ"
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
    """The backup store at `root`. Making the object touches nothing. `database` is the temple's: of a folder that
    others wrote, it is the one to be read."""

    root: Path
    database: str = ""

    def prepare(self) -> str:
        """Make the folder (its parent must be there) and its identity where they are missing. Return the store's id.

        Raise `FolderNotWritable` when the root is a link or no directory, `DiskFull`, `StorageFailed`.
        """
        if not os.path.lexists(self.root):
            with suppress(FileExistsError):  # another process was first
                durable.make_directory(self.root)
        if not _is_directory(self.root):
            raise FolderNotWritable(errno_name="it is a link, or no folder")
        known = self.store_id()
        return known if known is not None else self._make_store_id()

    def store_id(self) -> str | None:
        """Return the id of this store, or None when the folder is missing, a link, or was never prepared."""
        if not _is_directory(self.root):
            return None
        try:
            with descent.open_file(self.root, layout.STORE_ID) as file:
                return file.read(64).decode("ascii", "replace").strip() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            durable.fail(error, path=self.root)

    def _make_store_id(self) -> str:
        fresh = secrets.token_hex(16)
        temporary = self.root / f"{layout.STORE_ID}.{fresh}"
        with durable.DurableFile(temporary) as file:
            file.write(fresh.encode() + b"\n")
        try:
            durable.rename(temporary, self.root / layout.STORE_ID)
        except FileExistsError:  # another process was first: its id is the store's
            temporary.unlink(missing_ok=True)
        known = self.store_id()
        assert known is not None
        return known

    def backups(self) -> Listing:
        """Return the published backups of this store: real directories of the right name only."""
        found, ignored = [], []
        for name in self._names(layout.PUBLISHED_PREFIX):
            try:
                backup_id = layout.check_id(name.removeprefix(layout.PUBLISHED_PREFIX))
            except InvalidBackupId:
                ignored.append(Ignored(name=name, reason="its name is not a backup's"))
                continue
            if _is_directory(self.root / name):
                found.append(backup_id)
            else:
                ignored.append(Ignored(name=name, reason="it is a link or no directory"))
        return Listing(ids=tuple(sorted(found, reverse=True)), ignored=tuple(ignored))

    def folder(self, backup_id: str) -> Path:
        """Return the folder of a published backup. Raise `InvalidBackupId`, or `BackupNotFound` (also for a link)."""
        folder = self.root / layout.published_name(backup_id)
        if not (_is_directory(self.root) and _is_directory(folder)):
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
        trashed = self._to_trash(layout.partial_name(backup_id), now=now)
        if trashed is not None:
            durable.remove_tree(trashed)

    def trash(self, backup_id: str, *, now: datetime) -> Path:
        """Take a published backup out of the list; its files stay until `empty_trash`. Raise `BackupNotFound`."""
        self.folder(backup_id)
        trashed = self._to_trash(layout.published_name(backup_id), now=now)
        if trashed is None:
            raise BackupNotFound()
        return trashed

    def thrown_away_at(self, backup_id: str) -> datetime | None:
        """Return when this published backup was taken out of the list; None when nobody did, or its trash is gone."""
        names = self._names(f"{layout.TRASH_PREFIX}{layout.published_name(backup_id)}-")
        return max((moment for name in names if (moment := _thrown_at(name))), default=None)

    def empty_trash(self, *, older_than: datetime) -> tuple[str, ...]:
        """Remove for good what was thrown away before `older_than`. Return the names removed."""
        removed = []
        for name in self._names(layout.TRASH_PREFIX):
            thrown_at = _thrown_at(name)
            if thrown_at is not None and thrown_at < older_than:
                durable.remove_tree(self.root / name)
                removed.append(name)
        return tuple(removed)

    def _to_trash(self, name: str, *, now: datetime) -> Path | None:
        moment = now.astimezone(UTC).strftime(_TRASH_TIME)
        target = self.root / f"{layout.TRASH_PREFIX}{name.lstrip('.')}-{secrets.token_hex(4)}-{moment}"
        if not os.path.lexists(self.root / name):
            return None
        durable.rename(self.root / name, target)
        return target

    def _names(self, prefix: str) -> list[str]:
        if not _is_directory(self.root):
            return []
        try:
            return sorted(name for name in os.listdir(self.root) if name.startswith(prefix))  # noqa: PTH208
        except OSError as error:
            durable.fail(error, path=self.root)


def _is_directory(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
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


def _thrown_at(name: str) -> datetime | None:
    try:
        return datetime.strptime(name.rpartition("-")[2], _TRASH_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
