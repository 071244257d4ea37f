"""Each state is told when it begins, once a day while it lasts, and when it ends; none twice, none never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backups_app.notification import retries, states
from backups_app.notification.states import Kind, Problem, State, Wish

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAILED = Problem(kind=Kind.FAILED, cause="disk_full")
OVERDUE = Problem(kind=Kind.OVERDUE, cause="nightly")


def test_a_problem_is_told_when_it_begins_and_not_again_the_same_day() -> None:
    first = states.look(known=(), present=[FAILED], now=NOW)
    later = states.look(known=first.states, present=[FAILED], now=NOW + 23 * HOUR)

    assert first.begun == (FAILED,)
    assert (later.begun, later.lasting, later.ended) == ((), (), ())


def test_it_is_told_again_each_day_with_its_beginning() -> None:
    told = states.look(known=(), present=[FAILED], now=NOW)
    for day in (1, 2):
        told = states.look(known=told.states, present=[FAILED], now=NOW + day * DAY)

        assert [state.began_at for state in told.lasting] == [NOW]


def test_its_end_is_told_once() -> None:
    told = states.look(known=(), present=[FAILED, OVERDUE], now=NOW)
    ended = states.look(known=told.states, present=[OVERDUE], now=NOW + HOUR)
    silent = states.look(known=ended.states, present=[OVERDUE], now=NOW + 2 * HOUR)

    assert [state.problem for state in ended.ended] == [FAILED]
    assert silent.ended == ()


def test_another_cause_is_another_state() -> None:
    told = states.look(known=(), present=[FAILED], now=NOW)
    other = states.look(
        known=told.states, present=[Problem(kind=Kind.FAILED, cause="mongodump_missing")], now=NOW + HOUR
    )

    assert [problem.cause for problem in other.begun] == ["mongodump_missing"]
    assert [state.problem.cause for state in other.ended] == ["disk_full"]


def test_a_clock_set_back_silences_nothing() -> None:
    known = State(problem=FAILED, began_at=NOW + 30 * DAY, told_at=NOW + 30 * DAY)

    assert states.look(known=[known], present=[FAILED], now=NOW).lasting == (known,)


@given(st.lists(st.lists(st.sampled_from([FAILED, OVERDUE]), max_size=3), max_size=60))
def test_beginnings_and_ends_alternate_and_reminders_are_a_day_apart(hours: list[list[Problem]]) -> None:
    known: tuple[State, ...] = ()
    last_told: dict[Problem, datetime] = {}
    for number, present in enumerate(hours):
        now = NOW + number * 7 * HOUR
        told = states.look(known=known, present=present, now=now)
        known = told.states
        for problem in told.begun:
            assert problem not in last_told
            last_told[problem] = now
        for state in told.lasting:
            assert now - last_told[state.problem] >= DAY
            last_told[state.problem] = now
        for state in told.ended:
            del last_told[state.problem]

        assert last_told.keys() == set(present)
        assert all(now - at < DAY for at in last_told.values())


def test_a_success_is_told_to_those_who_want_everything() -> None:
    assert not states.is_wanted(Kind.SUCCESS, Wish.PROBLEMS)
    assert states.is_wanted(Kind.SUCCESS, Wish.EVERYTHING)
    assert all(states.is_wanted(kind, Wish.PROBLEMS) for kind in Kind if kind is not Kind.SUCCESS)


def test_tries_are_made_with_growing_pauses_for_three_days() -> None:
    at, tries = NOW, 0
    while (following := retries.next_try(attempts=tries + 1, created_at=NOW, now=at)) is not None:
        assert following > at
        at, tries = following, tries + 1

    assert retries.next_try(attempts=1, created_at=NOW, now=NOW) == NOW + timedelta(minutes=1)
    assert timedelta(days=2, hours=22) < at - NOW <= timedelta(days=3)
    assert tries < 100
