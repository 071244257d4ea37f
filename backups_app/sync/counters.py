"""What a sync did, counted collection by collection, and the report that the run receives."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.messages import sync as messages
from backups_app.messages import words
from backups_app.messages.message import code_of
from backups_app.mongo import raw_ids
from backups_app.records import Side
from backups_app.sync import merge

NAMED_DOCUMENTS = 100
"""How many unresolved documents a log names one by one; all are counted."""

COUNTS = (
    "pulled", "pushed", "equal", "conflicts", "deleted_local", "deleted_remote", "edit_beat_deletion", "kept_back",
    "stale", "held", "unresolved", "left_out", "ties", "size_bytes",
)  # fmt: skip


@dataclass(kw_only=True)
class CollectionCounters:
    """The counts of one collection. `pulled` and `pushed` are documents written locally and remotely; those of them
    that resolved a conflict, restored an edited document, or kept a deleted one are counted there too."""

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
    skipped_on_purpose: bool = True
    """Whether somebody decided so, or there is nothing to carry over; otherwise sync could not do it."""
    failed: str | None = None
    """Why the collection as a whole is unresolved."""
    blocked: str | None = None
    differences: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """What could not be made on the side where sync made the collection."""
    indexes_differ: bool = False
    ties: int = 0
    without_name: dict[str, int] = field(default_factory=dict)
    """How many documents no `_id` distinguishes, by reason: they cannot be carried over."""
    unresolved_documents: dict[bytes, str] = field(default_factory=dict)
    other_ids: dict[bytes, Any] = field(default_factory=dict)
    """The `_id` of the document that holds the unique value, where it is known."""

    @property
    def unresolved(self) -> int:
        """Return how many documents could not be carried over; a collection that failed counts as one."""
        documents = len(self.unresolved_documents) + sum(self.without_name.values())
        return documents or int(self.failed is not None)

    @property
    def decision_counts(self) -> tuple[int, int, int]:
        """Return the counts of a decision that has written nothing yet. Restore them before deciding again."""
        return self.equal, self.edit_beat_deletion, self.kept_back

    @decision_counts.setter
    def decision_counts(self, counts: tuple[int, int, int]) -> None:
        self.equal, self.edit_beat_deletion, self.kept_back = counts

    @property
    def left_out(self) -> int:
        """Return 1 when the collection as a whole was not brought together."""
        return int(self.failed is not None or (self.skipped is not None and not self.skipped_on_purpose))

    @property
    def left_over(self) -> str | None:
        """Return in a clause what this sync did not do and nobody decided against, or None."""
        if self.left_out:
            return self.failed or self.skipped
        sentences: list[str] = [messages.BLOCKED(reason=self.blocked)] if self.blocked else []
        sentences += [messages.UNRESOLVED(n=self.unresolved)] if self.unresolved else []
        sentences += self.unfinished
        return (
            functools.reduce(lambda first, second: messages.SEVERAL(first=first, second=second), sentences)
            if sentences
            else None
        )

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each thing that an admin should know, though the sync succeeded."""
        if self.failed:
            yield messages.FAILED_COLLECTION(name=self.name, reason=self.failed)
        elif self.left_out:
            yield messages.SKIPPED_COLLECTION(name=self.name, reason=self.skipped)
        elif self.unresolved:
            yield messages.UNRESOLVED_IN(name=self.name, n=self.unresolved)
        if self.blocked:
            yield messages.BLOCKED_IN(name=self.name, reason=self.blocked)
        if self.held:
            yield messages.HELD_IN(name=self.name, n=self.held)
        yield from (messages.UNFINISHED_IN(name=self.name, reason=sentences) for sentences in self.unfinished)

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

    def count_without_name(self, reason: str, count: int) -> None:
        """`count` more documents cannot be distinguished by an `_id`."""
        self.without_name[reason] = self.without_name.get(reason, 0) + count

    def leave(self, raw_id: bytes, *, side: Side, reason: str) -> None:
        """Count a document that could not be written or deleted on a side, with the reason."""
        self.unresolved_documents[raw_id] = messages.UNRESOLVED_ON_SIDE(side=words.side(side.value), reason=reason)

    def count_conflict(self, replaced: ReplacedVersion | None) -> None:
        """Count a replaced version; only a real conflict counts."""
        if replaced is not None and replaced.reason == "conflict":
            self.conflicts += 1
            self.ties += code_of(replaced.why) in merge.TIES

    def as_log(self) -> dict[str, Any]:
        """Return the entry of this collection in `sync_logs`."""
        named = list(self.unresolved_documents.items())[:NAMED_DOCUMENTS]
        return {
            "name": self.name,
            "found_by": self.found_by,
            **{count: getattr(self, count) for count in COUNTS},
            "unresolved_documents": [
                {"id": raw_ids.readable(raw_id), "reason": reason, "other_id": self.other_ids.get(raw_id), "count": 1}
                for raw_id, reason in named
            ]
            + [
                {"id": None, "reason": reason, "other_id": None, "count": count}
                for reason, count in self.without_name.items()
            ],
            "skipped": self.skipped,
            "failed": self.failed,
            "left_over": self.left_over,
            "blocked": self.blocked,
            "differences": list(self.differences),
            "created_on": self.created_on,
            "seconds": round(self.seconds, 3),
        }
