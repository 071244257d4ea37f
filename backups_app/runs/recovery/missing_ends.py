"""Ends of runs that are not in the audit trail: its database was away at that moment, or the process died before it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from backups_app.access.trail import audit
from backups_app.catalog.run import runs
from backups_app.records import RunKind, Status
from backups_app.runs.closing import closing

LOOKED_BACK = timedelta(days=7)
OPENINGS = (*(f"{kind}.requested" for kind in RunKind), "backup.resume")
ENDS = tuple(f"{kind}.finished" for kind in RunKind)


def write(database: Database[Any], *, now: datetime) -> None:
    """Write the audit event of each run that was asked for in the last seven days, has ended, and lacks it.

    Raise `RecordsUnavailable`, and PyMongoError where the server fails.
    """
    since = now - LOOKED_BACK
    opened, ended = (Counter(audit.targets(actions=actions, since=since)) for actions in (OPENINGS, ENDS))
    for run in runs.whole_runs(database, backup_ids=opened - ended).values():
        if run.status != Status.IN_PROGRESS:
            closing.audit_end(run)
