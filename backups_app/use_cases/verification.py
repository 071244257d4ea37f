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
from backups_app.backup_files import locks, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store import Store
from backups_app.browsing import chains
from backups_app.catalog import runs
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError, VerificationFailed
from backups_app.messages import use_cases as messages
from backups_app.messages.message import together
from backups_app.mongo import availability
from backups_app.progress import Progress, Silent
from backups_app.records import Origin, Side
from backups_app.runs import adoption, folder_records, preparation, verdicts
from backups_app.runs.verdicts import (
    ACTION as ACTION,
)
from backups_app.runs.verdicts import (
    DAMAGED as DAMAGED,
)
from backups_app.runs.verdicts import (
    FAILED as FAILED,
)
from backups_app.runs.verdicts import (
    GOOD as GOOD,
)
from backups_app.runs.verdicts import (
    STARTED as STARTED,
)
from backups_app.runs.verdicts import (
    last as last,
)
from backups_app.use_cases import notices
from backups_app.verification import verdict

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
    again: bool = False,
) -> dict[str, Any]:
    """Verify one published backup: every byte against its manifest. Return `{backup_id, verified, problem, …}`.

    A folder that somebody else's mongodump wrote has no manifest: it is read whole, and gets one. `warnings` are
    sentences about what was left out or is odd. `again`: its beginning is on record already.

    Raise `BackupNotFound`, `InvalidBackupId`. A backup that fails is an answer, not an exception; it is never removed.
    """
    store = preparation.store(configuration)
    folder = store.folder(backup_id)
    on_record = partial(audit.record, actor=requested_by, origin=origin, action=ACTION, target=backup_id)
    if not again:
        on_record(result=STARTED, now=now)
    problem, wrong = None, None
    manifest: Manifest | None = None
    warnings: tuple[str, ...] = ()
    try:
        with locks.reading(store.root, backup_id):
            manifest, warnings = _checked(folder, metadata.read(folder) or {}, store.database, progress or Silent())
    except VerificationFailed as failed:
        problem, wrong = together(failed.detail, *_what_needs_it(store, backup_id)), failed.facts.get("problem")
        logger.error("A backup did not verify", extra={"backup_id": backup_id})
    except TempleOpsError as error:
        on_record(result=FAILED, now=now, details={"problem": error.detail})
        raise
    _remember(configuration, backup_id, now=now, problem=problem, about=verdicts.seen(store, backup_id))
    counted = asdict((manifest or Manifest(database="")).counts())
    seen = {verdicts.SEEN: verdicts.seen(store, backup_id)}
    found = {**counted, "warnings": list(warnings)} if problem is None else {"problem": wrong}
    on_record(result=GOOD if problem is None else DAMAGED, now=now, details={**found, **seen})
    notices.verified(configuration=configuration, backup_id=backup_id, problem=problem, origin=origin, now=now)
    return {
        "backup_id": backup_id,
        "verified": problem is None,
        "problem": problem,
        "warnings": list(warnings),
        **counted,
        "checked_at": formats.utc_seconds(now),
    }


def _what_needs_it(store: Store, backup_id: str) -> tuple[str, ...]:
    """Return the sentence that names the incrementals that begin from a damaged full backup."""
    chain = chains.chain_of(store=store, backup_id=backup_id)
    if chain is None or chain.base != backup_id:
        return ()
    return (messages.INCREMENTALS_NEED_IT(n=chain.number, names=", ".join(chain.incrementals)),)


def _checked(
    folder: Path, written: dict[str, Any], database: str, progress: Progress
) -> tuple[Manifest, tuple[str, ...]]:
    """Return the manifest of a good backup, and warnings."""
    if folder_records.changed(folder, written) is None:
        return adoption.adopt_folder(folder, written, database, progress)
    manifest = folder_records.manifest_in(written)
    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=progress)
    _stamp(folder, written, manifest)
    told = [said for said in written.get("warnings") or () if written.get("kind") == folder_records.FOREIGN]
    return manifest, tuple(dict.fromkeys([*told, *warnings]))


def _stamp(folder: Path, written: Mapping[str, Any], manifest: Manifest) -> None:
    """Note which files were read just now, where that is not noted yet. A disk that is read-only changes no verdict."""
    noted = stamps.take(folder, manifest)
    if written.get(stamps.FIELD) == noted:
        return
    try:
        metadata.amend(folder, {stamps.FIELD: noted})
    except TempleOpsError as error:
        logger.warning("The stamps of a verified backup are not noted", extra={"code": error.code})


def _remember(configuration: Configuration, backup_id: str, *, now: datetime, problem: str | None, about: str) -> None:
    try:
        changes = {"verification": {"at": now, "problem": problem, verdicts.SEEN: about}}
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=REMEMBER_SECONDS, fresh=True):
            runs.amend(preparation.local_database(configuration), backup_id=backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        code = error.code if isinstance(error, TempleOpsError) else type(error).__name__
        logger.warning("The verdict is not in the record", extra={"backup_id": backup_id, "code": code})
