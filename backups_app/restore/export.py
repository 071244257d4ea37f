"""A backup as a plain mongodump folder, for stock tools: full or incremental, compressed or not.

.partial-<name>/            beside the target, while it is written: nobody takes it for an export
<name>/<database>/          the dump, under its name only when every byte was compared with the manifest
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from backups_app.backup_files import descent, durable, file_names, layout
from backups_app.backup_files.durable import DurableFile
from backups_app.backup_files.file_names import FileKind
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.collection_reader import StreamHashes
from backups_app.errors import ExportNameRefused, ExportParentMissing, ExportTargetTaken, VerificationFailed
from backups_app.messages import restore as messages
from backups_app.progress import Progress
from backups_app.records import INTERNAL

_BATCH_BYTES = 4 * 1024 * 1024
_SMALL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export holds. `database` is the folder of the dump in it; `own_…` are those of our own records, counted
    in the others too."""

    path: Path
    database: str
    collections: int
    documents: int
    bytes: int
    own_collections: int = 0
    own_documents: int = 0


def export(*, folder: Path, manifest: Manifest, out: Path, progress: Progress) -> Exported:
    """Write the whole state of a verified backup to `out`, a new folder, and compare what is read with the manifest.

    Raise what `require_free` does, `VerificationFailed`, `DiskFull`, `FolderNotWritable`, `StorageFailed`, and what
    `progress` raises; `out` is not there then.
    """
    require_free(out)
    partial = _partial(out)
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
    own = [entry for name, entry in manifest.collections.items() if name in INTERNAL]
    return Exported(
        path=out,
        database=_database(manifest),
        collections=len(counted),
        documents=manifest.documents,
        bytes=manifest.bytes,
        own_collections=len(own),
        own_documents=sum(entry.documents for entry in own),
    )


def require_free(out: Path) -> None:
    """Raise `ExportTargetTaken`, `ExportParentMissing`, or `ExportNameRefused` where the path is none for the file
    system: too long, a loop of links, in a folder that this user may not enter."""
    try:
        if out.is_symlink() or out.exists():
            raise ExportTargetTaken()
        if not out.parent.is_dir():
            raise ExportParentMissing()
        _partial(out).exists()
        out.resolve()
    except (OSError, RuntimeError) as error:
        number = error.errno if isinstance(error, OSError) else errno.ELOOP
        raise ExportNameRefused(reason=errno.errorcode.get(number or 0, type(error).__name__)) from None


def _partial(out: Path) -> Path:
    return out.with_name(layout.PARTIAL_PREFIX + out.name)


def _database(manifest: Manifest) -> str:
    """A dump of others that lay at the top of its folder names no database."""
    return manifest.database or "dump"


def _write_all(folder: Path, manifest: Manifest, partial: Path, progress: Progress) -> None:
    """Metadata files first, then the documents, then the prelude: the order of mongodump, whose last file it is."""
    inside = partial / _database(manifest)
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


def _copy_documents(
    folder: Path, manifest: Manifest, name: str, entry: CollectionEntry, inside: Path, progress: Progress
) -> None:
    assert entry.file is not None
    progress.expect(name, entry.documents)
    heard, passed = StreamHashes(), 0
    with DurableFile(inside / _plain_name(entry.file), expected_bytes=entry.bytes) as file:
        for piece in _pieces(folder, name, entry, heard):
            written = file.write(piece)
            by_now = entry.documents * file.size // max(entry.bytes, 1)
            progress.advance(name, by_now - passed, written)
            progress.checkpoint()
            passed = by_now
    # The same bytes are the same documents: none needs to be looked at.
    if file.size != entry.bytes or not heard.are_those_of(manifest, name):
        raise VerificationFailed(problem=messages.DOCUMENTS_NOT_VERIFIED(name=name))


def _pieces(folder: Path, name: str, entry: CollectionEntry, heard: StreamHashes) -> Iterator[bytes]:
    try:
        yield from collection_reader.pieces(folder=folder, entry=entry, heard=heard)
    except (InvalidFrame, FileNotFoundError) as error:
        raise VerificationFailed(problem=messages.DOCUMENTS_UNREADABLE(name=name)) from error


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
