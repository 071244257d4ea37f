"""The worker's look at the schedules, minute by minute: no slot twice, none lost in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections as django_connections

from backups_app.configuration import Configuration, current
from backups_app.errors import DatabaseUnreachable, RunActive, TempleOpsError
from backups_app.models import AuditEvent, Schedule, ScheduleSlot, WorkerTick
from backups_app.runs.ownership import this_process
from backups_app.schedule import slots
from backups_app.use_cases.schedules import overview
from backups_app.use_cases.schedules import tick as schedule_tick
from backups_app.use_cases.schedules.acts import Situation
from tests.conftest import NOBODY

pytestmark = pytest.mark.django_db
SUNDAY = datetime(2026, 11, 28, 20, 30, tzinfo=UTC)
"""02:00 in Kolkata."""
MINUTE, DAY, WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(days=7)
State = ScheduleSlot.State


@dataclass
class World:
    """What the tick sees, and what it started: (schedule, slot)."""

    known: bool = True
    run_active: bool = False
    clocks_agree: bool = True
    refuses: TempleOpsError | None = None
    work_goes_on: bool = False
    started: list[tuple[str, datetime]] = field(default_factory=list)

    def situation(self) -> Situation:
        return Situation(known=self.known, run_active=self.run_active, clocks_agree=self.clocks_agree)

    def start(self, slot: ScheduleSlot, *, now: datetime) -> str:
        if self.refuses is not None:
            raise self.refuses
        self.started.append((slot.schedule.name, slot.slot))
        return f"run_{len(self.started)}"

    def goes_on(self, slot: ScheduleSlot, *, now: datetime) -> bool:
        return self.work_goes_on


@pytest.fixture
def here() -> Iterator[Configuration]:
    yield dataclasses.replace(current(), primary_database="local", local_url=NOBODY)


@pytest.fixture
def world() -> World:
    return World()


def planned(name: str = "weekly", *, do: str = "backup", cron: str = "0 2 * * 0", **changes: Any) -> Schedule:
    since = changes.pop("since", SUNDAY - 3 * DAY)
    known = {"time_zone": "Asia/Kolkata", "if_missed": "skip" if do == "backup_and_delete" else "run"} | changes
    return Schedule.objects.create(
        name=name, do=do, cron=cron, since=since, settled_at=since, created_at=since, created_by="ananya", **known
    )


def look(here: Configuration, world: World, at: datetime) -> None:
    schedule_tick.tick(configuration=here, now=at, acts=world)


def minutes(here: Configuration, world: World, start: datetime, end: datetime, step: timedelta = MINUTE) -> None:
    while start <= end:
        look(here, world, start)
        start += step


def states(row: Schedule) -> list[tuple[datetime, str, str]]:
    return [(slot.slot, slot.state, slot.reason) for slot in row.slots.order_by("slot")]


def test_a_due_slot_is_started_once_however_often_workers_look(here: Configuration, world: World) -> None:
    row = planned()

    minutes(here, world, SUNDAY - 5 * MINUTE, SUNDAY + 5 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]
    assert states(row) == [(SUNDAY, State.STARTED, "")]
    assert row.slots.get().run == "run_1"


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_look_at_the_same_moment_one_acts(here: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    # Threads stand for workers on other hosts: none may take a claim for its own because it bears its process id.
    monkeypatch.setattr(schedule_tick._Look, "is_ours", lambda _look, _slot: False)
    row = planned()
    worlds = [World() for _ in range(8)]

    def work(world: World) -> None:
        try:
            look(here, world, SUNDAY)
        finally:
            django_connections.close_all()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, worlds))

    assert sum(len(world.started) for world in worlds) == 1
    assert states(row) == [(SUNDAY, State.STARTED, "")]


def test_what_a_killed_worker_claimed_is_started_by_the_next_one(here: Configuration, world: World) -> None:
    row = planned()
    dead = this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    claimed = ScheduleSlot.objects.create(
        schedule=row, slot=SUNDAY, state=State.CLAIMED, worker=dead, decided_at=SUNDAY, changed_at=SUNDAY
    )
    Schedule.objects.update(settled_at=SUNDAY)

    minutes(here, world, SUNDAY + MINUTE, SUNDAY + 3 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]
    claimed.refresh_from_db()
    assert claimed.state == State.STARTED


def test_what_a_living_worker_of_another_host_claimed_is_left_to_it_for_some_minutes(
    here: Configuration, world: World
) -> None:
    row = planned()
    other = this_process().as_document() | {"host": "another"}
    ScheduleSlot.objects.create(
        schedule=row, slot=SUNDAY, state=State.CLAIMED, worker=other, decided_at=SUNDAY, changed_at=SUNDAY
    )
    Schedule.objects.update(settled_at=SUNDAY)

    look(here, world, SUNDAY + 2 * MINUTE)
    assert world.started == []
    look(here, world, SUNDAY + 4 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]


def claimed(row: Schedule) -> None:
    """A slot that this process claimed and did not start."""
    me = this_process().as_document()
    ScheduleSlot.objects.create(
        schedule=row, slot=SUNDAY, state=State.CLAIMED, worker=me, decided_at=SUNDAY, changed_at=SUNDAY
    )
    Schedule.objects.filter(pk=row.pk).update(settled_at=SUNDAY)


@pytest.mark.parametrize(
    "changed",
    [{"do": "backup_and_delete"}, {"do": "backup_and_delete", "cron": "0 23 31 3 *"}, {"cron": "0 3 * * *"}, {}],
    ids=["work", "work and times", "times", "paused and resumed"],
)
def test_a_slot_that_was_claimed_before_its_schedule_was_changed_does_not_begin(
    here: Configuration, world: World, changed: dict[str, str]
) -> None:
    row = planned()
    claimed(row)
    at = SUNDAY + 5 * MINUTE
    Schedule.objects.update(since=at, settled_at=at, **changed)

    minutes(here, world, SUNDAY + 6 * MINUTE, SUNDAY + 9 * MINUTE)

    assert world.started == []
    assert states(row) == [(SUNDAY, State.SKIPPED, "schedule_changed")]
    assert AuditEvent.objects.get(action="schedule.slot").details["reason"] == "schedule_changed"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"enabled": False}, "paused"), ({"do": "backup", "since": SUNDAY + MINUTE}, "schedule_changed")],
)
def test_what_is_changed_while_the_slot_before_it_is_started_does_not_begin(
    here: Configuration, changed: dict[str, Any], reason: str
) -> None:
    class SlowWorld(World):
        def start(self, slot: ScheduleSlot, *, now: datetime) -> str:
            Schedule.objects.filter(name="season").update(**changed)
            return super().start(slot, now=now)

    world, row = SlowWorld(), planned("season", do="backup_and_delete")
    claimed(planned("nightly"))
    claimed(row)

    look(here, world, SUNDAY + 2 * MINUTE)

    assert world.started == [("nightly", SUNDAY)]
    assert states(row) == [(SUNDAY, State.SKIPPED, reason)]


def running(row: Schedule, **worker: Any) -> None:
    """A slot that a process works on, and that gave its last sign of life in its minute."""
    process = this_process().as_document() | worker
    ScheduleSlot.objects.create(
        schedule=row, slot=SUNDAY, state=State.RUNNING, worker=process, decided_at=SUNDAY, changed_at=SUNDAY
    )
    Schedule.objects.filter(pk=row.pk).update(settled_at=SUNDAY)


def test_what_a_silent_process_of_another_host_works_on_has_failed(here: Configuration, world: World) -> None:
    row = planned(do="sync")
    running(row, host="another")

    look(here, world, SUNDAY + 14 * MINUTE)
    before = states(row)
    look(here, world, SUNDAY + 16 * MINUTE)

    assert before == [(SUNDAY, State.RUNNING, "")]
    assert states(row) == [(SUNDAY, State.FAILED, "interrupted")]


def test_a_sign_of_life_that_a_clock_ahead_dated_is_none(here: Configuration, world: World) -> None:
    row = planned(do="sync")
    running(row, host="another")
    ScheduleSlot.objects.update(changed_at=SUNDAY + 30 * DAY)

    look(here, world, SUNDAY + MINUTE)

    assert states(row) == [(SUNDAY, State.FAILED, "interrupted")]


@pytest.mark.parametrize("worker", [{"host": "another"}, {"pid": 2**22 + 1, "started": "1"}], ids=["silent", "gone"])
def test_work_that_goes_on_has_not_failed(here: Configuration, world: World, worker: dict[str, Any]) -> None:
    row = planned(do="verify")
    running(row, **worker)
    world.work_goes_on = True

    look(here, world, SUNDAY + 20 * MINUTE)
    before = states(row)
    world.work_goes_on = False
    look(here, world, SUNDAY + 21 * MINUTE)

    assert before == [(SUNDAY, State.RUNNING, "")]
    assert states(row) == [(SUNDAY, State.FAILED, "interrupted")]


def test_a_deletion_that_a_killed_worker_claimed_does_not_start_late(here: Configuration, world: World) -> None:
    row = planned(do="backup_and_delete")
    dead = this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    ScheduleSlot.objects.create(
        schedule=row, slot=SUNDAY, state=State.CLAIMED, worker=dead, decided_at=SUNDAY, changed_at=SUNDAY
    )
    Schedule.objects.update(settled_at=SUNDAY)

    look(here, world, SUNDAY + 20 * MINUTE)

    assert world.started == []
    assert states(row) == [(SUNDAY, State.MISSED, "missed")]


def test_after_a_week_without_power_one_late_run_and_six_missed_slots_on_record(
    here: Configuration, world: World
) -> None:
    row = planned(cron="0 2 * * *", since=SUNDAY - WEEK - MINUTE)
    look(here, world, SUNDAY - WEEK)
    world.started.clear()
    back = SUNDAY + 6 * timedelta(hours=1)

    minutes(here, world, back, back + 3 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]
    assert [state for _, state, _ in states(row)] == [State.STARTED] + 6 * [State.MISSED] + [State.STARTED]
    assert row.slots.get(slot=SUNDAY).late
    reported = AuditEvent.objects.get(action="schedule.slot", result="missed")
    assert reported.details["slots"] == 6


def test_a_missed_deletion_is_skipped_and_on_record_whatever_was_chosen(here: Configuration, world: World) -> None:
    row = planned(do="backup_and_delete", if_missed="run")

    look(here, world, SUNDAY + timedelta(hours=5))

    assert world.started == []
    assert states(row) == [(SUNDAY, State.MISSED, "missed")]
    assert AuditEvent.objects.get(action="schedule.slot").result == "missed"


def test_a_due_slot_waits_for_another_run_and_begins_when_it_has_ended(here: Configuration, world: World) -> None:
    row = planned(if_missed="skip")
    world.run_active = True

    minutes(here, world, SUNDAY, SUNDAY + 40 * MINUTE)
    row.refresh_from_db()
    assert (world.started, row.waiting) == ([], SUNDAY)
    world.run_active = False
    look(here, world, SUNDAY + 41 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]


def test_a_slot_that_waited_until_the_next_one_is_skipped_and_the_next_one_runs(
    here: Configuration, world: World
) -> None:
    row = planned(cron="*/30 * * * *", since=SUNDAY - MINUTE)
    world.run_active = True
    minutes(here, world, SUNDAY, SUNDAY + 31 * MINUTE)
    world.run_active = False

    look(here, world, SUNDAY + 32 * MINUTE)

    second = SUNDAY + 30 * MINUTE
    assert states(row) == [(SUNDAY, State.SKIPPED, "a_run_was_active"), (second, State.STARTED, "")]
    assert world.started == [("weekly", second)]


def test_a_run_that_began_between_the_look_and_the_start_is_waited_for(here: Configuration, world: World) -> None:
    row = planned()
    world.refuses = RunActive(backup_id="x", created_by="ananya")
    minutes(here, world, SUNDAY, SUNDAY + 2 * MINUTE)
    assert states(row) == [(SUNDAY, State.CLAIMED, "")]
    world.refuses = None

    minutes(here, world, SUNDAY + 3 * MINUTE, SUNDAY + 5 * MINUTE)

    assert world.started == [("weekly", SUNDAY)]


def test_a_database_that_does_not_answer_is_asked_for_ten_minutes_then_the_run_has_failed(
    here: Configuration, world: World
) -> None:
    row = planned()
    world.known, world.clocks_agree = False, False
    world.refuses = DatabaseUnreachable(side="local")

    minutes(here, world, SUNDAY, SUNDAY + 9 * MINUTE)
    assert states(row) == [(SUNDAY, State.CLAIMED, "")]
    minutes(here, world, SUNDAY + 10 * MINUTE, SUNDAY + 12 * MINUTE)

    assert states(row) == [(SUNDAY, State.FAILED, "database_unreachable")]
    assert AuditEvent.objects.get(action="schedule.slot").result == "failed"


def test_a_deletion_never_starts_while_clocks_differ(here: Configuration, world: World) -> None:
    row = planned(do="backup_and_delete")
    world.clocks_agree = False

    minutes(here, world, SUNDAY, SUNDAY + 3 * MINUTE)

    assert world.started == []
    assert states(row) == [(SUNDAY, State.SKIPPED, "clocks_differ")]


def test_of_schedules_due_together_the_one_that_does_more_runs(here: Configuration, world: World) -> None:
    more, less = planned("season", do="backup_and_delete"), planned("nightly", cron="0 2 * * *")
    planned("proof", do="verify")

    look(here, world, SUNDAY)

    assert world.started == [("season", SUNDAY), ("proof", SUNDAY)]
    assert states(more)[-1][1] == State.STARTED
    covered = less.slots.get(slot=SUNDAY)
    assert (covered.state, covered.by, covered.run) == (State.COVERED, "season", "run_1")


def test_a_covered_backup_is_made_when_the_deletion_that_covers_it_may_not_start(
    here: Configuration, world: World
) -> None:
    planned("season", do="backup_and_delete"), planned("nightly", cron="0 2 * * *")
    world.clocks_agree = False

    look(here, world, SUNDAY)

    assert world.started == [("nightly", SUNDAY)]


def test_a_rehearsal_waits_for_the_backup_that_is_due_with_it(here: Configuration, world: World) -> None:
    rehearsal = planned("test", do="rehearse")
    planned("nightly")

    look(here, world, SUNDAY)

    rehearsal.refresh_from_db()
    assert world.started == [("nightly", SUNDAY)]
    assert rehearsal.waiting == SUNDAY


def test_verifying_waits_for_no_run(here: Configuration, world: World) -> None:
    planned("proof", do="verify")
    world.run_active = True

    look(here, world, SUNDAY)

    assert world.started == [("proof", SUNDAY)]


def test_a_clock_a_month_ahead_for_an_hour_loses_no_slot(here: Configuration, world: World) -> None:
    row = planned(cron="0 2 * * *", since=SUNDAY - DAY - MINUTE)
    look(here, world, SUNDAY - DAY)
    ahead = 30 * DAY
    minutes(here, world, SUNDAY - MINUTE + ahead, SUNDAY + MINUTE + ahead)
    world.started.clear()

    minutes(here, world, SUNDAY + MINUTE, SUNDAY + 3 * MINUTE)
    for day in range(1, 32):
        look(here, world, SUNDAY + day * DAY)

    assert world.started == [("weekly", SUNDAY + day * DAY) for day in range(32)]
    assert row.slots.filter(state=State.DROPPED).exists()
    assert AuditEvent.objects.filter(action="schedule.slot", result="dropped").exists()


def test_a_clock_set_back_by_minutes_starts_nothing_twice(here: Configuration, world: World) -> None:
    planned(cron="*/30 * * * *", since=SUNDAY - MINUTE)

    minutes(here, world, SUNDAY - 5 * MINUTE, SUNDAY + 2 * MINUTE)
    minutes(here, world, SUNDAY - 10 * MINUTE, SUNDAY + 32 * MINUTE)

    assert [slot for _, slot in world.started] == [SUNDAY, SUNDAY + 30 * MINUTE]


def test_a_clock_that_is_behind_the_other_clocks_drops_nothing_and_runs_nothing(
    here: Configuration, world: World
) -> None:
    """This computer woke up in last month: Atlas knows better. When the clock is right again, no slot ran twice."""
    row = planned(cron="0 2 * * *", since=SUNDAY - MINUTE)
    look(here, world, SUNDAY)
    world.clocks_agree = False
    minutes(here, world, SUNDAY - 30 * DAY, SUNDAY - 30 * DAY + 60 * MINUTE)
    world.clocks_agree = True

    look(here, world, SUNDAY + timedelta(hours=1))

    assert world.started == [("weekly", SUNDAY)]
    assert states(row) == [(SUNDAY, State.STARTED, "")]


NIGHTS = [
    ("Europe/Berlin", datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 22, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 4, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 12, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "evening"), NIGHTS)
@pytest.mark.parametrize("cron", ["15 2 * * *", "45 1 * * *", "*/30 * * * *"])
def test_over_a_night_of_daylight_saving_every_slot_runs_once(
    here: Configuration, world: World, zone: str, evening: datetime, cron: str
) -> None:
    planned(cron=cron, time_zone=zone, since=evening)
    morning = evening + timedelta(hours=10)

    minutes(here, world, evening + MINUTE, morning, step=5 * MINUTE)

    ran = [slot for _, slot in world.started]
    assert ran == slots.upcoming(cron, time_zone=zone, after=evening, count=len(ran))
    assert len(ran) == len(set(ran)) == (1 if "*/30" not in cron else len(ran))
    assert not ScheduleSlot.objects.exclude(state=State.STARTED).exists()


def test_a_paused_schedule_starts_nothing_and_misses_nothing(here: Configuration, world: World) -> None:
    row = planned(enabled=False)

    look(here, world, SUNDAY)

    assert (world.started, states(row)) == ([], [])


def test_in_cloud_mode_nothing_starts_and_the_worker_is_still_seen(here: Configuration, world: World) -> None:
    planned()

    look(dataclasses.replace(here, primary_database="cloud"), world, SUNDAY)

    assert world.started == []
    assert WorkerTick.objects.get().at == SUNDAY
    assert not overview.worker_is_away(now=SUNDAY + 2 * MINUTE)
    assert overview.worker_is_away(now=SUNDAY + 4 * MINUTE)


def test_a_look_of_a_clock_that_was_ahead_does_not_stand_for_a_worker(here: Configuration, world: World) -> None:
    look(dataclasses.replace(here, primary_database="cloud"), world, SUNDAY)
    WorkerTick.objects.create(host="ahead", at=SUNDAY + 365 * 24 * 60 * MINUTE)

    assert not overview.worker_is_away(now=SUNDAY + 2 * MINUTE)
    assert overview.worker_is_away(now=SUNDAY + 4 * MINUTE)


def test_slots_of_years_ago_are_forgotten(here: Configuration, world: World) -> None:
    row = planned()
    look(here, world, SUNDAY)

    look(here, world, SUNDAY + 401 * DAY)

    assert not row.slots.filter(slot=SUNDAY).exists()


def test_workers_of_two_temples_over_one_django_database_start_nothing(here: Configuration, world: World) -> None:
    row = planned()
    another = dataclasses.replace(here, database_name="another_temple")

    for minute in range(5):  # both on this host, in turns
        look(here, world, SUNDAY + (2 * minute - 4) * MINUTE)
        look(another, world, SUNDAY + (2 * minute - 3) * MINUTE)
    WorkerTick.objects.update_or_create(
        host="other", defaults={"at": SUNDAY + 5 * MINUTE, "alike": {"DATABASE_NAME": "another_temple"}}
    )
    minutes(here, world, SUNDAY + 6 * MINUTE, SUNDAY + 10 * MINUTE)
    assert (world.started, states(row)) == ([], [])

    minutes(here, world, SUNDAY + 14 * MINUTE, SUNDAY + 20 * MINUTE)  # the other one is gone
    assert world.started == [("weekly", SUNDAY)]
