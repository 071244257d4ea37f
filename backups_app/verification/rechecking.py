"""What a manifest says of its collections, held against their own files: it is the one file without a hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from backups_app.backup_files import collection_metadata, descent, dump_folder, file_names, layout
from backups_app.backup_files.collection_metadata import CollectionMetadata
from backups_app.backup_files.file_names import FileKind
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.reading import document_index
from backups_app.backup_files.reading.document_index import DocumentIndex
from backups_app.errors import TempleOpsError, VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import verification as messages
from backups_app.verification import contents


def check_collections(folder: Path, manifest: Manifest) -> None:
    """Raise `VerificationFailed` where a file of the manifest is missing or no plain file, where a collection's entry
    does not say what its own metadata file says, or where one that was verified is not in the manifest."""
    for relative in sorted(manifest.files):
        if not relative.endswith(layout.INDEX_SUFFIX):
            _check_is_there(folder, relative)
    for name, entry in manifest.collections.items():
        if not _is_its_own(folder, name, entry, manifest):
            raise _differ(name)
    named = {path for one in manifest.collections.values() for path in (one.file, one.metadata, one.index)}
    named |= {one.overlay.gone for one in manifest.collections.values() if one.overlay is not None}
    for relative in sorted(manifest.files.keys() - named):
        if not _belongs_to_none(relative):
            raise _differ(relative)
    root, prefix = folder / manifest.root, f"{manifest.root}/" if manifest.root else ""
    for one in dump_folder.read(root, database=manifest.database).collections:
        file = f"{prefix}{one.file}" if one.file else None
        if file and file not in named and document_index.read(folder, file + layout.INDEX_SUFFIX):
            raise _differ(one.name)


def index_of(folder: Path, entry: CollectionEntry, manifest: Manifest) -> DocumentIndex | None:
    """Return the index of a collection's file; None where it is lost or not what was written: it can be made again."""
    assert entry.index is not None
    expected = manifest.files.get(entry.index)
    try:
        with descent.open_file(folder, entry.index) as file:
            raw = file.read()
        index = document_index.read(folder, entry.index)
    except (OSError, VerificationFailed):
        return None
    return index if expected is not None and hashlib.sha256(raw).hexdigest() == expected.sha256 else None


def rebuild_index(folder: Path, name: str, entry: CollectionEntry, index: DocumentIndex) -> str:
    """Write an index that was made again. Return the sentence about it: the backup is as good without it."""
    assert entry.index is not None
    path = folder / entry.index
    if dump_folder.kind_of(path) in ("", "file"):
        try:
            document_index.write(path, index)
        except TempleOpsError:
            pass
        else:
            return messages.PAGE_INDEX_MADE_AGAIN(name=name)
    return messages.PAGE_INDEX_LOST(name=name)


def check_counts(name: str, entry: CollectionEntry, manifest: Manifest, index: DocumentIndex) -> None:
    """Raise `VerificationFailed` where the manifest counts otherwise than the one who read the documents."""
    assert entry.file is not None
    file = manifest.files[entry.file]
    message = entry.documents, entry.bytes, file.stream_bytes, min(entry.duplicate_ids, document_index.MOST)
    if message != (index.documents, index.stream_bytes, index.stream_bytes, index.duplicate_ids):
        raise VerificationFailed(problem=messages.MANIFEST_AND_INDEX_DIFFER(name=name))


def _check_is_there(folder: Path, relative: str) -> None:
    kind = dump_folder.kind_of(folder / relative)
    if not kind:
        raise VerificationFailed(problem=messages.FILE_MISSING(path=relative))
    if kind != "file":
        raise VerificationFailed(problem=file_messages.FILE_IS_LINK(path=relative))


def _belongs_to_none(relative: str) -> bool:
    name = relative.rpartition("/")[2]
    return file_names.kind(name) is FileKind.PRELUDE or contents.holds_indexes(relative)


def _differ(name: str) -> VerificationFailed:
    return VerificationFailed(problem=messages.MANIFEST_AND_FILES_DIFFER(name=name))


def _is_its_own(folder: Path, name: str, entry: CollectionEntry, manifest: Manifest) -> bool:
    """Whether the files of a collection are those of the manifest, and type, uuid and name those that they say."""
    paths = [path for path in (entry.file, entry.metadata, entry.index) if path is not None]
    if any(path not in manifest.files for path in paths) or (entry.file is None) != (entry.index is None):
        return False
    if entry.file is None and (entry.documents, entry.bytes, entry.duplicate_ids) != (0, 0, 0):
        return False
    known = collection_metadata.read(folder, entry.metadata)
    return not known.problem and (known.type, known.uuid) == (entry.type, entry.uuid) and _bears(name, entry, known)


def _bears(name: str, entry: CollectionEntry, known: CollectionMetadata) -> bool:
    """Whether the names of a collection's files are made of its own."""
    described = _base(entry.metadata)
    if described is not None and layout.collection_name(base=described, stated=known.name) != name:
        return False
    data = _base(entry.file)
    if data is None or data == described:
        return True
    buckets = layout.BUCKETS_PREFIX + name
    bare = described is None and layout.collection_name(base=data, stated=None) in (name, buckets)
    return bare or (known.type == "timeseries" and data == layout.file_base(buckets))


def _base(path: str | None) -> str | None:
    return None if path is None else file_names.base(path.rpartition("/")[2])
