"""A backup written as a plain mongodump folder, put on record: what leaves the store is an event."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from backups_app.access.trail import audit
from backups_app.backup_files import bases
from backups_app.configuration import Configuration
from backups_app.errors import ExportAmongBackups, TempleOpsError
from backups_app.progress import Progress
from backups_app.records import Origin
from backups_app.restore import export
from backups_app.restore.export import Exported
from backups_app.runs import preparation

ACTION = "backup.exported"


def export_backup(
    *,
    configuration: Configuration,
    backup_id: str,
    out: Path,
    requested_by: str,
    origin: Origin,
    now: datetime,
    progress: Progress,
) -> Exported:
    """Write a verified backup to the new folder `out` as mongodump would have written it, whole and uncompressed.

    Raise `BackupNotFound`, `InvalidBackupId`, `ExportTargetTaken`, `ExportAmongBackups`, `ExportParentMissing`,
    `ExportNameRefused`, `VerificationFailed` where the files are not those that were verified, `DiskFull`,
    `FolderNotWritable`, `StorageFailed`.
    """
    store = preparation.store(configuration)
    folder = store.folder(backup_id)
    manifest = preparation.manifest_of(store, backup_id=backup_id)
    require_place(out=out, configuration=configuration)
    on_record = partial(audit.record, actor=requested_by, origin=origin, action=ACTION, target=backup_id, now=now)
    on_record(result=audit.STARTED)
    try:
        with bases.reading(store.root, backup_id):
            exported = export.export(folder=folder, manifest=manifest, out=out, progress=progress)
    except TempleOpsError as error:
        on_record(result="failed", details={"problem": error.detail})
        raise
    on_record(result="done", details={"documents": exported.documents, "bytes": exported.bytes})
    return exported


def require_place(*, out: Path, configuration: Configuration) -> None:
    """Raise `ExportTargetTaken`, `ExportParentMissing`, `ExportNameRefused`, or `ExportAmongBackups`: there an export
    would be read as a backup or a copy, and removed with them."""
    export.require_free(out)
    places = [("BACKUP_DIR", configuration.backup_dir)]
    places += [("BACKUP_TARGETS", Path(one.place)) for one in configuration.targets if one.is_directory]
    for name, place in places:
        if out.resolve().is_relative_to(place.resolve()):
            raise ExportAmongBackups(place=name)
