"""Is a backup still as it was published? Read again from the disk; the answer is written into its record."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from backups_app import formats
from backups_app.access import audit
from backups_app.backup_files import layout, metadata
from backups_app.backup_files import manifest as manifests
from backups_app.browsing import foreign
from backups_app.catalog import runs
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError, VerificationFailed
from backups_app.models import AuditEvent
from backups_app.progress import Progress, Silent
from backups_app.records import Origin
from backups_app.verification import verdict
from backups_app.workflow import folder_records, prepare

ACTION = "backup.verified"
STARTED, GOOD, DAMAGED, FAILED = "started", "good", "damaged", "failed"
"""How the audit trail names it, its beginning and its ends: in every process one can read there what became of it."""

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

    A folder that somebody else's mongodump wrote has no manifest: it is read whole, and gets one. Raise
    `BackupNotFound`, `InvalidBackupId`. A backup that fails is an answer, not an exception; it is never removed.
    """
    folder = prepare.store(configuration).folder(backup_id)
    on_record = partial(audit.record, actor=requested_by, origin=origin, action=ACTION, target=backup_id)
    on_record(result=STARTED, now=now)
    problem, wrong, manifest = None, None, None
    try:
        manifest = _checked(folder, metadata.read(folder) or {}, configuration, progress or Silent())
    except VerificationFailed as failed:
        problem, wrong = failed.detail, failed.facts.get("problem")
        logger.error("A backup did not verify", extra={"backup_id": backup_id})
    except TempleOpsError as error:
        on_record(result=FAILED, now=now, details={"problem": error.detail})
        raise
    _remember(configuration, backup_id, now=now, problem=problem)
    counted = {
        "collections": 0 if manifest is None else len(manifest.collections),
        "documents": 0 if manifest is None else manifest.documents,
        "bytes": 0 if manifest is None else manifest.bytes,
    }
    if problem is None:
        on_record(result=GOOD, now=now, details=counted)
    else:
        on_record(result=DAMAGED, now=now, details={"problem": wrong})
    return {
        "backup_id": backup_id,
        "verified": problem is None,
        "problem": problem,
        **counted,
        "checked_at": formats.utc_seconds(now),
    }


def last(backup_id: str) -> AuditEvent | None:
    """Return what the audit trail says last about verifying this backup, or None."""
    return AuditEvent.objects.filter(action=ACTION, target=backup_id).order_by("-n").first()


def _checked(folder: Any, written: dict[str, Any], configuration: Configuration, progress: Progress) -> Any:
    if "manifest" not in written:
        return _adopt_foreign(folder, written, progress)
    try:
        manifest = manifests.from_json(written["manifest"])
    except ValueError as error:
        raise VerificationFailed(problem="its manifest is damaged") from error
    verdict.recheck(folder=folder, manifest=manifest, progress=progress)
    return manifest


def _adopt_foreign(folder: Any, written: dict[str, Any], progress: Progress) -> Any:
    """Read somebody else's dump as strictly as our own, and write down what it holds."""
    database = foreign.manifest(folder).database
    judged = verdict.verify(folder=folder, database=database, report=None, progress=progress)
    backup_id = folder.name.removeprefix(layout.PUBLISHED_PREFIX)
    metadata.write(folder, folder_records.adopted(backup_id, manifest=judged.manifest) | written)
    return judged.manifest


def _remember(configuration: Configuration, backup_id: str, *, now: datetime, problem: str | None) -> None:
    try:
        database = prepare.local_database(configuration)
        changes = {"verification": {"at": now, "problem": problem}}
        runs.amend(database, backup_id=backup_id, changes=changes)
    except TempleOpsError as error:
        logger.warning("The verdict is not in the record", extra={"backup_id": backup_id, "code": error.code})
