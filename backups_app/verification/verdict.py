"""Is a copy good? Every byte is read again from the disk before anything else may rely on it.

`verify` makes the manifest of a copy that was just written, or that somebody else's mongodump wrote; `recheck` holds a
published backup against the manifest it was published with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups_app.backup_files import document_index, durable, layout
from backups_app.backup_files.manifest import CollectionEntry, FileEntry, Manifest
from backups_app.errors import VerificationFailed
from backups_app.progress import Progress
from backups_app.verification import completeness, contents, file_scan
from backups_app.verification.completeness import Expectation
from backups_app.verification.contents import Contents, Held
from backups_app.verification.file_scan import ScannedFile


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A copy that is good. `warnings` are sentences for people."""

    manifest: Manifest
    warnings: tuple[str, ...] = ()


def verify(*, folder: Path, database: str, report: Expectation | None, progress: Progress) -> Verdict:
    """Read the copy of `database` in `folder` from the disk to its last byte and return its manifest.

    1. Everything the database held is there, and nothing else (`report`; None for a folder of unknown origin, where
       every document is validated instead).
    2. Each file is hashed, each document walked, all `_id`s compared; the built-in engine's digests must agree.
    3. The document indexes are written beside the files, and made durable.

    Raise `VerificationFailed` by name, `DiskFull` or `StorageFailed`, and what progress raises.
    """
    held = contents.survey(folder=folder, database=database)
    warnings: list[str] = []
    if report is not None:
        completeness.check_collections(report=report, held=held.collections, strange=held.strange)
    else:
        warnings += _foreign_warnings(held)
    scanned = {one.name: _scan(folder, one, report, progress) for one in held.collections if one.file}
    if report is not None:
        counts = {name: result.documents for name, result in scanned.items()}
        warnings += completeness.check_counts(report=report, documents=counts)
    warnings += _duplicate_warnings(scanned)
    _write_indexes(folder, database, held, scanned)
    return Verdict(manifest=_manifest(folder, database, held, scanned, progress), warnings=tuple(warnings))


def recheck(*, folder: Path, manifest: Manifest, progress: Progress) -> None:
    """Read a published backup from the disk and compare every byte with its manifest.

    Raise `VerificationFailed` at the first file that is missing, too many, or different, and what progress raises.
    """
    _check_manifest(folder, manifest)
    there = _every_file(folder)
    for extra in sorted(there - manifest.files.keys() - contents.AT_THE_ROOT):
        raise VerificationFailed(problem=f"{extra} was not there when the backup was made")
    names = {entry.file: name for name, entry in manifest.collections.items() if entry.file}
    for relative, expected in sorted(manifest.files.items()):
        if relative not in there:
            raise VerificationFailed(problem=f"{relative} is missing")
        name = names.get(relative)
        if name is not None:
            progress.expect(name, manifest.collections[name].documents)
        found = file_scan.hash_file(folder=folder, relative=relative, tell=lambda _, __: progress.checkpoint())
        _compare(relative, found, expected)
        if name is not None:
            progress.advance(name, manifest.collections[name].documents, found.stream_bytes)


def _check_manifest(folder: Path, manifest: Manifest) -> None:
    """Hold what a manifest says of its collections against their own files: it is the one file without a hash."""
    held = contents.survey(folder=folder, database=manifest.database)
    found = {one.name: (one.type, one.uuid, one.file, one.metadata) for one in held.collections}
    said = {name: (one.type, one.uuid, one.file, one.metadata) for name, one in manifest.collections.items()}
    different = sorted(name for name in found.keys() | said.keys() if found.get(name) != said.get(name))
    if different:
        raise VerificationFailed(problem=f'its manifest and its files differ about "{different[0]}"')
    for name, entry in manifest.collections.items():
        if not _fits_index(folder, entry, manifest):
            raise VerificationFailed(problem=f'its manifest and the index of "{name}" differ')


def _fits_index(folder: Path, entry: CollectionEntry, manifest: Manifest) -> bool:
    if entry.file is None or entry.index is None:
        return (entry.file, entry.index, entry.documents, entry.bytes, entry.duplicate_ids) == (None, None, 0, 0, 0)
    index = document_index.read(folder, entry.index)
    file = manifest.files.get(entry.file)
    if index is None or file is None or entry.index not in manifest.files:
        return False
    said = entry.documents, entry.bytes, file.stream_bytes, min(entry.duplicate_ids, document_index.MOST)
    return said == (index.documents, index.stream_bytes, index.stream_bytes, index.duplicate_ids)


def _compare(relative: str, found: FileEntry, expected: FileEntry) -> None:
    if found.bytes != expected.bytes:
        raise VerificationFailed(problem=f"{relative} has {found.bytes:,} bytes instead of {expected.bytes:,}")
    if found != expected:
        raise VerificationFailed(problem=f"{relative} is not what was written: its SHA-256 differs")


def _every_file(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*"):
        relative = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise VerificationFailed(problem=f"{relative} is a link")
        if not path.is_dir():
            found.add(relative)
    return found


def _scan(folder: Path, one: Held, report: Expectation | None, progress: Progress) -> ScannedFile:
    assert one.file is not None
    expected = {info.name: info.documents for info in report.expected} if report else {}
    progress.expect(one.name, expected.get(one.name) or 0)
    scanned = file_scan.scan(
        folder=folder,
        relative=one.file,
        validate_all=report is None,
        tell=_teller(one.name, progress),
    )
    digest = report.digests.get(one.file) if report is not None else None
    if digest is not None and digest != (scanned.entry.bytes, scanned.entry.sha256):
        raise VerificationFailed(problem=f"the disk does not give back what was written to {one.file}")
    return scanned


def _teller(name: str, progress: Progress) -> Callable[[int, int], None]:
    def tell(documents: int, size_bytes: int) -> None:
        progress.advance(name, documents, size_bytes)
        progress.checkpoint()

    return tell


def _foreign_warnings(held: Contents) -> list[str]:
    warnings = [f"{name} is not part of the backup and was not checked" for name in held.strange]
    warnings += [
        f'"{one.name}" has no metadata: options and indexes unknown' for one in held.collections if not one.metadata
    ]
    lacking = (one for one in held.collections if one.file is None and one.type != "view")
    return warnings + [f'"{one.name}" has no documents file' for one in lacking]


def _duplicate_warnings(scanned: dict[str, ScannedFile]) -> list[str]:
    return [
        f'"{name}" holds {result.duplicate_ids:,} _id more than once: they changed while the copy was made, '
        "and no purge will touch them"
        for name, result in scanned.items()
        if result.duplicate_ids
    ]


def _write_indexes(folder: Path, database: str, held: Contents, scanned: dict[str, ScannedFile]) -> None:
    for one in held.collections:
        if one.file is not None:
            document_index.write(folder / (one.file + layout.INDEX_SUFFIX), scanned[one.name].index)
    durable.fsync_directory(folder / database)


def _manifest(
    folder: Path, database: str, held: Contents, scanned: dict[str, ScannedFile], progress: Progress
) -> Manifest:
    files = {one.file: scanned[one.name].entry for one in held.collections if one.file}
    indexes = [file + layout.INDEX_SUFFIX for file in files]
    small = [*held.others, *(one.metadata for one in held.collections if one.metadata), *indexes]
    for relative in small:
        progress.checkpoint()
        files[relative] = file_scan.hash_file(folder=folder, relative=relative, tell=lambda _, __: None)
    return Manifest(
        database=database,
        files=files,
        collections={one.name: _entry(one, scanned.get(one.name)) for one in held.collections},
    )


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
