"""What a site is besides its backups comes back with a copy: nothing that could sign in, run or remove by itself."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import is_password_usable
from django.db import connection

from backups_app.access.trail import audit, audit_chain, carried_trail
from backups_app.configuration import Configuration
from backups_app.errors import CopyUnreadable
from backups_app.models import AuditEvent, LoginSession, NotificationChoice, RetentionPolicy, Schedule, User
from backups_app.progress import Silent
from backups_app.records import Origin
from backups_app.use_cases import audit_check, site_content
from backups_app.use_cases.fetching import fetch, site
from backups_app.use_cases.fetching.fetch import Fetch
from backups_app.use_cases.schedules import changes
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import ScheduleWish
from tests.fetching.conftest import KEY, Burn, Copied, identities
from tests.storage import making

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 1, 19, 14, 40, tzinfo=UTC)
PHRASE = "DELETE BOOKINGS"


@pytest.fixture
def site_before(super_admin: User, admin: User, configured: Configuration) -> bytes:
    """A site with people, schedules, a policy and a trail; its content."""
    NotificationChoice.objects.create(channel=f"mail:{super_admin.pk}", wish="problems", language="hi")
    User.objects.filter(pk=super_admin.pk).update(email="ananya@temple.example", first_name="Ananya")
    who = Who(by="ananya", origin=Origin.COMMAND, now=NOW, confirm=PHRASE)
    changes.add(ScheduleWish(name="nightly"), who=who)
    changes.add(ScheduleWish(name="season", do="backup_and_delete", cron="0 3 1 4 *"), who=who)
    RetentionPolicy.objects.create(enabled=True, last=10, daily=7, changed_at=NOW, changed_by="ananya")
    audit.record(actor="ananya", origin=Origin.WEB, action="login", result="success", now=NOW, details={"n": "பக்தர்"})
    return site_content.made(configuration=configured, now=NOW)


def forget() -> None:
    """Another machine: an empty Django database."""
    for kind in (Schedule, RetentionPolicy, NotificationChoice, LoginSession, User):
        kind.objects.all().delete()
    empty_the_trail()


def empty_the_trail() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {AuditEvent._meta.db_table}")


def brought_in(content: bytes) -> site.Site:
    return site.bring_in(site_content.read(content), requested_by="root", origin=Origin.COMMAND, now=NOW)


def test_it_reveals_no_password_no_session_and_no_key(site_before: bytes, password: str) -> None:
    text = gzip.decompress(site_before).decode()

    hashes = list(User.objects.values_list("password", flat=True))
    assert password not in text
    assert not [one for one in hashes if one in text]
    assert "argon2" not in text and "AGE-SECRET" not in text
    assert set(json.loads(text)) == {
        "format", "version", "made_at", "site_id", "schedules", "retention", "recipients", "people", "audit",
    }  # fmt: skip


def test_people_come_back_and_cannot_sign_in_before_a_password_is_set(site_before: bytes) -> None:
    forget()

    found = brought_in(site_before)

    ananya = User.objects.get(username="ananya")
    assert found.people == ["ananya", "ravi"]
    assert (ananya.role_id, ananya.email, ananya.first_name, ananya.is_active) == (
        0, "ananya@temple.example", "Ananya", True,
    )  # fmt: skip
    assert not is_password_usable(ananya.password)
    choice = NotificationChoice.objects.get(channel=f"mail:{ananya.pk}")
    assert (choice.wish, choice.language) == ("problems", "hi")


def test_schedules_come_back_paused_and_the_policy_off(site_before: bytes) -> None:
    forget()

    found = brought_in(site_before)

    assert found.schedules == ["nightly", "season"]
    assert list(Schedule.objects.values_list("name", "do", "cron", "enabled")) == [
        ("nightly", "backup", "0 2 * * *", False), ("season", "backup_and_delete", "0 3 1 4 *", False),
    ]  # fmt: skip
    policy = RetentionPolicy.objects.get()
    assert (policy.enabled, policy.last, policy.daily) == (False, 10, 7)


def test_nothing_that_is_here_is_replaced(site_before: bytes) -> None:
    before = list(User.objects.values_list("username", "password"))
    Schedule.objects.filter(name="nightly").update(cron="5 5 * * *")

    found = brought_in(site_before)

    assert (found.people, found.schedules, found.retention) == ([], [], False)
    assert len(found.left_out) == 4
    assert list(User.objects.values_list("username", "password")) == before
    assert Schedule.objects.get(name="nightly").cron == "5 5 * * *"


def test_the_trail_goes_on_and_verifies(site_before: bytes, configured: Configuration) -> None:
    before = list(AuditEvent.objects.order_by("n").values())
    digest = audit.digest()
    rows = site_content.read(site_before)["audit"]
    empty_the_trail()

    came = carried_trail.go_on_from(rows)
    audit.record(actor="root", origin=Origin.COMMAND, action="after", result="done", now=NOW)

    assert came == len(before)
    assert list(AuditEvent.objects.order_by("n").values())[:-1] == before
    verdict = audit_chain.verify(remembered=[audit_chain.Remembered(backup_id="b", digest=digest)])
    assert verdict.good and verdict.rows == came + 1 and verdict.covered == came


def test_a_trail_with_rows_of_its_own_stays(site_before: bytes) -> None:
    rows = site_content.read(site_before)["audit"]

    assert carried_trail.go_on_from(rows) == 0


@pytest.mark.parametrize(
    "data",
    [b"", b"nonsense", gzip.compress(b"[]"), gzip.compress(b'{"format": "templeops-site", "version": 9}')],
    ids=["empty", "no gzip", "a list", "a later version"],
)
def test_a_damaged_content_is_named(data: bytes) -> None:
    with pytest.raises(CopyUnreadable):
        site_content.read(data)


@pytest.mark.parametrize(
    "content", [{}, {"people": 7}, {"people": [{}], "schedules": []}, {"people": [], "schedules": [{}]}]
)
def test_a_content_without_its_parts_is_named_and_nothing_comes(content: dict[str, Any]) -> None:
    with pytest.raises(CopyUnreadable):
        site.bring_in(content, requested_by="root", origin=Origin.COMMAND, now=NOW)

    assert not User.objects.exists()


def fetched_with_site(copied: Copied) -> site.Site | None:
    asked = Fetch(
        configuration=copied.configuration, target=copied.target, identities=identities(KEY), requested_by="root",
        origin=Origin.COMMAND, now=datetime.now(UTC), progress=Silent(),
    )  # fmt: skip
    results = fetch.fetch("latest", asked=asked)
    return fetch.bring_site(asked=asked, fetched=results)


def test_it_travels_with_a_copy_and_the_trail_goes_on_by_itself(burn: Burn, super_admin: User) -> None:
    copied = burn()
    second = making.directory_target(copied.burned.parent / "second", database=copied.configuration.database_name)
    making.copy_folder(
        second,
        copied.burned / f"backup_{copied.made[0]}",
        recipients=[KEY.public],
        site=site_content.made(configuration=copied.configuration, now=NOW),
    )
    copied.target = second
    before = list(AuditEvent.objects.order_by("n").values())
    forget()

    found = fetched_with_site(copied)

    assert found is not None and found.people == ["ananya"]
    assert list(AuditEvent.objects.order_by("n").values())[: len(before)] == before
    assert audit_check.verify(configuration=copied.configuration).good
    assert not (copied.folder(copied.made[0]) / site_content.FILE).exists()


def test_a_copy_without_it_is_fetched_all_the_same(burn: Burn) -> None:
    copied = burn()
    empty_the_trail()

    assert fetched_with_site(copied) is None
    assert AuditEvent.objects.filter(action="backup.fetch").count() == 2
