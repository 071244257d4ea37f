"""The end of a run: writes its outcome, which `outcome.conclude` decides, to `metadata.json` and to its document."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone
from pymongo.database import Database

from backups_app import formats
from backups_app.access.trail import audit
from backups_app.backup_files import metadata, stamps
from backups_app.backup_files.manifest import Manifest
from backups_app.backup_files.store.store import Store
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_parts import StepRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import BackupNotFound, OwnershipLost, RecordsUnavailable, RunCancelled, TempleOpsError
from backups_app.messages import runs as messages
from backups_app.messages.message import together
from backups_app.records import INTERNAL, Phase, RunKind, Side, StepState
from backups_app.runs import restore_messages
from backups_app.runs.closing import end_messages, holding, outcome, reporting
from backups_app.runs.context import Run, StepResult

logger = logging.getLogger(__name__)

STATUS_FIELDS = (
    "status",
    "sync_status",
    "collections_deleted_local",
    "collections_deleted_remote",
    "kept_changed",
    "error_code",
    "error_message",
    "warnings",
    "resume_available",
    "purge",
    "steps",
    "finished_at",
)


DIGEST_NOT_BESIDE = messages.DIGEST_NOT_BESIDE()


def finish(run: Run, *, error: TempleOpsError | None) -> None:
    """Write the outcome of `run`: first the status fields of its `metadata.json`, then its document, then the row of
    its end and, over that row too, the digest of the audit trail in both.

    A disk that fails now does not keep the outcome out of the record. Raise `OwnershipLost` when the run has another
    owner by now.
    """
    published = run.published or _has_its_name(run)
    warnings = [] if published else _discard(run)
    run.document.apply({"cancelled_by": runs.cancelled_by(run.local, backup_id=run.backup_id)})
    wrote = end_messages.synced(run.local, run.document)
    changes = closing_changes(run.document, published=published, error=error, wrote=wrote)
    warnings += without_the_newest(run.document, published=published)
    run.ownership.write(phase=run.progress.phase, changes={"phase": Phase.FINISHING.value})
    run.progress.enter(step=0, phase=Phase.FINISHING)
    run.document.apply(changes)
    if published:
        warnings += mirror(run.store, document=run.document, check=run.ownership.beat)
    run.document.apply({"warnings": [*run.document.warnings, *warnings]})
    run.ownership.write(phase=Phase.FINISHING, changes=changes, warnings=warnings)
    record_end(run.document)
    seal(run.local, run.store if published else None, document=run.document)
    reporting.run_ended(run.local, document=run.document)


def _has_its_name(run: Run) -> bool:
    """Whether a verified backup got its name, though publishing it failed afterwards: it is listed, and may not survive
    a power cut, so nothing was deleted by it."""
    with contextlib.suppress(BackupNotFound):
        return run.verified_here and run.store.folder(run.backup_id).is_dir()
    return False


def _discard(run: Run) -> list[str]:
    """Remove the unfinished copy. Return the warning where the disk does not let us: the next run removes it."""
    try:
        run.store.discard_partial(run.backup_id, now=timezone.now())
    except TempleOpsError as error:
        logger.error("The unfinished copy stays", extra={"backup_id": run.backup_id, "code": error.code})
        return [messages.COPY_STAYS()]
    return []


def mirror(store: Store, *, document: RunRecord, check: Callable[[], object] = lambda: None) -> list[str]:
    """Put the outcome into the published folder too. Return the warning where the disk does not let us.

    `check` raises `OwnershipLost` where the run has another owner by now, who has written its outcome.
    """
    try:
        update_metadata(store.folder(document.id), document=document, check=check)
    except OwnershipLost:
        raise
    except TempleOpsError as error:
        logger.error("metadata.json keeps its older status", extra={"backup_id": document.id, "code": error.code})
        return [messages.OUTCOME_NOT_MIRRORED()]
    return []


def seal(database: Database[Any], store: Store | None, *, document: RunRecord) -> None:
    """Put the digest of the audit trail, the end of this run included, into the run's document and, given the store,
    into the published folder. Where one of them cannot be written it keeps its older digest; a folder that does is a
    warning of the run."""
    try:
        digest = _digest()
    except RecordsUnavailable:
        return
    document.apply({"audit": digest})
    runs.amend(database, backup_id=document.id, changes={"audit": digest})
    if store is not None and mirror(store, document=document):
        warning = {"warnings": [*document.warnings, DIGEST_NOT_BESIDE]}
        document.apply(warning)
        runs.amend(database, backup_id=document.id, changes=warning)


def _digest() -> dict[str, Any]:
    return dataclasses.asdict(audit.digest())


def closing_changes(
    document: RunRecord,
    *,
    published: bool,
    error: TempleOpsError | None,
    wrote: Mapping[str, int] | None = end_messages.WROTE_NOTHING,
) -> dict[str, Any]:
    """Return the fields that close a run, computed from its steps, from whether its backup is published, and from what
    its sync wrote (`end_messages.synced`)."""
    steps = [_closed(step) for step in document.steps]
    status = outcome.conclude(
        published=published or restore_messages.has_result(document, steps),
        steps=steps,
        cancelled=isinstance(error, RunCancelled),
        kind=document.kind,
    )
    code, message = _named(error, document, published=published) if error else _stated_by_a_step(steps)
    if message is not None:
        without = end_messages.without_the_newest(document, published=published)
        message = together(
            message,
            messages.WITHOUT_THE_NEWEST() if without else "",
            end_messages.deletion(document, wrote=wrote, error_code=code or "", reason=message),
        )
    return {
        "status": status.value,
        "phase": Phase.FINISHED.value,
        "steps": [step.as_document() for step in steps],
        "sync_status": "failed" if document.sync_status == "in_progress" else document.sync_status,
        "error_code": code,
        "error_message": message,
        "collections_deleted_local": outcome.deleted(document.purge, Side.LOCAL),
        "collections_deleted_remote": outcome.deleted(document.purge, Side.REMOTE),
        "kept_changed": outcome.skipped_changed(document.purge),
        "resume_available": published and outcome.resume_available(document),
        "finished_at": timezone.now(),
        "owner": None,
    }


def replace_step(document: RunRecord, *, name: str, result: StepResult) -> None:
    """Put a step's newer outcome in the place of the older one."""
    fields = {"state": result.state.value, "sentence": result.sentence, "counts": dict(result.counts)}
    document.apply_to_step(name, fields)


