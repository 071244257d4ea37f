"""Is a copy good? Every byte is read again from the disk before anything else may rely on it.

`verify` makes the manifest of a copy that was just written, or that somebody else's mongodump wrote; `recheck` holds a
published backup against the manifest it was published with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backups_app.backup_files import durable, layout
from backups_app.backup_files.manifest import FileEntry, Manifest
from backups_app.backup_files.reading import document_index, overlaid
from backups_app.errors import VerificationFailed
from backups_app.messages import verification as messages
from backups_app.progress import Progress
from backups_app.verification import (
    base_check,
    completeness,
    contents,
    file_scan,
    foreign_words,
    new_manifest,
    rechecking,
)
from backups_app.verification.completeness import Expectation
from backups_app.verification.contents import DumpFolder, Held
from backups_app.verification.file_scan import ScannedFile


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A copy that is good. `warnings` are sentences for people."""

    manifest: Manifest
    warnings: tuple[str, ...] = ()


def verify(*, folder: Path, database: str, report: Expectation | None, progress: Progress) -> Verdict:
    """Read the copy of `database` in `folder` from the disk to its last byte and return its manifest.

    1. Everything the database held is there, and nothing else (`report`; None for a folder of unknown origin, where
       every document is validated instead, and what does not belong to the dump is named and not read).
    2. Each file is hashed, each document walked, all `_id`s compared; the built-in engine's digests must agree.
    3. The document indexes are written beside the files, and made durable.

    Raise `VerificationFailed` by name, `DiskFull` or `StorageFailed`, and what progress raises.
    """
    held = contents.survey(folder=folder, database=database)
    warnings: list[str] = []
    if report is not None:
        completeness.check_collections(report=report, held=held.collections, strange=contents.unexpected(held))
    else:
        warnings += foreign_words.of_the_folder(held) + foreign_words.of_the_indexes(folder, held)
        held, unread = _without_broken_preludes(folder, held)
        warnings += unread
    scanned = {one.name: _scan(folder, one, report, progress) for one in held.collections if one.file}
    if report is not None:
        counts = {name: result.documents for name, result in scanned.items()}
        warnings += completeness.check_counts(report=report, documents=counts)
    warnings += _duplicate_warnings(scanned)
    if report is None:
        warnings += foreign_words.of_the_documents(scanned)
    _write_indexes(folder, held, scanned)
    return Verdict(manifest=new_manifest.manifest_of(folder, held, scanned, progress), warnings=tuple(warnings))


def recheck(*, folder: Path, manifest: Manifest, progress: Progress) -> tuple[str, ...]:
    """Read a published backup from the disk and compare every byte with its manifest. Return warnings: what else lies
    in the folder, and the indexes that had to be made again.

    Of an incremental its base is read too. Raise `VerificationFailed` at the first file of the manifest that is missing
    or different, and what progress raises.
    """
    base_warnings: tuple[str, ...] = ()
    if manifest.base:
        base_warnings = base_check.recheck(folder, manifest, progress, recheck=recheck)
        progress = base_check.Unseen(progress)
    rechecking.check_collections(folder, manifest)
    warnings = list(contents.look_beside(folder=folder, manifest=manifest))
    by_file = {entry.file: name for name, entry in manifest.collections.items() if entry.file}
    for relative, expected in sorted(manifest.files.items()):
        name = by_file.get(relative)
        if name is None and relative.endswith(layout.INDEX_SUFFIX):
            continue
        if name is not None:
            warnings += _reread(folder, name, manifest, progress)
        else:
            found = file_scan.hash_file(folder=folder, relative=relative, report=lambda _, __: progress.checkpoint())
            _compare(relative, found, expected)
    return (*base_warnings, *warnings)


def _reread(folder: Path, name: str, manifest: Manifest, progress: Progress) -> list[str]:
    """Compare the documents of one collection, and its index, with the manifest; make the index again if need be."""
    entry = manifest.collections[name]
    if entry.overlay is not None:
        entry = overlaid.own_entry(entry, entry.overlay)
    assert entry.file is not None
    progress.expect(name, entry.documents)
    sentences: list[str] = []
    index = rechecking.index_of(folder, entry, manifest)
    if index is None:
        scanned = file_scan.scan(
            folder=folder, relative=entry.file, validate_all=False, report=lambda _, __: progress.checkpoint()
        )
        found, index = scanned.entry, scanned.index
        sentences.append(rechecking.rebuild_index(folder, name, entry, index))
    else:
        found = file_scan.hash_file(folder=folder, relative=entry.file, report=lambda _, __: progress.checkpoint())
    _compare(entry.file, found, manifest.files[entry.file])
    rechecking.check_counts(name, entry, manifest, index)
    progress.advance(name, entry.documents, found.stream_bytes)
    return sentences


def _compare(relative: str, found: FileEntry, expected: FileEntry) -> None:
    if found.bytes != expected.bytes:
        raise VerificationFailed(
            problem=messages.FILE_SIZE_DIFFERS(path=relative, bytes=found.bytes, expected=expected.bytes)
        )
    if found != expected:
        raise VerificationFailed(problem=messages.FILE_HASH_DIFFERS(path=relative))


def _scan(folder: Path, one: Held, report: Expectation | None, progress: Progress) -> ScannedFile:
    assert one.file is not None
    expected = {info.name: info.documents for info in report.expected} if report else {}
    progress.expect(one.name, expected.get(one.name) or 0)
    scanned = file_scan.scan(
        folder=folder,
        relative=one.file,
        validate_all=report is None,
        report=_teller(one.name, progress),
    )
    digest = report.digests.get(one.file) if report is not None else None
    if digest is not None and digest != (scanned.entry.bytes, scanned.entry.sha256):
        raise VerificationFailed(problem=messages.DISK_READS_OTHER_BYTES(path=one.file))
    return scanned


def _without_broken_preludes(folder: Path, held: DumpFolder) -> tuple[DumpFolder, list[str]]:
    """A prelude says only which tools wrote a dump: one that cannot be read is named and left out."""
    broken = [name for name in held.others if not contents.holds_indexes(name) and not _can_be_read(folder, name)]
    sentences: list[str] = [messages.COLLECTION_UNREADABLE(name=name) for name in broken]
    return replace(held, others=tuple(name for name in held.others if name not in broken)), sentences


def _can_be_read(folder: Path, relative: str) -> bool:
    try:
        file_scan.hash_file(folder=folder, relative=relative, report=lambda _, __: None)
    except VerificationFailed:
        return False
    return True


def _teller(name: str, progress: Progress) -> Callable[[int, int], None]:
    def report(documents: int, size_bytes: int) -> None:
        progress.advance(name, documents, size_bytes)
        progress.checkpoint()

    return report


def _duplicate_warnings(scanned: dict[str, ScannedFile]) -> list[str]:
    return [
        messages.DUPLICATE_IDS(name=name, count=result.duplicate_ids)
        for name, result in scanned.items()
        if result.duplicate_ids
    ]


def _write_indexes(folder: Path, held: DumpFolder, scanned: dict[str, ScannedFile]) -> None:
    for one in held.collections:
        if one.file is not None:
            document_index.write(folder / (one.file + layout.INDEX_SUFFIX), scanned[one.name].index)
    durable.fsync_directory(folder / held.database if held.database else folder)
