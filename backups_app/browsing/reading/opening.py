"""Opening a backup to read it: its folder, its manifest, and whether anyone has verified it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from backups_app.backup_files import layout, metadata, stamps
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.stamps import Change
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import foreign
from backups_app.errors import CollectionNotFound, InvalidBackupId, VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import browsing as messages

_UNTOUCHED_NANOSECONDS = 1_000_000_000
"""A file written to less than a second ago may be written to once more within one tick of the file system's clock,
which its stamp would not show."""


@dataclass(frozen=True, kw_only=True)
class OpenBackup:
    """A backup that can be read. `verified`: its manifest is ours, made when these files were verified. `problem` is a
    sentence for people, empty when all is well; `document` is `metadata.json`, empty when there is none to be read."""

    backup_id: str
    folder: Path
    manifest: Manifest
    verified: bool
    problem: str
    document: Mapping[str, Any]

    def entry(self, collection: str) -> CollectionEntry:
        """Return a collection's entry, found among the manifest's keys. Raise CollectionNotFound."""
        entry = self.manifest.collections.get(collection)
        if entry is None:
            raise CollectionNotFound
        return entry


def open_backup(*, store: Store, backup_id: str) -> OpenBackup:
    """Return the backup. Raise `InvalidBackupId` or `BackupNotFound`.

    A folder of somebody else's mongodump opens unverified; one whose `metadata.json` is damaged opens with a problem.
    """
    folder = store.folder(backup_id)
    document, known, problem = _read(folder)
    if known is None and document.get("manifest"):
        problem = messages.MANIFEST_DAMAGED()
    changed, name = _changed(folder, known, document)
    is_another = changed is Change.OTHERS and document.get("kind") == "foreign"
    if known is not None and changed in (Change.SIZE, Change.OTHERS) and not is_another:
        problem = messages.NOT_WHAT_WAS_VERIFIED(name=name)
    problem = problem or _base_problem(folder, known)
    return OpenBackup(
        backup_id=backup_id,
        folder=folder,
        manifest=foreign.manifest(folder, preferred=store.database) if known is None or is_another else known,
        verified=known is not None and changed is Change.NONE and not (known.base and problem),
        problem=problem,
        document={} if is_another else document,
    )


def _base_problem(folder: Path, manifest: Manifest | None) -> str:
    """Return what is wrong with the base of an incremental; empty where nothing is, and for a full one."""
    if manifest is None or not manifest.base:
        return ""
    try:
        base_folder = folder.parent / layout.published_name(manifest.base)
    except InvalidBackupId:
        return file_messages.BASE_NOT_THERE(backup_id=manifest.base)
    written, base, problem = _read(base_folder)
    if base is None:
        return problem or file_messages.BASE_NOT_THERE(backup_id=manifest.base)
    changed, name = _changed(base_folder, base, written)
    if changed in (Change.SIZE, Change.OTHERS):
        problem = messages.NOT_WHAT_WAS_VERIFIED(name=name)
    return file_messages.BASE_IS_DAMAGED(backup_id=manifest.base, problem=problem) if problem else ""


def _changed(folder: Path, known: Manifest | None, document: Mapping[str, Any]) -> tuple[Change, str]:
    if known is None:
        return Change.NONE, ""
    return stamps.compare(folder, manifest=known, noted=document.get(stamps.FIELD))


def _read(folder: Path) -> tuple[Mapping[str, Any], Manifest | None, str]:
    """Return what `metadata.json` holds, its manifest, and what is wrong with it."""
    try:
        stamp = metadata.stamp(folder)
        if stamp is None or time.time_ns() - max(stamp[2:]) < _UNTOUCHED_NANOSECONDS:
            return *_parsed(folder), ""
        return *_kept(folder, stamp), ""
    except VerificationFailed as error:
        return {}, None, error.facts.get("problem") or messages.METADATA_JSON_UNREADABLE()
    except OSError:
        return {}, None, messages.METADATA_JSON_UNREADABLE()


@lru_cache(maxsize=4)
def _kept(folder: Path, _stamp: metadata.Stamp) -> tuple[Mapping[str, Any], Manifest | None]:
    """As `_parsed`. A page of the viewer opens its backup up to five times, and looks at no more than two and their
    bases."""
    return _parsed(folder)


def _parsed(folder: Path) -> tuple[Mapping[str, Any], Manifest | None]:
    document = metadata.read(folder) or {}
    return document, _manifest(document)


def _manifest(document: Mapping[str, Any]) -> Manifest | None:
    try:
        return manifests.from_json(document["manifest"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
