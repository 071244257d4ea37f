"""The files of a copy come into `.partial-<id>`. What an earlier fetch brought and is whole stays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pyrage.x25519 import Identity

from backups_app import formats
from backups_app.backup_files import descent, durable, layout
from backups_app.backup_files.store import unfinished_fetch
from backups_app.backup_files.store.store import Store
from backups_app.errors import CopyUnreadable, DiskFull, VerificationFailed
from backups_app.messages.protection import storage as messages
from backups_app.progress import Progress
from backups_app.storage import copy_reading
from backups_app.storage.copy_manifest import Contents, CopiedFile, CopyManifest
from backups_app.storage.target import StorageTarget

SPARE_BYTES = 64 * 1024 * 1024
_CHUNK = 1 << 20
RESERVED = frozenset({layout.METADATA, layout.ORIGINAL_METADATA})
"""What is written here and does not come from a target."""


def receive(
    *,
    store: Store,
    folder: Path,
    target: StorageTarget,
    manifest: CopyManifest,
    contents: Contents,
    identities: Sequence[Identity],
    progress: Progress,
) -> None:
    """Bring every file of a copy into `folder`, each compared with size and hash of the manifest, and make all durable.

    Raise `DiskFull` before anything comes where there is no room, and what `copy_reading.receive` and `progress` raise.
    """
    missing = [file for file in contents.files if not _is_whole(folder, file)]
    _require_room(store, sum(file.size_bytes for file in missing))
    progress.expect(manifest.backup_id, sum(manifest.stored(file.object).size_bytes for file in missing))
    for file in missing:
        _receive_one(folder, target, manifest, file, identities, progress)
    _remove_others(folder, contents)
    durable.sync_tree(folder)


def _require_room(store: Store, needed: int) -> None:
    free = store.usage().free_bytes
    if free < needed + SPARE_BYTES:
        raise DiskFull(needed=formats.size(needed + SPARE_BYTES), free=formats.size(free))


def _receive_one(
    folder: Path,
    target: StorageTarget,
    manifest: CopyManifest,
    file: CopiedFile,
    identities: Sequence[Identity],
    progress: Progress,
) -> None:
    path = folder / file.path
    _make_directories(folder, path.parent)

    def report(size_bytes: int) -> None:
        progress.advance(manifest.backup_id, size_bytes, size_bytes)
        progress.checkpoint()

    with durable.DurableFile(path, expected_bytes=file.size_bytes) as into:
        copy_reading.receive(target, manifest=manifest, file=file, into=into, identities=identities, report=report)


def _make_directories(folder: Path, wanted: Path) -> None:
    for directory in reversed([wanted, *wanted.parents]):
        if directory.is_relative_to(folder) and not directory.is_dir():
            durable.make_directory(directory)


def _is_whole(folder: Path, file: CopiedFile) -> bool:
    """Whether an earlier fetch brought this file; one that is not whole is removed."""
    reserved = file.path.split("/")[0]
    if reserved.startswith(".") or reserved in RESERVED:
        raise CopyUnreadable(problem=messages.COPY_MANIFEST_PATH())
    try:
        with descent.open_file(folder, file.path) as found:
            digest = hashlib.sha256()
            size = 0
            while chunk := found.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        return False
    except VerificationFailed as error:
        raise CopyUnreadable(problem=messages.COPY_MANIFEST_PATH()) from error
    if (size, digest.hexdigest()) == (file.size_bytes, file.sha256):
        return True
    durable.remove_file(folder / file.path)
    return False


def _remove_others(folder: Path, contents: Contents) -> None:
    """A fetch that was cut may have been of another copy of this backup."""
    wanted = {file.path for file in contents.files}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and relative not in wanted and relative != unfinished_fetch.MARK:
            durable.remove_file(path)
