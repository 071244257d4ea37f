"""The shrinkage guard: once a collection lost more than half, nothing older is removed until an admin looked.

For each collection, oldest backup first:

    largest = the largest count seen so far, less what runs deleted on purpose since;
              of a deletion that went on beyond this backup, as much as is missing in it
    count < largest / 2          -> this backup is where the collection shrank; the next ones are compared with it
    accepted by an admin         -> no guard here; the next ones are compared with it
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from backups_app.retention.facts import Backup, Deletion, newest_first


@dataclass(frozen=True, kw_only=True)
class Shrinkage:
    """Where a collection shrank: the backup that shows it first, and from how many documents to how many."""

    backup_id: str
    taken_at: datetime
    collection: str
    before: int
    after: int


def find(*, backups: Iterable[Backup], deletions: Sequence[Deletion], now: datetime) -> tuple[Shrinkage, ...]:
    """Return each unaccepted shrinkage among the backups that count, oldest first."""
    ordered = sorted((one for one in backups if one.counts(now=now)), key=newest_first)
    found = [
        shrunk
        for name in sorted({name for one in ordered for name in one.documents})
        for shrunk in _of_collection(name, ordered, [one for one in deletions if one.collection == name])
    ]
    return tuple(sorted(found, key=lambda one: (one.taken_at, one.backup_id, one.collection)))


def _of_collection(name: str, ordered: Sequence[Backup], deletions: Sequence[Deletion]) -> list[Shrinkage]:
    largest, since, found, deleted = 0, None, [], _Deleted(deletions)
    for one in ordered:
        if name in one.limited:
            largest, since = 0, one.holds_state_of
            continue
        count = one.documents.get(name, 0)
        if since is not None:
            largest = max(0, largest - deleted.between(since, one.holds_state_of, missing=largest - count))
        since = one.holds_state_of
        shrank = count * 2 < largest
        if shrank and not one.accepted:
            found.append(
                Shrinkage(backup_id=one.backup_id, taken_at=one.taken_at, collection=name, before=largest, after=count)
            )
        largest = count if shrank else max(largest, count)
    return found


class _Deleted:
    """What runs deleted of one collection; each document is counted once."""

    def __init__(self, deletions: Sequence[Deletion]) -> None:
        self._deletions = sorted(deletions, key=lambda one: one.at)
        self._left = [one.documents for one in self._deletions]

    def between(self, since: datetime, until: datetime, *, missing: int) -> int:
        """Return how many documents were deleted from one state to the next, of which so many are missing."""
        found = 0
        for number, one in enumerate(self._deletions):
            if one.at < since or (one.begun_at or one.at) >= until:
                continue
            part = self._left[number] if one.at < until else min(self._left[number], max(0, missing - found))
            self._left[number] -= part
            found += part
        return found
