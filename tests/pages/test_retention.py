"""The retention half of Schedule & retention: the simulator, saving, and the way back of a removed backup."""

from __future__ import annotations

import pytest
from django.test import Client

from backups_app.models import User
from backups_app.use_cases.retention import policy
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import newest as newest
from tests.retention.conftest import temple as temple

SCHEDULE = "/admin/backups/schedule/"


@pytest.fixture
def browser(temple: Temple, super_admin: User) -> Client:
    return signed_in(super_admin)


def test_the_page_proposes_rules_and_removes_nothing(browser: Client, temple: Temple) -> None:
    old = temple.add(days=400)

    page = browser.get(SCHEDULE).content.decode()

    assert "Nothing is removed by itself until you save these rules." in page
    assert "With these rules: <b>2 kept, 0 removed</b>" in page
    assert policy.current() is None
    assert old in temple.ids()


def test_the_simulator_answers_as_one_types_and_without_script(browser: Client, temple: Temple) -> None:
    temple.add(days=40.5)
    rules = {"last": "1", "daily": "", "weekly": "0", "monthly": "0", "yearly": "0"}

    typed = browser.get(f"{SCHEDULE}retention/preview/", rules, headers={"HX-Request": "true"}).content.decode()
    whole = browser.get(SCHEDULE, rules).content.decode()

    for page in (typed, whole):
        assert "<b>1 kept, 1 removed</b>" in page
        assert "no rule keeps it" in page
        assert "The history shrinks from 40 to 0 days." in page
    assert "<html" not in typed


def test_rules_that_keep_nothing_are_refused_with_a_sentence(browser: Client, temple: Temple) -> None:
    rules = dict.fromkeys(("last", "daily", "weekly", "monthly", "yearly"), "0")

    answer = browser.post(f"{SCHEDULE}retention/", rules, follow=True)

    assert "These rules would keep nothing." in answer.content.decode()
    assert policy.current() is None


def test_rules_are_saved_and_turned_off(browser: Client, temple: Temple) -> None:
    answer = browser.post(f"{SCHEDULE}retention/", {"last": "3"}, follow=True).content.decode()

    assert "Saved. The next good backup applies these rules." in answer
    saved = policy.current()
    assert saved is not None
    assert saved.as_json() == {"last": 3, "daily": 0, "weekly": 0, "monthly": 0, "yearly": 0}
    browser.post(f"{SCHEDULE}retention/", {"act": "off"})
    assert policy.current() is None


def test_an_old_link_says_who_removed_it_and_brings_it_back(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40)
    temple.remove(old)

    gone = browser.get(f"/admin/backups/{old}/restore/")
    assert gone.status_code == 410
    assert "ravi removed it on" in gone.content.decode()
    browser.post(f"/admin/backups/{old}/bring-back/")

    assert old in temple.ids()


def test_an_old_link_says_that_the_rules_removed_it_also_after_the_trash(browser: Client, temple: Temple) -> None:
    from datetime import timedelta

    old = temple.add(days=40)
    temple.set_policy()
    temple.prune()
    temple.store.empty_trash(older_than=temple.now + timedelta(days=2))

    page = browser.get(f"/admin/backups/{old}/restore/").content.decode()

    assert "The retention rules removed it on" in page
    assert "Bring it back" not in page
