"""What schedules start, on real servers: one run a slot, no deletion too late, reading in a lane of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone
from pymongo.database import Database

from backups_app.backup_files.store.store import Store
from backups_app.catalog import lease
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import StorageFailed
from backups_app.management import reading_lane
from backups_app.models import AuditEvent, LaneJob, Schedule, ScheduleSlot
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.runs import lease as held_lease
from backups_app.runs.ownership import this_process
from backups_app.use_cases.lanes import carrying_out, jobs
from backups_app.use_cases.schedules import acts, changes, claims, overview, working
from backups_app.use_cases.schedules import tick as schedule_tick
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import ScheduleWish
from backups_app.use_cases.syncs import syncs
from tests.api.conftest import NEVER
from tests.conftest import NOBODY
from tests.journeys.conftest import seeded  # noqa: F401  (a fixture)

Db = Database[dict[str, Any]]
AT_ONCE = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend", "QUEUES": []}}
State = ScheduleSlot.State


@pytest.fixture
def temple(seeded: Configuration) -> Iterator[Configuration]:  # noqa: F811
    """A temple without a worker process: what is queued is done at once."""
    with override_settings(TASKS=AT_ONCE):
        yield seeded


def due_now(do: str) -> Schedule:
    """A schedule whose newest slot was a moment ago."""
    now = timezone.now()
    slot = now.replace(second=0, microsecond=0)
    return Schedule.objects.create(
        name=do, do=do, cron=f"{slot.minute} {slot.hour} * * *", time_zone="UTC", since=slot - timedelta(minutes=1),
        if_missed="skip" if do == "backup_and_delete" else "run", settled_at=slot - timedelta(minutes=1),
        created_at=now, created_by="ananya",
    )  # fmt: skip


def look(temple: Configuration, at: datetime | None = None) -> None:
    schedule_tick.tick(configuration=temple, now=at or timezone.now())
    reading_lane.read(idle_seconds=0)


def test_a_due_backup_is_made_once_and_says_who_asked(temple: Configuration, local_db: Db) -> None:
    row = due_now("backup")

    look(temple)
    look(temple)

    slot = row.slots.get()
    (run,) = runs.recent(local_db)
    assert (slot.state, slot.run) == (State.STARTED, run["_id"])
    assert (run["created_by"], run["origin"], run["status"]) == ("schedule backup", "schedule", "success")
    assert not run["delete_bookings_requested"]


def test_a_worker_killed_after_the_run_was_written_starts_no_second_one(temple: Configuration, local_db: Db) -> None:
    row = due_now("backup")
    look(temple)
    dead = this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    row.slots.update(state=State.CLAIMED, run="", worker=dead)

    look(temple)

    assert len(runs.recent(local_db)) == 1
    assert row.slots.get().run == runs.recent(local_db)[0]["_id"]


def test_a_slot_of_a_backup_never_becomes_the_deletion_that_its_schedule_does_now(
    temple: Configuration, local_db: Db
) -> None:
    row = due_now("backup")
    slot = timezone.now().replace(second=0, microsecond=0)
    row.slots.create(slot=slot, state=State.CLAIMED, decided_at=slot, changed_at=slot)
    bookings = local_db.bookings.count_documents({})
    who = Who(by="ananya", origin=Origin.WEB, now=timezone.now(), confirm=CONFIRMATION_PHRASE)

    changes.change("backup", ScheduleWish(name="backup", do="backup_and_delete", cron="0 23 31 3 *"), who=who)
    look(temple)

    assert (row.slots.get().state, row.slots.get().reason) == (State.SKIPPED, "schedule_changed")
    assert runs.recent(local_db) == []
    assert local_db.bookings.count_documents({}) == bookings > 0


@pytest.mark.parametrize("do", ["sync", "verify"])
def test_what_waits_in_a_queue_does_not_begin_once_its_schedule_is_paused(temple: Configuration, do: str) -> None:
    row = due_now(do)
    with override_settings(TASKS=NEVER):
        schedule_tick.tick(configuration=temple, now=timezone.now())
    slot = row.slots.get(state=State.STARTED)

    changes.switch(do, enabled=False, who=Who(by="ananya", origin=Origin.WEB, now=timezone.now()))
    acts.carry_out_sync.call(slot_id=slot.pk) if do == "sync" else reading_lane.read(idle_seconds=0)
    look(temple)

    assert (row.slots.get().state, row.slots.get().reason) == (State.SKIPPED, "paused")
    assert not AuditEvent.objects.filter(action__in=("sync", "backup.verified")).exists()


def test_a_rehearsal_of_a_killed_worker_is_found_again(temple: Configuration, local_db: Db) -> None:
    due_now("backup")
    look(temple)
    row = due_now("rehearse")
    look(temple)
    dead = this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    row.slots.update(state=State.CLAIMED, run="", worker=dead)

    look(temple)

    rehearsals = [run for run in runs.recent(local_db) if run["kind"] == "rehearsal"]
    assert [run["_id"] for run in rehearsals] == [row.slots.get().run]


def test_a_planned_deletion_deletes_in_its_time_and_not_after(temple: Configuration, local_db: Db) -> None:
    row = due_now("backup_and_delete")
    bookings = local_db.bookings.count_documents({})

    look(temple, timezone.now() + timedelta(minutes=16))
    assert row.slots.get().state == State.MISSED
    assert local_db.bookings.count_documents({}) == bookings > 0
    row.slots.all().delete()
    Schedule.objects.update(settled_at=row.settled_at)
    look(temple)

    assert row.slots.get().state == State.STARTED
    assert local_db.bookings.count_documents({}) == 0


def test_a_planned_deletion_is_skipped_where_the_clock_of_atlas_cannot_be_asked(
    temple: Configuration, local_db: Db
) -> None:
    row = due_now("backup_and_delete")

    look(dataclasses.replace(temple, cloud_url=NOBODY))

    assert (row.slots.get().state, row.slots.get().reason) == (State.SKIPPED, "clocks_differ")
    assert runs.recent(local_db) == []


def test_a_planned_sync_stands_in_the_sync_log(temple: Configuration) -> None:
    row = due_now("sync")

    look(temple)

    slot = row.slots.get()
    assert slot.state == State.DONE
    assert AuditEvent.objects.get(action="sync", result="success").target == slot.run


def test_a_planned_run_waits_while_a_sync_or_a_restore_holds_the_lease(temple: Configuration, local_db: Db) -> None:
    row = due_now("backup")
    other = this_process().as_document()
    fence = lease.take(local_db, owner=other, seconds=60)
    assert fence is not None

    look(temple)
    row.refresh_from_db()
    assert row.waiting is not None
    lease.release(local_db, owner=other, fence=fence)
    look(temple)

    assert row.slots.get().state == State.STARTED


def test_a_planned_verification_reads_the_newest_and_those_that_hold_deleted_bookings(
    temple: Configuration, local_db: Db
) -> None:
    who = Who(by="ananya", origin=Origin.WEB, now=timezone.now(), confirm=CONFIRMATION_PHRASE)
    changes.add(ScheduleWish(name="season", do="backup_and_delete"), who=who)
    for name in ("season", "plain", "newest"):
        if name != "season":
            changes.add(ScheduleWish(name=name), who=who)
        changes.run_now(name, who=dataclasses.replace(who, now=timezone.now()))
    ids = {run["note"] or run["_id"]: run["_id"] for run in runs.recent(local_db)}
    newest, plain, season = sorted(ids.values(), reverse=True)

    assert acts.to_verify(configuration=temple) == [newest, season]
    assert plain not in acts.to_verify(configuration=temple)
    row = due_now("verify")
    look(temple)

    assert (row.slots.get().state, row.slots.get().run) == (State.DONE, newest)
    assert AuditEvent.objects.filter(action="backup.verified", result="good").count() == 2


def test_a_planned_verification_that_finds_damage_says_so(temple: Configuration) -> None:
    due_now("backup")
    look(temple)
    damaged = next(temple.backup_dir.glob("backup_*/*/donations.bson"), None) or next(
        file for file in temple.backup_dir.glob("backup_*/*/*.bson") if file.stat().st_size
    )
    content = bytearray(damaged.read_bytes())
    content[-2] ^= 1
    damaged.write_bytes(content)
    row = due_now("verify")

    look(temple)

    assert (row.slots.get().state, row.slots.get().reason) == (State.FAILED, "verification_failed")


@pytest.mark.parametrize(("do", "ended"), [("sync", State.DONE), ("verify", State.FAILED)])
def test_a_slot_that_is_marked_as_started_while_a_worker_takes_it_is_carried_out(
    temple: Configuration, monkeypatch: pytest.MonkeyPatch, do: str, ended: State
) -> None:
    """Without a backup, a verification that was carried out has failed."""
    row, real, marked = due_now(do), claims.change, list[int]()

    def change(slot: ScheduleSlot, **asked: Any) -> bool:
        if asked["state"] == State.RUNNING and not marked:
            marked.append(slot.pk)
            ScheduleSlot.objects.update(state=State.STARTED, changed_at=timezone.now())
        return real(slot, **asked)

    monkeypatch.setattr(claims, "change", change)
    look(temple)

    assert marked == [row.slots.get().pk]
    assert row.slots.get().state == ended


def verifying(temple: Configuration, worker: dict[str, Any], *, silent_for: timedelta) -> Schedule:
    """A verification of the only backup that a process began, and of which it wrote something so long ago."""
    due_now("backup")
    look(temple)
    row = due_now("verify")
    schedule_tick.tick(configuration=temple, now=timezone.now())
    at = timezone.now() - silent_for
    assert jobs.take(store=carrying_out.store_here(), now=at) is not None
    LaneJob.objects.update(worker=worker, seen_at=at)
    row.slots.update(state=State.RUNNING, worker=worker, changed_at=at)
    return row


DEAD = {"pid": 2**22 + 1, "started": "1"}
ELSEWHERE = {"host": "another"}


@pytest.mark.parametrize(
    ("worker", "minutes"), [(DEAD, 0), (ELSEWHERE, 6), (ELSEWHERE, 20)], ids=["dead", "silent", "silent for long"]
)
def test_a_verification_whose_process_ended_is_taken_up_by_the_next_one(
    temple: Configuration, local_db: Db, worker: dict[str, Any], minutes: int
) -> None:
    process = this_process().as_document() | worker
    row = verifying(temple, process, silent_for=timedelta(minutes=minutes))

    schedule_tick.tick(configuration=temple, now=timezone.now())
    before = row.slots.get().state
    reading_lane.read(idle_seconds=0)

    (backup,) = runs.recent(local_db)
    assert before == State.RUNNING
    assert (row.slots.get().state, row.slots.get().run) == (State.DONE, backup["_id"])
    assert AuditEvent.objects.filter(action="backup.verified", result="good").count() == 1


def test_a_verification_whose_process_ended_twice_has_failed(temple: Configuration) -> None:
    row = verifying(temple, this_process().as_document() | DEAD, silent_for=timedelta(0))
    LaneJob.objects.update(tries=jobs.MOST_TRIES)

    reading_lane.read(idle_seconds=0)
    schedule_tick.tick(configuration=temple, now=timezone.now())

    assert (row.slots.get().state, row.slots.get().reason) == (State.FAILED, "interrupted")


def test_a_disk_that_does_not_answer_keeps_no_schedule_from_being_looked_at(
    temple: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = verifying(temple, this_process().as_document() | DEAD, silent_for=timedelta(0))
    sync = due_now("sync")
    monkeypatch.setattr(Store, "store_id", Mock(side_effect=StorageFailed(errno_name="EIO")))

    schedule_tick.tick(configuration=temple, now=timezone.now())

    assert (row.slots.get().state, sync.slots.count()) == (State.RUNNING, 1)


def test_a_silent_sync_that_holds_the_lease_goes_on(temple: Configuration, local_db: Db) -> None:
    row = due_now("sync")
    me = this_process().as_document()
    slot = timezone.now().replace(second=0, microsecond=0)
    row.slots.create(
        slot=slot, state=State.RUNNING, worker=me, decided_at=slot, changed_at=slot - timedelta(minutes=20)
    )
    Schedule.objects.update(settled_at=slot)

    with held_lease.held(local_db, seconds=60):
        look(temple)
    before = row.slots.get().state
    look(temple)

    assert (before, row.slots.get().state) == (State.RUNNING, State.FAILED)


@pytest.mark.parametrize("do", ["sync", "verify"])
def test_a_slot_that_is_worked_on_gives_signs_of_life_and_ends_without_them_too(
    temple: Configuration, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    due_now("backup")
    look(temple)
    row, real, signs = due_now(do), claims.change, list[bool]()
    monkeypatch.setattr(working, "SIGN_EVERY_SECONDS", 0.0)

    def change(slot: ScheduleSlot, *, state: State, **asked: Any) -> bool:
        if slot.state == state == State.RUNNING:
            signs.append(len(signs) == 0 or real(slot, state=state, **asked))
            if len(signs) == 1:
                raise OperationalError("the connection is closed")
            return signs[-1]
        return real(slot, state=state, **asked)

    monkeypatch.setattr(claims, "change", change)
    look(temple)

    assert len(signs) > 2 and all(signs)
    assert row.slots.get().state == State.DONE


@pytest.mark.parametrize("do", ["sync", "verify"])
def test_what_ends_by_a_defect_of_ours_has_failed(
    temple: Configuration, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    defect = Mock(side_effect=ZeroDivisionError)
    monkeypatch.setattr(syncs, "sync_now", defect)
    monkeypatch.setattr(acts, "to_verify", defect)
    row = due_now(do)

    look(temple)

    assert (row.slots.get().state, row.slots.get().reason) == (State.FAILED, "internal_error")


def waiting() -> int:
    return jobs.waiting(store="", since=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_verifying_waits_in_the_reading_queue_and_the_reading_lane_does_it(
    seeded: Configuration,  # noqa: F811
) -> None:
    row = due_now("verify")
    schedule_tick.tick(configuration=seeded, now=timezone.now())
    assert waiting() == 1

    call_command("worker", "--lane", "runs", "--once")
    assert row.slots.get().state == State.STARTED
    call_command("worker", "--lane", "reading", "--once")

    assert waiting() == 0
    assert (row.slots.get().state, row.slots.get().reason) == (State.FAILED, "backup_not_found")


def test_what_is_asked_for_by_hand_bears_the_persons_name_and_decides_no_slot(
    temple: Configuration, local_db: Db
) -> None:
    who = Who(by="ananya", origin=Origin.WEB, now=timezone.now())
    changes.add(ScheduleWish(name="nightly"), who=who)

    slot = changes.run_now("nightly", who=who)

    run = runs.get(local_db, backup_id=slot.run)
    assert run is not None
    assert (run["created_by"], run["origin"]) == ("ananya", "web")
    assert Schedule.objects.get().settled_at == who.now
    assert [one.slot for one in overview.history(since=who.now, until=timezone.now())] == [who.now]
