"""What is there to see: runs and backups merged into one list, and one run."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

from pymongo.errors import PyMongoError

from backups_app import formats
from backups_app.backup_files import layout
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.catalog.run import listed_runs, runs
from backups_app.catalog.run.listed_runs import ListedRun
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import AllDatedInFuture, BackupNotFound, TempleOpsError
from backups_app.messages import stored
from backups_app.mongo import availability
from backups_app.records import RunKind, Side
from backups_app.runs import preparation
from backups_app.runs.description import description, folder_looks, folder_records
from backups_app.runs.description.description import get_run as get_run
from backups_app.use_cases.listing import other_stores

logger = logging.getLogger(__name__)


def list_runs(*, configuration: Configuration, every: bool = False, limit: int = 0) -> list[RunRecord]:
    """Return the published backups, newest first; with `every`, all runs; `limit` 0 means all. The list comes from the
    folders, and looks at files only of what it returns.

    Where `backup_metadata` is lost or the server down, the folders' own `metadata.json` speaks. A folder that somebody
    else's mongodump wrote is listed as unverified. A successful backup may be a `ListedRun`: `whole` reads the rest.
    """
    store, records = preparation.store(configuration), _records(configuration)
    here = _Here(store, records)
    return here.newest(_unpublished(store, records, here) if every else [], limit=limit)


def not_here(*, configuration: Configuration) -> list[RunRecord]:
    """Return the runs that have no folder here, newest first: those that made a backup, which is gone or elsewhere, and
    those that made none."""
    store, records = preparation.store(configuration), _records(configuration)
    return newest_first(_unpublished(store, records, _Here(store, records)))


def _unpublished(store: Store, records: Mapping[str, RunRecord], here: Container[str]) -> list[RunRecord]:
    store_id = store.store_id()
    gone = [description.unpublished(run, store_id) for run in records.values() if run.id not in here]
    return other_stores.with_confirmations(gone)


def whole(listed: Sequence[RunRecord], *, configuration: Configuration) -> list[RunRecord]:
    """Return listed runs with all that their records hold, or without a record, their folders."""
    lacking = [run.id for run in listed if isinstance(run, ListedRun)]
    records = _whole_records(configuration, lacking) if lacking else {}
    store = preparation.store(configuration)
    return [
        description.described_as(run, records.get(run.id) or description.merged(store, run.id, None))
        if isinstance(run, ListedRun)
        else run
        for run in listed
    ]


def _whole_records(configuration: Configuration, backup_ids: Sequence[str]) -> dict[str, RunRecord]:
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            return runs.whole_runs(preparation.local_database(configuration), backup_ids=backup_ids)
    except (PyMongoError, TempleOpsError):
        return {}


class _Here(Mapping[str, RunRecord]):
    """The backups whose folders are here, by id. Each is looked at when it is asked for."""

    def __init__(self, store: Store, records: Mapping[str, RunRecord]) -> None:
        self._store, self._records, ids = store, records, store.backups().ids
        self._found: dict[str, RunRecord | None] = dict.fromkeys(ids)
        self._looks = folder_looks.of_a_list(store.root, ids)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __contains__(self, backup_id: object) -> bool:
        return backup_id in self._found

    def __getitem__(self, backup_id: str) -> RunRecord:
        found = self._found[backup_id]
        if found is None:
            record = self._records.get(backup_id)
            found = description.listed(self._store, backup_id, record, looks=self._looks)
            self._found[backup_id] = found
        return found

    def newest(self, others: Sequence[RunRecord], *, limit: int) -> list[RunRecord]:
        """Return these backups and the other runs, the newest first, at most so many."""
        aged: list[tuple[tuple[datetime, str], RunRecord | None]] = [(_age(run), run) for run in others]
        aged += [(_age(self._aged(backup_id)), None) for backup_id in self]
        aged.sort(key=itemgetter(0), reverse=True)
        chosen = aged[:limit] if limit else aged
        return [run or description.on_its_base(self[age[1]], self) for age, run in chosen]

    def _aged(self, backup_id: str) -> RunRecord:
        """What others dumped is as old as its folder says: a record may be of another dump."""
        record = self._records.get(backup_id)
        return self[backup_id] if record is None or record.kind == folder_records.FOREIGN else record


def active_run(*, configuration: Configuration) -> RunRecord | None:
    """Return the run in progress, or None; None too where the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            document = runs.active(preparation.local_database(configuration))
    except (PyMongoError, TempleOpsError):
        return None
    return None if document is None else description.described(document, files=Files.NONE)


def _records(configuration: Configuration) -> dict[str, RunRecord]:
    """Return the records by id; none when the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            return listed_runs.every(preparation.local_database(configuration))
    except (PyMongoError, TempleOpsError) as error:
        logger.warning("Listing from the folders alone", extra={"reason": type(error).__name__})
        return {}


def newest_first(documents: Iterable[RunRecord]) -> list[RunRecord]:
    """Return runs in the order of every list."""
    return sorted(documents, key=_age, reverse=True)


def _age(document: RunRecord) -> tuple[datetime, str]:
    """Order comes from the record, never from the name."""
    return document.created_at, document.id


def public(document: RunRecord) -> dict[str, Any]:
    """Return a run as `--json` and the API show it: plain JSON, without what only the machinery needs."""
    hidden = {"_id", "owner", "fence", "heartbeat_at", "idempotency_key", "child", "starter"}
    shown = stored.with_details({key: value for key, value in document.items() if key not in hidden})
    plain: dict[str, Any] = formats.plain(shown)
    return plain


def resolve(configuration: Configuration, wanted: str, *, with_backup: bool = False) -> str:
    """Return the id that a person means: an id, or `latest`, which is none that is dated in the future.
    `with_backup` passes over runs that made none (a rehearsal, a test copy, a failed one) and over safety backups, as
    `newest.find` does; the newest need not be good: it may be what is to be verified, pinned or resumed.

    Raise `BackupNotFound`, `InvalidBackupId`.
    """
    if wanted != "latest":
        return layout.check_id(wanted)
    every = list_runs(configuration=configuration, every=True)
    every = [run for run in every if not with_backup or _is_ordinary(run)]
    newest = next((run for run in every if not run.dated_in_future), None)
    if newest is None:
        raise AllDatedInFuture() if every else BackupNotFound()
    return str(newest.backup_id)


def _is_ordinary(run: RunRecord) -> bool:
    return whereabouts.made_a_backup(run) and run.kind != RunKind.RESTORE
