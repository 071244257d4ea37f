"""A backup in the folder of another host: every page, endpoint and command that takes its id says so, by one code."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from backups_app.api import urls as endpoints
from backups_app.models import User
from backups_app.pages import urls as pages
from tests.hosts.test_two_stores import Host, backup_on
from tests.hosts.test_two_stores import on as on
from tests.journeys.conftest import seeded as seeded
from tests.pages.conftest import signed_in
from tests.security.conftest import SignIn
from tests.security.conftest import sign_in as sign_in

pytestmark = pytest.mark.django_db
NEED_NO_FILES = {"run", "progress", "cancel", "resume", "keep", "remove_copy_at", "backup_copies"}
"""They are of the run, or of copies at targets."""
CODE = "backup_elsewhere"


def routes(patterns: Any, made: str) -> list[str]:
    """Return the addresses that take a backup and need its files."""
    return [
        str(one.pattern).replace("<str:backup_id>", made).replace("<any:name>", "bookings")
        for one in patterns
        if "<str:backup_id>" in str(one.pattern) and one.name not in NEED_NO_FILES
    ]


def test_each_page_explains_it_and_names_the_host(on: Host, super_admin: User) -> None:
    made, here = backup_on(on, "a"), backup_on(on, "b")

    with on("b"):
        browser = signed_in(super_admin)
        asked = [
            f"/admin/backups/compare/?a={made}&b={here}",
            f"/admin/backups/compare/progress/?a={here}&b={made}",
            f"/admin/backups/compare/?a={here}&b={made}&collection=bookings",
            f"/admin/backups/versions/?backup={made}&collection=bookings&number=0",
            *(f"/{address}?collection=bookings&number=0" for address in routes(pages.urlpatterns, made)),
        ]
        answers = {address: browser.get(address) for address in asked}
        answers |= {
            f"POST {address}": browser.post(address)
            for address, answer in dict(answers).items()
            if answer.status_code == 405
        }

    assert len(asked) > 15
    for address, answer in answers.items():
        if answer.status_code == 405:
            continue
        page = answer.content.decode()
        assert (answer.status_code, CODE in page) == (409, True), address
        assert "This backup is on host host-a." in page and f"/admin/backups/runs/{made}/" in page, address
        assert "This did not work" not in page and 'class="note bad"' not in page, address


def test_the_viewer_says_it_as_a_sentence(on: Host, super_admin: User) -> None:
    made = backup_on(on, "a")
    backup_on(on, "b")

    with on("b"):
        page = signed_in(super_admin).get(f"/admin/backups/browse/?backup={made}").content.decode()

    assert "<b>This backup is on host host-a.</b>" in page


def test_each_endpoint_answers_with_its_code(on: Host, super_admin: User, sign_in: SignIn) -> None:
    made = backup_on(on, "a")
    backup_on(on, "b")
    answers: dict[str, Any] = {}

    with on("b"):
        caller = sign_in(super_admin)
        for address in routes(endpoints.urlpatterns, made):
            for method in ("GET", "POST", "DELETE"):
                answer = caller.send(method, f"/api/{address}", None if method == "GET" else {})
                if answer.status_code == 422:
                    answer = caller.send(method, f"/api/{address}", {"confirm": made})
                answers[f"{method} {address}"] = answer
        answers["rehearse"] = caller.send("POST", "/api/backup/rehearse", {"backup_id": made})

    answered = {name: answer for name, answer in answers.items() if answer.status_code != 405}
    assert len(answered) >= 10
    for name, answer in answered.items():
        found: Any = answer.json()
        assert (answer.status_code, found.get("code")) == (409, CODE), (name, found)


def test_each_command_ends_with_its_code(on: Host, super_admin: User, capsys: pytest.CaptureFixture[str]) -> None:
    made, here = backup_on(on, "a"), backup_on(on, "b")
    asked = [["backup_diff", made, here], ["backup_diff", here, made], ["backup_pin", made], ["backup_rehearse", made]]

    with on("b"):
        for command in asked:
            with pytest.raises(SystemExit) as ended:
                call_command(*command, "--json")
            assert (ended.value.code, CODE in capsys.readouterr().out) == (10, True), command
