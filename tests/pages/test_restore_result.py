"""What pages show of a restore that has ended: its result, the way back, test copies, proofs, and what was cut off."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pymongo.errors import AutoReconnect

from backups_app.configuration import Configuration
from backups_app.restore.engine import Engine
from backups_app.restore.outcome import CollectionOutcome
from backups_app.use_cases.backups import backups
from tests.journeys.conftest import contents
from tests.pages.test_restore import HTMX, Db, a_backup, hidden, restores, where

pytestmark = pytest.mark.django_db


def test_a_restore_that_was_cut_off_says_what_remains_and_can_be_undone(
    admin_browser: Client, seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_db.devotees.insert_many([{"_id": number} for number in range(9)])
    backup_id = a_backup()
    for name in ("bookings", "devotees", "employee_bookings"):
        local_db[name].delete_many({"_id": {"$lt": 5}})
    before = contents(local_db)
    whole = Engine.restore

    def lost_at_the_second(engine: Engine, name: str) -> CollectionOutcome:
        outcome = whole(engine, name)
        if name == "devotees":
            raise AutoReconnect("the line was cut")
        return outcome

    with monkeypatch.context() as cut:
        cut.setattr(Engine, "restore", lost_at_the_second)
        run = restored(admin_browser, local_db, backup_id, "bookings", "devotees", "employee_bookings")
    result = admin_browser.get(f"/admin/backups/runs/{run['_id']}/").content.decode()
    half = contents(local_db)
    undo = admin_browser.get(f"/admin/backups/restores/{run['_id']}/undo/", follow=True)
    undone = restored(admin_browser, local_db, str(run["_id"]), "bookings", "devotees", mode="replace")

    assert "In place: bookings; &quot;devotees&quot; was in progress; employee_bookings had not begun." in result
    assert "Restore not complete" in result
    assert 'id="undo"' in result
    assert half != before
    assert undo.redirect_chain[0][0].count("collection=") == 2
    assert (undone["status"], contents(local_db)) == ("success", before)


def restored(browser: Client, database: Db, backup_id: str, *collections: str, mode: str = "add") -> dict[str, Any]:
    """Confirm a restore on its page and carry it out. Return its record."""
    confirm = browser.get(where(backup_id, 4, *collections, mode=mode)).content.decode()
    known = {run["_id"] for run in restores(database)}
    browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm) | {"confirm": "RESTORE"})
    (started,) = [run for run in restores(database) if run["_id"] not in known]
    return backups.execute(backup_id=started["_id"])


def test_a_copy_is_made_listed_and_removed_by_its_dialog(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    name = f"{local_db.name}_copy"
    refused = admin_browser.get(where(backup_id, 3, "employee_bookings", mode="replace", where="copy", to=name))
    confirm = admin_browser.get(where(backup_id, 4, "employee_bookings", where="copy", to=name)).content.decode()
    admin_browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm))
    (run,) = restores(local_db)
    backups.execute(backup_id=run["_id"])
    held = local_db.client[name].employee_bookings.count_documents({})

    listed = admin_browser.get("/admin/backups/restores/").content.decode()
    ask = admin_browser.get("/admin/backups/restores/remove-copy/", {"name": name}, headers=HTMX).content.decode()
    other = admin_browser.post("/admin/backups/restores/remove-copy/", {"name": "no_copy_of_ours"})
    removed = admin_browser.post("/admin/backups/restores/remove-copy/", {"name": name})

    assert refused.status_code == 422 and "A test copy is only added to" in refused.content.decode()
    assert (run["kind"], held) == ("test_copy", 312)
    assert f">{name}</code>" in listed
    assert ask.lstrip().startswith("<dialog") and f"Remove the test copy {name}?" in ask
    assert other.status_code == 409
    assert removed.status_code == 303
    assert name not in local_db.client.list_database_names()
    assert local_db.employee_bookings.count_documents({}) == 312


def test_a_test_of_a_restore_becomes_the_last_proven_one(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    before = admin_browser.get("/admin/backups/").content.decode()
    backup_id = a_backup()

    started = admin_browser.post("/admin/backups/restores/rehearse/", {"backup_id": backup_id})
    (run,) = restores(local_db)
    done = backups.execute(backup_id=run["_id"])
    result = admin_browser.get(started["Location"]).content.decode()
    listed = admin_browser.get("/admin/backups/restores/").content.decode()
    home = admin_browser.get("/admin/backups/?check=1").content.decode()

    assert "Restore not tested yet" not in before  # there is nothing to prove yet
    count = len(done["restore"]["collections"])
    assert f"Restore test passed: {count} of {count} collections match" in result
    assert "Restore tested" in listed
    assert "restore tested" in home


def test_undo_leads_to_the_preview_of_the_safety_backup(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    local_db.employee_bookings.update_one({"_id": 1}, {"$set": {"edited": True}})
    confirm = admin_browser.get(where(backup_id, 4, "employee_bookings", mode="overwrite")).content.decode()
    admin_browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm) | {"confirm": "RESTORE"})
    (run,) = restores(local_db)
    backups.execute(backup_id=run["_id"])

    answer = admin_browser.get(f"/admin/backups/restores/{run['_id']}/undo/", follow=True)
    nothing = admin_browser.get(f"/admin/backups/restores/{backup_id}/undo/")

    assert answer.redirect_chain == [
        (f"/admin/backups/{run['_id']}/restore/?step=3&collection=employee_bookings&mode=replace&where=here", 303)
    ]
    assert "edited" in answer.content.decode()
    assert nothing.status_code == 404


def test_what_cannot_be_put_back_is_foreseen_and_then_named(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    local_db.devotees.create_index("phone", unique=True)
    local_db.devotees.insert_many([{"_id": f"devotee-{number}", "phone": number} for number in range(20)])
    backup_id = a_backup()
    local_db.devotees.delete_one({"_id": "devotee-7"})
    local_db.devotees.insert_one({"_id": "somebody-else", "phone": 7})
    foreseen = admin_browser.get(where(backup_id, 3, "devotees")).content.decode()
    confirm = admin_browser.get(where(backup_id, 4, "devotees")).content.decode()
    started = admin_browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm))
    (run,) = restores(local_db)

    backups.execute(backup_id=run["_id"])
    result = admin_browser.get(started["Location"]).content.decode()

    assert "Before you restore" in foreseen and "Problems found: none." not in foreseen
    assert "Restore not complete" in result
    assert "The safety backup holds everything that was there before." in result
    assert "1 not added: another document holds the same unique value" in result and "devotee-7" in result
    assert "Undo…" in result


def test_the_list_of_backups_shows_safety_backups_and_no_tests(
    admin_browser: Client, seeded: Configuration, local_db: Db
) -> None:
    backup_id = a_backup()
    local_db.employee_bookings.delete_one({"_id": 1})
    confirm = admin_browser.get(where(backup_id, 4, "employee_bookings")).content.decode()
    admin_browser.post(f"/admin/backups/{backup_id}/restore/", hidden(confirm))
    (restore,) = restores(local_db)
    backups.execute(backup_id=restore["_id"])
    admin_browser.post("/admin/backups/restores/rehearse/", {"backup_id": backup_id})
    test = next(run for run in restores(local_db) if run["kind"] == "rehearsal")
    backups.execute(backup_id=test["_id"])
    foreign = seeded.backup_dir / "backup_20200101_000000" / seeded.database_name
    foreign.mkdir(parents=True)
    (foreign / "rooms.bson").write_bytes(b"")

    listed = " ".join(admin_browser.get("/admin/backups/list/").content.decode().split())

    row = listed.partition(f'<tr id="backup-{restore["_id"]}">')[2].partition("</tr>")[0]
    assert "safety backup</span>" in row
    assert "20200101_000000" in listed
    assert test["_id"] not in listed
