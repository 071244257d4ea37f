"""The restore flow by page: four steps in the address, and nothing written before what was shown is confirmed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent, LaneJob, LoginSession, User
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from tests.conftest import PASSWORD
from tests.pages.conftest import signed_in
from tests.pages.reading_lane import nothing_is_short, read

pytestmark = pytest.mark.django_db

Db = Database[dict[str, Any]]
HTMX = {"HX-Request": "true"}


def a_backup(*, delete_bookings: bool = False) -> str:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=delete_bookings, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )
    ended = backups.execute(backup_id=started["backup_id"])
    assert ended["status"] == "success", ended["error_message"]
    return str(ended["_id"])


def where(backup_id: str, step: int, *collections: str, **more: str) -> str:
    sentences = [("step", str(step)), *(("collection", name) for name in collections), *more.items()]
    return f"/admin/backups/{backup_id}/restore/?{urlencode(sentences)}"


def hidden(page: str) -> dict[str, Any]:
    """What the form of a page sends by itself."""
    form = re.search(r'<form class="restore-form" method="post".*?</form>', page, re.DOTALL)
    assert form is not None, page
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0]):
        fields.setdefault(name, []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def restores(local_db: Db) -> list[RunRecord]:
    return [run for run in runs.recent(local_db) if run["kind"] != "backup"]


def test_the_first_step_lists_what_was_emptied_on_purpose_apart_and_chooses_none_of_it(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    local_db.devotees.insert_one({"_id": 1})
    backup_id = a_backup(delete_bookings=True)

    page = admin_browser.get(where(backup_id, 1)).content.decode()
    everything = admin_browser.get(f"/admin/backups/{backup_id}/restore/?all=1").content.decode()

    before, rest = page.split("Emptied on purpose by the run of", 1)
    emptied, ordinary = rest.split("Same number of documents now", 1)
    assert 'value="devotees"' in ordinary and 'value="bookings"' not in before + ordinary
    assert 'value="bookings"' in emptied and "1,240 in the backup" in emptied and "0 now" in emptied
    assert " checked" not in page
    assert re.findall(r'value="(\w+)" checked', everything) == ["devotees"]
    assert "Step 1 of 4: What" in page


def test_the_first_step_begins_with_what_differs_from_now(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    local_db.devotees.insert_many([{"_id": number} for number in range(3)])
    local_db.rooms.insert_one({"_id": 1})
    backup_id = a_backup()
    local_db.devotees.delete_one({"_id": 1})

    page = admin_browser.get(where(backup_id, 1)).content.decode()

    differing, same = page.split("Same number of documents now", 1)
    assert "Different number of documents now" in differing and 'value="devotees"' in differing
    assert "2 now" in " ".join(differing.split()) and 'value="rooms"' in same


def test_nothing_chosen_leads_no_further(admin_browser: Client, seeded: Configuration) -> None:
    answer = admin_browser.get(where(a_backup(), 2))

    assert answer.status_code == 422
    assert "Choose at least one collection." in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "field"), [("step=2", "collections"), ("step=3&collection=bookings&where=copy&to=a/b", "to")]
)
def test_what_is_wrong_stands_on_top_and_at_its_field_in_the_same_words(
    admin_browser: Client, seeded: Configuration, query: str, field: str
) -> None:
    backup_id = a_backup(delete_bookings=False)

    answer = admin_browser.get(f"/admin/backups/{backup_id}/restore/?{query}")
    page = answer.content.decode()

    reported = re.search(rf'<a href="#{field}">(.+?)</a>', page)
    assert answer.status_code == 422 and "<title>Error: " in page
    assert reported is not None and f'<p class="problem" id="{field}-problem">{reported[1]}</p>' in page
    assert f'id="{field}"' in page


def test_four_steps_without_javascript_put_back_what_is_missing(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    local_db.bookings.delete_many({"_id": {"$lt": 40}})
    local_db.bookings.update_one({"_id": 50}, {"$set": {"name": "edited"}})

    how = admin_browser.get(where(backup_id, 2, "bookings", "employee_bookings")).content.decode()
    preview = admin_browser.get(where(backup_id, 3, "bookings", "employee_bookings", mode="add", where="here"))
    confirm = admin_browser.get(where(backup_id, 4, "bookings", "employee_bookings", mode="add", where="here"))
    started = admin_browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm.content.decode()))
    (run,) = restores(local_db)
    waiting = admin_browser.get(started["Location"]).content.decode()
    backups.execute(backup_id=run["_id"])
    result = admin_browser.get(started["Location"]).content.decode()

    assert 'name="collection" value="bookings"' in how and "A safety backup is made first" in how
    assert "Problems found: none." in preview.content.decode()
    assert "Add 40 documents?" in confirm.content.decode() and 'name="confirm"' not in confirm.content.decode()
    assert (started.status_code, started["Location"]) == (303, f"/admin/backups/runs/{run['_id']}/")
    for word in ("Restore in progress", "Check the backup", "Safety backup", "Write", "Verify", "Cancel restore"):
        assert word in waiting
    for word in ("Restore finished", "40 added, 0 overwritten, 0 deleted, 1,511 unchanged", "Safety backup made",
                 "The next sync carries the result to Atlas.", "Undo…"):  # fmt: skip
        assert word in result, word
    assert local_db.bookings.count_documents({}) == 1240
    assert local_db.bookings.find_one({"_id": 50}) == {"_id": 50, "name": "edited"}


def test_replace_wants_the_word_and_does_what_the_preview_stated(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    local_db.bookings.delete_many({"_id": {"$lt": 3}})
    local_db.bookings.update_many({"_id": {"$gte": 10, "$lt": 12}}, {"$set": {"name": "edited"}})
    local_db.bookings.insert_one({"_id": 9_999})
    confirm = admin_browser.get(where(backup_id, 4, "bookings", mode="replace", where="here")).content.decode()
    sent = hidden(confirm)

    wrong = [
        admin_browser.post(f"/admin/backups/{backup_id}/restore/", sent | {"confirm": typed})
        for typed in ("", "restore", "RESTORE!")
    ]
    nothing = restores(local_db)
    right = admin_browser.post(f"/admin/backups/{backup_id}/restore/", sent | {"confirm": " RESTORE "})
    (run,) = restores(local_db)
    done = backups.execute(backup_id=run["_id"])

    assert "Add 3, overwrite 2, delete 1 document" in confirm
    assert [answer.status_code for answer in wrong] == [422, 422, 422]
    assert "Type the word exactly: RESTORE. Nothing was started." in wrong[1].content.decode()
    assert 'value="restore"' in wrong[1].content.decode()
    assert (nothing, right.status_code) == ([], 303)
    sums = done["restore"]["sums"]
    assert (sums["inserted"], sums["replaced"], sums["deleted"]) == (3, 2, 1)
    assert local_db.bookings.count_documents({}) == 1240


def test_what_was_not_shown_is_not_restored(admin_browser: Client, seeded: Configuration, local_db: Db) -> None:
    backup_id = a_backup()
    local_db.bookings.delete_many({"_id": {"$lt": 3}})
    shown = hidden(admin_browser.get(where(backup_id, 4, "employee_bookings", mode="add")).content.decode())

    answer = admin_browser.post(f"/admin/backups/{backup_id}/restore/", shown | {"collection": ["bookings"]})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The preview is out of date" in page
    assert "Step 3 of 4" in page and "<code>bookings</code>" in page
    assert restores(local_db) == []


def test_an_old_login_is_asked_for_the_password_in_place_and_not_for_a_copy(
    admin: User, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    local_db.employee_bookings.delete_one({"_id": 1})
    browser = signed_in(admin)
    LoginSession.objects.update(authenticated_at=timezone.now().replace(year=2020))
    place = f"/admin/backups/{backup_id}/restore/"
    page = browser.get(where(backup_id, 4, "employee_bookings")).content.decode()
    copy = browser.get(
        where(backup_id, 4, "employee_bookings", where="copy", to=f"{local_db.name}_copy")
    ).content.decode()

    without = browser.post(place, hidden(page))
    wrong = browser.post(place, hidden(page) | {"password": "wrong"})
    nothing = restores(local_db)
    right = browser.post(place, hidden(page) | {"password": PASSWORD})

    assert "Your password" in page and "Your password" not in copy
    assert (without.status_code, wrong.status_code, nothing) == (422, 422, [])
    assert "Wrong password. Nothing was started." in wrong.content.decode()
    assert right.status_code == 303


def test_one_document_shows_what_differs(admin_browser: Client, seeded: Configuration, local_db: Db) -> None:
    backup_id = a_backup()
    local_db.bookings.update_one({"_id": 7}, {"$set": {"name": "Somebody else"}})
    card = admin_browser.get(f"/admin/backups/{backup_id}/document/?collection=bookings&number=7").content.decode()
    link = re.search(r'href="([^"]+/restore/[^"]+)"', card)
    assert link is not None
    how = admin_browser.get(link[1].replace("&amp;", "&")).content.decode()

    kept = admin_browser.get(where(backup_id, 3, "bookings", id="7")).content.decode()
    put = admin_browser.get(where(backup_id, 3, "bookings", id="7", mode="overwrite")).content.decode()

    assert "One document:" in how and 'value="replace"' not in how
    assert "Nothing would change" in kept and "Stays as it is:" in kept
    assert "Somebody else" in put and "John Doe 7" in put and 'id="to-confirm"' in put


def test_a_long_preview_is_asked_for_until_it_is_there(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = a_backup()
    nothing_is_short(monkeypatch)

    page = admin_browser.get(where(backup_id, 3, "bookings")).content.decode()
    polled = re.search(r'hx-get="([^"]+preview/[^"]*)"', page)
    assert polled is not None, page
    read()
    fragment = admin_browser.get(polled[1].replace("&amp;", "&"), headers=HTMX).content.decode()

    assert 'hx-trigger="every 1s"' in page and '<meta http-equiv="refresh" content="3">' in page
    assert fragment.lstrip().startswith('<div id="preview"')
    assert "every 1s" not in fragment and "Problems found: none." in fragment


def test_a_kept_preview_holds_no_document_and_shows_its_samples_as_they_are_now(
    admin_browser: Client, seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = a_backup()
    local_db.bookings.update_one({"_id": 7}, {"$set": {"name": "Somebody else"}})
    local_db.bookings.insert_one({"_id": 5000, "name": "Taken since"})
    address = where(backup_id, 3, "bookings", mode="replace")

    first = admin_browser.get(address).content.decode()
    kept = LaneJob.objects.get(kind="restore_preview")
    local_db.bookings.delete_one({"_id": 5000})
    local_db.bookings.update_one({"_id": 7}, {"$set": {"name": "A third one"}})
    again = admin_browser.get(address).content.decode()

    assert all(name in first for name in ("Somebody else", "John Doe 7", "Taken since"))
    assert not any(name in str(vars(kept)) for name in ("Somebody", "John", "Taken"))
    assert all(name in again for name in ("A third one", "John Doe 7")) and "Taken since" not in again


def test_a_preview_that_failed_in_the_lane_says_so_once_and_is_made_again(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = a_backup()
    file = next((seeded.backup_dir / f"backup_{backup_id}").rglob("bookings.bson"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-30] + b"x" + whole[-29:])
    nothing_is_short(monkeypatch)
    admin_browser.get(where(backup_id, 3, "bookings"))
    read()

    damaged = admin_browser.get(where(backup_id, 3, "bookings"))
    file.write_bytes(whole)
    waits = admin_browser.get(where(backup_id, 3, "bookings")).content.decode()

    assert damaged.status_code == 500 and "verification_failed" in damaged.content.decode()
    assert "Waiting for its turn" in waits


def test_a_preview_that_fails_says_so_and_is_made_again(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    file = next((seeded.backup_dir / f"backup_{backup_id}").rglob("bookings.bson"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-30] + b"x" + whole[-29:])

    damaged = admin_browser.get(where(backup_id, 3, "bookings"))
    file.write_bytes(whole)
    mended = admin_browser.get(where(backup_id, 3, "bookings"))

    assert damaged.status_code == 500 and "verification_failed" in damaged.content.decode()
    assert mended.status_code == 200


def test_a_step_for_htmx_brings_its_title_and_the_focus(admin_browser: Client, seeded: Configuration) -> None:
    backup_id = a_backup()

    answer = admin_browser.get(where(backup_id, 2, "bookings"), headers=HTMX)

    page = answer.content.decode()
    assert page.startswith("<title>Step 2 of 4: How and where · Restore · Temple Management</title>")
    assert "data-focus" in page and "<html" not in page
    assert "HX-Request" in answer["Vary"]


def test_previews_and_starts_are_in_the_audit_trail(admin_browser: Client, seeded: Configuration, local_db: Db) -> None:
    backup_id = a_backup()
    local_db.employee_bookings.delete_one({"_id": 1})
    for _ in range(3):
        admin_browser.get(where(backup_id, 3, "employee_bookings"))

    admin_browser.post(
        f"/admin/backups/{backup_id}/restore/",
        hidden(admin_browser.get(where(backup_id, 4, "employee_bookings")).content.decode()),
    )

    actions = list(AuditEvent.objects.filter(actor="ravi").values_list("action", flat=True))
    assert (actions.count("restore.preview"), actions.count("restore.requested")) == (1, 1)


def test_an_unknown_backup_is_unknown_at_every_step(admin_browser: Client, configured: Configuration) -> None:
    answers = [admin_browser.get(where("20250101_000000", step, "bookings")).status_code for step in (1, 3, 4)]

    assert answers == [404, 404, 404]
    assert admin_browser.get(where("nonsense", 1)).status_code == 422
