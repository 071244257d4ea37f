"""Each state is reported when it begins, once a day while it lasts, and when it ends; none twice, none never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backups_app.notification import retries, states
from backups_app.notification.states import ChannelWish, Kind, Problem, ProblemState

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAILED = Problem(kind=Kind.FAILED, cause="disk_full")
OVERDUE = Problem(kind=Kind.OVERDUE, cause="nightly")


def test_a_problem_is_informed_when_it_begins_and_not_again_the_same_day() -> None:
    first = states.compare(known=(), present=[FAILED], now=NOW)
    later = states.compare(known=first.states, present=[FAILED], now=NOW + 23 * HOUR)

    assert first.begun == (FAILED,)
    assert (later.begun, later.lasting, later.ended) == ((), (), ())


def test_it_is_reported_again_each_day_with_its_beginning() -> None:
    reported = states.compare(known=(), present=[FAILED], now=NOW)
    for day in (1, 2):
        reported = states.compare(known=reported.states, present=[FAILED], now=NOW + day * DAY)

        assert [state.began_at for state in reported.lasting] == [NOW]


def test_its_end_is_reported_once() -> None:
    reported = states.compare(known=(), present=[FAILED, OVERDUE], now=NOW)
    ended = states.compare(known=reported.states, present=[OVERDUE], now=NOW + HOUR)
    silent = states.compare(known=ended.states, present=[OVERDUE], now=NOW + 2 * HOUR)

    assert [state.problem for state in ended.ended] == [FAILED]
    assert silent.ended == ()


def test_another_cause_is_another_state() -> None:
    reported = states.compare(known=(), present=[FAILED], now=NOW)
    other = states.compare(
        known=reported.states, present=[Problem(kind=Kind.FAILED, cause="mongodump_missing")], now=NOW + HOUR
    )

    assert [problem.cause for problem in other.begun] == ["mongodump_missing"]
    assert [state.problem.cause for state in other.ended] == ["disk_full"]


def test_a_clock_set_back_silences_nothing() -> None:
    known = ProblemState(problem=FAILED, began_at=NOW + 30 * DAY, reported_at=NOW + 30 * DAY)

    assert states.compare(known=[known], present=[FAILED], now=NOW).lasting == (known,)


@given(st.lists(st.lists(st.sampled_from([FAILED, OVERDUE]), max_size=3), max_size=60))
def test_beginnings_and_ends_alternate_and_reminders_are_a_day_apart(hours: list[list[Problem]]) -> None:
    known: tuple[ProblemState, ...] = ()
    last_reported: dict[Problem, datetime] = {}
    for number, present in enumerate(hours):
        now = NOW + number * 7 * HOUR
        reported = states.compare(known=known, present=present, now=now)
        known = reported.states
        for problem in reported.begun:
            assert problem not in last_reported
            last_reported[problem] = now
        for state in reported.lasting:
            assert now - last_reported[state.problem] >= DAY
            last_reported[state.problem] = now
        for state in reported.ended:
            del last_reported[state.problem]

        assert last_reported.keys() == set(present)
        assert all(now - at < DAY for at in last_reported.values())


def test_a_success_is_reported_to_those_who_want_everything() -> None:
    assert not states.is_wanted(Kind.SUCCESS, ChannelWish.PROBLEMS)
    assert states.is_wanted(Kind.SUCCESS, ChannelWish.EVERYTHING)
    assert all(states.is_wanted(kind, ChannelWish.PROBLEMS) for kind in Kind if kind is not Kind.SUCCESS)


def test_tries_are_made_with_growing_pauses_for_three_days() -> None:
    at, tries = NOW, 0
    while (following := retries.next_try(attempts=tries + 1, created_at=NOW, now=at)) is not None:
        assert following > at
        at, tries = following, tries + 1

    assert retries.next_try(attempts=1, created_at=NOW, now=NOW) == NOW + timedelta(minutes=1)
    assert timedelta(days=2, hours=22) < at - NOW <= timedelta(days=3)
    assert tries < 100
