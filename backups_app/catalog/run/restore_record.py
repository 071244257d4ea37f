"""A restore, a test copy or a rehearsal as a type: what was to be done, and what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backups_app.catalog.run import run_parts


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreRecord:
    """What a restore, a test copy or a rehearsal was to do and has done. `collections` are the outcomes of those that
    were finished, `at_work` those that were begun and have no outcome, `unfinished` those that were created and lack
    their indexes. `recorded` is False for a run that is no restore, `measured` where outcomes are not recorded.
    `copy_at` is the target that a restore test began from, with the copy's manifest; empty: it began from this disk."""

    recorded: bool = False
    measured: bool = False
    choices: Mapping[str, Any] = field(default_factory=dict)
    taken: tuple[str, ...] = ()
    emptied: Mapping[str, str] = field(default_factory=dict)
    collections: Sequence[Mapping[str, Any]] = ()
    sums: Mapping[str, int] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()
    at_work: tuple[str, ...] = ()
    undoes: bool = False
    copy_at: str = ""
    copy_manifest: str = ""

    @classmethod
    def of(cls, stored: Any) -> RestoreRecord:
        if not stored or not isinstance(stored, Mapping):
            return cls()
        return cls(
            recorded=True,
            measured="collections" in stored,
            choices=run_parts.mapping(stored.get("choices")),
            taken=run_parts.members(stored.get("taken")),
            emptied={entry["name"]: entry["run"] for entry in run_parts.members(stored.get("emptied"))},
            collections=run_parts.members(stored.get("collections")),
            sums=run_parts.mapping(stored.get("sums")),
            unfinished=run_parts.members(stored.get("unfinished")),
            at_work=_names(stored.get("at_work")),
            undoes=stored.get("undoes") is True,
            copy_at=str(run_parts.mapping(stored.get("copy")).get("target") or ""),
            copy_manifest=str(run_parts.mapping(stored.get("copy")).get("manifest") or ""),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The collections that were finished."""
        return tuple(entry["name"] for entry in self.collections)


def _names(stored: Any) -> tuple[str, ...]:
    """A restore of an earlier version had one collection at work at a time, and stored its name."""
    return ((stored,) if stored else ()) if isinstance(stored, str) else run_parts.members(stored)
