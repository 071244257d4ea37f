"""What the faces ask for: choose, preview, start a restore, a test copy or a rehearsal; list and remove test copies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from django.utils import timezone

from backups_app import configuration as settings
from backups_app.access.trail import audit
from backups_app.backup_files import bases, layout
from backups_app.browsing.reading import documents
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, InvalidInput, OnlyOwnRecordsToUndo, PreviewOutdated
from backups_app.messages import restore as restore_sentences
from backups_app.messages import use_cases as messages
from backups_app.mongo import connections, raw_ids, scratch, scratch_names
from backups_app.mongo.scratch import ScratchCopy
from backups_app.progress import Progress, Silent
from backups_app.records import DUMPED_INTERNAL, RESTORES, Origin, RunKind, Side
from backups_app.restore import choices as chosen
from backups_app.restore import plan, preview
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.live import Live
from backups_app.restore.preview import RestorePreview
from backups_app.restore.source import Source
from backups_app.runs import preparation, restore_pipelines, runner
from backups_app.runs.copies import copy_source
from backups_app.runs.ownership import this_process
from backups_app.runs.recovery import housekeeping
from backups_app.runs.steps import restore_parts
from backups_app.use_cases.backups import backups as backup_runs
from backups_app.use_cases.backups import new_run
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import emptied as emptied_runs
from backups_app.use_cases.restores import new_restore, newest

PHRASE = "RESTORE"
"""What a person types before something that is there is overwritten or deleted."""


def choose(
    *,
    configuration: Configuration,
    backup_id: str,
    collections: Sequence[str] | None = None,
    mode: str = Mode.ADD.value,
    to: str | None = None,
    include_purged: bool = False,
    document: str | None = None,
) -> Choices:
    """Given what a person asked for, return the choices. `to` names a test copy, None is the temple's database;
    `document` is an `_id` as people type it, with exactly one collection.

    Raise `ModeNotLocal`, `InvalidBackupId`, `BackupNotFound`, `CollectionNotFound`, `DocumentNotFound`, InvalidInput.
    """
    readiness.require_local(configuration)
    layout.check_id(backup_id)
    if mode not in {known.value for known in Mode}:
        raise InvalidInput(message=messages.MODE_UNKNOWN())
    in_place = to is None or to == configuration.database_name
    if not in_place:
        scratch_names.check_copy_name(str(to), temple=configuration.database_name)
        if mode == Mode.REPLACE:
            raise InvalidInput(message=messages.TEST_COPY_ONLY_ADDED_TO())
    if collections is not None and not collections:
        raise InvalidInput(message=messages.NO_COLLECTION_CHOSEN())
    return Choices(
        backup_id=backup_id,
        target=configuration.database_name if in_place else str(to),
        in_place=in_place,
        mode=Mode(mode),
        collections=None if collections is None else tuple(collections),
        include_purged=include_purged,
        document=_document(configuration, backup_id, collections, document),
    )


def copy_name(*, configuration: Configuration, backup_id: str) -> str:
    """Return the name that is proposed for a test copy: `temple_db_restore_20250119_143022`."""
    return scratch_names.name_beside(configuration.database_name, ending=f"_restore_{backup_id}")


def preview_restore(
    *, configuration: Configuration, choices: Choices, progress: Progress | None = None
) -> RestorePreview:
    """Return the preview: both sides read and compared, nothing written. It names server, database, and the hash to
    confirm. Raise `VerificationFailed`, `BackupRemoved`, `DatabaseUnreachable`, `CollectionNotFound`, InvalidInput."""
    readiness.require_local(configuration)
    with bases.reading(configuration.backup_dir, choices.backup_id), connections.reachable(Side.LOCAL):
        source = restore_parts.opened(configuration=configuration, choices=choices, progress=progress)
        server, temple = _server(configuration), preparation.local_database(configuration)
        emptied = emptied_runs.on_purpose(configuration=configuration, backup_id=choices.backup_id)
        decided = plan.decide(manifest=source.manifest, choices=choices, emptied=emptied, staying=source.staying)
        target = temple if choices.in_place else temple.client.get_database(choices.target)
        with nullcontext() if choices.in_place else scratch.allowed(choices.target):
            return preview.make(
                source=source,
                choices=choices,
                decided=decided,
                database=target,
                server=server,
                confirmation=chosen.confirmation_hash(choices, manifest=source.manifest, server=server),
                progress=progress or Silent(),
                disk_free_bytes=Live(temple).free_bytes(),
            )


def start(
    *,
    choices: Choices,
    confirmation: str | None,
    created_by: str,
    origin: Origin,
    now: datetime,
    rehearsal: bool = False,
    note: str = "",
    enqueue: bool = True,
    copy: copy_source.RehearsedCopy | None = None,
) -> RunRecord:
    """Start a restore of what was previewed and return its run document. With `enqueue` a worker carries it out, else
    the caller does (`backup_runs.execute`).

    `confirmation` is the preview's hash. A rehearsal needs none, and may begin from a copy at a target. Raise
    `PreviewOutdated`, `RunActive`, and what readiness refuses by name.
    """
    configuration = settings.current()
    readiness.require_local(configuration)
    source = copy or restore_parts.opened(configuration=configuration, choices=choices)
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        meant = chosen.confirmation_hash(choices, manifest=source.manifest, server=_server(configuration))
        if not rehearsal and confirmation != meant:
            raise PreviewOutdated()
        emptied = emptied_runs.on_purpose(configuration=configuration, backup_id=choices.backup_id)
        staying = sorted(source.staying) if isinstance(source, Source) else []
        decided = plan.decide(manifest=source.manifest, choices=choices, emptied=emptied, staying=staying)
        readiness.require_ready(configuration=configuration, may_be_empty=True)
        audit.digest()  # a restore that cannot be put on record is not started
        housekeeping.put_in_order(configuration=configuration, now=now)
        runs.ensure_indexes(database)
        document = new_restore.new_document(
            configuration, choices=choices, decided=decided, emptied=emptied, rehearsal=rehearsal,
            created_by=created_by, origin=origin, now=now, note=note,
        )  # fmt: skip
        starter = None if enqueue else this_process().as_document()
        undoes = isinstance(source, Source) and restore_parts.undoes(source, choices)
        warnings = [restore_sentences.OWN_RECORDS_STAYED(names=staying)] if staying else []
        document.apply({"restore.undoes": undoes, "starter": starter, "warnings": warnings})
        if copy is not None:
            document.apply({"restore.copy": copy.as_document()})
            document.apply({"steps": runner.waiting_steps(restore_pipelines.STEPS[restore_pipelines.FROM_A_COPY])})
        new_run.create(database, document, configuration)
    new_run.put_on_record(database, document, details={"choices": choices.as_json()})
    if enqueue:
        backup_runs.carry_out_backup.enqueue(backup_id=document.id)
    return document


def rehearse(
    *, backup_id: str | None, created_by: str, origin: Origin, now: datetime, enqueue: bool = True
) -> RunRecord:
    """Start a rehearsal of a backup, the newest verified one by default. Raises as `start`, and `BackupNotFound`."""
    configuration = settings.current()
    preparation.local_database(configuration)  # a silent server is found out once, before it is asked for each record
    wanted = backup_id or newest_verified(configuration=configuration)
    return start(
        choices=choose_rehearsal(configuration=configuration, backup_id=wanted),
        confirmation=None,
        created_by=created_by,
        origin=origin,
        now=now,
        rehearsal=True,
        enqueue=enqueue,
    )


def choose_rehearsal(*, configuration: Configuration, backup_id: str) -> Choices:
    """Return the choices of a rehearsal. Its scratch has always the same name: the administrator of MongoDB can allow
    it once. What a killed one left is removed first. Raises as `choose`."""
    readiness.require_local(configuration)
    target = scratch_names.rehearsal_name(configuration.database_name)
    return Choices(backup_id=layout.check_id(backup_id), target=target, in_place=False)


def undo(*, configuration: Configuration, run: RunRecord) -> Choices:
    """Return the choices that undo a restore: its safety backup, exactly as it was, for every collection that it may
    have written into. One that it created is emptied again, and stays. Our own records that it added stay.

    Raise `BackupNotFound` when the run is no restore into the temple's database, and `OnlyOwnRecordsToUndo`.
    """
    if run.kind != RunKind.RESTORE:
        raise BackupNotFound()
    begun = restore_parts.begun(run)
    names = [name for name in begun if name not in DUMPED_INTERNAL]
    if begun and not names:
        raise OnlyOwnRecordsToUndo(names=sorted(begun))
    held = set(preparation.manifest_of(preparation.store(configuration), backup_id=run.id).collections)
    held |= restore_parts.created_by(run)
    return choose(
        configuration=configuration,
        backup_id=run.id,
        collections=[name for name in names if name in held],
        mode=Mode.REPLACE.value,
    )


def history(*, configuration: Configuration, limit: int = 50) -> list[RunRecord]:
    """Return restores, test copies and rehearsals, newest first."""
    with connections.reachable(Side.LOCAL):
        return runs.recent(preparation.local_database(configuration), kinds=RESTORES, limit=limit)


def list_copies(*, configuration: Configuration) -> tuple[ScratchCopy, ...]:
    """Return the test copies on the local server, newest first. Raise `DatabaseUnreachable`."""
    database = preparation.local_database(configuration)
    with connections.reachable(Side.LOCAL):
        return scratch.listing(database.client, temple=database.name)


def remove_copy(*, configuration: Configuration, name: str, removed_by: str, origin: Origin, now: datetime) -> None:
    """Remove a test copy. Raise `NotATestCopy`, `CopyNotAllowed`, `DatabaseUnreachable`, InvalidInput."""
    readiness.require_local(configuration)
    database = preparation.local_database(configuration)
    audit.record(actor=removed_by, origin=origin, action="test_copy.remove", target=name, result="accepted", now=now)
    with connections.reachable(Side.LOCAL):
        scratch.remove(database.client, name=name, temple=database.name)


def newest_verified(*, configuration: Configuration) -> str:
    """Return the newest backup of this temple that can be restored. Raise `BackupNotFound`."""
    return newest.find(configuration=configuration, now=timezone.now()).backup_id


# ── inside ──────────────────────────────────────────────────────────────────────


def _document(
    configuration: Configuration, backup_id: str, collections: Sequence[str] | None, typed: str | None
) -> bytes | None:
    if typed is None:
        return None
    if collections is None or len(collections) != 1:
        raise InvalidInput(message=messages.ONE_DOCUMENT_ONE_COLLECTION())
    store = preparation.store(configuration)
    found = documents.by_id(store=store, backup_id=backup_id, collection=collections[0], typed=typed)
    return raw_ids.id_of(documents.restorable(found))


def _server(configuration: Configuration) -> str:
    """Return the server that would be written to, as a person recognises it."""
    with connections.reachable(Side.LOCAL):
        return connections.facts(preparation.local_database(configuration).client).host
