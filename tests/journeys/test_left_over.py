"""What a sync could not bring together is never reported as done: not by the run, the command, the page or the
status."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.test import override_settings
from pymongo.database import Database

from backups_app.assurance.sentence import Level
from backups_app.configuration import Configuration, Secret
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.status import status, status_json
from backups_app.use_cases.syncs import sync_overview
from tests.journeys.conftest import now, run_backup

Db = Database[dict[str, Any]]


def _command(name: str, *arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=StringIO())
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue()
    return 0, out.getvalue()


def _shadow(local_db: Db, remote_db: Db, name: str = "x") -> None:
    """A view here and a collection with documents on Atlas."""
    local_db.create_collection(name, viewOn="devotees", pipeline=[])
    remote_db[name].insert_one({"_id": 1})


def test_a_run_whose_sync_left_something_over_is_partial_and_deletes_the_rest(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    _shadow(local_db, remote_db)

    run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"], run["error_code"]) == ("partial", "success", "sync_left_over")
    assert "x" in run["error_message"]
    assert [warning for warning in run["warnings"] if warning.startswith("x: not synced, it is a view here")]
    assert local_db["bookings"].count_documents({}) == remote_db["bookings"].count_documents({}) == 0
    reported = status.status(configuration=seeded, now=now())
    assert reported.verdict is Level.NEEDS_ATTENTION
    assert status_json.public(reported)["sync"]["left_over"] == {"x": "it is a view here and a collection on Atlas"}


def test_the_commands_say_so_and_end_with_3(seeded: Configuration, local_db: Db, remote_db: Db) -> None:
    _shadow(local_db, remote_db)
    run_backup(delete_bookings=False)

    code, out = _command("backup_sync")
    assert code == 3
    assert "x: not synced, it is a view here and a collection on Atlas" in out
    code, out = _command("backup_sync", "--json")
    assert (code, json.loads(out)["left_over"][0]["name"]) == (3, "x")
    code, out = _command("backup_status", "--check")
    assert code == 6
    assert "x: it is a view here" in out
    code, out = _command("backup_now", "--keep-bookings", "--json")
    assert (code, json.loads(out)["status"]) == (3, "partial")

    remote_db["x"].drop()
    assert _command("backup_now", "--keep-bookings")[0] == 0
    code, out = _command("backup_status", "--check")
    assert (code, "Needs attention" in out) == (6, False), "nothing but the copies elsewhere is missing"


def test_another_atlas_is_not_vouched_for_by_the_last_sync(seeded: Configuration) -> None:
    run_backup(delete_bookings=False)
    other = replace(seeded, cloud_url=Secret("mongodb://127.0.0.1:9/"))
    renamed = replace(seeded, cloud_url=Secret(seeded.cloud_url.replace("://", "://ravi:secret@") + "&appName=temple"))

    with override_settings(TEMPLEOPS=other):
        shown = status_json.public(status.status(configuration=other, now=now()))

    assert sync_overview.overview(configuration=renamed).synced_at is not None
    assert (shown["sync"]["synced_at"], shown["sync"]["proof"]) == (None, None)
    assert shown["assurance"]["loss_window_seconds"] is None
    assert "synced_with_another_atlas" in [finding["code"] for finding in shown["assurance"]["attention"]]


def test_a_sync_by_itself_that_leaves_something_over_ends_the_protection(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    run_backup(delete_bookings=False)
    assert status.status(configuration=seeded, now=now()).assurance.attention == ()
    _shadow(local_db, remote_db)

    assert _command("backup_sync")[0] == 3

    reported = status.status(configuration=seeded, now=now())
    assert reported.verdict is Level.NEEDS_ATTENTION
    (left_over,) = reported.assurance.attention
    assert "x: it is a view here" in left_over.message.english


def test_a_purge_collection_that_was_left_out_is_withheld(seeded: Configuration, local_db: Db, remote_db: Db) -> None:
    remote_db["activities"].drop()
    remote_db.create_collection("activities", capped=True, size=65536)

    run = run_backup(delete_bookings=True)

    assert run["purge"]["withheld"] == {"activities": "It was not synced: it is capped on one side only."}
    assert local_db["activities"].count_documents({}) == 25
    assert local_db["bookings"].count_documents({}) == 0
    assert run["error_code"] == "purge_withheld"


def test_a_database_spelled_otherwise_on_atlas_is_named_by_run_and_doctor(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    name, there = remote_db.name, remote_db.name.swapcase()
    remote_db.client.drop_database(name)
    remote_db.client[there]["bookings"].insert_one({"_id": 1})
    try:
        run = run_backup(delete_bookings=True)
        findings = doctor.examine(configuration=seeded)
    finally:
        remote_db.client.drop_database(there)

    assert (run["status"], run["sync_status"], run["error_code"]) == ("partial", "failed", "database_not_found")
    assert f'"{there}"' in run["error_message"]
    assert local_db["bookings"].count_documents({}) == 45
    assert [one for one in findings if one.subject == "database_not_found" and there in one.sentence and one.fix]
