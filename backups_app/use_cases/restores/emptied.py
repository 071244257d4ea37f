"""Which collections were emptied on purpose by the run of a backup or after it was read: a restore leaves them out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backups_app.catalog.run import run_moments
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.records import Side
from backups_app.use_cases.listing import listing


def on_purpose(*, configuration: Configuration, backup_id: str) -> dict[str, str]:
    """Return which collections were emptied on purpose by the run of this backup or after it, and by which run.

    From the records of all runs, wherever their backups are, and from the folders' own `metadata.json` where the
    records are lost with the database. What came after a backup dated in the future, nobody knows: every run counts.
    """
    records = listing.list_runs(configuration=configuration, every=True)
    own = (record for record in records if record.id == backup_id and not record.dated_in_future)
    return emptied_after(records, backup_id=backup_id, read_at=next(map(run_moments.state_held, own), None))


def emptied_after(records: Iterable[RunRecord], *, backup_id: str, read_at: datetime | None) -> dict[str, str]:
    """Given all runs, newest first, return the collections that the run of a backup emptied, or another one after the
    backup was read, and the newest of these runs. `read_at` is None where nobody knows it: every run counts."""
    emptied: dict[str, str] = {}
    for record in records:
        earlier = read_at is not None and record.id != backup_id and run_moments.deleted_before(record, read_at)
        if not record.purge.allowed or earlier:
            continue
        for name in record.purge.collections:
            if any(record.purge.collection(side, name).deleted for side in Side):
                emptied.setdefault(name, record.id)
    return emptied
