"""Is a backup still as it was published? Read again from the disk; the answer is written into its record."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.access import audit
from backups_app.backup_files import dump_folder, file_names, layout, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store import Store
from backups_app.browsing import opening
from backups_app.catalog import runs
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.models import AuditEvent
from backups_app.mongo import lost
from backups_app.progress import Progress, Silent
from backups_app.records import Origin, Side
from backups_app.verification import verdict
from backups_app.workflow import folder_records, prepare

ACTION = "backup.verified"
SEEN = "seen"
STARTED, GOOD, DAMAGED, FAILED = "started", "good", "damaged", "failed"
"""How the audit trail names it, its beginning and its ends: in every process one can read there what became of it."""

REMEMBER_SECONDS = 5
"""So long the record may take to hear of a verdict that stands without it."""

logger = logging.getLogger(__name__)


def verify_backup(
    *,
    configuration: Configuration,
    backup_id: str,
    requested_by: str,
    origin: Origin,
    now: datetime,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Verify one published backup: every byte against its manifest. Return `{backup_id, verified, problem, …}`.

    A folder that somebody else's mongodump wrote has no manifest: it is read whole, and gets one. `warnings` are
    sentences about what was left out or is odd. Raise `BackupNotFound`, `InvalidBackupId`. A backup that fails is an
    answer, not an exception; it is never removed.
    """
    store = prepare.store(configuration)
    folder = store.folder(backup_id)
    on_record = partial(audit.record, actor=requested_by, origin=origin, action=ACTION, target=backup_id)
    on_record(result=STARTED, now=now)
    problem, wrong = None, None
    manifest: Manifest | None = None
    warnings: tuple[str, ...] = ()
    try:
        manifest, warnings = _checked(folder, metadata.read(folder) or {}, store.database, progress or Silent())
    except VerificationFailed as failed:
        problem, wrong = failed.detail, failed.facts.get("problem")
        logger.error("A backup did not verify", extra={"backup_id": backup_id})
    except TempleOpsError as error:
        on_record(result=FAILED, now=now, details={"problem": error.detail})
        raise
    _remember(configuration, backup_id, now=now, problem=problem, about=seen(store, backup_id))
    counted = asdict((manifest or Manifest(database="")).counts())
    if problem is None:
        on_record(result=GOOD, now=now, details={**counted, "warnings": list(warnings), SEEN: seen(store, backup_id)})
    else:
        on_record(result=DAMAGED, now=now, details={"problem": wrong, SEEN: seen(store, backup_id)})
    return {
        "backup_id": backup_id,
        "verified": problem is None,
        "problem": problem,
        "warnings": list(warnings),
        **counted,
        "checked_at": formats.utc_seconds(now),
    }


def last(store: Store, backup_id: str) -> AuditEvent | None:
    """Return what the audit trail says last about verifying this backup, or None. A verdict about files that are others
    by now is none: it belongs to the bytes that were read."""
    event = AuditEvent.objects.filter(action=ACTION, target=backup_id).order_by("-n").first()
    noted = event.details.get(SEEN) if event is not None else None
    return event if not noted or noted == seen(store, backup_id) else None


def seen(store: Store, backup_id: str) -> str:
    """Return what tells the files of this backup, as they are now, from others of the same names; "" where it is
    gone."""
    try:
        manifest = opening.open_backup(store=store, backup_id=backup_id).manifest
        files = manifest.files or [one.file for one in manifest.collections.values() if one.file]
        names = [name for name in files if not name.endswith(layout.INDEX_SUFFIX)]
        return stamps.digest(store.folder(backup_id), names)
    except BackupNotFound:
        return ""


def _require_dump(folder: Path) -> None:
    """Raise `VerificationFailed` where there is no file of a dump. Whoever copied one folder too many is told so."""
    if dump_folder.databases(folder) or any(map(file_names.is_oplog, dump_folder.entries(folder))):
        return
    for name in dump_folder.entries(folder):
        if dump_folder.kind_of(folder / name) == "directory" and dump_folder.databases(folder / name):
            raise VerificationFailed(problem=f'its dump lies one folder too deep, in "{dump_folder.shown(name)}"')
    raise VerificationFailed(problem="it holds no dump of mongodump")


def adopt(*, configuration: Configuration, backup_id: str, progress: Progress) -> None:
    """Give a folder that somebody else's mongodump wrote its manifest, where it has none or holds another dump by now:
    it is read whole. Any other backup is left as it is. Raise `VerificationFailed`, `BackupNotFound`."""
    store = prepare.store(configuration)
    folder = store.folder(backup_id)
    written = metadata.read(folder) or {}
    if folder_records.changed(folder, written) is None:
        _adopt_foreign(folder, written, store.database, progress)


def _checked(
    folder: Path, written: dict[str, Any], database: str, progress: Progress
) -> tuple[Manifest, tuple[str, ...]]:
    """Return the manifest of a good backup, and warnings."""
    if folder_records.changed(folder, written) is None:
        return _adopt_foreign(folder, written, database, progress)
    manifest = folder_records.manifest_in(written)
    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=progress)
    _stamp(folder, written, manifest)
    told = [said for said in written.get("warnings") or () if written.get("kind") == folder_records.FOREIGN]
    return manifest, tuple(dict.fromkeys([*told, *warnings]))


def _adopt_foreign(
    folder: Path, written: Mapping[str, Any], preferred: str, progress: Progress
) -> tuple[Manifest, tuple[str, ...]]:
    """Read somebody else's dump as strictly as our own, and write down what it holds, in our own store only."""
    Store(folder.parent, database=preferred).require_ours()
    database = dump_folder.choose(folder, preferred=preferred)
    judged = verdict.verify(folder=folder, database=database, report=None, progress=progress)
    if not judged.manifest.collections:
        _require_dump(folder)
    backup_id = folder.name.removeprefix(layout.PUBLISHED_PREFIX)
    adopted = folder_records.adopted(backup_id, manifest=judged.manifest, warnings=judged.warnings)
    kept = {key: value for key, value in written.items() if key not in adopted}
    noted = {stamps.FIELD: stamps.take(folder, judged.manifest)}
    metadata.write(folder, kept | adopted | noted)
    return judged.manifest, judged.warnings


def _stamp(folder: Path, written: Mapping[str, Any], manifest: Manifest) -> None:
    """Note which files were read just now, where that is not noted yet. A disk that is read-only changes no verdict."""
    noted = stamps.take(folder, manifest)
    if written.get(stamps.FIELD) == noted:
        return
    try:
        metadata.write(folder, {**written, stamps.FIELD: noted})
    except TempleOpsError as error:
        logger.warning("The stamps of a verified backup are not noted", extra={"code": error.code})


def _remember(configuration: Configuration, backup_id: str, *, now: datetime, problem: str | None, about: str) -> None:
    try:
        changes = {"verification": {"at": now, "problem": problem, SEEN: about}}
        with lost.asking(Side.LOCAL, configuration=configuration, seconds=REMEMBER_SECONDS, anew=True):
            runs.amend(prepare.local_database(configuration), backup_id=backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        code = error.code if isinstance(error, TempleOpsError) else type(error).__name__
        logger.warning("The verdict is not in the record", extra={"backup_id": backup_id, "code": code})
