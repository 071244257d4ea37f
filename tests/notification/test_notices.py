"""What no run reports: a sync by itself, a verification, retention, an overdue backup, a disk that fills."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable, NewestDamaged
from backups_app.models import Notification, NotificationChoice, Schedule, User
from backups_app.notification import channels
from backups_app.records import Origin
from backups_app.sync import engine
from backups_app.use_cases import verification
from backups_app.use_cases.notifications import notification_work
from backups_app.use_cases.retention import pins
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish
from tests.notification.test_schedule_reports import State, a_schedule, a_slot
from tests.retention.conftest import Temple, damage
from tests.retention.conftest import newest as newest
from tests.retention.conftest import temple as temple
from tests.retention.test_removal import DELETED, who

MAIL = Secret("smtp://127.0.0.1:2525")
"""Nothing is sent here: what stands in the outbox is what counts."""


@pytest.fixture
def reader(super_admin: User) -> User:
    """One who is sent everything."""
    super_admin.email = "ananya@temple.example"
    super_admin.save()
    NotificationChoice.objects.create(channel=channels.key_of_person(super_admin), wish="everything", language="en-in")
    return super_admin


@pytest.fixture
def house(temple: Temple, reader: User) -> Iterator[Temple]:
    """The temple, with e-mail switched on."""
    temple.configuration = dataclasses.replace(temple.configuration, email_url=MAIL)
    with override_settings(TEMPLEOPS=temple.configuration):
        Notification.objects.all().delete()
        yield temple


def messages() -> list[tuple[str, str]]:
    """Return kind and title of what stands in the outbox, oldest first."""
    return [(row.kind, row.content["title"]["sentence"]) for row in Notification.objects.order_by("id")]


def look(house: Temple, *, at: datetime) -> None:
    notification_work.report_silent_problems(configuration=house.configuration, now=at)


# ── a sync by itself ────────────────────────────────────────────────────────────


@pytest.fixture
def paired(configured: Configuration, local_db: Any, remote_db: Any, reader: User) -> Iterator[Configuration]:
    configuration = dataclasses.replace(configured, email_url=MAIL)
    local_db["bookings"].insert_one({"_id": 1})
    with override_settings(TEMPLEOPS=configuration):
        yield configuration


def sync(origin: Origin = Origin.WEB, **wish: Any) -> None:
    syncs.sync_now(wish=SyncWish(**wish), requested_by="ananya", origin=origin, now=datetime.now(UTC))


def fail_to_sync(monkeypatch: pytest.MonkeyPatch, origin: Origin = Origin.WEB, **wish: Any) -> None:
    def broken(**_: Any) -> Any:
        raise DatabaseUnreachable(side="remote")

    with monkeypatch.context() as patch, pytest.raises(DatabaseUnreachable):
        patch.setattr(engine, "synchronise", broken)
        sync(origin, **wish)


def test_a_sync_that_fails_is_reported_once_and_the_next_good_one_ends_it(
    paired: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_sync(monkeypatch)
    fail_to_sync(monkeypatch)
    sync()
    sync()

    assert messages() == [("failed", "Sync failed"), ("recovered", "Solved: Sync failed")]


def test_a_dry_run_and_a_planned_sync_are_reported_by_nobody_here(
    paired: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_sync(monkeypatch, dry_run=True)
    fail_to_sync(monkeypatch, Origin.SCHEDULE)

    assert messages() == []


# ── a verification ──────────────────────────────────────────────────────────────


def verify(house: Temple, backup_id: str, origin: Origin = Origin.WEB) -> bool:
    found = verification.verify_backup(
        configuration=house.configuration, backup_id=backup_id, requested_by="ananya", origin=origin, now=house.now
    )
    return bool(found["verified"])


def test_damage_that_a_verification_finds_is_reported_until_it_is_good_again(house: Temple, newest: str) -> None:
    folder = house.store.folder(newest)
    kept = folder.parent / "kept"
    shutil.copytree(folder, kept)
    damage(folder, house.configuration.database_name)

    assert not verify(house, newest, Origin.SCHEDULE)
    assert not verify(house, newest)
    assert not verify(house, newest)
    look(house, at=house.now + timedelta(days=1, minutes=1))
    assert messages()[:2] == [("failed", "A backup is damaged"), ("failed", "Still: A backup is damaged")]
    row = Notification.objects.order_by("id")[0]
    assert row.content["path"] == f"/admin/backups/runs/{newest}/"
    shutil.rmtree(folder)
    kept.rename(folder)

    assert verify(house, newest)
    assert messages()[-1] == ("recovered", "Solved: A backup is damaged")


def test_damage_that_a_schedule_found_is_solved_by_no_later_verification_of_another(house: Temple, newest: str) -> None:
    old = house.add(days=7)
    damage(house.store.folder(old), house.configuration.database_name)
    schedule = a_schedule("verify")
    assert not verify(house, old, Origin.SCHEDULE)
    a_slot(schedule, State.FAILED, reason="verification_failed", run=old)
    look(house, at=house.now)

    assert verify(house, newest, Origin.SCHEDULE)
    a_slot(schedule, State.DONE, hours=24 * 7, run=newest)
    look(house, at=house.now + timedelta(minutes=1))

    assert messages() == [("failed", "A backup is damaged")]


def test_a_damaged_backup_that_is_gone_is_no_problem_any_more(house: Temple, newest: str) -> None:
    old = house.add(days=2)
    damage(house.store.folder(old), house.configuration.database_name)
    assert not verify(house, old)
    shutil.rmtree(house.store.folder(old))

    look(house, at=house.now)

    assert messages() == [("failed", "A backup is damaged"), ("recovered", "Solved: A backup is damaged")]


def test_a_backup_disk_that_is_not_mounted_solves_nothing(house: Temple, newest: str) -> None:
    damage(house.store.folder(newest), house.configuration.database_name)
    assert not verify(house, newest)
    house.store.root.rename(house.store.root.parent / "elsewhere")

    look(house, at=house.now)

    assert ("recovered", "Solved: A backup is damaged") not in messages()


# ── retention ───────────────────────────────────────────────────────────────────


def test_what_the_rules_removed_is_announced_once(house: Temple) -> None:
    house.add(days=40)
    house.add(days=50)
    house.set_policy()
    house.prune()
    house.prune()

    assert messages() == [("success", "The rules removed 2 old backups")]


def test_a_loss_that_stops_the_rules_is_reported_until_it_is_accepted(house: Temple) -> None:
    house.add(days=40, counts={"bookings": 81})
    house.set_policy()
    house.prune()
    house.prune()
    assert messages() == [("partial", "Old backups are not removed")]
    line = Notification.objects.get().content["lines"][0]["sentence"]
    assert 'The collection "bookings" shrank from 81 documents to 40' in line
    pins.accept(backup_id=house.newest_real(), typed=house.newest_real(), **who(house))

    house.prune()

    assert ("recovered", "Solved: Old backups are not removed") in messages()


def test_a_damaged_holder_that_stops_the_rules_is_reported(house: Temple) -> None:
    holder = house.add(days=30, **DELETED, verification={"at": house.now, "problem": "a byte changed"})
    house.database["backup_metadata"].update_one(
        {"_id": holder}, {"$set": {"verification": {"at": house.now, "problem": "a byte changed"}}}
    )
    house.add(days=40)
    house.set_policy()

    house.prune()

    assert messages() == [("partial", "Old backups are not removed")]
    assert holder in Notification.objects.get().content["lines"][0]["sentence"]


def test_a_newest_backup_that_is_damaged_stops_the_rules_and_is_reported(house: Temple, newest: str) -> None:
    house.add(days=40)
    house.set_policy()
    house.database["backup_metadata"].update_one({"_id": newest}, {"$unset": {"verification": ""}})
    damage(house.store.folder(newest), house.configuration.database_name)

    with pytest.raises(NewestDamaged):
        house.prune()

    assert ("partial", "Old backups are not removed") in messages()
    assert ("failed", "A backup is damaged") in messages()


# ── overdue ─────────────────────────────────────────────────────────────────────


def test_a_backup_is_overdue_after_eight_days_without_a_schedule_and_solved_by_a_new_one(house: Temple) -> None:
    look(house, at=house.now + timedelta(days=7, hours=23))
    assert messages() == []
    for hour in range(3):
        look(house, at=house.now + timedelta(days=8, hours=1 + hour))
    assert messages() == [("overdue", "Backup overdue")]
    house.add(days=-8.2)

    look(house, at=house.now + timedelta(days=8, hours=6))

    reported = [one for one in messages() if one[0] != "success"]  # the new run is announced, too
    assert reported == [("overdue", "Backup overdue"), ("recovered", "Solved: Backup overdue")]


def test_a_backup_that_stays_overdue_for_days_is_not_solved_by_the_next_slots(house: Temple) -> None:
    Schedule.objects.create(
        name="nightly", do=Schedule.Do.BACKUP, cron="0 2 * * *", time_zone="UTC", if_missed="run", since=house.now,
        settled_at=house.now, created_at=house.now, created_by="ananya",
    )  # fmt: skip

    for hour in range(24 * 4):
        look(house, at=house.now + timedelta(hours=hour))

    titles = [title for _, title in messages()]
    assert titles[:1] == ["Backup overdue"]
    assert set(titles[1:]) == {"Still: Backup overdue"}


def test_where_there_never_was_a_backup_and_none_is_planned_none_is_overdue(house: Temple, newest: str) -> None:
    shutil.rmtree(house.store.folder(newest))

    look(house, at=house.now + timedelta(days=30))

    assert messages() == []


# ── the disk ────────────────────────────────────────────────────────────────────


def test_a_disk_without_room_for_five_backups_is_reported_and_solved_with_room_for_one_more(
    house: Temple, newest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = int(house.record(newest)["bytes"])
    real = Store.usage

    def look_with_room_for(backups: int) -> None:
        free = backups * size + size // 2
        monkeypatch.setattr(Store, "usage", lambda store: dataclasses.replace(real(store), free_bytes=free))
        look(house, at=house.now)

    for backups in (9, 5, 4, 3, 5):
        look_with_room_for(backups)
    assert messages() == [("disk_low", "The backup disk is almost full")]
    assert "room for 4 more backups" in Notification.objects.get().content["lines"][0]["sentence"]
    look_with_room_for(6)

    assert messages()[1:] == [("recovered", "Solved: The backup disk is almost full")]
