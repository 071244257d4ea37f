"""A sync as a type: what code reads of a document of `sync_logs`, and of the proof that the local mark remembers.

Each is its document with typed attributes. The document keeps its stored names, which the API and `--json` promise;
what is missing in it, or of another kind than expected, is filled in here alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backups_app.catalog.run.run_parts import mapping, members, moment
from backups_app.records import SyncStatus

WRITES = ("pulled", "pushed", "deleted_local", "deleted_remote")
"""The counts of documents that a sync wrote or deleted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnresolvedDocument:
    """A document that was not carried over; without an `id`, `count` of them that have none."""

    reason: str
    id: Any = None
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedCollection:
    """What a sync did with one collection. `writes` are its counts without zeros; `left_out`: as a whole it was not
    brought together."""

    name: str
    writes: Mapping[str, int]
    unresolved: int = 0
    left_out: bool = False
    left_over: str = ""
    blocked: str = ""
    differences: tuple[str, ...] = ()
    unresolved_documents: tuple[UnresolvedDocument, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> SyncedCollection:
        return cls(
            name=str(stored.get("name") or ""),
            writes={count: stored[count] for count in WRITES if stored.get(count)},
            unresolved=stored.get("unresolved") or 0,
            left_out=bool(stored.get("left_out")),
            left_over=stored.get("left_over") or "",
            blocked=stored.get("blocked") or "",
            differences=members(stored.get("differences")),
            unresolved_documents=tuple(
                UnresolvedDocument(reason=one["reason"], id=one.get("id"), count=one.get("count") or 1)
                for one in members(stored.get("unresolved_documents"))
            ),
        )


class SyncProof(dict[str, Any]):
    """The last comparison of every document. `differing` names the first of `differing_count`."""

    @property
    def at(self) -> datetime:
        """Raise ValueError where the proof does not say when it was made."""
        at = moment(self.get("at"))
        if at is None:
            raise ValueError("a proof without the moment at which it was made")
        return at

    @property
    def verdict(self) -> str:
        """`equal` or `differs`."""
        return str(self.get("verdict") or "")

    @property
    def documents(self) -> int:
        return int(self.get("documents") or 0)

    @property
    def differing_count(self) -> int:
        return int(self.get("differing_count") or 0)

    @property
    def differing(self) -> tuple[Mapping[str, Any], ...]:
        """Each with `collection` and `id`."""
        return members(self.get("differing"))

    @property
    def not_compared(self) -> tuple[str, ...]:
        """The collections of which not everything could be compared."""
        return members(self.get("not_compared"))


class SyncRecord(dict[str, Any]):
    """One sync. Before it has ended it has an id, a run and a status, and counts of nothing."""

    @property
    def id(self) -> str:
        return str(self["_id"])

    @property
    def run_id(self) -> str:
        return str(self.get("run_id") or "")

    @property
    def succeeded(self) -> bool:
        return self.get("status") == SyncStatus.SUCCESS

    @property
    def dry_run(self) -> bool:
        return bool(self.get("dry_run"))

    @property
    def seconds(self) -> float:
        return float(self.get("seconds") or 0)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a side was scanned."""
        return members(mapping(self.get("detection")).get("reasons"))

    @property
    def collections(self) -> tuple[SyncedCollection, ...]:
        return tuple(map(SyncedCollection.of, members(self.get("collections"))))

    @property
    def totals(self) -> Mapping[str, int]:
        """The counts of all collections together; empty before the sync has ended."""
        return mapping(self.get("totals"))

    @property
    def writes(self) -> Mapping[str, int] | None:
        """What the sync wrote, by count, without zeros; None where it was killed before it could say."""
        if self.get("totals") is None:
            return None
        return {count: self.totals[count] for count in WRITES if self.totals.get(count)}

    @property
    def proof(self) -> SyncProof | None:
        return SyncProof(self["proof"]) if self.get("proof") else None
