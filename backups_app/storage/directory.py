"""A target in a directory: a NAS, a USB disk, another file system.

.store_id        it was prepared: without this file its disk is not mounted
.new-<name>      an object that is being written
<name>           an object, whole
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from backups_app.backup_files import descent, durable, store_identity
from backups_app.errors import (
    DiskFull,
    FolderNotWritable,
    ObjectExists,
    ObjectMissing,
    TargetDenied,
    TargetFailed,
    TargetFull,
    TargetMissing,
    TargetNotEmpty,
    TargetUnreachable,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.storage import target as targets
from backups_app.storage.target import ObjectHead

LOST_AND_FOUND = "lost+found"
NEW = ".new-"
"""Begins the name of a file that is not whole yet."""


class DirectoryTarget:
    """Keeps objects as files of one directory, which must have been prepared once."""

    def __init__(self, *, name: str, root: Path) -> None:
        """Given the target's name and its directory. Nothing is opened yet."""
        self.name = name
        self.root = root

    def prepare(self, *, database: str) -> None:
        """Make the directory a target. One that is a target already stays as it is.

        Raise `TargetNotEmpty` where it holds other files, `TargetDenied`, `TargetFull`, `TargetMissing`.
        """
        with self._named():
            if self.root.is_dir() and store_identity.read(self.root) is not None:
                return
            with suppress(FileExistsError):
                durable.make_directory(self.root)
            if any(entry.name != LOST_AND_FOUND for entry in self.root.iterdir()):
                raise TargetNotEmpty(target=self.name)
            store_identity.make(self.root, database=database)

    def check(self) -> None:
        with self._named():
            self._require_prepared()
            if not os.access(self.root, os.R_OK | os.X_OK):
                raise TargetDenied(target=self.name)

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        path = self.root / targets.require_name(name)
        temporary = self.root / f"{NEW}{name}"
        with self._named():
            self._require_prepared()
            if os.path.lexists(path) or os.path.lexists(temporary):
                raise ObjectExists(target=self.name)
            file = durable.DurableFile(temporary)
        try:
            for chunk in chunks:  # an error of the source is not one of the target
                with self._named():
                    file.write(chunk)
            with self._named():
                file.close()
                durable.rename(temporary, path)
        finally:
            file.abandon()
            with suppress(TempleOpsError):
                durable.remove_file(temporary)

    def head(self, name: str) -> ObjectHead:
        with self._named(), self._opened(name) as descriptor:
            return _head(name, os.fstat(descriptor))

    def read(self, name: str) -> Iterator[bytes]:
        with self._opened(name) as descriptor:
            with self._named():
                durable.forget_cached(descriptor, self.root / name)
            while True:
                with self._named():
                    chunk = os.read(descriptor, targets.CHUNK_BYTES)
                if not chunk:
                    return
                yield chunk

    def list_objects(self) -> Iterator[ObjectHead]:
        with self._named():
            self._require_prepared()
            with os.scandir(self.root) as entries:
                found = [entry.name for entry in entries if targets.is_name(entry.name)]
        for name in found:
            with suppress(ObjectMissing):
                yield self.head(name)

    def delete(self, name: str) -> None:
        with self._named():
            self._require_prepared()
            durable.remove_file(self.root / targets.require_name(name))
            durable.fsync_directory(self.root)

    def _require_prepared(self) -> None:
        if not self.root.is_dir() or store_identity.read(self.root) is None:
            raise TargetMissing(target=self.name)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        with self._named():
            self._require_prepared()
            descriptor = self._open(targets.require_name(name))
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self, name: str) -> int:
        try:
            return descent.open_descriptor(self.root, name)
        except FileNotFoundError:
            raise ObjectMissing(target=self.name) from None
        except VerificationFailed as error:  # a link or a directory, unless the system refused
            if error.__cause__ is None:
                raise ObjectMissing(target=self.name) from error
            raise

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name what goes wrong in the block as a failure of this target."""
        try:
            yield
        except TargetFailed:
            raise
        except (TempleOpsError, OSError) as error:
            raise _failure(error)(target=self.name) from error


def _head(name: str, found: os.stat_result) -> ObjectHead:
    return ObjectHead(name=name, size_bytes=found.st_size, modified_at=datetime.fromtimestamp(found.st_mtime, UTC))


FAILURES: dict[type[BaseException], type[TargetFailed]] = {
    DiskFull: TargetFull,
    FolderNotWritable: TargetDenied,
    PermissionError: TargetDenied,
    FileExistsError: ObjectExists,
    FileNotFoundError: TargetMissing,
    NotADirectoryError: TargetMissing,
    TimeoutError: TargetUnreachable,
}


def _failure(error: BaseException) -> type[TargetFailed]:
    """Return what an error means for a target; a general one by its cause."""
    if type(error) in FAILURES or error.__cause__ is None:
        return FAILURES.get(type(error), TargetFailed)
    return _failure(error.__cause__)
