"""A link to a backup that was removed says when and why it went: page, API, commands."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from backups_app.models import User
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.security.conftest import Caller, SignIn
from tests.security.conftest import clock as clock
from tests.security.conftest import sign_in as sign_in


@pytest.fixture
def caller(temple: Temple, super_admin: User, sign_in: SignIn) -> Caller:
    return sign_in(super_admin)


def refused(*arguments: str) -> tuple[int, Any]:
    """Return the exit code and the JSON of a command that is refused."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    return int(ended.value.code or 0), json.loads(out.getvalue())


def removed_by_rules(temple: Temple) -> str:
    old = temple.add(days=40)
    temple.set_policy()
    temple.prune()
    return old


def test_the_api_answers_410_with_when_and_why(caller: Caller, temple: Temple) -> None:
    by_rules = removed_by_rules(temple)
    by_name = temple.add(days=50)
    temple.remove(by_name)

    rules: Any = caller.send("GET", f"/api/backups/{by_rules}/collections")
    name: Any = caller.send("POST", f"/api/backups/{by_name}/verify")

    assert (rules.status_code, rules.json()["code"]) == (410, "backup_removed")
    at = rules.json()["removed"].pop("at")
    assert rules.json()["detail"].startswith("The retention rules removed this backup on ")
    assert rules.json()["detail"].endswith(" UTC: no rule keeps it.")
    message = rules.json()["removed"]
    assert (message["how"], message["by"], message["reasons"]) == ("retention", "ananya", ["policy"])
    assert at < message["in_trash_until"]
    assert (name.status_code, name.json()["removed"]["how"]) == (410, "person")
    assert name.json()["detail"].startswith("ravi removed this backup on ")


@pytest.mark.parametrize("command", [("backup_verify",), ("backup_pin",), ("backup_docs", "bookings")])
def test_commands_say_the_same_and_end_with_10(temple: Temple, command: tuple[str, ...]) -> None:
    old = removed_by_rules(temple)
    name, *more = command

    code, message = refused(name, old, *more)

    assert (code, message["code"]) == (10, "backup_removed")
    assert (message["removed"]["how"], message["removed"]["reasons"]) == ("retention", ["policy"])
    assert "no rule keeps it" in message["detail"] and "brought back" in message["hint"]


def test_after_its_day_in_the_trash_nothing_brings_it_back(temple: Temple) -> None:
    old = removed_by_rules(temple)
    temple.store.empty_trash(older_than=temple.now + timedelta(days=2))

    _, message = refused("backup_verify", old)

    assert message["removed"]["in_trash_until"] is None


def test_without_the_record_the_store_still_answers(temple: Temple, super_admin: User) -> None:
    old = removed_by_rules(temple)
    temple.database.drop_collection("backup_metadata")

    page = signed_in(super_admin).get(f"/admin/backups/{old}/restore/")

    assert page.status_code == 410
    assert "The retention rules removed it on" in page.content.decode()


def test_the_page_of_its_run_says_it_too_and_brings_it_back(temple: Temple, super_admin: User) -> None:
    old = removed_by_rules(temple)

    page = signed_in(super_admin).get(f"/admin/backups/runs/{old}/").content.decode()

    assert "The retention rules removed it on" in page
    assert f'action="/admin/backups/{old}/bring-back/"' in page


def test_an_incremental_leads_to_its_base_which_can_be_brought_back_from_the_trash(
    temple: Temple, super_admin: User
) -> None:
    base = temple.add(days=40)
    temple.add(days=39, incremental={"base": base, "number": 1})
    temple.store.trash(base, now=temple.now)
    browser = signed_in(super_admin)

    listed = browser.get("/admin/backups/list/").content.decode()

    assert "damaged" in listed
    assert f'<a href="/admin/backups/runs/{base}/">incremental, needs' in listed
    assert f'action="/admin/backups/{base}/bring-back/"' in browser.get(f"/admin/backups/runs/{base}/").content.decode()
