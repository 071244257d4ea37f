"""The manifest of a copy that was just verified."""

from __future__ import annotations

from pathlib import Path

from backups_app.backup_files import layout
from backups_app.backup_files.manifest import CollectionEntry, FileEntry, Manifest
from backups_app.progress import Progress
from backups_app.verification import contents, file_scan
from backups_app.verification.contents import DumpFolder, Held
from backups_app.verification.file_scan import ScannedFile


def manifest_of(folder: Path, held: DumpFolder, scanned: dict[str, ScannedFile], progress: Progress) -> Manifest:
    """Return the manifest of these files, as `scanned` from the disk; small ones are hashed here."""
    files = {one.file: scanned[one.name].entry for one in held.collections if one.file}
    indexes = [file + layout.INDEX_SUFFIX for file in files]
    small = [*held.others, *(one.metadata for one in held.collections if one.metadata), *indexes]
    for relative in small:
        progress.checkpoint()
        files[relative] = _small_entry(folder, relative)
    return Manifest(
        database=held.database,
        files=files,
        collections={one.name: _entry(one, scanned.get(one.name)) for one in held.collections},
    )


def _small_entry(folder: Path, relative: str) -> FileEntry:
    if not contents.holds_indexes(relative):
        return file_scan.hash_file(folder=folder, relative=relative, report=lambda _, __: None)
    scanned = file_scan.scan(folder=folder, relative=relative, validate_all=True, report=lambda _, __: None)
    return scanned.entry


def _entry(one: Held, scanned: ScannedFile | None) -> CollectionEntry:
    return CollectionEntry(
        type=one.type,
        uuid=one.uuid,
        documents=scanned.documents if scanned else 0,
        bytes=scanned.entry.stream_bytes if scanned else 0,
        file=one.file,
        metadata=one.metadata,
        index=one.file + layout.INDEX_SUFFIX if one.file else None,
        duplicate_ids=scanned.duplicate_ids if scanned else 0,
    )
