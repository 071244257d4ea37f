"""The deletion of a run as types: what was planned, and what became of each collection on each side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backups_app.catalog.run import run_parts
from backups_app.catalog.run.run_parts import Stored
from backups_app.records import Side

BOTH = (Side.REMOTE, Side.LOCAL)
"""Atlas first: while it is not finished, this computer is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionPurgeRecord:
    """What became of one collection on one side. `deleted` is None where it is not recorded; `restored` counts what a
    restore put back since, and so stayed."""

    deleted: int | None = None
    kept_changed: int = 0
    kept_ids: Sequence[str] = ()
    restored: int = 0
    done: bool = False

    @classmethod
    def of(cls, stored: Stored) -> CollectionPurgeRecord:
        return cls(
            deleted=stored.get("deleted"),
            kept_changed=stored.get("kept_changed") or 0,
            kept_ids=stored.get("kept_ids") or (),
            restored=stored.get("restored") or 0,
            done=bool(stored.get("done")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeRecord:
    """The deletion of a run. `recorded`: the document speaks of one at all; `planned`: its plan was written, and
    before that nothing is deleted. `sides`: where it deletes, in this order, whatever the settings say later.
    Collections that were not begun on a side are not in `remote` or `local`."""

    recorded: bool = False
    planned: bool = False
    allowed: bool = False
    refusal: str = ""
    sides: tuple[Side, ...] = BOTH
    collections: tuple[str, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    kept_after_all: bool = False
    remote: Mapping[str, CollectionPurgeRecord] = field(default_factory=dict)
    local: Mapping[str, CollectionPurgeRecord] = field(default_factory=dict)
    stored: Stored = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, stored: Any, *, recorded: bool, sync_is_off: bool) -> PurgeRecord:
        """`sync_is_off` decides the sides where no plan names them."""
        without_plan = (Side.LOCAL,) if sync_is_off else BOTH
        if not isinstance(stored, Mapping):
            return cls(recorded=recorded, sides=without_plan)
        named = run_parts.members(stored.get("sides"))
        return cls(
            stored=stored,
            recorded=True,
            planned=True,
            allowed=bool(stored.get("allowed")),
            refusal=stored.get("refusal") or "",
            sides=tuple(side for side in BOTH if side.value in named) or without_plan,
            collections=run_parts.members(stored.get("collections")),
            withheld=run_parts.mapping(stored.get("withheld")),
            kept_after_all=bool(stored.get("kept_after_all")),
            **{side.value: _collections(stored.get(side.value)) for side in Side},
        )

    def side(self, side: Side) -> Mapping[str, CollectionPurgeRecord]:
        """Return what became of each collection that was begun on one side."""
        return self.remote if side is Side.REMOTE else self.local

    def stored_side(self, side: Side) -> Stored:
        """Return one side as it is stored, for the audit trail."""
        return run_parts.mapping(self.stored.get(side.value))

    def collection(self, side: Side, name: str) -> CollectionPurgeRecord:
        """Return what became of one collection on one side, begun or not."""
        return self.side(side).get(name) or CollectionPurgeRecord()


def _collections(stored: Any) -> dict[str, CollectionPurgeRecord]:
    return {
        name: CollectionPurgeRecord.of(run_parts.mapping(entry)) for name, entry in run_parts.mapping(stored).items()
    }
