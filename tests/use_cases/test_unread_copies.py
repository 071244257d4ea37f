"""A copy that cannot be read back: named on its row, reported until it is read, and no copy after long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from backups_app.assurance import marks
from backups_app.assurance.evidence import Evidence
from backups_app.configuration import Secret
from backups_app.errors import TargetDenied, TargetUnreachable
from backups_app.management.terminal import copies_text
from backups_app.models import BackupCopy, Notification, ScheduleSlot, User
from backups_app.storage import targets
from backups_app.storage.copy_rows import State
from backups_app.storage.directory import DirectoryTarget
from backups_app.use_cases.copies import overview, upkeep
from backups_app.use_cases.notifications import notification_work
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple
from tests.use_cases.test_copies import Copied, using
from tests.use_cases.test_scheduled_acts import AT_ONCE, due_now, look

SlotState = ScheduleSlot.State


@pytest.fixture
def copied(temple: Temple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, super_admin: User) -> Iterator[Copied]:
    """A temple with one copy, and a person who is sent problems."""
    monkeypatch.setattr(targets, "is_elsewhere", lambda settings, here: True)
    super_admin.email = "ananya@temple.example"
    super_admin.save()
    mail = Secret("smtp://127.0.0.1:2525")  # nothing is sent: what is in the outbox counts
    with override_settings(TASKS=AT_ONCE), using(temple, tmp_path / "nas", email_url=mail) as found:
        found.target.root.mkdir()
        found.target.prepare(database=temple.database.name)
        assert found.copy() == 1
        BackupCopy.objects.update(read_back_at=None)  # due: a directory's is read while it is made
        Notification.objects.all().delete()
        yield found


def refused(target: DirectoryTarget, *_: Any) -> Iterator[bytes]:
    raise TargetDenied(target=target.name)


def silent(target: DirectoryTarget, *_: Any) -> Iterator[bytes]:
    raise TargetUnreachable(target=target.name)


def messages() -> list[tuple[str, str]]:
    return [(row.kind, row.content["title"]["sentence"]) for row in Notification.objects.order_by("id")]


def minute(copied: Copied) -> None:
    """What the worker does about problems each minute."""
    notification_work.report_silent_problems(configuration=copied.configuration, now=timezone.now())


def read_back(copied: Copied) -> list[upkeep.ReadBack]:
    return upkeep.read_back_what_is_due(configuration=copied.configuration, now=timezone.now(), whatever_the_age=True)


def newest(copied: Copied) -> BackupCopy:
    return copied.row(copied.temple.newest_real())


def test_a_copy_that_is_listed_and_not_given_fails_the_verification_and_is_reported_until_it_is_read(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = due_now("verify")
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryTarget, "read", refused)
        look(copied.configuration)
    minute(copied)
    minute(copied)

    slot, row = schedule.slots.get(), newest(copied)
    assert (slot.state, slot.reason, slot.run) == (SlotState.FAILED, "target_denied", row.backup_id)
    assert (row.state, row.error_code, row.unread_code) == (State.COMPLETE, "", "target_denied")
    assert messages() == [("copy_failed", "A copy could not be read back")]
    (shown,) = overview.copies(configuration=copied.configuration)
    assert (shown.as_json()["error_code"], shown.away) == ("target_denied", None)
    assert "NOT READ BACK since" in copies_text.made(shown)
    assert copied.evidence().newest_is_copied, "for some days: a weekly verification may fail once"

    (again,) = read_back(copied)
    minute(copied)

    assert (again.failure, again.row.unread_since, again.row.unread_code) == (None, None, "")
    assert messages()[1:] == [("recovered", "Solved: A copy could not be read back")]


def test_the_time_since_it_cannot_be_read_is_that_of_the_first_failure(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DirectoryTarget, "read", refused)
    read_back(copied)
    first = newest(copied).unread_since
    assert first is not None

    read_back(copied)

    assert newest(copied).unread_since == first


def test_a_copy_that_could_not_be_read_for_long_is_none_and_says_so(
    copied: Copied, super_admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryTarget, "read", refused)
        read_back(copied)
    BackupCopy.objects.update(unread_since=timezone.now() - timedelta(days=9))

    found = copied.evidence()

    assert not found.newest_is_copied
    mark = marks.elsewhere(Evidence(now=timezone.now(), copies=found))
    assert mark.missing_code == "copies_unread"
    assert mark.message is not None and "nas" in mark.message.english and "9 days" in mark.message.english
    (shown,) = overview.copies(configuration=copied.configuration)
    assert shown.is_unread and shown.away is not None
    assert "DOES NOT COUNT" in copies_text.made(shown)
    browser = signed_in(super_admin)
    assert "Could not be read back since" in browser.get("/admin/backups/copies/").content.decode()
    assert "does not count: it could not be read back" in browser.get("/admin/backups/list/").content.decode()
    read_back(copied)
    assert copied.evidence().newest_is_copied


@pytest.mark.parametrize("days", [9, -30], ids=["long ago", "a clock that ran ahead"])
def test_where_nothing_was_read_since_no_copy_of_the_target_counts(copied: Copied, days: int) -> None:
    """A key that may list and not get: each week the newest one is another, whose reading has not failed yet."""
    first = newest(copied)
    BackupCopy.objects.filter(pk=first.pk).update(
        unread_since=timezone.now() - timedelta(days=days), unread_code="target_denied", read_back_at=None
    )
    other = BackupCopy.objects.get(pk=first.pk)
    other.pk, other.backup_id = None, "20250119_143022"
    other.unread_since, other.unread_code = None, ""
    other.save()

    both = overview.copies(configuration=copied.configuration)
    BackupCopy.objects.filter(pk=other.pk).update(read_back_at=timezone.now() + timedelta(days=31))
    one = overview.copies(configuration=copied.configuration)

    assert {copy.backup_id for copy in both if copy.is_unread} == {first.backup_id, other.backup_id}
    assert {copy.backup_id for copy in one if copy.is_unread} == {first.backup_id}


def test_a_target_that_fails_altogether_is_named_by_the_verification_and_by_no_row(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = due_now("verify")
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryTarget, "read", silent)
        patch.setattr(DirectoryTarget, "list_objects", silent)
        look(copied.configuration)
    minute(copied)

    slot, row = schedule.slots.get(), newest(copied)
    assert (slot.state, slot.reason, slot.run) == (SlotState.FAILED, "target_unreachable", "")
    assert (row.state, row.unread_code) == (State.COMPLETE, "")
    assert messages() == [("failed", "Verification could not be done")]


def test_damage_of_one_that_could_not_be_read_is_damage(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(DirectoryTarget, "read", refused)
        read_back(copied)
    part = next(one for one in newest(copied).written if one["path"].endswith("bookings.bson"))
    path = copied.target.root / part["name"]
    path.write_bytes(b"?" + path.read_bytes()[1:])

    (one,) = read_back(copied)

    assert (one.is_damaged, one.is_unread, one.row.error_code) == (True, False, "copy_damaged")
