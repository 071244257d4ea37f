"""The parts of a run's document as types: its steps, its deletion, its restore. Defaults are filled in here alone.

A part is a view: what changes goes through `RunRecord.apply` and the owner's compare-and-set, under its stored name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backups_app.records import Side, StepState

Stored = Mapping[str, Any]


def moment(value: Any) -> datetime | None:
    """Return a stored moment in UTC: a date of MongoDB or, from `metadata.json`, its ISO text; else None."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _mapping(stored: Any) -> Stored:
    """A folder may hold a file that somebody edited: what is no mapping says nothing."""
    return stored if isinstance(stored, Mapping) else {}


def _members(stored: Any) -> tuple[Any, ...]:
    return tuple(stored) if isinstance(stored, list | tuple) else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRecord:
    """How far one collection is within a step. `total` is None where nobody knows it."""

    name: str
    done: int = 0
    total: int | None = None
    size_bytes: int = 0

    @classmethod
    def of(cls, stored: Stored) -> LabelRecord:
        return cls(
            name=str(stored.get("name") or ""),
            done=stored.get("done") or 0,
            total=stored.get("total"),
            size_bytes=stored.get("bytes") or 0,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class IncrementalRecord:
    """What was asked for, and what was made: `base` is the full backup that an incremental begins from, None where a
    full one was made; `number` counts the incrementals on it. A run with `requested` deletes nothing in any case."""

    requested: bool = False
    base: str | None = None
    number: int = 0
    read: str = ""
    """`stream` or `all`: whether a change stream told what had changed, or everything was read."""

    @classmethod
    def of(cls, stored: Any, *, requested: Any) -> IncrementalRecord:
        told = _mapping(stored)
        return cls(
            requested=bool(requested),
            base=told.get("base"),
            number=told.get("number") or 0,
            read=told.get("read") or "",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRecord:
    """A place in the change stream, taken before the first read of a full backup by the run with this fence."""

    token: Mapping[str, Any]
    set_id: str
    fence: int

    @classmethod
    def of(cls, stored: Any) -> StreamRecord | None:
        """Return None where there is none, or somebody edited it."""
        told = _mapping(stored)
        token, fence = _mapping(told.get("token")), told.get("fence")
        if not token or not isinstance(fence, int):
            return None
        return cls(token=token, set_id=str(told.get("set_id") or ""), fence=fence)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRecord:
    """One step of a run. `moved_at` is when a counter moved last. `stored` is the document that it was read from."""

    name: str
    state: StepState
    sentence: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[LabelRecord, ...] = ()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    moved_at: datetime | None = None
    stored: Stored = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, stored: Stored) -> StepRecord:
        return cls(
            stored=stored,
            name=str(stored.get("name") or ""),
            state=_state(stored.get("state")),
            sentence=stored.get("sentence") or "",
            counts=_mapping(stored.get("counts")),
            labels=tuple(map(LabelRecord.of, _members(stored.get("labels")))),
            started_at=moment(stored.get("started_at")),
            finished_at=moment(stored.get("finished_at")),
            moved_at=moment(stored.get("moved_at")),
        )

    @property
    def error_code(self) -> str | None:
        return self.counts.get("error_code")

    def as_document(self) -> dict[str, Any]:
        """Return the stored form, with this state, sentence and counts. The code and the facts of another sentence are
        left out."""
        is_same = self.sentence == self.stored.get("sentence")
        kept = {name: value for name, value in self.stored.items() if is_same or name not in ("code", "facts")}
        return {
            **kept,
            "name": self.name,
            "state": self.state.value,
            "sentence": self.sentence,
            "counts": dict(self.counts),
        }


def _state(stored: Any) -> StepState:
    """A state that this version does not know, of a newer one or of a file that was edited, is nobody's success."""
    return StepState(stored) if stored in set(StepState) else StepState.WARNING


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectionPurgeRecord:
    """What became of one collection on one side. `deleted` is None where it is not recorded."""

    deleted: int | None = None
    kept_changed: int = 0
    kept_ids: Sequence[str] = ()
    done: bool = False

    @classmethod
    def of(cls, stored: Stored) -> CollectionPurgeRecord:
        return cls(
            deleted=stored.get("deleted"),
            kept_changed=stored.get("kept_changed") or 0,
            kept_ids=stored.get("kept_ids") or (),
            done=bool(stored.get("done")),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeRecord:
    """The deletion of a run. `recorded`: the document speaks of one at all; `planned`: its plan was written, and
    before that nothing is deleted. Collections that were not begun on a side are not in `remote` or `local`."""

    recorded: bool = False
    planned: bool = False
    allowed: bool = False
    refusal: str = ""
    collections: tuple[str, ...] = ()
    withheld: Mapping[str, str] = field(default_factory=dict)
    kept_after_all: bool = False
    remote: Mapping[str, CollectionPurgeRecord] = field(default_factory=dict)
    local: Mapping[str, CollectionPurgeRecord] = field(default_factory=dict)
    stored: Stored = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, stored: Any, *, recorded: bool) -> PurgeRecord:
        if not isinstance(stored, Mapping):
            return cls(recorded=recorded)
        return cls(
            stored=stored,
            recorded=True,
            planned=True,
            allowed=bool(stored.get("allowed")),
            refusal=stored.get("refusal") or "",
            collections=_members(stored.get("collections")),
            withheld=_mapping(stored.get("withheld")),
            kept_after_all=bool(stored.get("kept_after_all")),
            **{side.value: _collections(stored.get(side.value)) for side in Side},
        )

    def side(self, side: Side) -> Mapping[str, CollectionPurgeRecord]:
        """Return what became of each collection that was begun on one side."""
        return self.remote if side is Side.REMOTE else self.local

    def stored_side(self, side: Side) -> Stored:
        """Return one side as it is stored, for the audit trail."""
        return _mapping(self.stored.get(side.value))

    def collection(self, side: Side, name: str) -> CollectionPurgeRecord:
        """Return what became of one collection on one side, begun or not."""
        return self.side(side).get(name) or CollectionPurgeRecord()


def _collections(stored: Any) -> dict[str, CollectionPurgeRecord]:
    return {name: CollectionPurgeRecord.of(_mapping(entry)) for name, entry in _mapping(stored).items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreRecord:
    """What a restore, a test copy or a rehearsal was to do and has done. `collections` are the outcomes of those that
    were finished, `at_work` the one that was begun and has no outcome, `unfinished` those that were created and lack
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
    at_work: str = ""
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
            choices=_mapping(stored.get("choices")),
            taken=_members(stored.get("taken")),
            emptied={entry["name"]: entry["run"] for entry in _members(stored.get("emptied"))},
            collections=_members(stored.get("collections")),
            sums=_mapping(stored.get("sums")),
            unfinished=_members(stored.get("unfinished")),
            at_work=stored.get("at_work") or "",
            undoes=stored.get("undoes") is True,
            copy_at=str(_mapping(stored.get("copy")).get("target") or ""),
            copy_manifest=str(_mapping(stored.get("copy")).get("manifest") or ""),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The collections that were finished."""
        return tuple(entry["name"] for entry in self.collections)


@dataclass(frozen=True, kw_only=True, slots=True)
class VerificationRecord:
    """The last verification of a published backup. `seen` tells the bytes that were read from others of the same
    names; `problem` is None where they were good, or where nobody has verified them since they were published."""

    at: datetime | None = None
    problem: str | None = None
    seen: str = ""

    @classmethod
    def of(cls, stored: Any) -> VerificationRecord:
        found = _mapping(stored)
        return cls(at=moment(found.get("at")), problem=found.get("problem"), seen=found.get("seen") or "")
