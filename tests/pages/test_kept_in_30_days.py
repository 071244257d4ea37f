"""What rules and schedules keep in 30 days, while one types; where the history shrinks the button says so."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.models import Schedule, User
from backups_app.retention.policy import Policy
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import temple as temple

SCHEDULE = "/admin/backups/schedule/"
HOURLY = {"name": "hourly", "do": "backup", "every": "custom", "cron": "0 * * * *", "time_zone": "Asia/Kolkata"}


@pytest.fixture
def browser(temple: Temple, super_admin: User) -> Client:
    temple.add(days=40.5)
    return signed_in(super_admin)


def a_schedule(name: str, cron: str) -> None:
    now = timezone.now()
    Schedule.objects.create(
        name=name, do="backup", cron=cron, time_zone="Asia/Kolkata", since=now, settled_at=now, created_at=now,
        created_by="ananya",
    )  # fmt: skip


def previewed(browser: Client, path: str, fields: dict[str, str]) -> str:
    return browser.get(f"{SCHEDULE}{path}", fields, headers={"HX-Request": "true"}).content.decode()


def test_a_schedule_says_what_is_kept_in_30_days_without_rules(browser: Client) -> None:
    page = previewed(browser, "preview/", HOURLY)

    assert "In 30 days, if the schedules go on: <b>722 backups</b>, which reach 70 days back." in page
    assert "shrinks" not in page


def test_a_schedule_that_makes_the_history_shorter_says_so(browser: Client, temple: Temple) -> None:
    temple.set_policy(Policy(last=10))

    page = previewed(browser, "preview/", HOURLY)

    assert "<b>10 backups</b>, which reach 0 days back." in page
    assert "The history shrinks from 40 to 0 days." in page


def test_a_schedule_that_is_changed_is_not_counted_twice(browser: Client) -> None:
    a_schedule("hourly", "0 * * * *")
    form = browser.get(f"{SCHEDULE}edit/hourly/").content.decode()

    assert '<input type="hidden" name="changes" value="hourly">' in form
    assert "<b>722 backups</b>" in form
    assert "<b>722 backups</b>" in previewed(browser, "preview/", HOURLY | {"changes": "hourly"})
    assert "<b>1,442 backups</b>" in previewed(browser, "preview/", HOURLY | {"name": "another"})


def test_of_too_many_backups_no_number_is_shown(browser: Client, temple: Temple) -> None:
    often = HOURLY | {"cron": "*/2 * * * *"}
    page = previewed(browser, "preview/", often)
    assert "What is kept in 30 days is not calculated" in page and "3,0" not in page and "shrinks" not in page

    temple.set_policy(Policy(last=10))
    assert "The history shrinks from 40 to 0 days." in previewed(browser, "preview/", often)

    a_schedule("often", "*/2 * * * *")
    rules = previewed(browser, "retention/preview/", {"last": "10"})
    assert "What is kept in 30 days is not calculated" in rules
    assert "The history shrinks from 40 to 0 days." in rules


def test_a_schedule_that_makes_no_backups_says_nothing_of_them(browser: Client) -> None:
    assert "In 30 days" not in previewed(browser, "preview/", HOURLY | {"do": "verify"})


def test_the_button_of_the_rules_says_that_the_history_shrinks(browser: Client) -> None:
    a_schedule("hourly", "0 * * * *")

    page = previewed(browser, "retention/preview/", {"last": "10"})
    wide = previewed(browser, "retention/preview/", {"last": "10", "monthly": "6"})

    assert "Save: the history shrinks from 40 to 0 days" in page
    assert "<b>10 backups</b>" in page
    assert "Save: " not in wide and ">Save</button>" in wide
