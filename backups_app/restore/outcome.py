"""What a restore did to each collection, in numbers and names, as the run's record and the pages show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backups_app.mongo import raw_ids

NAMED = 100


@dataclass(kw_only=True)
class Named:
    """A number of documents, and the first hundred `_id`s among them."""

    count: int = 0
    ids: list[Any] = field(default_factory=list)

    def add(self, raw: Iterable[bytes]) -> None:
        """Take these raw ids in."""
        for raw_id in raw:
            self.count += 1
            if len(self.ids) < NAMED:
                self.ids.append(raw_ids.decoded(raw_id))

    def as_document(self) -> dict[str, Any]:
        return {"count": self.count, "ids": list(self.ids)}


@dataclass(kw_only=True)
class CollectionOutcome:
    """One collection. `unchanged`: was there, byte for byte. `kept`: another version was there and stays, by choice;
    `extra`: not in the backup, and stays. `proven`: afterwards seen to be, hash by hash, what was planned.

    `newer`: edited, deleted or inserted since the safety backup, and left as they are. `clashes`: another document
    holds the value of a unique index. `refused`: the server does not take them; `reasons` counts why.
    `differing`: afterwards not what was planned, and nobody is known to have edited them. `not_made`: indexes
    and rules. `notes`: what was made otherwise on purpose and means the same.
    """

    name: str
    created: bool = False
    inserted: int = 0
    replaced: int = 0
    deleted: int = 0
    unchanged: int = 0
    kept: int = 0
    extra: int = 0
    proven: int = 0
    newer: Named = field(default_factory=Named)
    clashes: Named = field(default_factory=Named)
    refused: Named = field(default_factory=Named)
    differing: Named = field(default_factory=Named)
    reasons: dict[str, int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)
    withheld: str = ""
    not_made: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything that was planned was done; what others edited meanwhile is theirs."""
        documents = self.clashes.count or self.refused.count or self.differing.count
        return not (self.withheld or self.not_made or documents)

    def because(self, reason: str, count: int = 1) -> None:
        """Count a reason for what was not done."""
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    def as_document(self) -> dict[str, Any]:
        """Return the form that stands in the run's document."""
        plain = ("created", "inserted", "replaced", "deleted", "unchanged", "kept", "extra", "proven", "withheld")
        named = ("newer", "clashes", "refused", "differing")
        return {
            "name": self.name,
            **{key: getattr(self, key) for key in plain},
            **{key: getattr(self, key).as_document() for key in named},
            "reasons": [{"reason": reason, "count": count} for reason, count in self.reasons.items()],
            "sentences": [*self.notes, *self.sentences],
        }
