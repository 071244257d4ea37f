"""The parts of a run's document as types: its steps, its deletion, its restore. Defaults are filled in here alone.

A part is a view: what changes goes through `RunRecord.apply` and the owner's compare-and-set, under its stored name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backups_app.records import StepState

Stored = Mapping[str, Any]


def moment(value: Any) -> datetime | None:
    """Return a stored moment in UTC: a date of MongoDB or, from `metadata.json`, its ISO text; else None."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:  # the first or the last day of all, of another time zone
        return None


def mapping(stored: Any) -> Stored:
    """Return a stored mapping; empty for anything else, for a folder may hold a file that somebody edited."""
    return stored if isinstance(stored, Mapping) else {}


def members(stored: Any) -> tuple[Any, ...]:
    """Return the members of a stored list; none for anything else."""
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
    """`stream` or `all`: whether a change stream reported what had changed, or everything was read."""

    @classmethod
    def of(cls, stored: Any, *, requested: Any) -> IncrementalRecord:
        found = mapping(stored)
        return cls(
            requested=bool(requested),
            base=found.get("base"),
            number=found.get("number") or 0,
            read=found.get("read") or "",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamRecord:
    """A place in the change stream, taken before the first read of a full backup by the run with this fence; and what
    the server's counters stated meanwhile: documents by collection, of those that stood still, under which `reign`."""

    token: Mapping[str, Any]
    set_id: str
    fence: int
    reign: str = ""
    counted: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Any) -> StreamRecord | None:
        """Return None where there is none, or somebody edited it."""
        found = mapping(stored)
        token, fence = mapping(found.get("token")), found.get("fence")
        if not token or not isinstance(fence, int):
            return None
        return cls(
            token=token,
            set_id=str(found.get("set_id") or ""),
            fence=fence,
            reign=str(found.get("reign") or ""),
            counted=_counted(found.get("counted")),
        )


def _counted(stored: Any) -> dict[str, int]:
    """Pairs of a name and a number, for names of collections hold dots."""
    pairs = [one for one in members(stored) if isinstance(one, list | tuple) and len(one) == 2]
    return {name: number for name, number in pairs if isinstance(name, str) and type(number) is int}


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
            counts=mapping(stored.get("counts")),
            labels=tuple(map(LabelRecord.of, members(stored.get("labels")))),
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
class VerificationRecord:
    """The last verification of a published backup. `seen` distinguishes the bytes that were read from others of the
    same names; `problem` is None where they were good, or where nobody has verified them since they were published."""

    at: datetime | None = None
    problem: str | None = None
    seen: str = ""

    @classmethod
    def of(cls, stored: Any) -> VerificationRecord:
        found = mapping(stored)
        return cls(at=moment(found.get("at")), problem=found.get("problem"), seen=found.get("seen") or "")
