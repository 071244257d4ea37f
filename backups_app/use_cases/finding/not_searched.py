"""What a search leaves out before it begins, and why: backups that are known of and not in the backup folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from pymongo.errors import PyMongoError

from backups_app.backup_files import layout
from backups_app.backup_files.store import trash
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import whereabouts
from backups_app.browsing.reading.whereabouts import Files
from backups_app.browsing.search.everywhere import SKIPPED_LIMIT, NotSearched
from backups_app.catalog.run import listed_runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import BackupElsewhere, BackupRemoved, InvalidBackupId, StoreMissing, TempleOpsError
from backups_app.models import BackupCopy
from backups_app.mongo import availability
from backups_app.records import Side
from backups_app.runs import preparation
from backups_app.runs.description import description
from backups_app.storage.copy_rows import State

IN_TRASH, ONLY_A_COPY, NO_BACKUP_FOLDER, RECORDS_UNKNOWN = (
    "in_trash",
    "only_a_copy",
    "no_backup_folder",
    "records_unknown",
)
_CODES = {Files.GONE: BackupRemoved.code, Files.UNMOUNTED: StoreMissing.code}

Reason = tuple[str, str]
"""A code and a name: of the host, the target, or nothing."""


def known(*, configuration: Configuration) -> list[NotSearched]:
    """Return the backups that are not searched because they are not in the folder of this host, by reason.

    A backup that was removed, and of which neither the trash nor a target has anything, is none. Where the database
    does not answer, `records_unknown` says that nobody knows which other backups there are.
    """
    store, reasons = preparation.store(configuration), dict[str, Reason]()
    here = set(store.backups().ids)
    records = _records(configuration)
    for run in (records or {}).values():
        reasons |= dict(_of_record(run, store.store_id()))
    reasons |= _copies() | {one.backup_id: (IN_TRASH, "") for one in trash.thrown(store.root)} | _on_hosts(reasons)
    reasons |= dict.fromkeys(_ignored(store, reasons), (NO_BACKUP_FOLDER, ""))
    counted = _counted({name: reason for name, reason in reasons.items() if name not in here})
    return counted if records is not None else [NotSearched(code=RECORDS_UNKNOWN), *counted]


def _records(configuration: Configuration) -> Mapping[str, RunRecord] | None:
    """Return the records by id; None where the server does not answer."""
    try:
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=description.LOOK_SECONDS):
            return listed_runs.every(preparation.local_database(configuration))
    except (PyMongoError, TempleOpsError):
        return None


def _of_record(run: RunRecord, store_id: str | None) -> Iterator[tuple[str, Reason]]:
    files = whereabouts.files_of(run, here=False, store_id=store_id)
    if files is Files.NONE or run.removed:
        return
    yield run.id, (BackupElsewhere.code, run.host or "?") if files is Files.ELSEWHERE else (_CODES[files], "")


def _on_hosts(reasons: Mapping[str, Reason]) -> dict[str, Reason]:
    return {name: reason for name, reason in reasons.items() if reason[0] == BackupElsewhere.code}


def _copies() -> dict[str, Reason]:
    """Return the backups of which a target has a complete copy."""
    return {
        backup_id: (ONLY_A_COPY, target)
        for backup_id, target in BackupCopy.objects.filter(state=State.COMPLETE).values_list("backup_id", "target")
    }


def _ignored(store: Store, reasons: Collection[str]) -> Iterator[str]:
    """Yield what lies in the folder under a backup's name and is not taken for one: a link, an empty folder."""
    for entry in store.backups().ignored:
        name = entry.name
        with suppress(InvalidBackupId):
            name = layout.check_id(name.removeprefix(layout.PUBLISHED_PREFIX))
        if name not in reasons:
            yield name


def _counted(reasons: Mapping[str, Reason]) -> list[NotSearched]:
    named: dict[Reason, list[str]] = defaultdict(list)
    for name in sorted(reasons, reverse=True):
        named[reasons[name]].append(name)
    return [
        NotSearched(code=code, where=where, count=len(names), backups=tuple(names[:SKIPPED_LIMIT]))
        for (code, where), names in sorted(named.items())
    ]
