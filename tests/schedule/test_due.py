"""What happens at a slot, after a night without power, beside another run, and with a wrong clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.schedule import due
from backups_app.schedule.due import Act, DueSchedule, DueWork, Reason, SlotDecision, WhenMissed

SLOT = datetime(2026, 11, 28, 20, 30, tzinfo=UTC)
"""Sunday, 02:00 in Kolkata."""
WEEK = timedelta(days=7)


def weekly(**changes: Any) -> DueSchedule:
    known: dict[str, Any] = {"work": DueWork.BACKUP, "if_missed": WhenMissed.RUN, "settled_at": SLOT - WEEK} | changes
    return DueSchedule(cron="0 2 * * 0", time_zone="Asia/Kolkata", **known)


def decide(
    schedule: DueSchedule, now: datetime, *, run_active: bool = False, clocks_agree: bool = True
) -> SlotDecision:
    return due.decide(schedule, now=now, run_active=run_active, clocks_agree=clocks_agree)


def test_before_its_slot_nothing_happens() -> None:
    assert decide(weekly(), SLOT - timedelta(seconds=1)).act is Act.NOTHING


def test_at_its_slot_it_runs_on_time() -> None:
    assert decide(weekly(), SLOT) == SlotDecision(act=Act.RUN, slot=SLOT)


def test_a_decided_slot_never_runs_again() -> None:
    assert decide(weekly(settled_at=SLOT), SLOT + timedelta(seconds=30)).act is Act.NOTHING


@pytest.mark.parametrize("weeks", [1, 2, 5])
def test_after_weeks_without_power_one_late_run_covers_all(weeks: int) -> None:
    now = SLOT + timedelta(hours=5)

    decision = decide(weekly(settled_at=SLOT - weeks * WEEK), now)

    assert decision == SlotDecision(act=Act.RUN, slot=SLOT, missed=weeks - 1, reason=Reason.MISSED)
    assert decision.is_late


def test_a_missed_slot_is_skipped_and_stated_where_that_was_chosen() -> None:
    decision = decide(weekly(if_missed=WhenMissed.SKIP), SLOT + timedelta(hours=5))

    assert decision == SlotDecision(act=Act.SKIP, slot=SLOT, reason=Reason.MISSED)


def test_a_late_deletion_never_runs() -> None:
    """Whatever was chosen: it would delete the bookings of a new season."""
    schedule = weekly(work=DueWork.BACKUP_AND_DELETE)

    assert decide(schedule, SLOT + timedelta(minutes=14, seconds=59)).act is Act.RUN
    assert decide(schedule, SLOT + timedelta(minutes=15)).act is Act.SKIP


def test_a_deletion_needs_clocks_that_agree_and_a_backup_does_not() -> None:
    deleting = decide(weekly(work=DueWork.BACKUP_AND_DELETE), SLOT, clocks_agree=False)

    assert deleting == SlotDecision(act=Act.SKIP, slot=SLOT, reason=Reason.CLOCKS)
    assert decide(weekly(), SLOT, clocks_agree=False).act is Act.RUN


def test_a_due_slot_waits_for_another_run() -> None:
    assert decide(weekly(), SLOT, run_active=True) == SlotDecision(act=Act.WAIT, slot=SLOT, reason=Reason.BUSY)


def test_what_waited_runs_when_the_other_run_has_ended_however_late() -> None:
    schedule = weekly(if_missed=WhenMissed.SKIP, waiting=SLOT)

    assert decide(schedule, SLOT + timedelta(hours=2), run_active=True).act is Act.WAIT
    assert decide(schedule, SLOT + timedelta(hours=2)) == SlotDecision(act=Act.RUN, slot=SLOT, reason=Reason.BUSY)


def test_what_waited_until_the_next_slot_is_skipped_and_the_next_one_waits() -> None:
    now = SLOT + WEEK

    skipped = decide(weekly(waiting=SLOT), now, run_active=True)
    next_one = decide(weekly(settled_at=SLOT), now, run_active=True)

    assert skipped == SlotDecision(act=Act.SKIP, slot=SLOT, reason=Reason.BUSY)
    assert next_one == SlotDecision(act=Act.WAIT, slot=now, reason=Reason.BUSY)


def test_a_deletion_that_waited_too_long_is_skipped_with_the_reason() -> None:
    schedule = weekly(work=DueWork.BACKUP_AND_DELETE, waiting=SLOT)

    for run_active in (True, False):
        decision = decide(schedule, SLOT + timedelta(minutes=20), run_active=run_active)
        assert decision == SlotDecision(act=Act.SKIP, slot=SLOT, reason=Reason.BUSY)


def test_a_slot_decided_in_the_future_is_dropped() -> None:
    """The clock ran a month ahead for an hour, and a slot of that month was decided."""
    decision = decide(weekly(settled_at=SLOT + 4 * WEEK), SLOT)

    assert decision == SlotDecision(act=Act.DROP, slot=SLOT + 4 * WEEK, reason=Reason.AHEAD)


def test_a_clock_set_back_by_minutes_runs_no_slot_twice() -> None:
    assert decide(weekly(settled_at=SLOT), SLOT - timedelta(minutes=5)).act is Act.NOTHING
    assert decide(weekly(settled_at=SLOT), SLOT + timedelta(minutes=1)).act is Act.NOTHING


def test_what_does_more_covers_what_does_less() -> None:
    together = {
        "nightly": DueWork.BACKUP,
        "season": DueWork.BACKUP_AND_DELETE,
        "often": DueWork.SYNC,
        "test": DueWork.REHEARSE,
        "again": DueWork.BACKUP,
    }

    assert due.covered(together) == {"nightly": "season", "often": "season", "again": "season"}
    assert due.covered({"b": DueWork.BACKUP, "a": DueWork.BACKUP}) == {"b": "a"}
    assert due.covered({"a": DueWork.SYNC, "b": DueWork.REHEARSE}) == {}
