"""Which collections of a backup are searched through their files, and which are named as not searched."""

from __future__ import annotations

from collections.abc import Iterator

from backups_app.browsing.reading.opening import OpenBackup
from backups_app.errors import FileNotReadable
from backups_app.records import INTERNAL

BACKUP_DAMAGED = "backup_damaged"
"""Some of its files are not what was verified, or its folder holds nothing that can be read."""
TIME_SERIES_NOT_SEARCHED = "time_series_not_searched"
"""Its file holds buckets: the `_id` of one is that of no measurement, so nobody could say which of them are live."""
_TIME_SERIES = "timeseries"


def names(backup: OpenBackup) -> list[str]:
    """Return the temple's collections of a backup that are searched, in order."""
    return [name for name in _with_file(backup) if backup.manifest.collections[name].type != _TIME_SERIES]


def not_searched(backup: OpenBackup) -> Iterator[tuple[str, str]]:
    """Yield what is not searched, each with its code: all of a damaged backup (""), collections of an unverified one
    that have no file of documents (were they empty? views are), and time-series."""
    if backup.problem or not (_with_file(backup) or backup.verified):
        yield "", BACKUP_DAMAGED
    for name, entry in sorted(backup.manifest.collections.items()):
        if name in INTERNAL:
            continue
        if entry.file is not None and entry.type == _TIME_SERIES:
            yield name, TIME_SERIES_NOT_SEARCHED
        elif entry.file is None and entry.type != "view" and not backup.verified:
            yield name, FileNotReadable.code


def _with_file(backup: OpenBackup) -> list[str]:
    entries = backup.manifest.collections.items()
    return sorted(name for name, entry in entries if entry.file is not None and name not in INTERNAL)
