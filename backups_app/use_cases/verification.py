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
from backups_app.access.trail import audit
from backups_app.backup_files import bases, metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.browsing import chains
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import TempleOpsError, VerificationFailed
from backups_app.messages import backup_files as file_messages
from backups_app.messages import use_cases as messages
from backups_app.messages.message import Message, together
from backups_app.mongo import availability
from backups_app.progress import Progress, Silent
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.runs.description import adoption, folder_records, verification_results
from backups_app.runs.description.verification_results import ACTION as ACTION
from backups_app.runs.description.verification_results import DAMAGED as DAMAGED
from backups_app.runs.description.verification_results import FAILED as FAILED
from backups_app.runs.description.verification_results import GOOD as GOOD
from backups_app.runs.description.verification_results import STARTED as STARTED
from backups_app.runs.description.verification_results import last as last
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
    failed: VerificationFailed | None = None
    manifest: Manifest | None = None
    warnings: tuple[str, ...] = ()
    try:
        with bases.reading(store.root, backup_id):
            manifest, warnings = _checked(folder, metadata.read(folder) or {}, store.database, progress or Silent())
    except VerificationFailed as error:
        failed = error
    except TempleOpsError as error:
        on_record(result=FAILED, now=now, details={"problem": error.detail})
        raise
    counted = asdict((manifest or Manifest(database="")).counts())
    conclude = partial(
        _conclude, configuration=configuration, store=store, requested_by=requested_by, origin=origin, now=now
    )
    if failed is not None and (base := _damaged_base(failed)):
        conclude(backup_id=base.facts["backup_id"], failed=VerificationFailed(problem=base.facts["problem"]))
    problem = conclude(backup_id=backup_id, failed=failed, found={**counted, "warnings": list(warnings)})
    return {
        "backup_id": backup_id,
        "verified": problem is None,
        "problem": problem,
        "warnings": list(warnings),
        **counted,
        "checked_at": formats.utc_seconds(now),
    }


def _damaged_base(failed: VerificationFailed) -> Message | None:
    """Return the sentence that names the base of an incremental, where that was read and is damaged."""
    problem = failed.facts.get("problem")
    is_base = isinstance(problem, Message) and problem.code == file_messages.BASE_IS_DAMAGED.code
    return problem if is_base else None


def _conclude(
    *,
    configuration: Configuration,
    store: Store,
    requested_by: str,
    origin: Origin,
    now: datetime,
    backup_id: str,
    failed: VerificationFailed | None,
    found: Mapping[str, Any] | None = None,
) -> str | None:
    """Write a verdict into the record and the audit trail, and notify. Return the problem; None of a good backup, of
    which `found` says what it holds."""
    problem, details = None, dict(found or {})
    if failed is not None:
        problem = together(failed.detail, *_what_needs_it(store, backup_id))
        details = {"problem": failed.facts.get("problem")}
        logger.error("A backup did not verify", extra={"backup_id": backup_id})
    about = verification_results.seen(store, backup_id)
    _remember(configuration, backup_id, now=now, problem=problem, about=about)
    audit.record(
        actor=requested_by, origin=origin, action=ACTION, target=backup_id, now=now,
        result=GOOD if problem is None else DAMAGED, details={**details, verification_results.SEEN: about},
    )  # fmt: skip
    notices.verified(configuration=configuration, backup_id=backup_id, problem=problem, now=now)
    return problem


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
    recorded = [sentence for sentence in written.get("warnings") or () if written.get("kind") == folder_records.FOREIGN]
    return manifest, tuple(dict.fromkeys([*recorded, *warnings]))


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
        changes = {"verification": {"at": now, "problem": problem, verification_results.SEEN: about}}
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=REMEMBER_SECONDS, fresh=True):
            runs.amend(preparation.local_database(configuration), backup_id=backup_id, changes=changes)
    except (PyMongoError, TempleOpsError) as error:
        code = error.code if isinstance(error, TempleOpsError) else type(error).__name__
        logger.warning("The verdict is not in the record", extra={"backup_id": backup_id, "code": code})
