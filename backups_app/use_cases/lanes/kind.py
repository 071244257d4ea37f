"""What a kind of work is: how it is made, and in which plain form its result is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from backups_app.models import LaneJob
from backups_app.progress import Progress

T = TypeVar("T")
Arguments = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One go at the work. `by` and `origin`: who asked, for the audit trail. `again`: it was begun before and did not
    come to its end, so what its beginning puts on record is on record."""

    arguments: Arguments
    by: str
    origin: str
    progress: Progress
    again: bool = False


@dataclass(frozen=True, kw_only=True)
class JobKind(Generic[T]):
    """`make` does the work; it raises named failures and what its progress raises. `keep` returns the result as plain
    JSON without any document, `recall` makes the result of that form and the arguments. `to_the_end`: it is wanted
    also when nobody waits for it."""

    name: str
    make: Callable[[Call], T]
    keep: Callable[[T], Any]
    recall: Callable[[Arguments, Any], T]
    to_the_end: bool = False
    lane: LaneJob.Lane = LaneJob.Lane.READING
