"""A state is reported when it begins, once a day while it lasts, and when it ends, by kind and cause."""

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


class ChannelWish(StrEnum):
    """What a person wants to receive."""

    PROBLEMS = "problems"
    EVERYTHING = "everything"


def is_wanted(kind: Kind, wish: ChannelWish) -> bool:
    """Return whether a person with this wish gets messages of this kind."""
    return wish is ChannelWish.EVERYTHING or kind is not Kind.SUCCESS


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A problem that is there at this moment. `cause` is a stable code: the same cause is the same state."""

    kind: Kind
    cause: str


@dataclass(frozen=True, kw_only=True)
class ProblemState:
    """A problem that was reported: since when it lasts, and when it was last reported. Aware, in UTC."""

    problem: Problem
    began_at: datetime
    reported_at: datetime


@dataclass(frozen=True, kw_only=True)
class StateChanges:
    """What to say now, and the states to remember. `lasts` distinguishes a reminder from a beginning."""

    begun: tuple[Problem, ...]
    lasting: tuple[ProblemState, ...]
    ended: tuple[ProblemState, ...]
    states: tuple[ProblemState, ...]


def compare(*, known: Iterable[ProblemState], present: Iterable[Problem], now: datetime) -> StateChanges:
    """Compare the states that were reported with the problems that are there.

    1. A problem that was not reported yet begins.
    2. One that lasts is reported again a day after it was last reported.
    3. One that is gone has ended; it is reported once.
    """
    before = {state.problem: state for state in known}
    there = list(dict.fromkeys(present))
    begun = tuple(problem for problem in there if problem not in before)
    lasting = tuple(before[problem] for problem in there if problem in before and _is_due(before[problem], now))
    ended = tuple(state for problem, state in before.items() if problem not in there)
    reported_again = {state.problem for state in lasting}
    states = [ProblemState(problem=problem, began_at=now, reported_at=now) for problem in begun]
    for problem in there:
        if problem in before:
            state = before[problem]
            states.append(replace(state, reported_at=now) if problem in reported_again else state)
    return StateChanges(begun=begun, lasting=lasting, ended=ended, states=tuple(states))


def _is_due(state: ProblemState, now: datetime) -> bool:
    """A clock that was set back says again too: silence would be worse than one message more."""
    return not timedelta(0) <= now - state.reported_at < AGAIN
