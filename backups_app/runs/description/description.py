"""A run as a reader sees it: what its record says, beside what its folder holds now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from pymongo.errors import PyMongoError

from backups_app.backup_files import layout, metadata
from backups_app.backup_files.stamps import Change
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run import runs
from backups_app.catalog.run.listed_runs import ListedRun
from backups_app.catalog.run.run_parts import VerificationRecord
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupNotFound, TempleOpsError, VerificationFailed
from backups_app.mongo import availability
from backups_app.records import Side, is_ahead
from backups_app.runs import preparation
from backups_app.runs.closing import lost_messages, outcome
from backups_app.runs.description import folder_records, verification_results
from backups_app.runs.description.folder_looks import FolderLooks

LOOK_SECONDS = 2
"""A server that is down must not make a page wait: the folders alone are an answer."""
ADDED_BY_READERS = frozenset(
    {"published", "verified", "damaged", "message", "files", "keep_available", "dated_in_future"}
)
"""What `described` adds to a record. It is never stored."""


def get_run(*, configuration: Configuration, backup_id: str) -> RunRecord:
    """Return one run, from its record or from its folder. Raise `InvalidBackupId`, `BackupNotFound`.

    Raise `DatabaseUnreachable` where there is no folder and nobody can know whether there is a record.
    """
    layout.check_id(backup_id)
    store, record, silence = preparation.store(configuration), None, None
    try:
        record = _record(configuration, backup_id)
    except (PyMongoError, TempleOpsError) as error:
        silence = error
    if backup_id in store.backups().ids:
        return _with_its_base(configuration, store, merged(store, backup_id, record))
    if silence is not None:
        raise silence
    if record is None:
        raise BackupNotFound()
    return unpublished(record, store.store_id())


def _with_its_base(configuration: Configuration, store: Store, run: RunRecord) -> RunRecord:
    base = run.incremental.base
    if base is None or base not in store.backups().ids:
        return on_their_bases({run.id: run})[run.id]
    try:
        record = _record(configuration, base)
    except (PyMongoError, TempleOpsError):  # its folder speaks alone
        record = None
    return on_their_bases({run.id: run, base: merged(store, base, record)})[run.id]


def on_their_bases(here: Mapping[str, RunRecord]) -> dict[str, RunRecord]:
    """Given the backups of one folder by id, return them, each as `on_its_base` says."""
    return {backup_id: on_its_base(run, here) for backup_id, run in here.items()}


def on_its_base(run: RunRecord, here: Mapping[str, RunRecord]) -> RunRecord:
    """Return a backup, given those of its folder by id; an incremental is no better than the full backup that it begins
    from: damaged where that one is damaged or not there, not verified where that one is not."""
    if run.incremental.base is None:
        return run
    base = here.get(run.incremental.base)
    if base is not None and base.verified and not base.damaged:
        return run
    damaged = run.damaged or base is None or base.damaged
    return described(run, files=Files.HERE, damaged=damaged)


def _record(configuration: Configuration, backup_id: str) -> RunRecord | None:
    with availability.asking(Side.LOCAL, configuration=configuration, seconds=LOOK_SECONDS):
        return runs.get(preparation.local_database(configuration), backup_id=backup_id)


def merged(store: Store, backup_id: str, record: RunRecord | None) -> RunRecord:
    """Return a backup whose folder is here, by a look at each of its files.

    The record says how the run ended; the folder says whether there is a manifest to trust, and whether the files
    are those that it was made of. What others dumped is reported by the folder alone: a record may be of another
    dump."""
    if record is None or record.kind == folder_records.FOREIGN:
        return _by_folder(store, backup_id, record)
    return _by_record(store, backup_id, record, FolderLooks(store.root))


def listed(store: Store, backup_id: str, record: RunRecord | None, *, looks: FolderLooks) -> RunRecord:
    """As `merged`, by a look of a list; without a record, what lists show of `metadata.json`."""
    if record is not None and record.kind != folder_records.FOREIGN:
        return _by_record(store, backup_id, record, looks)
    try:
        changed = looks.change(backup_id)
        record_here = folder_records.foreign(backup_id) if changed is None else looks.record(backup_id)
    except (VerificationFailed, BackupNotFound, OSError) as error:
        return _unreadable(backup_id, record, error)
    if record is not None and changed is not None:
        record_here = record_here | record.stored_fields("verification")
    return _described_as(store, backup_id, record_here, changed)


def _by_record(store: Store, backup_id: str, record: RunRecord, looks: FolderLooks) -> RunRecord:
    try:
        changed = looks.change(backup_id)
    except (VerificationFailed, BackupNotFound, OSError):
        return described(record, files=Files.HERE, damaged=True)
    return _described_as(store, backup_id, record if changed is not None else record | {"verification": None}, changed)


def _unreadable(backup_id: str, record: RunRecord | None, error: Exception) -> RunRecord:
    problem = error.detail if isinstance(error, TempleOpsError) else str(error)
    return described(record or folder_records.foreign(backup_id, problem=problem), files=Files.HERE, damaged=True)


def _by_folder(store: Store, backup_id: str, record: RunRecord | None) -> RunRecord:
    try:
        folder = store.folder(backup_id)
        written = metadata.read(folder) or {}
        changed = folder_records.changed(folder, written)
        record_here = _of_the_folder(backup_id, written, record, changed)
    except (VerificationFailed, BackupNotFound, OSError) as error:
        return _unreadable(backup_id, record, error)
    return _described_as(store, backup_id, record_here, changed)


def _described_as(store: Store, backup_id: str, record_here: RunRecord, changed: Change | None) -> RunRecord:
    damaged = _found_bad(store, backup_id, record_here) or changed in (Change.SIZE, Change.OTHERS)
    return described(record_here, files=Files.HERE, verified=changed is Change.NONE and not damaged, damaged=damaged)


def _of_the_folder(
    backup_id: str, written: Mapping[str, Any], record: RunRecord | None, changed: Change | None
) -> RunRecord:
    if changed is None:  # nobody has verified what lies here now
        return folder_records.foreign(backup_id)
    verified = (record or RunRecord()).stored_fields("verification")
    return folder_records.from_metadata(backup_id, written) | verified


def _found_bad(store: Store, backup_id: str, record_here: RunRecord) -> bool:
    """Whether a verification found these files bad; one that found others bad says nothing about them."""
    found = record_here.verification
    if record_here.status == folder_records.UNVERIFIED and found == VerificationRecord():  # no record holds a verdict
        event = verification_results.last(store, backup_id)
        return event is not None and event.result == verification_results.DAMAGED
    if found.problem is None:
        return False
    return not found.seen or found.seen == verification_results.seen(store, backup_id)


def unpublished(document: RunRecord, store_id: str | None) -> RunRecord:
    """Return a run whose folder is not here."""
    return described(document, files=whereabouts.files_of(document, here=False, store_id=store_id))


def described_as(known: RunRecord, record: RunRecord) -> RunRecord:
    """Return a run's record with what is known of its files from the same run as it was described."""
    return described(record, files=Files(known.files), verified=known.verified, damaged=known.damaged)


def described(document: RunRecord, *, files: Files, verified: bool = False, damaged: bool = False) -> RunRecord:
    """Return the run with what only a reader can add: where its files are and what may be done with it."""
    is_ahead_now = is_ahead(document.created_at, now=timezone.now())
    if not isinstance(document, ListedRun):
        return _described(document, files, verified, damaged, is_ahead_now)
    found = (files, verified, damaged, is_ahead_now)
    known = getattr(document, "shown", None)
    if known is None or known[0] != found:
        known = document.shown = (found, _described(document, *found))
    return known[1]


def _described(document: RunRecord, files: Files, verified: bool, damaged: bool, is_ahead_now: bool) -> RunRecord:
    here = files is Files.HERE
    run = document | {
        "_id": document.id,
        "published": here,
        "verified": verified,
        "damaged": damaged,
        "files": files.value,
        "dated_in_future": is_ahead_now,
        "resume_available": document.resume_available and here and not damaged,
        "keep_available": outcome.keep_available(document) and files is not Files.UNMOUNTED,
    }
    if lost_messages.sentence(run):
        run |= lost_messages.without_claims(run)
    return run | {"message": outcome.message(run)}
