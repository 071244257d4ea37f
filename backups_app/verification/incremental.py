"""Is an incremental good that was just written? Its files are read again; its base was verified when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from backups_app.backup_files import file_names, layout
from backups_app.backup_files.manifest import CollectionEntry, FileEntry, Manifest, Overlay
from backups_app.backup_files.reading import gone_documents
from backups_app.errors import VerificationFailed
from backups_app.messages import verification as messages
from backups_app.progress import Progress
from backups_app.records import CollectionInfo
from backups_app.verification import base_check, completeness, file_scan, verdict
from backups_app.verification.completeness import Expectation
from backups_app.verification.verdict import Verdict


class ExpectedChanges(Protocol):
    """How one collection differs from its base (`dump/report.py`)."""

    @property
    def documents(self) -> int: ...

    @property
    def written(self) -> int: ...

    @property
    def gone(self) -> int: ...

    @property
    def gone_bytes(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class VerifiedBase:
    """The full backup that an incremental begins from."""

    backup_id: str
    manifest: Manifest


@dataclass(frozen=True, kw_only=True)
class _OwnFiles:
    """What a dump reported, as far as the files that it wrote can be held against it."""

    expected: tuple[CollectionInfo, ...]
    after: tuple[CollectionInfo, ...]
    deleted_meanwhile: int | None
    digests: Mapping[str, tuple[int, str]]


def verify(
    *,
    folder: Path,
    database: str,
    report: Expectation,
    changes: Mapping[str, ExpectedChanges],
    base: VerifiedBase,
    progress: Progress,
) -> Verdict:
    """Read what an incremental wrote below `folder`, from the disk to its last byte, and return the manifest of the
    whole state. `changes` are of the collections that are laid over the base.

    1. its own files, as a full backup's are verified (`verdict.verify`);
    2. which documents of the base are gone: ascending, of the base, as many as the dump reported;
    3. the whole counts, against those of the server.

    Raise `VerificationFailed` by name, `DiskFull` or `StorageFailed`, and what progress raises.
    """
    own = verdict.verify(
        folder=folder / layout.DELTA, database=database, report=_own_files(report, changes), progress=progress
    )
    files = {f"{layout.DELTA}/{path}": entry for path, entry in own.manifest.files.items()}
    collections = {}
    for name, entry in own.manifest.collections.items():
        moved = _below_delta(entry)
        if name in changes:
            moved = _laid_over(folder, name, moved, changes[name], base, files)
        collections[name] = moved
    counts = {name: collections[name].documents for name in changes}
    warnings = completeness.check_counts(report=report, documents=counts)
    manifest = Manifest(database=database, base=base.backup_id, files=files, collections=collections)
    return Verdict(manifest=manifest, warnings=(*own.warnings, *warnings))


def _own_files(report: Expectation, changes: Mapping[str, ExpectedChanges]) -> _OwnFiles:
    """The server counted whole collections: what was written of one that is laid over its base is no such count."""
    expected = tuple(replace(info, documents=None) if info.name in changes else info for info in report.expected)
    return _OwnFiles(
        expected=expected,
        after=tuple(report.after),
        deleted_meanwhile=report.deleted_meanwhile,
        digests=report.digests,
    )


def _below_delta(entry: CollectionEntry) -> CollectionEntry:
    file, metadata, index = (
        None if path is None else f"{layout.DELTA}/{path}" for path in (entry.file, entry.metadata, entry.index)
    )
    return replace(entry, file=file, metadata=metadata, index=index)


def _laid_over(
    folder: Path,
    name: str,
    entry: CollectionEntry,
    changed: ExpectedChanges,
    base: VerifiedBase,
    files: dict[str, FileEntry],
) -> CollectionEntry:
    """Return the entry of the whole collection, and add its list of gone documents to `files`."""
    known = base.manifest.collections[name]
    assert known.file is not None and known.index is not None and entry.file is not None
    gone = file_names.gone_of(entry.file) if changed.gone else None
    over = Overlay(
        backup=base.backup_id,
        file=known.file,
        index=known.index,
        documents=known.documents,
        bytes=known.bytes,
        stream_sha256=base.manifest.files[known.file].stream_sha256,
        gone=gone,
        gone_documents=changed.gone,
        own_documents=entry.documents,
        own_bytes=entry.bytes,
    )
    gone_documents.check(gone_documents.read(folder, over), over)
    if gone is not None:
        files[gone] = file_scan.hash_file(folder=folder, relative=gone, report=lambda _, __: None)
    documents = over.documents - over.gone_documents + over.own_documents
    if (documents, entry.documents) != (changed.documents, changed.written) or not base_check.is_laid_over(
        base.manifest, name, over
    ):
        raise VerificationFailed(problem=messages.MANIFEST_AND_FILES_DIFFER(name=name))
    return replace(entry, overlay=over, documents=documents, bytes=over.bytes - changed.gone_bytes + over.own_bytes)
