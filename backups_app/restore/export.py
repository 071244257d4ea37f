"""A backup as a plain mongodump folder, for stock tools: full or incremental, compressed or not.

.partial-<name>/            beside the target, while it is written: nobody takes it for an export
<name>/<database>/          the dump, under its name only when every byte was compared with the manifest
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backups_app.backup_files import collection_reader, descent, durable, file_names, layout
from backups_app.backup_files.bson_frames import InvalidFrame
from backups_app.backup_files.collection_reader import StreamHashes
from backups_app.backup_files.durable import DurableFile
from backups_app.backup_files.file_names import FileKind
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.errors import ExportTargetTaken, VerificationFailed
from backups_app.messages import restore as messages
from backups_app.progress import Progress

_BATCH_BYTES = 4 * 1024 * 1024
_SMALL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export holds."""

    path: Path
    collections: int
    documents: int
    bytes: int


def export(*, folder: Path, manifest: Manifest, out: Path, progress: Progress) -> Exported:
    """Write the whole state of a verified backup to `out`, a new folder, and compare what is read with the manifest.

    Raise `ExportTargetTaken`, `VerificationFailed`, `DiskFull`, `FolderNotWritable`, `StorageFailed`, and what
    `progress` raises; `out` is not there then.
    """
    if out.is_symlink() or out.exists() or not out.parent.is_dir():
        raise ExportTargetTaken()
    partial = out.with_name(layout.PARTIAL_PREFIX + out.name)
    durable.remove_tree(partial)  # left by a process that died here
    durable.make_directory(partial)
    try:
        _write_all(folder, manifest, partial, progress)
        durable.rename(partial, out)
    except FileExistsError as error:
        durable.remove_tree(partial)
        raise ExportTargetTaken() from error
    except BaseException:
        durable.remove_tree(partial)
        raise
    counted = manifest.collections.values()
    return Exported(path=out, collections=len(counted), documents=manifest.documents, bytes=manifest.bytes)


def _write_all(folder: Path, manifest: Manifest, partial: Path, progress: Progress) -> None:
    """Metadata files first, then the documents, then the prelude: the order of mongodump, whose last file it is."""
    inside = partial / (manifest.database or _NAMELESS)
    durable.make_directory(inside)
    for entry in manifest.collections.values():
        if entry.metadata is not None:
            _copy_small(folder, manifest, entry.metadata, inside)
    for name, entry in manifest.collections.items():
        if entry.file is not None:
            _copy_documents(folder, manifest, name, entry, inside, progress)
    for relative in sorted(_belonging_to_none(manifest)):
        _copy_small(folder, manifest, relative, inside)
    durable.fsync_directory(inside)
    durable.fsync_directory(partial)


_NAMELESS = "dump"
"""For a dump of others that lay at the top of its folder."""


def _copy_documents(
    folder: Path, manifest: Manifest, name: str, entry: CollectionEntry, inside: Path, progress: Progress
) -> None:
    assert entry.file is not None
    progress.expect(name, entry.documents)
    heard = StreamHashes()
    count = 0
    path = inside / _plain_name(entry.file)
    with DurableFile(path, expected_bytes=entry.bytes) as file:
        for batch in _batches(folder, name, entry, heard):
            count += len(batch)
            progress.advance(name, len(batch), file.write(b"".join(batch)))
            progress.checkpoint()
    if count != entry.documents or not heard.are_those_of(manifest, name):
        raise VerificationFailed(problem=messages.DOCUMENTS_NOT_VERIFIED(name=name))


def _batches(folder: Path, name: str, entry: CollectionEntry, heard: StreamHashes) -> Iterator[list[bytes]]:
    waiting: list[bytes] = []
    size = 0
    try:
        for frame in collection_reader.frames(folder=folder, entry=entry, heard=heard):
            waiting.append(frame)
            size += len(frame)
            if size >= _BATCH_BYTES:
                yield waiting
                waiting, size = [], 0
    except (InvalidFrame, FileNotFoundError) as error:
        raise VerificationFailed(problem=messages.DOCUMENTS_UNREADABLE(name=name)) from error
    yield waiting


def _copy_small(folder: Path, manifest: Manifest, relative: str, inside: Path) -> None:
    """Copy a file of options or indexes, uncompressed."""
    try:
        with descent.open_file(folder, relative) as file:
            data = collection_reader.opened(file, name=relative, at_most=_SMALL_BYTES)
            content = b"".join(iter(lambda: data.read(_BATCH_BYTES), b""))
    except (InvalidFrame, FileNotFoundError) as error:
        raise VerificationFailed(problem=messages.STRUCTURE_UNREADABLE(name=relative)) from error
    if hashlib.sha256(content).hexdigest() != manifest.files[relative].stream_sha256:
        raise VerificationFailed(problem=messages.DOCUMENTS_NOT_VERIFIED(name=relative))
    with DurableFile(inside / _plain_name(relative)) as written:
        written.write(content)


def _belonging_to_none(manifest: Manifest) -> Iterator[str]:
    """Yield the files of the dump that belong to no collection: the prelude, and the indexes of mongodump 2.x."""
    for relative in manifest.files:
        name = PurePosixPath(relative).name
        kind = file_names.kind(name)
        if kind is FileKind.PRELUDE or (kind is FileKind.DATA and file_names.is_system_indexes(name)):
            yield relative


def _plain_name(relative: str) -> str:
    return file_names.without_gzip(PurePosixPath(relative).name)
