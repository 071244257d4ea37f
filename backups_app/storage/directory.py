"""A target in a directory: a NAS, a USB disk, another file system.

.store_id        it was prepared: without this file its disk is not mounted
.new-<name>      an object that is being written, or whose writer was killed: it goes with the name
<name>           an object, whole
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from backups_app.backup_files import descent, durable
from backups_app.backup_files.store import store_identity
from backups_app.errors import (
    DiskFull,
    FolderNotWritable,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    TargetDenied,
    TargetDirectoryMissing,
    TargetFailed,
    TargetFull,
    TargetMissing,
    TargetNotEmpty,
    TargetNotMounted,
    TargetUnreachable,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.storage import disks
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

        It is not made: where its disk is not mounted it would come to lie on this computer's disk. Raise
        `TargetNotEmpty` where it holds other files, `TargetDirectoryMissing` where it is not there, `TargetNotMounted`
        where it is below a mount point with nothing mounted, `TargetDenied`, `TargetFull`.
        """
        with self._named():
            if not self.root.is_dir():
                raise TargetDirectoryMissing(target=self.name, path=shlex.quote(str(self.root)))
            if store_identity.read(self.root) is not None:
                return
            mount_point = disks.empty_mount_point(self.root)
            if mount_point is not None:
                raise TargetNotMounted(target=self.name, mount_point=shlex.quote(str(mount_point)))
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
        with self._opened(name) as descriptor, self._named(of_an_object=True):
            return _head(name, os.fstat(descriptor))

    def read(self, name: str) -> Iterator[bytes]:
        with self._opened(name) as descriptor:
            with self._named():
                durable.forget_cached(descriptor, self.root / name)
            while True:
                with self._named(of_an_object=True):
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
                yield self._listed(name)

    def _listed(self, name: str) -> ObjectHead:
        try:
            return self.head(name)
        except (ObjectUnreadable, TargetDenied):
            failure = ObjectUnreadable(target=self.name)
            return ObjectHead(name=name, size_bytes=0, modified_at=targets.NEVER, failure=failure)

    def delete(self, name: str) -> None:
        with self._named():
            self._require_prepared()
            durable.remove_file(self.root / targets.require_name(name))
            durable.remove_file(self.root / f"{NEW}{name}")  # its writer was killed
            durable.fsync_directory(self.root)

    def _require_prepared(self) -> None:
        if not self.root.is_dir() or store_identity.read(self.root) is None:
            raise TargetMissing(target=self.name)

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        with self._named():
            self._require_prepared()
        with self._named(of_an_object=True):
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
    def _named(self, *, of_an_object: bool = False) -> Iterator[None]:
        """Name what goes wrong in the block as a failure of this target, or of one object that is there."""
        try:
            yield
        except TargetFailed:
            raise
        except (TempleOpsError, OSError) as error:
            failure = _failure(error)
            is_unknown = of_an_object and failure is TargetFailed
            raise (ObjectUnreadable if is_unknown else failure)(target=self.name) from error


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
