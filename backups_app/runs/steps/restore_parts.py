"""What the steps of a restore share: the backup as a source, the plan, the engine, and the record as it grows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from backups_app.backup_files import bases, metadata
from backups_app.catalog import restored_documents
from backups_app.catalog.restored_documents import Unfinished
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import CopyNotAllowed, DatabaseUnreachable, TempleOpsError
from backups_app.mongo import scratch
from backups_app.mongo.refusals import refusals
from backups_app.progress import Progress, Silent
from backups_app.records import DUMPED_INTERNAL, PURGEABLE, Phase, RunKind, Side, Status
from backups_app.restore import choices as chosen
from backups_app.restore import engine, plan
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.engine import Claim, Engine
from backups_app.restore.outcome import CollectionOutcome
from backups_app.restore.source import Source
from backups_app.restore.work import PlannedIds
from backups_app.runs import preparation, restore_messages
from backups_app.runs.context import Run
from backups_app.runs.copies import copy_source
from backups_app.runs.description import adoption, description
from backups_app.runs.steps import side_by_side
from backups_app.runs.steps.side_by_side import SharedProgress

AT_ONCE = 2
LARGE = 16 * 1024 * 1024
"""So many collections of at least so many bytes are put in place side by side."""

_one_at_a_time = threading.Lock()
"""The record is changed by the threads that put collections in place."""


def choices(run: Run) -> Choices:
    """Return what was chosen, from the run's document."""
    return chosen.from_json(run.document.restore.choices)


def source(run: Run) -> Source:
    """Return the backup to restore: of a restore test from a copy, the fetched one. Raises as `opened`."""
    if run.document.restore.copy_at:
        return copy_source.source(run)
    return opened(configuration=run.configuration, choices=choices(run))


def opened(*, configuration: Configuration, choices: Choices, progress: Progress | None = None) -> Source:
    """Return the chosen backup. An undo also holds, as empty ones, what the restore that is undone created, and knows
    which of our own records stay. A folder of somebody else's mongodump that nobody has verified is read whole first,
    and adopted.

    Raise `BackupNotFound`, `VerificationFailed`, and what `progress` raises.
    """
    store = preparation.store(configuration)
    folder = store.folder(choices.backup_id)
    adoption.adopt(configuration=configuration, backup_id=choices.backup_id, progress=progress or Silent())
    backup = Source(folder=folder, manifest=preparation.manifest_of(store, backup_id=choices.backup_id))
    if not (choices.in_place and choices.mode is Mode.REPLACE and choices.collections):
        return backup
    record = description.get_run(configuration=configuration, backup_id=choices.backup_id)
    backup = backup.with_absent(created_by(record) & set(choices.collections))
    return replace(backup, staying=own_records_added(record) - set(choices.collections))


def begun(record: RunRecord) -> list[str]:
    """Return the collections that a restore may have written into: finished ones, and those that were at work."""
    return [*record.restore.names, *record.restore.at_work]


def created_by(record: RunRecord) -> set[str]:
    """Return the collections that a restore created, as far as its record knows, finished or not."""
    created = {entry["name"] for entry in record.restore.collections if entry["created"]}
    return created | set(record.restore.unfinished)


def own_records_added(record: RunRecord) -> frozenset[str]:
    """Return our own collections to which a restore added records, or may have, when it was cut."""
    unchanged = {entry["name"] for entry in record.restore.collections if not entry["inserted"]}
    return DUMPED_INTERNAL.intersection(begun(record)) - unchanged


def marked_copy(run: Run) -> Database[Any]:
    """Return the marked database of a test copy, made when it is not there. Raises as `scratch.make`."""
    wanted = choices(run)
    return scratch.make(
        run.local.client,
        name=wanted.target,
        temple=run.local.name,
        backup_id=wanted.backup_id,
        purpose=scratch.TEST_COPY,
        created_by=run.document.created_by,
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
        created_by=run.document.created_by,
        now=run.now,
    )


def remove_old_scratch(run: Run) -> None:
    """Remove what killed rehearsals of this temple left behind."""
    for copy in scratch.listing(run.local.client, temple=run.local.name):
        if copy.purpose == scratch.REHEARSAL:
            scratch.remove(run.local.client, name=copy.database, temple=run.local.name)


def perform(run: Run, *, target: Database[Any]) -> dict[str, CollectionOutcome]:
    """Restore collection by collection; after each the record knows its outcome. Return them all by name.

    Raise `RestoreUnfinished` when the server is lost, `VerificationFailed` when the backup changed under our hands.
    """
    with bases.reading(run.store.root, choices(run).backup_id):
        return _perform(run, target=target)


