"""A folder that somebody else's mongodump wrote becomes a backup of ours: read whole, and given its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backups_app.backup_files import dump_folder, file_names, layout, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.errors import VerificationFailed
from backups_app.messages import runs as messages
from backups_app.progress import Progress
from backups_app.runs import preparation
from backups_app.runs.description import folder_records
from backups_app.verification import verdict


def adopt(*, configuration: Configuration, backup_id: str, progress: Progress) -> None:
    """Give a folder that somebody else's mongodump wrote its manifest, where it has none or holds another dump by now:
    it is read whole. Any other backup is left as it is. Raise `VerificationFailed`, `BackupNotFound`."""
    store = preparation.store(configuration)
    folder = store.folder(backup_id)
    written = metadata.read(folder) or {}
    if folder_records.changed(folder, written) is None:
        adopt_folder(folder, written, store.database, progress)


def adopt_folder(
    folder: Path, written: Mapping[str, Any], preferred: str, progress: Progress
) -> tuple[Manifest, tuple[str, ...]]:
    """Read somebody else's dump as strictly as our own, and write down what it holds, in our own store only."""
    Store(folder.parent, database=preferred).require_ours()
    database = dump_folder.choose(folder, preferred=preferred)
    verified = verdict.verify(folder=folder, database=database, report=None, progress=progress)
    if not verified.manifest.collections:
        _require_dump(folder)
    backup_id = folder.name.removeprefix(layout.PUBLISHED_PREFIX)
    adopted = folder_records.adopted(backup_id, manifest=verified.manifest, warnings=verified.warnings)
    kept = {key: value for key, value in written.items() if key not in adopted}
    noted = {stamps.FIELD: stamps.take(folder, verified.manifest)}
    metadata.write(folder, kept | adopted | noted)
    return verified.manifest, verified.warnings


def _require_dump(folder: Path) -> None:
    """Raise `VerificationFailed` where there is no file of a dump. It names a folder that is no backup."""
    if dump_folder.databases(folder) or any(map(file_names.is_oplog, dump_folder.entries(folder))):
        return
    for name in dump_folder.entries(folder):
        if dump_folder.kind_of(folder / name) == "directory" and dump_folder.databases(folder / name):
            raise VerificationFailed(problem=messages.DUMP_ONE_FOLDER_TOO_DEEP(folder=dump_folder.readable_name(name)))
    raise VerificationFailed(problem=messages.NO_DUMP_OF_MONGODUMP())
