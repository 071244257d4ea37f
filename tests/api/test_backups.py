"""Listing, one run, cancel, resume, verify, status and audit over the API, on two real servers."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.use_cases.backups import backups
from tests.api.conftest import backed_up
from tests.journeys.conftest import Db, contents
from tests.security.conftest import Caller

UNKNOWN = "20990101_000000"


def triggered(caller: Caller) -> str:
    """Start a run that no worker takes; return its id."""
    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, Prefer="respond-async")
    return str(answer.json()["backup_id"])


def test_the_list_is_the_printed_array(worker: Configuration, caller: Caller) -> None:
    body = backed_up(caller)

    listed: Any = caller.get("/api/backups")

    [entry] = listed.json()
    assert set(entry) == {"backup_id", "backup_date", "backup_timestamp", "status", "collections_count"}
    assert entry["backup_id"] == body["backup_id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", entry["backup_date"])
    assert entry["backup_timestamp"] == body["backup_timestamp"].replace(".000Z", "Z")[:19] + "Z"
    assert (entry["status"], entry["collections_count"]) == ("success", len(body["collections_backed_up"]))
    assert listed.headers["X-Total-Count"] == "1"


def test_only_what_is_published_is_listed_and_with_all_every_run(no_worker: Configuration, caller: Caller) -> None:
    started = triggered(caller)

    assert caller.get("/api/backups").json() == []  # type: ignore[attr-defined]
    every: Any = caller.get("/api/backups?status=all")
    assert [entry["backup_id"] for entry in every.json()] == [started]


def test_pages_follow_one_another_by_their_links(worker: Configuration, caller: Caller) -> None:
    made = [backed_up(caller)["backup_id"] for _ in range(3)]
    seen: list[str] = []

    path = "/api/backups?limit=2"
    while path:
        answer: Any = caller.get(path)
        seen += [entry["backup_id"] for entry in answer.json()]
        assert answer.headers["X-Total-Count"] == "3"
        following = re.match(r"<(.+)>; rel=\"next\"", answer.headers.get("Link", ""))
        path = following.group(1) if following else ""

    assert seen == sorted(made, reverse=True)


def test_the_list_survives_the_loss_of_its_records(worker: Configuration, caller: Caller, local_db: Db) -> None:
    before = backed_up(caller)
    local_db["backup_metadata"].drop()

    [entry] = caller.get("/api/backups").json()  # type: ignore[attr-defined]

    assert (entry["backup_id"], entry["status"]) == (before["backup_id"], "success")


def test_a_run_is_reported_without_what_only_the_machinery_needs(worker: Configuration, caller: Caller) -> None:
    made = backed_up(caller, delete_bookings=True)

    run: Any = caller.get(f"/api/backups/{made['backup_id']}").json()  # type: ignore[attr-defined]

    assert run.keys() >= {
        "backup_id", "backup_timestamp", "backup_path", "status", "sync_status", "collections_backed_up",
        "collections_deleted_local", "collections_deleted_remote", "delete_bookings_requested", "error_message",
        "created_by", "created_at", "phase", "steps", "warnings", "error_code", "resume_available", "docs_per_s",
        "seconds_left",
    }  # fmt: skip
    assert not run.keys() & {"_id", "owner", "fence", "idempotency_key", "heartbeat_at", "child"}
    assert (run["created_by"], run["delete_bookings_requested"]) == ("ananya", True)
    assert {step["state"] for step in run["steps"]} == {"done", "skipped"}


def test_an_unchanged_run_answers_304(worker: Configuration, caller: Caller) -> None:
    path = f"/api/backups/{backed_up(caller)['backup_id']}"
    tag = caller.get(path).headers["ETag"]

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = caller.get(path, **{"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert caller.get(path, **{"If-None-Match": '"other"'}).status_code == 200


def test_unknown_is_404_and_malformed_is_422(no_worker: Configuration, caller: Caller) -> None:
    for rest in ("", "/collections", "/collections/bookings"):
        for backup_id, expected in ((UNKNOWN, (404, "backup_not_found")), ("2025", (422, "invalid_backup_id"))):
            answer: Any = caller.get(f"/api/backups/{backup_id}{rest}")
            assert (answer.status_code, answer.json()["code"]) == expected, rest


def test_acts_on_what_is_not_there_do_nothing(no_worker: Configuration, caller: Caller) -> None:
    for act in ("cancel", "resume", "verify"):
        for backup_id, status in ((UNKNOWN, 404), ("2025", 422)):
            assert caller.send("POST", f"/api/backups/{backup_id}/{act}").status_code == status, act


def test_a_run_is_cancelled_once(no_worker: Configuration, caller: Caller) -> None:
    started = triggered(caller)

    first: Any = caller.send("POST", f"/api/backups/{started}/cancel")
    again: Any = caller.send("POST", f"/api/backups/{started}/cancel")

    assert (first.status_code, first.json()["status"], first.json()["error_code"]) == (202, "cancelled", "cancelled")
    assert (again.status_code, again.json()["code"]) == (409, "not_cancellable")


def test_there_is_nothing_to_resume_after_a_success(worker: Configuration, caller: Caller) -> None:
    made = backed_up(caller, delete_bookings=True)

    answer: Any = caller.send("POST", f"/api/backups/{made['backup_id']}/resume")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_resumable")


def test_keep_is_a_boolean(no_worker: Configuration, caller: Caller) -> None:
    for body in ({"keep": "true"}, {"keep": 1}, {"kept": True}, [True]):
        assert caller.send("POST", f"/api/backups/{UNKNOWN}/resume", body).status_code == 422, body


def test_keep_is_handed_on(no_worker: Configuration, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def resume(**given: Any) -> RunRecord:
        asked.append(given["keep"])
        return RunRecord(backup_id=UNKNOWN, status="partial", steps=[], created_at=timezone.now())

    monkeypatch.setattr(backups, "resume", resume)
    for body in (None, {}, {"keep": False}, {"keep": True}):
        assert caller.send("POST", f"/api/backups/{UNKNOWN}/resume", body).status_code == 202

    assert asked == [False, False, False, True]


def test_a_good_backup_verifies_and_a_damaged_one_is_an_answer(worker: Configuration, caller: Caller) -> None:
    made = backed_up(caller)
    path = f"/api/backups/{made['backup_id']}/verify"
    good: Any = caller.send("POST", path)
    file = Path(made["backup_path"]) / worker.database_name / "devotees.bson"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(bytes(content))

    damaged: Any = caller.send("POST", path)

    assert (good.status_code, good.json()["verified"], good.json()["problem"]) == (200, True, None)
    assert (damaged.status_code, damaged.json()["verified"]) == (200, False)
    assert damaged.json()["problem"]


def test_a_folder_that_is_gone_is_not_listed_any_more(worker: Configuration, caller: Caller) -> None:
    made = backed_up(caller)
    shutil.rmtree(made["backup_path"])

    assert caller.get("/api/backups").json() == []  # type: ignore[attr-defined]


def test_the_status_says_what_is_printed_and_more(worker: Configuration, caller: Caller) -> None:
    backed_up(caller)

    found: Any = caller.get("/api/backup/status").json()  # type: ignore[attr-defined]

    assert {name: found[name] for name in ("primary_database", "backup_available", "sync_enabled", "message")} == {
        "primary_database": "local", "backup_available": True, "sync_enabled": True, "message": "Backup system ready",
    }  # fmt: skip
    assert found.keys() >= {"engine", "last_backup", "next_run", "disk", "local", "remote", "active_run"}


def test_what_was_done_over_the_api_stands_in_the_trail_with_its_request(worker: Configuration, caller: Caller) -> None:
    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})

    rows: Any = caller.get("/api/audit").json()  # type: ignore[attr-defined]
    asked = next(row for row in rows if row["action"] == "backup.requested")
    assert (asked["actor"], asked["origin"], asked["from"]) == ("ananya", "api", "127.0.0.1")
    assert asked["session"] == caller.session_id
    assert asked["request_id"] == answer.headers["X-Request-ID"]
    assert asked["target"] == answer.json()["backup_id"]
    before_and_after = [row["result"] for row in reversed(rows) if row["action"].startswith("purge")]
    assert before_and_after, "the purge leaves rows before and after each side"


def test_the_trail_is_paged_downwards(worker: Configuration, caller: Caller) -> None:
    backed_up(caller, delete_bookings=True)
    every: Any = caller.get("/api/audit").json()  # type: ignore[attr-defined]

    page: Any = caller.get(f"/api/audit?limit=2&before={every[1]['n']}")

    assert page.json() == every[2:4]
    assert page.headers["Link"].endswith(f'before={every[3]["n"]}>; rel="next"')


def test_a_sync_answers_its_log_and_leaves_both_sides_alike(
    worker: Configuration, caller: Caller, local_db: Db, remote_db: Db
) -> None:
    tried: Any = caller.send("POST", "/api/backup/sync", {"dry_run": True})
    assert contents(local_db) != contents(remote_db)

    done: Any = caller.send("POST", "/api/backup/sync")

    assert (tried.status_code, done.status_code) == (200, 200)
    assert (done.json()["status"], done.json()["totals"]["pulled"], done.json()["totals"]["pushed"]) == (
        "success",
        7,
        5,
    )
    assert contents(local_db) == contents(remote_db)
    assert "_id" not in done.json()


def test_without_a_remote_there_is_nothing_to_sync(worker: Configuration, caller: Caller) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(worker, cloud_url=Secret(""))):
        answer: Any = caller.send("POST", "/api/backup/sync")

    assert (answer.status_code, answer.json()["code"]) == (422, "sync_off")