def _perform(run: Run, *, target: Database[Any]) -> dict[str, CollectionOutcome]:
    wanted, backup = choices(run), source(run)
    decided = plan.decide(manifest=backup.manifest, choices=wanted, emptied=run.document.restore.emptied)
    outcomes: dict[str, CollectionOutcome] = {}
    run.document.apply({"restore.sums": engine.summary(outcomes)})
    progress = SharedProgress(progress=run.progress)
    worker = _engine(run, wanted, backup, target, progress)
    empty = [left.name for left in decided.left_out if left.emptied_by]
    names = (*decided.taken, *empty)

    def restore(name: str) -> CollectionOutcome:
        _begin(run, name)
        return worker.restore_empty(name) if name in empty else worker.restore(name)

    try:
        for group in _groups(worker, names):
            with closing(side_by_side.each(group, restore, at_once=AT_ONCE, progress=progress)) as ended:
                for name, outcome in ended:
                    if name not in empty or outcome.created or not outcome.complete:
                        outcomes[name] = outcome
                    _record(run, name, {one: outcomes[one] for one in names if one in outcomes})
    except PyMongoError as error:
        raise _stopped(run, error) from error
    return {name: outcomes[name] for name in names if name in outcomes}


def _groups(worker: Engine, names: Sequence[str]) -> Iterator[list[str]]:
    """Yield the collections in their order, those together that are put in place side by side: large ones that are
    missing as a whole. Comparing two versions of a large collection takes memory, so they are compared one by one."""
    group: list[str] = []
    for name in names:
        if worker.entry(name).bytes >= LARGE and worker.is_missing(name):
            group.append(name)
            continue
        if group:
            yield group
        group = []
        yield [name]
    if group:
        yield group


def _engine(run: Run, wanted: Choices, backup: Source, target: Database[Any], progress: Progress) -> Engine:
    in_place = run.document.kind == RunKind.RESTORE
    before = None
    if in_place:
        assert run.manifest is not None, "the safety backup comes before the restore"
        before = Source(folder=run.folder, manifest=run.manifest)
    return Engine(
        source=backup,
        choices=wanted,
        database=target,
        before=before,
        claim=_claim(run, wanted) if in_place else None,
        progress=progress,
        unfinished=_left_by_earlier_attempts(run, wanted) if in_place else frozenset(),
        creating=lambda name: _remember_creating(run, name),
    )


def _claim(run: Run, wanted: Choices) -> Claim:
    def claim(name: str, planned: PlannedIds) -> None:
        unfinished = [one.id for one in runs.resumable(run.local)] if name in PURGEABLE else []
        restored_documents.claim(
            run.local,
            collection=name,
            is_chosen=planned.is_chosen,
            is_put_back=planned.is_put_back,
            document=wanted.document,
            unfinished=Unfinished(
                run_ids=unfinished,
                restore=run.backup_id,
                identities=planned.identities() if unfinished else None,
                now=run.now,
            ),
        )

    return claim


def _left_by_earlier_attempts(run: Run, wanted: Choices) -> frozenset[str]:
    """Collections that a restore of the same backup created and did not finish: theirs are the missing indexes."""
    left: set[str] = set()
    for document in reversed(runs.recent(run.local, kinds=[RunKind.RESTORE])):
        restored = document.restore
        if document.id == run.backup_id:
            continue
        if restored.choices.get("backup_id") == wanted.backup_id:
            left -= set(restored.names)
            left |= set(restored.unfinished) if document.status != Status.SUCCESS else set()
    return frozenset(left)


def _remember_creating(run: Run, name: str) -> None:
    """Before a collection is created the record says so: the one who goes on after a crash finishes it."""
    with _one_at_a_time:
        _write(run, {"restore.unfinished": [*run.document.restore.unfinished, name]})


def _begin(run: Run, name: str) -> None:
    """Before anything of a collection is written the record says so: an undo after a crash knows where to look."""
    with _one_at_a_time:
        _write(run, {"restore.at_work": [*run.document.restore.at_work, name]})


def _record(run: Run, name: str, outcomes: dict[str, CollectionOutcome]) -> None:
    """Note that a collection was finished."""
    with _one_at_a_time:
        restored = run.document.restore
        changes = {
            "restore.collections": [outcome.as_document() for outcome in outcomes.values()],
            "restore.sums": engine.summary(outcomes),
            "restore.unfinished": [one for one in restored.unfinished if one != name],
            "restore.at_work": [one for one in restored.at_work if one != name],
        }
        _write(run, changes)


def _write(run: Run, changes: dict[str, Any]) -> None:
    """Set fields of the record, and of the copy that later steps read."""
    run.document.apply(changes)
    run.ownership.write(phase=Phase.RESTORING, changes=changes)


def _stopped(run: Run, error: PyMongoError) -> TempleOpsError:
    """Return what a server's failure in the middle means: a copy that we may not use, or a restore to be repeated."""
    if run.document.kind != RunKind.RESTORE and scratch.is_refused_to_us(error):
        return CopyNotAllowed(database=choices(run).target)
    named = refusals.named(error, side=Side.LOCAL)
    return restore_messages.unfinished(run.document, refusal=None if type(named) is DatabaseUnreachable else named)


def undoes(source: Source, choices: Choices) -> bool:
    """Return whether this puts the safety backup of a restore back, exactly as it was."""
    written = metadata.read(source.folder)
    made_by = written and RunRecord(written).kind
    return choices.in_place and choices.mode is Mode.REPLACE and made_by == RunKind.RESTORE
