"""What one batch is to write, and what it leaves for the next round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bson.raw_bson import RawBSONDocument

from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.catalog.sync.sync_base import BaseEntry
from backups_app.mongo.exact_writes.encoding import by_id
from backups_app.mongo.exact_writes.write_outcome import TAKEN_FOR_ANOTHER
from backups_app.records import Side


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A document that `side` cannot take while another one holds its value of a unique index."""

    raw_id: bytes
    reason: str
    side: Side
    values: Mapping[str, Any]

    def holder(self) -> RawBSONDocument | dict[str, Any] | None:
        """Return the filter that finds who holds the value: by the values themselves, or, where an `_id` is taken
        for another by a collation, by this `_id`. None where the server did not say which values."""
        if self.reason == TAKEN_FOR_ANOTHER:
            return by_id(self.raw_id)
        return {name: {"$eq": value} for name, value in self.values.items()} or None


@dataclass(kw_only=True)
class Pending:
    """The documents that a batch did not finish: raw `_id`s by key."""

    changed_meanwhile: dict[bytes, bytes] = field(default_factory=dict)
    clashes: dict[bytes, Clash] = field(default_factory=dict)
    vanished: dict[Side, dict[bytes, bytes]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    """By the side where the document still is: a deletion to apply there, if the deletion guard allows it."""
    held: dict[bytes, bytes] = field(default_factory=dict)

    def add(self, other: Pending) -> None:
        """Merge the pending documents of another batch into these."""
        self.changed_meanwhile.update(other.changed_meanwhile)
        self.clashes.update(other.clashes)
        self.held.update(other.held)
        for side in Side:
            self.vanished[side].update(other.vanished[side])


@dataclass(frozen=True, kw_only=True)
class Write:
    """`expected` is what stands there now, None where there is nothing yet; `new` shall stand there."""

    raw_id: bytes
    expected: bytes | None
    new: bytes
    replaced: ReplacedVersion | None


@dataclass(kw_only=True)
class BatchPlan:
    """What is to be written and deleted on each side, kept before, and entered into the base, by key."""

    writes: dict[Side, dict[bytes, Write]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    deletes: dict[Side, dict[bytes, bytes]] = field(default_factory=lambda: {Side.LOCAL: {}, Side.REMOTE: {}})
    replaced_versions: dict[bytes, ReplacedVersion] = field(default_factory=dict)
    base: dict[bytes, BaseEntry | None] = field(default_factory=dict)
