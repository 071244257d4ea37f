"""What a whole sync did: the report that the run receives, and its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backups_app.catalog.sync.sync_record import SyncRecord
from backups_app.messages import sync as messages
from backups_app.messages.message import Message
from backups_app.sync import counters
from backups_app.sync.counters import CollectionCounters


def totals(all_counters: Iterable[CollectionCounters]) -> dict[str, int]:
    """Return the counts of all collections together."""
    every = list(all_counters)
    return {count: sum(getattr(one, count) for one in every) for count in counters.COUNTS}


def withheld(log: SyncRecord) -> dict[str, str]:
    """Given a document of `sync_logs`, return why nothing of a collection may be purged: it is blocked, or as a whole
    not brought together."""
    why: dict[str, str] = {}
    for one in log.collections:
        if one.left_out:
            why[one.name] = messages.WITHHELD_UNSYNCED(reason=one.left_over)
        elif one.blocked:
            why[one.name] = one.blocked
    return why


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """A sync that succeeded. `log` is the document of `sync_logs`; the mappings are by collection: how many documents
    could not be carried over, why no deletion was carried over, why the collection was not synced, and whatever was
    not done though nobody decided against it."""

    log: SyncRecord
    unresolved: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    left_over: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Return what was done, in numbers, without most zeros."""
        counts = self.log.totals
        always = ("pulled", "pushed", "conflicts")
        return {name: count for name, count in counts.items() if count or name in always}

    @property
    def sentence(self) -> Message:
        """Return the sync in one line: `14 pulled, 6 pushed, 1 conflict`."""
        return sentence(self.log.totals)


def sentence(counts: Mapping[str, int]) -> Message:
    """Return counts as people read them."""
    deleted = counts["deleted_local"] + counts["deleted_remote"]
    always = ((messages.PULLED, counts["pulled"]), (messages.PUSHED, counts["pushed"]))
    where_any = (
        (messages.DELETED_COUNT, deleted),
        (messages.CONFLICTS, counts["conflicts"]),
        (messages.TIES, counts.get("ties", 0)),
        (messages.UNRESOLVED_COUNT, counts["unresolved"]),
        (messages.LEFT_OUT_COUNT, counts.get("left_out", 0)),
    )
    parts = [*always, *((sentences, n) for sentences, n in where_any if n)]
    return messages.COUNTS(counts=[sentences(n=n) for sentences, n in parts])