def _closed(step: StepRecord) -> StepRecord:
    """A step that was running is failed; one that had not begun is cancelled: neither was done."""
    if step.state is StepState.RUNNING:
        return dataclasses.replace(step, state=StepState.FAILED, sentence=step.sentence or messages.INTERRUPTED_STEP())
    if step.state is StepState.WAITING:
        return dataclasses.replace(step, state=StepState.CANCELLED, sentence=messages.NOT_BEGUN())
    return step


def _stated_by_a_step(steps: Sequence[StepRecord]) -> tuple[str | None, str | None]:
    """The first step that failed names the run's failure; without one the last that did not do everything, for a
    deletion that is withheld follows from a sync that left something over. A success has none."""
    failed = [step for step in steps if step.state is StepState.FAILED]
    warned = [step for step in reversed(steps) if step.state is StepState.WARNING]
    for step in [*failed, *warned]:
        return step.error_code or f"{step.name}_failed", step.sentence
    return None, None


def _named(error: TempleOpsError, document: RunRecord, *, published: bool) -> tuple[str, str]:
    if isinstance(error, RunCancelled):
        return error.code, _cancelled(document, published=published)
    return error.code, error.detail


def _cancelled(document: RunRecord, *, published: bool) -> str:
    by = document.cancelled_by or messages.AN_ADMINISTRATOR()
    if document.kind != RunKind.BACKUP:
        return restore_messages.cancelled(by)
    return together(messages.STOPPED_BY(by=by), "" if published else messages.COPY_REMOVED())


def without_the_newest(document: RunRecord, *, published: bool) -> list[str]:
    """Return the warning that a backup lacks what Atlas had newer. Stated at the end alone: before it, nobody knows
    whether there will be a backup."""
    if not end_messages.without_the_newest(document, published=published):
        return []
    failed = document.step("sync")
    return [messages.WITHOUT_THE_NEWEST_BECAUSE(reason=failed.sentence if failed else "")]


def update_metadata(folder: Path, *, document: RunRecord, check: Callable[[], object] = lambda: None) -> None:
    """Replace the status fields of a published `metadata.json`, atomically. Manifest and data stay as they are. `check`
    as in `metadata.amend`."""
    fresh = document.stored_fields(*STATUS_FIELDS)
    with contextlib.suppress(RecordsUnavailable):
        fresh["audit"] = _digest()
    if document.restore.recorded:  # a rebuilt record shall still know what was restored, and how to undo it
        fresh |= document.stored_fields("restore")
    metadata.amend(folder, formats.plain(fresh | {"holds_alone": holding.holds_alone(document)}), check=check)


def temple_collections(manifest: Manifest) -> list[str]:
    """Return the names of the temple's own collections in a backup, in order; ours are not counted among them."""
    return sorted(name for name in manifest.collections if name not in INTERNAL)


def first_metadata(document: RunRecord, *, folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Return `metadata.json` as it is published: the specification's fields, the manifest, the stamps of the files that
    were verified, the audit rows so far."""
    kept = {key: value for key, value in document.items() if key not in ("_id", "owner", "heartbeat_at", "fence")}
    plain: dict[str, Any] = formats.plain(kept | {"published_at": timezone.now()})
    return plain | {
        "manifest": manifest.as_json(),
        stamps.FIELD: stamps.take(folder, manifest),
        "audit": _digest(),
        "holds_alone": None,
    }


def record_end(document: RunRecord) -> None:
    """Write the audit event of the end and one line in the log. The end itself is in the run's document by now, and
    an event that cannot be written is written by the worker's tick (`recovery/missing_ends.py`)."""
    with contextlib.suppress(RecordsUnavailable):
        audit_end(document)
    logger.info("Run finished", extra={"backup_id": document.backup_id, "status": document.status})


def audit_end(document: RunRecord) -> None:
    """Write the audit event of a run's end, once. Raise `RecordsUnavailable`."""
    now = timezone.now()
    finished_at = document.finished_at or now
    audit.record(
        actor=document.created_by,
        origin=document.origin,
        action=f"{document.kind}.finished",
        target=document.backup_id,
        result=document.status,
        now=max(now, finished_at),  # by the clock of another host it may not be over yet
        once_since=finished_at,
        details={
            "error_code": document.error_code,
            "error_message": document.error_message or None,
            "deleted_local": outcome.deleted_messages(document.purge, Side.LOCAL),
            "deleted_remote": outcome.deleted_messages(document.purge, Side.REMOTE),
            **({"restored": dict(document.restore.sums)} if document.restore.recorded else {}),
        },
    )
