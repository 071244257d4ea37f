"""Pin, remove, release, accept, undo: each asks first, says what is safe, and does what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from backups_app.backup_files import metadata
from backups_app.models import AuditEvent, LoginSession, User
from backups_app.use_cases.retention import pins
from tests.conftest import PASSWORD
from tests.pages.conftest import signed_in
from tests.retention.conftest import Temple
from tests.retention.conftest import newest as newest
from tests.retention.conftest import temple as temple
from tests.retention.test_removal import DELETED, who

LIST = "/admin/backups/list/"


@pytest.fixture
def browser(temple: Temple, super_admin: User) -> Client:
    return signed_in(super_admin)


def address(backup_id: str, act: str) -> str:
    return f"/admin/backups/{backup_id}/{act}/"


def signed_in_long_ago() -> None:
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(hours=1))


def test_a_pin_with_a_note_is_set_changed_and_taken_away(browser: Client, temple: Temple, super_admin: User) -> None:
    old = temple.add(days=40)

    pinned = browser.post(address(old, "pin"), {"note": "before the festival"}, follow=True).content.decode()
    form = browser.get(address(old, "pin")).content.decode()
    assert "The backup is pinned: nothing removes it." in pinned
    assert "pinned: before the festival" in pinned
    assert 'value="before the festival"' in form and "Unpin" in form
    assert temple.written(old)["pinned"]["by"] == super_admin.username
    freed = browser.post(address(old, "pin"), {"act": "unpin"}, follow=True).content.decode()

    assert "The backup is unpinned." in freed
    assert temple.written(old)["pinned"] is None


def test_a_note_is_one_line_whatever_it_was_typed_with(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40)

    browser.post(address(old, "pin"), {"note": " before\r\nthe \x1b[31mfestival\u202e of रा\u200dम "})

    assert temple.written(old)["pinned"]["note"] == "before the [31mfestival of रा\u200dम"


def test_the_list_reads_each_backup_once(browser: Client, temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [temple.add(days=days) for days in (40, 30, 20)]
    real, read = metadata.read, Counter[str]()

    def counted(folder: Path) -> object:
        read[folder.name] += 1
        return real(folder)

    monkeypatch.setattr(metadata, "read", counted)
    browser.get(LIST)

    assert [read[f"backup_{backup_id}"] for backup_id in ids] == [1, 1, 1]


def test_a_note_that_is_too_long_is_refused_at_its_field(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40)

    answer = browser.post(address(old, "pin"), {"note": "x" * 201})

    assert answer.status_code == 422
    assert "A note has at most 200 characters." in answer.content.decode()
    assert "x" * 201 in answer.content.decode()
    assert not temple.written(old).get("pinned")


def test_a_backup_is_removed_by_its_id_and_comes_back_from_the_trash(
    browser: Client, temple: Temple, super_admin: User
) -> None:
    old = temple.add(days=40)

    question = browser.get(address(old, "remove")).content.decode()
    wrong = browser.post(address(old, "remove"), {"confirm": "latest"})
    assert "can be brought back for one day" in question
    assert wrong.status_code == 422 and "Type the id exactly" in wrong.content.decode()
    assert old in temple.ids()

    removed = browser.post(address(old, "remove"), {"confirm": old}, follow=True).content.decode()
    assert old in temple.in_trash()
    assert "The backup is in the trash for one day." in removed
    assert f"by {super_admin.username}, " in removed and "Undo" in removed
    back = browser.post(address(old, "bring-back"), follow=True).content.decode()

    assert "The backup is back." in back
    assert old in temple.ids() and 'id="trash"' not in back


def test_what_the_rules_removed_comes_back_pinned(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    temple.prune()

    listed = browser.get(LIST).content.decode()
    assert "by the rules, " in listed
    back = browser.post(address(old, "bring-back"), follow=True).content.decode()

    assert "The backup is back, and pinned" in back
    assert "pinned: Brought back from the trash" in back


@pytest.mark.parametrize("act", ["remove", "release", "accept"])
def test_what_cannot_be_taken_back_asks_for_the_password_again(
    browser: Client, temple: Temple, super_admin: User, act: str
) -> None:
    prepare: dict[str, Callable[[], str]] = {
        "remove": lambda: temple.add(days=40),
        "release": lambda: temple.add(days=40, **DELETED),
        "accept": lambda: _shrunk(temple),
    }
    backup_id = prepare[act]()
    signed_in_long_ago()

    question = browser.get(address(backup_id, act)).content.decode()
    wrong = browser.post(address(backup_id, act), {"confirm": backup_id, "password": "not it"})
    assert 'name="password"' in question
    assert wrong.status_code == 422 and "Wrong password." in wrong.content.decode()
    assert not AuditEvent.objects.filter(action__in=("backup.removed", "backup.released", "backup.accepted")).exists()
    right = browser.post(address(backup_id, act), {"confirm": backup_id, "password": PASSWORD})

    assert right.status_code == 303
    assert AuditEvent.objects.filter(
        action=f"backup.{act.rstrip('e')}ed", target=backup_id, actor=super_admin.username
    ).exists()


def _shrunk(temple: Temple) -> str:
    temple.add(days=40, counts={"bookings": 81})
    return temple.newest_real()


def test_a_backup_that_stays_says_why_and_leads_to_what_changes_that(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40, **DELETED)
    pins.pin(backup_id=old, note="", **who(temple))

    page = browser.get(address(old, "remove")).content.decode()
    refused = browser.post(address(old, "remove"), {"confirm": old})

    assert "This backup stays" in page
    assert f'href="{address(old, "pin")}"' in page and f'href="{address(old, "release")}"' in page
    assert 'name="confirm"' not in page
    assert refused.status_code == 409
    assert old in temple.ids()


def test_a_release_names_what_is_held(browser: Client, temple: Temple) -> None:
    old = temple.add(days=40, **DELETED)
    listed = browser.get(LIST).content.decode()
    question = browser.get(address(old, "release")).content.decode()

    assert f'href="{address(old, "release")}"' in listed
    assert "<td>bookings</td>" in question and '<td class="r">7</td>' in question
    after = browser.post(address(old, "release"), {"confirm": old}, follow=True).content.decode()

    assert "The backup is released." in after and ">released<" in after
    assert browser.get(address(old, "release")).status_code == 409


def test_a_loss_is_shown_with_its_numbers_and_accepted(browser: Client, temple: Temple) -> None:
    backup_id = _shrunk(temple)
    listed = browser.get(LIST).content.decode()
    question = browser.get(address(backup_id, "accept")).content.decode()
    rules = browser.get("/admin/backups/schedule/").content.decode()

    assert "bookings shrank from 81 to 40" in listed
    assert '<td>bookings</td><td class="r">81</td><td class="r">40</td>' in question
    assert f'href="{address(backup_id, "accept")}"' in rules
    browser.post(address(backup_id, "accept"), {"confirm": backup_id})

    assert "shrank from" not in browser.get(LIST).content.decode()


def test_the_list_says_why_each_backup_is_kept_or_goes(browser: Client, temple: Temple, newest: str) -> None:
    temple.add(days=40)

    off = browser.get(LIST).content.decode()
    temple.set_policy()
    on = browser.get(LIST).content.decode()

    assert "retention is off" in off and "will be removed after the next good backup" not in off
    assert "the newest good backup" in off
    assert "one of the last" in on
    assert on.count("will be removed after the next good backup") == 1 and "no rule keeps it" in on


@pytest.mark.parametrize("act", ["pin", "remove", "release", "accept"])
def test_an_unknown_backup_is_none_and_a_removed_one_says_so(browser: Client, temple: Temple, act: str) -> None:
    old = temple.add(days=40)
    temple.remove(old)

    assert browser.get(address("20200101_000000", act)).status_code == 404
    assert browser.get(address("latest", act)).status_code == 422
    assert browser.get(address(old, act)).status_code == (409 if act == "release" else 410)
