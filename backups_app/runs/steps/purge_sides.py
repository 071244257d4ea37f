"""The purge of a run, fresh or resumed: its gates, its plan, one side after the other."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from pymongo.database import Database

from backups_app.access.trail import audit
from backups_app.catalog import stored_names
from backups_app.catalog.run.purge_record import CollectionPurgeRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_base, sync_logs
from backups_app.errors import (
    DatabaseRefused,
    DatabaseUnreachable,
    OwnershipLost,
    PurgeNeedsAtlas,
    PurgeStoppedFor,
    PurgeUnfinished,
    PurgeWithoutAtlas,
    TempleOpsError,
    VerificationFailed,
)
from backups_app.messages import runs as messages
from backups_app.messages import words
from backups_app.messages.message import Message, as_sentence, together
from backups_app.mongo import connections
from backups_app.purge import delete, plan
from backups_app.records import PURGEABLE, Side, StepState, SyncStatus
from backups_app.runs import preparation
from backups_app.runs.context import Run, StepResult
from backups_app.sync import pair, sync_report
from backups_app.verification import verdict

logger = logging.getLogger(__name__)

NO_PLAN: dict[str, Any] = {
    "allowed": True,
    "refusal": None,
    "collections": [],
    "withheld": {},
    Side.REMOTE.value: {},
    Side.LOCAL.value: {},
}
"""The purge of a run that ended before it had a plan, once somebody keeps everything after all."""
SYNC_NOT_KNOWN = messages.SYNC_NOT_KNOWN()


def decide(run: Run) -> StepResult | None:
    """Pass the gates, and write the plan into the run before the first delete of either side.

    Return None when the purge may go on, else how its step ended: withheld, with the reason. A resumed purge passes
    the gates again: its backup is read again, the pair is looked at again; and a run that died before it had a plan
    gets it then. Raise what a closed gate is called.
    """
    require_sides(run.document, atlas_is_configured=run.remote is not None)
    if not run.document.purge.planned and run.verified_here:
        _write_plan(run, pair_known=run.sync_succeeded)
    if run.document.purge.planned and not run.document.purge.allowed:
        return StepResult(state=StepState.SKIPPED, sentence=run.document.purge.refusal)
    if not run.verified_here:
        _verify_again(run)
    if run.remote is not None and not run.sync_succeeded:
        pair.require_known(local=run.local, remote=run.remote)
    if not run.document.purge.planned:
        _write_plan(run, pair_known=True)
        return decide(run)
    return None


def require_sides(document: RunRecord, *, atlas_is_configured: bool) -> None:
    """Raise `PurgeNeedsAtlas` or `PurgeWithoutAtlas` where a run's deletion has other sides than the settings have now.

    Finished on this computer alone, its documents would come back from Atlas with the next sync, or its ledger would
    wait for Atlas for ever.
    """
    deletes_on_atlas = Side.REMOTE in document.purge.sides
    if deletes_on_atlas and not atlas_is_configured:
        raise PurgeNeedsAtlas()
    if atlas_is_configured and not deletes_on_atlas:
        raise PurgeWithoutAtlas()


def _verify_again(run: Run) -> None:
    """Read the backup of a resumed run again. That it is not good any more is put on record, before anybody relies on
    it."""
    run.manifest = preparation.manifest_of(run.store, backup_id=run.backup_id)
    try:
        verdict.recheck(folder=run.folder, manifest=run.manifest, progress=run.progress)
    except VerificationFailed as failed:
        found = {"at": timezone.now(), "problem": failed.detail}
        run.ownership.write(phase=run.progress.phase, changes={"verification": found})
        raise
    run.verified_here = True


def _left_by_sync(run: Run) -> tuple[Mapping[str, int], Mapping[str, str]]:
    """Return what the run's sync could not resolve, by collection, and what it held back. Of a resumed run the log of
    its sync says it; without one nothing is known, and everything is withheld."""
    if run.sync_report is not None:
        return run.sync_report.unresolved, sync_report.withheld(run.sync_report.log)
    if run.document.sync_status != SyncStatus.SUCCESS:
        return {}, {}
    log = sync_logs.of_run(run.local, run_id=run.backup_id)
    if log is None or not log.succeeded:
        return {}, dict.fromkeys(PURGEABLE, SYNC_NOT_KNOWN)
    return {one.name: one.unresolved for one in log.collections if one.unresolved}, sync_report.withheld(log)


def _write_plan(run: Run, *, pair_known: bool) -> None:
    assert run.manifest is not None, "only a verified backup is purged against"
    refusal = next(iter(plan.refusals(_gates(run, pair_known=pair_known)).values()), None)
    unresolved, blocked = _left_by_sync(run)
    decided = plan.decide(
        manifest=run.manifest,
        delete_bookings=run.deletes_bookings,
        unresolved=unresolved,
        blocked=blocked,
        not_exactly={} if refusal else _obstacles(run),
    )
    purge: dict[str, Any] = {
        "allowed": refusal is None,
        "refusal": refusal,
        "sides": [side.value for side in run.document.purge.sides],
        "collections": list(decided.collections),
        "withheld": dict(decided.withheld),
        Side.REMOTE.value: {},
        Side.LOCAL.value: {},
    }
    run.document.apply({"purge": purge})
    run.ownership.write(phase=run.progress.phase, changes={"purge": purge})


def _gates(run: Run, *, pair_known: bool) -> plan.Gates:
    """Return the facts that `plan.refusals` asks for. Raise `OwnershipLost` where the run has another owner.

    Who asked for bookings confirmed it before the run: by the typed phrase, by `--confirm`, or in the body of the API.
    """
    run.progress.checkpoint()
    return plan.Gates(
        published=run.published,
        verified_by_this_process=run.verified_here,
        sync_configured=run.remote is not None,
        sync_status=SyncStatus(run.document.sync_status),
        pair_known=pair_known,
        confirmed=run.document.delete_bookings_requested is not None,
    )


def _obstacles(run: Run) -> dict[str, str]:
    """Why a collection cannot be deleted exactly, on either side."""
    found = delete.obstacles(database=run.local, collections=PURGEABLE)
    if run.remote is not None:
        with connections.reachable(Side.REMOTE):
            found |= delete.obstacles(database=run.remote, collections=PURGEABLE)
    return found


def perform_side(run: Run, *, side: Side, database: Database[Any]) -> StepResult:
    """Purge one side against the run's verified files. The other side's outcome is not touched."""
    purge = run.document.purge
    names = [name for name in purge.collections if not purge.collection(side, name).done]
    _audit(run, side=side, result=audit.STARTED, names=names)
    failure: TempleOpsError | None = None
    for name in names:
        failure = _perform_collection(run, side=side, database=database, name=name)
        if failure is not None:
            break
    _audit(run, side=side, result="done" if failure is None else failure.code, names=names)
    return _result(run, side=side, failure=failure)


def _perform_collection(run: Run, *, side: Side, database: Database[Any], name: str) -> TempleOpsError | None:
    assert run.manifest is not None
    try:
        report = delete.purge_collection(
            side=side,
            database=database,
            local=run.local,
            folder=run.folder,
            manifest=run.manifest,
            collection=name,
            run_id=run.backup_id,
            two_sided=Side.REMOTE in run.document.purge.sides,
            forget_base=lambda ids: sync_base.forget(run.local, collection=name, ids=ids),
            progress=run.progress,
            now=run.now,
        )
    except OwnershipLost:
        raise
    except delete.PurgeStopped as stopped:
        _record(run, side=side, name=name, report=stopped.report)
        return stopped.cause_error
    _record(run, side=side, name=name, report=report)
    return None if report.done else PurgeUnfinished(side=side.value)


def _record(run: Run, *, side: Side, name: str, report: delete.CollectionPurge) -> None:
    """Write what became of the collection on this side, over all attempts of this run."""
    changes = {f"purge.{side.value}.{name}": stored_names.purge_entry(dataclasses.asdict(report))}
    run.document.apply(changes)
    run.ownership.write(phase=run.progress.phase, changes=changes)


def _result(run: Run, *, side: Side, failure: TempleOpsError | None) -> StepResult:
    purge = run.document.purge
    entries = purge.side(side)
    done = _deleted(entries)
    counts: dict[str, Any] = {name: entry.deleted for name, entry in entries.items()}
    if failure is not None:
        named = isinstance(failure, DatabaseUnreachable | DatabaseRefused)
        code = failure.code if named else PurgeUnfinished.code
        sentence = messages.DELETED_SO_FAR(
            reason=_unfinished(side, failure).detail, counts=_counts(entries) or messages.NOTHING()
        )
        return StepResult(state=StepState.FAILED, sentence=sentence, counts=counts | {"error_code": code})
    if purge.withheld:
        reasons = [
            messages.WITHHELD_COLLECTION(collection=name, reason=reason) for name, reason in purge.withheld.items()
        ]
        return StepResult(
            state=StepState.WARNING,
            sentence=messages.WITHHELD(deleted=done, reasons=together(*reasons)),
            counts=counts | {"error_code": "purge_withheld"},
        )
    return StepResult(state=StepState.DONE, sentence=done, counts=counts)


def _deleted(entries: Mapping[str, CollectionPurgeRecord]) -> Message:
    """Return how many documents were deleted of each collection, how many a restore had put back, and how many had
    changed meanwhile: both were kept."""
    counts = _counts(entries)
    deleted = messages.DELETED(counts=counts) if counts else messages.DELETED_NONE()
    restored = sum(entry.restored for entry in entries.values())
    if restored:
        deleted = messages.RESTORED_AND_KEPT(deleted=deleted, documents=words.documents(restored))
    kept = sum(entry.kept_changed for entry in entries.values())
    return messages.CHANGED_AND_KEPT(deleted=deleted, documents=words.documents(kept)) if kept else deleted


def _counts(entries: Mapping[str, CollectionPurgeRecord]) -> list[Message]:
    return [messages.DELETED_OF(collection=name, n=entry.deleted) for name, entry in entries.items() if entry.deleted]


def _unfinished(side: Side, failure: TempleOpsError) -> PurgeUnfinished:
    """Return why a side is not finished: lost, or refused, with what to do."""
    if type(failure) in (DatabaseUnreachable, PurgeUnfinished):
        return PurgeUnfinished(side=side.value)
    return PurgeStoppedFor(side=side.value, reason=together(failure.detail, as_sentence(failure.hint)))


def _audit(run: Run, *, side: Side, result: str, names: list[str]) -> None:
    audit.record(
        actor=run.document.created_by,
        origin=run.document.origin,
        action=f"purge.{side.value}",
        target=run.backup_id,
        result=result,
        now=timezone.now(),
        details={"collections": names, "counts": run.document.purge.stored_side(side)},
    )


def skipped_without_remote() -> StepResult:
    """The remote step of a run whose sync is off."""
    return StepResult(state=StepState.SKIPPED, sentence=messages.SYNC_SKIPPED())


def remote_is_finished(run: Run) -> bool:
    """Whether the local side may begin: remote first, so that a failure there leaves this side whole."""
    purge = run.document.purge
    if Side.REMOTE not in purge.sides:
        return True
    return all(purge.collection(Side.REMOTE, name).done for name in purge.collections)
