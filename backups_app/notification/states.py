"""A state is told when it begins, once a day while it lasts, and when it ends, by kind and cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

AGAIN = timedelta(days=1)


class Kind(StrEnum):
    """What a message is about. `recovered` ends every other one that is a problem."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    OVERDUE = "overdue"
    RECOVERED = "recovered"
    REHEARSAL_FAILED = "rehearsal_failed"
    COPY_FAILED = "copy_failed"
    DISK_LOW = "disk_low"


class Wish(StrEnum):
    """What a person wants to be told."""

    PROBLEMS = "problems"
    EVERYTHING = "everything"


def is_wanted(kind: Kind, wish: Wish) -> bool:
    """Return whether a person with this wish is told messages of this kind."""
    return wish is Wish.EVERYTHING or kind is not Kind.SUCCESS


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem that is there at this moment. `cause` is a stable code: the same cause is the same state."""

    kind: Kind
    cause: str


@dataclass(frozen=True, kw_only=True)
class State:
    """A problem that was told: since when it lasts, and when it was last told. Aware, in UTC."""

    problem: Problem
    began_at: datetime
    told_at: datetime


@dataclass(frozen=True, kw_only=True)
class Told:
    """What to say now, and the states to remember. `lasts` tells a reminder from a beginning."""

    begun: tuple[Problem, ...]
    lasting: tuple[State, ...]
    ended: tuple[State, ...]
    states: tuple[State, ...]


def look(*, known: Iterable[State], present: Iterable[Problem], now: datetime) -> Told:
    """Compare the states that were told with the problems that are there.

    1. A problem that was not told yet begins.
    2. One that lasts is told again a day after it was last told.
    3. One that is gone has ended; it is told once.
    """
    before = {state.problem: state for state in known}
    there = list(dict.fromkeys(present))
    begun = tuple(problem for problem in there if problem not in before)
    lasting = tuple(before[problem] for problem in there if problem in before and _is_due(before[problem], now))
    ended = tuple(state for problem, state in before.items() if problem not in there)
    told_again = {state.problem for state in lasting}
    states = [State(problem=problem, began_at=now, told_at=now) for problem in begun]
    for problem in there:
        if problem in before:
            state = before[problem]
            states.append(replace(state, told_at=now) if problem in told_again else state)
    return Told(begun=begun, lasting=lasting, ended=ended, states=tuple(states))


def _is_due(state: State, now: datetime) -> bool:
    """A clock that was set back tells again too: silence would be worse than one message more."""
    return not timedelta(0) <= now - state.told_at < AGAIN
