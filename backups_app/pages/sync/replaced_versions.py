"""Replaced versions as the page lists them: what changed, grouped by the sync that replaced them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.utils import timezone

from backups_app.browsing.compare import differences
from backups_app.browsing.compare.differences import FieldChange
from backups_app.browsing.values import tree
from backups_app.browsing.values.tree import Node
from backups_app.configuration import Configuration
from backups_app.errors import KeptVersionNotFound
from backups_app.pages.viewer import document_view
from backups_app.use_cases.syncs import conflicts
from backups_app.use_cases.syncs.conflicts import ConflictVersion

FIELDS_SHOWN = 3
NOTED = frozenset({"updatedAt", "updated_at"})
"""Every edit changes them: they say nothing about it."""


@dataclass(frozen=True, kw_only=True)
class ReplacedRow:
    """One replaced version. `changes`: what the winner changed in it, at most three fields, `more` beyond them;
    `seen`: the hash of what is live now, which restoring it compares. `restorable`: something would change."""

    record: dict[str, Any]
    id: str
    short_id: str
    preview: Sequence[Node]
    changes: Sequence[FieldChange]
    more: int
    seen: str
    restorable: bool


@dataclass(frozen=True, kw_only=True)
class SyncGroup:
    """What one sync replaced or deleted."""

    run_id: str
    rows: Sequence[ReplacedRow]

    @property
    def at(self) -> Any:
        return self.rows[0].record["kept_at"]

    @property
    def has_log(self) -> bool:
        """Whether a sync did it, and not a person who restored a version."""
        return bool(self.rows[0].record["reason"] != "put_back")


def groups_of(records: Sequence[dict[str, Any]], *, configuration: Configuration) -> list[SyncGroup]:
    """Given records of replaced versions, newest first, return them by sync. They are read one by one."""
    rows = [row for record in records if (row := _row(record, configuration)) is not None]
    return [
        SyncGroup(run_id=run_id, rows=tuple(group))
        for run_id, group in groupby(rows, key=lambda row: str(row.record["run_id"]))
    ]


def _row(record: dict[str, Any], configuration: Configuration) -> ReplacedRow | None:
    try:
        version = conflicts.get(configuration=configuration, conflict_id=record["_id"])
    except KeptVersionNotFound:  # it expired meanwhile
        return None
    zone = timezone.get_current_timezone()
    changes = [change for change in _changes(version) if change.name not in NOTED]
    return ReplacedRow(
        record=record,
        id=record["_id"],
        short_id=document_view.short_id(bytes(record["key"])),
        preview=tree.preview(version.frame, zone=zone),
        changes=changes[:FIELDS_SHOWN],
        more=max(0, len(changes) - FIELDS_SHOWN),
        seen=version.live_hash,
        restorable=version.live != version.frame,
    )


def _changes(version: ConflictVersion) -> Sequence[FieldChange]:
    """Return what differs between the replaced version and the one that replaced it: that one where it is known, else
    what is live now."""
    other = version.record.get("other")
    winner = bytes(other) if other else version.live
    if winner is None or version.record["kind"] == "deleted":
        return ()
    return differences.fields(version.frame, winner, zone=timezone.get_current_timezone())
