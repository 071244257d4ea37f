"""Which backup is `latest` for whatever reads or copies one (`backup_restore`, `backup_rehearse`, `backup_docs`,
`backup_export`, `backup_copy`): the newest that can be restored, and which newer ones were passed over.

The safety backup of a restore is none: it is the state that somebody wanted to leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backups_app.browsing.reading import backups
from backups_app.browsing.reading.backups import BackupState, BackupSummary
from backups_app.configuration import Configuration
from backups_app.errors import AllDatedInFuture, BackupNotFound
from backups_app.records import RunKind
from backups_app.runs import preparation
from backups_app.runs.description import description

LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The newest backup that can be restored. `passed_over` are the ids of newer ones that nobody verified or that are
    damaged, an incremental also where its base is; newest first."""

    backup_id: str
    passed_over: tuple[str, ...] = ()


def find(*, configuration: Configuration, now: datetime) -> Newest:
    """Return the newest verified backup of this temple whose time can be trusted; a safety backup, and what others
    dumped, is none. Raise `BackupNotFound`, `AllDatedInFuture`."""
    database = configuration.database_name
    passed_over: list[str] = []
    ahead = False
    for entry in backups.summaries(store=preparation.store(configuration)):
        if not _is_of_a_run(entry, database):
            continue
        is_good = entry.state is BackupState.VERIFIED
        if entry.is_ahead(now=now):
            ahead = ahead or is_good
        elif is_good and not description.get_run(configuration=configuration, backup_id=entry.backup_id).damaged:
            return Newest(backup_id=entry.backup_id, passed_over=tuple(passed_over))
        else:
            passed_over.append(entry.backup_id)
    raise AllDatedInFuture() if ahead else BackupNotFound()


def _is_of_a_run(entry: BackupSummary, database: str) -> bool:
    """A folder whose `metadata.json` cannot be read may be of a run."""
    if not entry.record:
        return entry.state is BackupState.DAMAGED
    return entry.readable and entry.record.kind == RunKind.BACKUP and entry.database == database
