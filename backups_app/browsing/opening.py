"""Opening a backup to read it: its folder, its manifest, and whether anyone has verified it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backups_app.backup_files import manifest as manifests
from backups_app.backup_files import metadata
from backups_app.backup_files.manifest import CollectionEntry, Manifest
from backups_app.backup_files.store import Store
from backups_app.browsing import foreign
from backups_app.errors import CollectionNotFound, VerificationFailed


@dataclass(frozen=True, kw_only=True)
class OpenBackup:
    """A backup that can be read. `verified`: its manifest is ours, made when it was verified. `problem` is a sentence
    for people, empty when all is well; `document` is `metadata.json`, empty when there is none to be read."""

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
    document, problem = _document(folder)
    verified = _manifest(document)
    if verified is None and document.get("manifest"):
        problem = "its manifest is damaged"
    return OpenBackup(
        backup_id=backup_id,
        folder=folder,
        manifest=verified or foreign.manifest(folder),
        verified=verified is not None,
        problem=problem,
        document=document,
    )


def _document(folder: Path) -> tuple[Mapping[str, Any], str]:
    try:
        return metadata.read(folder) or {}, ""
    except VerificationFailed as error:
        return {}, str(error.facts.get("problem", "metadata.json cannot be read"))
    except OSError:
        return {}, "metadata.json cannot be read"


def _manifest(document: Mapping[str, Any]) -> Manifest | None:
    try:
        return manifests.from_json(document["manifest"])
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
