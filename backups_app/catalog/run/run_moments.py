"""When a run read what its backup holds, and whether it had deleted by then what another one deletes.

A run that was cut deletes again when it is resumed, or when a later run finishes it: long after it began, and after
backups that are younger than it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backups_app.catalog.run.run_parts import mapping, members, moment
from backups_app.catalog.run.run_record import RunRecord

READ_AT = "dump_started_at"
"""Under this name a run as lists have it, without its steps, keeps the moment."""


def contents_read_at(stored: Mapping[str, Any]) -> datetime | None:
    """Given a run's document, listed or whole, or its `metadata.json`, return when its backup began to be read, in UTC;
    None where that is not recorded, as in a folder that somebody else's mongodump wrote."""
    if READ_AT in stored:
        return moment(stored[READ_AT])
    steps = map(mapping, members(stored.get("steps")))
    return next((moment(step.get("started_at")) for step in steps if step.get("name") == "dump"), None)


def state_held(run: RunRecord) -> datetime:
    """Return the moment whose state the backup of a run holds, in UTC: when it began to be read, or the run where that
    is not recorded."""
    return contents_read_at(run) or run.created_at


def deleted_before(run: RunRecord, at: datetime) -> bool:
    """Return whether all that a run deleted was deleted before a moment. One that goes on may delete any time.

    `metadata.json` keeps seconds. Within one second it was before: a run begins when the one before it has ended.
    """
    ended = run.finished_at or (None if run.in_progress else run.created_at)
    return ended is not None and ended <= at
