"""Is the base of an incremental there, the one it was made from, and good?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backups_app.backup_files import layout, metadata
from backups_app.backup_files import manifest as manifests
from backups_app.backup_files.manifest import CollectionEntry, Manifest, Overlay
from backups_app.backup_files.reading import gone_documents
from backups_app.errors import InvalidBackupId, VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import verification as messages
from backups_app.progress import Progress

Recheck = Callable[..., tuple[str, ...]]


@dataclass(frozen=True)
class Unseen:
    """Progress of which nothing is shown: the bars report the base. A cancel is still obeyed."""

    progress: Progress

    def expect(self, label: str, total: int) -> None:
        """Show nothing."""

    def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
        self.progress.checkpoint()

    def note(self, sentence: str) -> None:
        self.progress.note(sentence)

    def checkpoint(self) -> None:
        self.progress.checkpoint()


def recheck(folder: Path, manifest: Manifest, progress: Progress, *, recheck: Recheck) -> tuple[str, ...]:
    """Given an incremental, hold what it says of its base against the base, and read the base again as `recheck` does a
    full backup. Return its warnings. Raise `VerificationFailed`, and what progress raises."""
    for name, entry in manifest.collections.items():
        if entry.overlay is not None:
            _check_sums(folder, name, entry, entry.overlay)
    overlays = {name: one.overlay for name, one in manifest.collections.items() if one.overlay is not None}
    base_folder, base = opened(folder, backup_id=manifest.base)
    for name, over in overlays.items():
        if not is_laid_over(base, name, over):
            raise VerificationFailed(problem=file_messages.BASE_NOT_THE_ONE(backup_id=manifest.base, name=name))
    try:
        return recheck(folder=base_folder, manifest=base, progress=progress)
    except VerificationFailed as failed:
        problem = failed.facts["problem"]
        raise VerificationFailed(
            problem=file_messages.BASE_IS_DAMAGED(backup_id=manifest.base, problem=problem)
        ) from failed


def opened(folder: Path, *, backup_id: str) -> tuple[Path, Manifest]:
    """Given an incremental's folder and its base's id, return the base's folder and manifest. Raise
    `VerificationFailed` where there is none."""
    missing = VerificationFailed(problem=file_messages.BASE_NOT_THERE(backup_id=backup_id))
    try:
        base_folder = folder.parent / layout.published_name(backup_id)
        return base_folder, manifests.from_json(metadata.manifest_in(base_folder))
    except (InvalidBackupId, VerificationFailed, ValueError, OSError) as error:
        raise missing from error


def is_laid_over(base: Manifest, name: str, over: Overlay) -> bool:
    """Whether a collection of the base is the one that an incremental is laid over."""
    entry = base.collections.get(name)
    if entry is None or entry.file != over.file or base.base:
        return False
    recorded = entry.documents, entry.bytes, base.files[entry.file].stream_sha256
    return recorded == (over.documents, over.bytes, over.stream_sha256)


def _check_sums(folder: Path, name: str, entry: CollectionEntry, over: Overlay) -> None:
    gone_documents.check(gone_documents.read(folder, over), over)
    if entry.documents != over.documents - over.gone_documents + over.own_documents:
        raise VerificationFailed(problem=messages.MANIFEST_AND_FILES_DIFFER(name=name))
