"""What a sync did, counted collection by collection, and the report that the workflow receives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backups_app.mongo import raw_ids
from backups_app.records import Side

NAMED_DOCUMENTS = 100
"""How many unresolved documents a log names one by one; all are counted."""

_COUNTS = (
    "pulled", "pushed", "equal", "conflicts", "deleted_local", "deleted_remote", "edit_beat_deletion", "kept_back",
    "stale", "held", "unresolved", "size_bytes",
)  # fmt: skip


@dataclass(kw_only=True)
class Tally:
    """The counts of one collection. `pulled` and `pushed` are documents written locally and remotely; those of them
    that settled a conflict, brought an edit back, or refused to carry a deletion over are counted there too."""

    name: str
    found_by: str = "scan"
    pulled: int = 0
    pushed: int = 0
    equal: int = 0
    conflicts: int = 0
    deleted_local: int = 0
    deleted_remote: int = 0
    edit_beat_deletion: int = 0
    kept_back: int = 0
    stale: int = 0
    held: int = 0
    found_by_scan_alone: int = 0
    size_bytes: int = 0
    seconds: float = 0.0
    created_on: str | None = None
    skipped: str | None = None
    blocked: str | None = None
    differences: list[str] = field(default_factory=list)
    unresolved_documents: dict[bytes, str] = field(default_factory=dict)
    other_ids: dict[bytes, Any] = field(default_factory=dict)
    """The `_id` of the document that holds the unique value, where it is known."""

    @property
    def unresolved(self) -> int:
        return len(self.unresolved_documents)

    @property
    def written(self) -> int:
        return self.pulled + self.pushed + self.deleted_local + self.deleted_remote

    def count_written(self, side: Side, count: int) -> None:
        """`count` documents were inserted or replaced on `side`."""
        if side is Side.LOCAL:
            self.pulled += count
        else:
            self.pushed += count

    def count_deleted(self, side: Side, count: int) -> None:
        """`count` documents were deleted on `side`."""
        if side is Side.LOCAL:
            self.deleted_local += count
        else:
            self.deleted_remote += count

    def as_log(self) -> dict[str, Any]:
        """Return the entry of this collection in `sync_logs`."""
        named = list(self.unresolved_documents.items())[:NAMED_DOCUMENTS]
        return {
            "name": self.name,
            "found_by": self.found_by,
            **{count: getattr(self, count) for count in _COUNTS},
            "unresolved_documents": [
                {"id": raw_ids.decoded(raw_id), "reason": reason, "other_id": self.other_ids.get(raw_id)}
                for raw_id, reason in named
            ],
            "skipped": self.skipped,
            "blocked": self.blocked,
            "differences": list(self.differences),
            "created_on": self.created_on,
            "seconds": round(self.seconds, 3),
        }


def totals(tallies: Iterable[Tally]) -> dict[str, int]:
    """Return the counts of all collections together."""
    every = list(tallies)
    return {count: sum(getattr(tally, count) for tally in every) for count in _COUNTS}


@dataclass(frozen=True, kw_only=True)
class SyncReport:
    """A sync that succeeded. `log` is the document of `sync_logs`; the three mappings are by collection: how many
    documents could not be carried over, why no deletion was carried over, why the collection was not synced."""

    log: Mapping[str, Any]
    unresolved: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Return what was done, in numbers, without the zeros that nobody misses."""
        counts: Mapping[str, int] = self.log["totals"]
        always = ("pulled", "pushed", "conflicts")
        return {name: count for name, count in counts.items() if count or name in always}

    @property
    def sentence(self) -> str:
        """Return the sync in one line: `14 pulled, 6 pushed, 1 conflict`."""
        return sentence(self.log["totals"])


def sentence(counts: Mapping[str, int]) -> str:
    """Return counts as people read them."""
    conflicts = counts["conflicts"]
    deleted = counts["deleted_local"] + counts["deleted_remote"]
    parts = [f"{counts['pulled']} pulled", f"{counts['pushed']} pushed"]
    parts += [f"{deleted} deleted"] if deleted else []
    parts += [f"{conflicts} conflict{'' if conflicts == 1 else 's'}"] if conflicts else []
    parts += [f"{counts['unresolved']} unresolved"] if counts["unresolved"] else []
    return ", ".join(parts)
