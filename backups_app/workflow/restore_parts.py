"""What the steps of a restore share: the backup as a source, the plan, the engine, and the record as it grows."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.catalog import purge_ledger, runs
from backups_app.errors import RestoreUnfinished
from backups_app.mongo import scratch
from backups_app.records import Kind, Phase, RunDocument, Status
from backups_app.restore import choices as chosen
from backups_app.restore import engine, plan
from backups_app.restore.choices import Choices
from backups_app.restore.engine import Engine
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.source import Source
from backups_app.workflow import prepare
from backups_app.workflow.run import Run


def choices(run: Run) -> Choices:
    """Return what was chosen, from the run's document."""
    return chosen.from_json(run.document["restore"]["choices"])


def source(run: Run) -> Source:
    """Return the backup to restore. Raise `BackupRemoved`, or `VerificationFailed` without a manifest."""
    backup_id = choices(run).backup_id
    manifest = prepare.manifest_of(run.store, backup_id=backup_id)
    return Source(folder=run.store.folder(backup_id), manifest=manifest)


def marked_copy(run: Run) -> Database[Any]:
    """Return the marked database of a test copy, made when it is not there. Raises as `scratch.make`."""
    wanted = choices(run)
    return scratch.make(
        run.local.client,
        name=wanted.target,
        temple=run.local.name,
        backup_id=wanted.backup_id,
        purpose="test copy",
        created_by=run.document["created_by"],
        now=run.now,
    )


def lent_scratch(run: Run) -> AbstractContextManager[Database[Any]]:
    """Open the scratch database of a rehearsal; it is removed however the block ends. Raises as `scratch.make`."""
    wanted = choices(run)
    return scratch.lent(
        run.local.client,
        name=wanted.target,
        temple=run.local.name,
        backup_id=wanted.backup_id,
        created_by=run.document["created_by"],
        now=run.now,
    )


def remove_old_scratch(run: Run) -> None:
    """Remove what killed rehearsals left behind."""
    for copy in scratch.listing(run.local.client, temple=run.local.name):
        if copy.purpose == "rehearsal":
            scratch.remove(run.local.client, name=copy.database, temple=run.local.name)


def perform(run: Run, *, target: Database[Any]) -> dict[str, CollectionOutcome]:
    """Restore collection by collection; after each the record knows its outcome. Return them all by name.

    Raise `RestoreUnfinished` when the server is lost, `VerificationFailed` when the backup changed under our hands.
    """
    wanted, backup = choices(run), source(run)
    emptied = {entry["name"]: entry["run"] for entry in run.document["restore"]["emptied"]}
    decided = plan.decide(manifest=backup.manifest, choices=wanted, emptied=emptied)
    outcomes: dict[str, CollectionOutcome] = {}
    worker = _engine(run, wanted, backup, target)
    for name in decided.taken:
        try:
            outcomes[name] = worker.restore(name)
        except PyMongoError as error:
            raise _unfinished(outcomes, name, decided.taken) from error
        _record(run, outcomes)
    for left in decided.left_out:
        if left.emptied_by:
            worker.restore_empty(left.name)
    _record(run, outcomes)
    return outcomes


def _engine(run: Run, wanted: Choices, backup: Source, target: Database[Any]) -> Engine:
    in_place = run.document["kind"] == Kind.RESTORE
    before = None
    if in_place:
        assert run.manifest is not None, "the safety backup comes before the restore"
        before = Source(folder=run.folder, manifest=run.manifest)
    return Engine(
        source=backup,
        choices=wanted,
        database=target,
        before=before,
        release=_release(run) if in_place and purge_ledger.runs_with_open(run.local) else None,
        progress=run.progress,
        unfinished=_left_by_earlier_attempts(run, wanted) if in_place else frozenset(),
        creating=lambda name: _remember_creating(run, name),
    )


def _release(run: Run) -> Any:
    """Take documents out of every open purge before they are written: no resumed purge may take them again."""

    def release(name: str, ids: Any) -> None:
        purge_ledger.close_for_restore(run.local, collection=name, ids=ids)

    return release


def _left_by_earlier_attempts(run: Run, wanted: Choices) -> frozenset[str]:
    """Collections that a restore of the same backup created and did not finish: theirs are the missing indexes."""
    left: set[str] = set()
    for document in reversed(runs.recent(run.local)):
        restored: dict[str, Any] = document.get("restore") or {}
        if document.get("kind") != Kind.RESTORE or document["_id"] == run.backup_id:
            continue
        if restored.get("choices", {}).get("backup_id") == wanted.backup_id:
            left -= {entry["name"] for entry in restored.get("collections", ())}
            left |= set(restored.get("unfinished", ())) if document["status"] != Status.SUCCESS else set()
    return frozenset(left)


def _remember_creating(run: Run, name: str) -> None:
    """Before a collection is created the record says so: whoever goes on after a crash finishes it."""
    unfinished = [*run.document["restore"]["unfinished"], name]
    run.document["restore"]["unfinished"] = unfinished
    run.ownership.write(phase=Phase.RESTORING, changes={"restore.unfinished": unfinished})


def _record(run: Run, outcomes: dict[str, CollectionOutcome]) -> None:
    restored: RunDocument = run.document["restore"]
    restored["collections"] = [outcome.as_document() for outcome in outcomes.values()]
    restored["sums"] = engine.summary(outcomes)
    emptied = {entry["name"] for entry in restored["emptied"]}
    restored["unfinished"] = [name for name in restored["unfinished"] if name not in outcomes and name not in emptied]
    changes = {f"restore.{key}": restored[key] for key in ("collections", "sums", "unfinished")}
    run.ownership.write(phase=Phase.RESTORING, changes=changes)


def _unfinished(outcomes: dict[str, CollectionOutcome], name: str, taken: tuple[str, ...]) -> RestoreUnfinished:
    waiting = taken[len(outcomes) + 1 :]
    left = f'"{name}" was at work' + (f", and {', '.join(waiting)} had not begun" if waiting else "")
    return RestoreUnfinished(done=f"{len(outcomes)} collections are in place", left=left)
