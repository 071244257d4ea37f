"""The page of schedules: the sentence, the next runs, the month, and who may switch deletion on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client, override_settings
from django.utils import timezone, translation

from backups_app.configuration import Configuration
from backups_app.errors import ModeNotLocal
from backups_app.models import AuditEvent, Schedule, ScheduleSlot, User, WorkerTick
from backups_app.pages.backups import rows
from backups_app.pages.schedule import calendar, form, wording
from backups_app.records import CONFIRMATION_PHRASE, Origin
from backups_app.use_cases.schedules import changes, overview
from backups_app.use_cases.schedules.changes import Who
from backups_app.use_cases.schedules.overview import PlannedDay, ScheduleWish
from tests.conftest import PASSWORD
from tests.pages.conftest import MOMENT, a_run

pytestmark = pytest.mark.django_db
HOME = "/admin/backups/schedule/"
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NIGHTLY = {"name": "nightly", "do": "backup", "every": "day", "time": "02:00", "time_zone": "Asia/Kolkata"}


@pytest.fixture
def browser(client: Client, configured: Any) -> Client:
    User.objects.create_user("ananya", password=PASSWORD, role_id=0)
    client.post("/login/", {"username": "ananya", "password": PASSWORD})
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (ScheduleWish(name="a", cron="0 2 * * *"), "Every day at 02:00 IST"),
        (ScheduleWish(name="a", cron="30 14 * * 0"), "Every Sunday at 14:30 IST"),
        (ScheduleWish(name="a", cron="0 2 L * *"), "On the last day of every month at 02:00 IST"),
        (ScheduleWish(name="a", cron="0 2 1 * *", time_zone="Europe/Berlin"), "On day 1 of every month at 02:00 CET"),
        (ScheduleWish(name="a", cron="*/15 * * * *"), "At the times of “*/15 * * * *”, IST"),
    ],
)
def test_a_schedule_is_one_sentence(wish: ScheduleWish, message: str) -> None:
    with translation.override("en"):
        assert wording.sentence(wish, now=NOW).when == message


def test_without_a_schedule_one_click_makes_the_suggested_one(browser: Client) -> None:
    assert "No schedule yet" in text(browser.get(HOME))

    answer = browser.post(f"{HOME}new/", {"name": "Every Sunday", "every": "week", "weekday": "0", "time": "02:00"})

    assert answer.status_code == 303
    row = Schedule.objects.get()
    assert (row.cron, row.do, row.time_zone, row.if_missed) == ("0 2 * * 0", "backup", "Asia/Kolkata", "run")
    shown = text(browser.get(answer.headers["Location"]))
    assert "The schedule is saved." in shown
    assert "Every Sunday at 02:00 IST" in shown
    assert AuditEvent.objects.get(action="schedule.add").actor == "ananya"


def test_what_is_typed_is_stated_at_once_to_htmx_and_by_a_button_without_a_script(browser: Client) -> None:
    typed = NIGHTLY | {"every": "week", "weekday": "5"}

    fragment = text(browser.get(f"{HOME}preview/", typed, headers={"HX-Request": "true"}))
    page = text(browser.post(f"{HOME}new/", typed | {"act": "preview"}))

    for shown in (fragment, page):
        assert "Every Friday at 02:00 IST" in shown
        assert "a backup, without deleting bookings" in shown
        assert shown.count('<li class="num">Fri ') == 5
    assert "<html" not in fragment
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"every": "custom", "cron": "0 2 * *"}, "cron", "five fields"),
        ({"every": "custom", "cron": "0 2 30 2 *"}, "cron", "is never due: none of its months has such a day"),
        ({"every": "custom", "cron": "0 2 * 13 *"}, "cron", "is not a cron expression"),
        ({"every": "custom"}, "cron", "five fields"),
        ({"every": "fortnight"}, "time", "looks like 02:00"),
        ({"time_zone": "Asia/Nowhere"}, "time_zone", "There is no time zone"),
        ({"time": "25:00"}, "time", "looks like 02:00"),
        ({"name": "a/b"}, "name", "without a slash"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(
    browser: Client, wrong: dict[str, str], field: str, message: str
) -> None:
    answer = browser.post(f"{HOME}new/", NIGHTLY | wrong)

    assert answer.status_code == 422
    assert message in text(answer)
    assert f'href="#{field}"' in text(answer)
    assert not Schedule.objects.exists()


def test_deletion_is_switched_on_by_the_phrase_alone(browser: Client) -> None:
    deleting = NIGHTLY | {"do": "backup_and_delete"}

    for typed in ("", "delete bookings"):
        answer = browser.post(f"{HOME}new/", deleting | {"confirm": typed})
        assert answer.status_code == 422
        assert 'href="#confirm"' in text(answer)
    assert not Schedule.objects.exists()
    answer = browser.post(f"{HOME}new/", deleting | {"confirm": CONFIRMATION_PHRASE})

    assert answer.status_code == 303
    assert Schedule.objects.get().if_missed == "skip"
    assert '<span class="deletes">' in text(browser.get(HOME))


def test_deletion_asks_for_the_password_when_the_login_is_not_fresh(browser: Client, monkeypatch: Any) -> None:
    later = timezone.now() + timedelta(minutes=16)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    deleting = NIGHTLY | {"do": "backup_and_delete", "confirm": CONFIRMATION_PHRASE}

    without = browser.post(f"{HOME}new/", deleting)
    assert without.status_code == 422
    assert not Schedule.objects.exists()
    with_it = browser.post(f"{HOME}new/", deleting | {"password": PASSWORD})

    assert with_it.status_code == 303


def test_a_deletion_that_is_on_changes_its_times_by_the_phrase_alone_and_a_form_counts_once(browser: Client) -> None:
    deleting = NIGHTLY | {"do": "backup_and_delete", "confirm": CONFIRMATION_PHRASE}
    answers = [browser.post(f"{HOME}new/", deleting) for _ in range(2)]
    before = Schedule.objects.get().cron

    for phrase in ("", "delete bookings", f"{CONFIRMATION_PHRASE}."):
        other = deleting | {"time": "03:30", "confirm": phrase}
        answers.append(browser.post(f"{HOME}edit/nightly/", other))

    assert [answer.status_code for answer in answers] == [303, 422, 422, 422, 422]
    assert Schedule.objects.get().cron == before
    assert browser.post(f"{HOME}edit/nightly/", deleting | {"time": "03:30"}).status_code == 303
    assert Schedule.objects.get().cron == "30 3 * * *"


def test_a_paused_deletion_is_resumed_by_its_form_only(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY | {"do": "backup_and_delete", "confirm": CONFIRMATION_PHRASE})
    browser.post(f"{HOME}act/nightly/", {"act": "pause"})

    answer = browser.post(f"{HOME}act/nightly/", {"act": "resume"})
    assert answer.headers["Location"] == f"{HOME}edit/nightly/"
    assert not Schedule.objects.get().enabled
    form_ = NIGHTLY | {"do": "backup_and_delete", "act": "resume"}
    assert browser.post(f"{HOME}edit/nightly/", form_).status_code == 422
    assert browser.post(f"{HOME}edit/nightly/", form_ | {"confirm": CONFIRMATION_PHRASE}).status_code == 303
    assert Schedule.objects.get().enabled


def test_a_schedule_is_paused_resumed_and_removed_with_its_audit(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY)

    for act in ("pause", "resume", "remove"):
        assert browser.post(f"{HOME}act/nightly/", {"act": act}).status_code == 303

    assert not Schedule.objects.exists()
    actions = AuditEvent.objects.filter(action__startswith="schedule.").order_by("n").values_list("action", flat=True)
    assert list(actions) == ["schedule.add", "schedule.change", "schedule.change", "schedule.remove"]


def test_the_page_says_that_no_worker_runs(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY)
    assert "The scheduler is not running" in text(browser.get(HOME))

    WorkerTick.objects.create(host="here", at=timezone.now())

    assert "The scheduler is not running" not in text(browser.get(HOME))


def test_missed_late_and_skipped_slots_are_shown_with_their_reason(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY)
    row, now = Schedule.objects.get(), timezone.now()
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    cases = (
        ("missed", "missed", False), ("skipped", "a_run_was_active", False), ("started", "", True),
        ("skipped", "schedule_changed", False),
    )  # fmt: skip
    for number, (state, reason, late) in enumerate(cases):
        ScheduleSlot.objects.create(
            schedule=row, slot=start + timedelta(minutes=number), state=state, reason=reason, late=late,
            decided_at=start + timedelta(hours=6), changed_at=now,
        )  # fmt: skip

    shown = text(browser.get(HOME))

    assert "Missed: no worker was running" in shown
    assert "Skipped: another run was active" in shown
    assert "Skipped: the schedule was changed before it began" in shown
    assert "ran 5 h 58 min late" in shown


def test_a_month_holds_its_weeks_and_many_marks_of_a_day_are_one() -> None:
    mark = calendar.DayMark(label="kept", tone="ok", href="/x")

    month = calendar.month_of(date(2026, 11, 1), marks={date(2026, 11, 3): [mark] * 5}, today=date(2026, 11, 28))

    assert (month.previous, month.following) == ("2026-10", "2026-12")
    days = [day for week in month.weeks for day in week]
    assert sum(day.in_month for day in days) == 30
    assert [day.date for day in days if day.today] == [date(2026, 11, 28)]
    third = next(day for day in days if day.date == date(2026, 11, 3))
    assert [(one.label, one.count) for one in third.marks] == [("kept", 5)]


def test_a_day_counts_its_runs_or_says_that_it_has_more() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    row = Schedule(name="often")
    begin = datetime(2026, 11, 29, tzinfo=zone)

    def marks(count: int, *, has_more: bool) -> list[tuple[str, int, bool]]:
        slots = tuple(begin + timedelta(minutes=2 * number) for number in range(count))
        day = PlannedDay(row=row, day=begin.date(), slots=slots, has_more=has_more)
        found = calendar.marks_of([], [], [day], zone=zone)
        month = calendar.month_of(date(2026, 11, 1), marks=found, today=date(2026, 11, 28))
        shown = next(one for week in month.weeks for one in week if one.date == begin.date())
        return [(mark.label, mark.count, mark.at_least) for mark in shown.marks]

    assert marks(2, has_more=False) == [("00:00 planned", 1, False), ("00:02 planned", 1, False)]
    assert marks(96, has_more=False) == [("planned", 96, False)]
    assert marks(100, has_more=True) == [("planned", 100, True)]


@pytest.mark.parametrize("asked", ["", "2026-13", "2026-1", "1999-01", "2026-011", "x" * 500, "²⁰²⁶-01"])
def test_a_month_that_does_not_exist_is_the_present_one(asked: str) -> None:
    assert calendar.first_day(asked, today=date(2026, 11, 28)) == date(2026, 11, 1)


def test_the_form_shows_what_a_schedule_is() -> None:
    wish = ScheduleWish(name="a", cron="15 3 * * 1", time_zone="UTC", if_missed="skip")

    filled = form.of_wish(wish)

    assert (filled.every, filled.time, filled.weekday) == ("week", "03:15", "1")
    assert filled.wish() == wish


def test_in_cloud_mode_no_schedule_is_removed(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY)

    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud")), pytest.raises(ModeNotLocal):
        changes.remove("nightly", who=Who(by="ravi", origin=Origin.COMMAND, now=timezone.now()))

    assert Schedule.objects.count() == 1


def test_names_differ_by_more_than_capital_letters(browser: Client) -> None:
    browser.post(f"{HOME}new/", NIGHTLY)
    refused = browser.post(f"{HOME}new/", NIGHTLY | {"name": "NIGHTLY"})

    assert refused.status_code == 422
    assert "There is a schedule “nightly” already" in text(refused) or "nightly&quot; already" in text(refused)
    assert [row.name for row in Schedule.objects.all()] == ["nightly"]

    answer = browser.post(f"{HOME}edit/nightly/", NIGHTLY | {"name": "Nightly"})

    assert answer.status_code == 303
    assert [row.name for row in Schedule.objects.all()] == ["Nightly"]


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        ({}, ("on host temple-a", "")),
        ({"verified": True}, ("on host temple-a", "")),
        ({"status": "partial"}, ("partial", "warn")),
        ({"removed": {"at": MOMENT, "by": "ravi", "how": "person", "reasons": ["person"]}}, ("removed", "")),
        ({"files": "unmounted"}, ("not here", "warn")),
    ],
)
def test_a_backup_of_another_host_is_marked_with_its_place(fields: dict[str, Any], mark: tuple[str, str]) -> None:
    listed = a_run(**{"files": "elsewhere", "published": False, "verified": False, "host": "temple-a"} | fields)

    (marks,) = calendar.marks_of(rows.rows_of([listed]), [], [], zone=UTC).values()

    assert [(one.label, one.tone) for one in marks] == [mark]


def test_a_backup_that_its_own_host_confirmed_counts_for_what_is_overdue(configured: Configuration) -> None:
    listed = [
        a_run(files="elsewhere", published=False, verified=True),
        a_run(_id="20260118_111420", created_at=MOMENT - timedelta(days=1)),
    ]

    found = overview.newest_good_at(listed, configuration=configured, now=MOMENT + timedelta(hours=1))

    assert found == MOMENT
