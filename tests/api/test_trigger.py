"""POST /api/backup on two real servers: the specification's body, waiting and not waiting, once and only once."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from backups_app.api.shared import waiting
from backups_app.configuration import Configuration, Secret
from backups_app.use_cases.backups import backups
from tests.api.conftest import backed_up
from tests.conftest import NOBODY
from tests.journeys.conftest import PURGED, Db, raw_documents
from tests.security.conftest import Caller, send

AS_PRINTED = {
    "success", "backup_id", "backup_path", "backup_timestamp", "sync_status", "collections_backed_up",
    "collections_deleted_local", "collections_deleted_remote", "message",
}  # fmt: skip


def test_with_deletion_it_answers_the_printed_body_and_has_done_it(
    worker: Configuration, caller: Caller, local_db: Db, remote_db: Db
) -> None:
    body = backed_up(caller, delete_bookings=True)

    assert body.keys() >= AS_PRINTED
    assert body["success"] is True
    assert re.fullmatch(r"\d{8}_\d{6}", body["backup_id"])
    assert body["backup_path"].endswith(f"/backup_{body['backup_id']}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", body["backup_timestamp"])
    assert (body["sync_status"], body["message"]) == ("success", "Backup completed successfully")
    assert {"activities", "bookings", "devotees", "employee_bookings"} <= set(body["collections_backed_up"])
    assert body["collections_deleted_local"] == body["collections_deleted_remote"]
    assert "bookings (52 documents)" in body["collections_deleted_local"]
    assert all(raw_documents(side, name) == {} for side in (local_db, remote_db) for name in PURGED)
    assert Path(body["backup_path"]).is_dir()


def test_keeping_deletes_the_activities_alone(worker: Configuration, caller: Caller, local_db: Db) -> None:
    body = backed_up(caller)

    assert body["collections_deleted_local"] == ["activities (25 documents)"]
    assert len(raw_documents(local_db, "bookings")) == 52


def test_with_respond_async_it_answers_202_and_says_where_to_look(no_worker: Configuration, caller: Caller) -> None:
    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, Prefer="respond-async")

    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/backups/{body['backup_id']}"
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert answer.headers["Retry-After"] == "1"
    assert (body["status"], body["phase"]) == ("in_progress", "queued")
    found: Any = caller.get(answer.headers["Location"])
    assert found.json()["backup_id"] == body["backup_id"]


def test_still_running_when_the_wait_is_over_is_a_202_too(no_worker: Configuration, caller: Caller) -> None:
    answer = caller.send("POST", "/api/backup", {"delete_bookings": False}, Prefer="wait=1")

    assert answer.status_code == 202
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_respond_async_with_a_wait_answers_200_when_it_is_done_in_time(worker: Configuration, caller: Caller) -> None:
    answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, Prefer="respond-async, wait=10")

    assert (answer.status_code, answer.json()["success"]) == (200, True)


def test_a_second_trigger_is_refused_and_names_the_first(no_worker: Configuration, caller: Caller) -> None:
    first: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, Prefer="respond-async")

    second: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})

    assert (second.status_code, second.json()["code"]) == (409, "run_active")
    assert second.json()["run"] == first.json()["backup_id"]
    assert second.headers["Location"] == first.headers["Location"]


def test_the_same_key_with_the_same_body_is_the_same_run(worker: Configuration, caller: Caller) -> None:
    keyed = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}

    first: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, **keyed)
    again: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, **keyed)
    other: Any = caller.send("POST", "/api/backup", {"delete_bookings": True}, **keyed)

    assert "Idempotent-Replayed" not in first.headers
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(caller.get("/api/backups?status=all").json()) == 1  # type: ignore[attr-defined]


def test_of_many_that_wait_some_wait_and_the_rest_are_informed_at_once(
    no_worker: Configuration, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = []

    def wait_for(*, backup_id: str, timeout_seconds: float) -> Any:
        waited.append(timeout_seconds)
        return backups._known(backup_id)

    monkeypatch.setattr(backups, "wait_for", wait_for)
    keyed = {"Idempotency-Key": "k"}
    for _ in range(waiting.MOST_WAITING - 1):
        assert waiting.WAITING.acquire(blocking=False)
    try:
        last: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, **keyed)
        assert waiting.WAITING.acquire(blocking=False)
        full: Any = caller.send("POST", "/api/backup", {"delete_bookings": False}, **keyed)
    finally:
        for _ in range(waiting.MOST_WAITING):
            waiting.WAITING.release()

    assert len(waited) == 1
    assert (last.status_code, full.status_code, full.headers["Idempotent-Replayed"]) == (202, 202, "true")
    assert full.headers["Location"] == last.headers["Location"]


def test_a_key_that_is_none_is_refused(no_worker: Configuration, caller: Caller) -> None:
    for key in ("", "x" * 256, "with space", "é"):
        headers = {"Authorization": f"Bearer {caller.access}", **caller.headers, "Idempotency-Key": key}
        answer = send("POST", "/api/backup", b'{"delete_bookings": false}', headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), key


def test_partial_is_200_and_says_what_is_safe(worker: Configuration, caller: Caller, local_db: Db) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(worker, cloud_url=NOBODY)):
        answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})

    body = answer.json()
    assert (answer.status_code, body["success"], body["status"]) == (200, False, "partial")
    assert (body["sync_status"], body["collections_deleted_local"]) == ("failed", [])
    assert body["message"].startswith("Your backup is complete and verified.")
    assert len(raw_documents(local_db, "bookings")) == 45


REFUSALS: dict[str, tuple[dict[str, Any], int]] = {
    "local_url_missing": ({"local_url": Secret("")}, 500),
    "database_not_found": ({"database_name": "Temple_of_nowhere"}, 500),
    "mongodump_missing": ({"backup_engine": "mongodump"}, 500),
    "database_unreachable": ({"local_url": NOBODY}, 503),
    "mode_not_local": ({"primary_database": "cloud"}, 403),
}


def test_what_stands_in_the_way_is_named_and_nothing_is_done(
    worker: Configuration, caller: Caller, monkeypatch: pytest.MonkeyPatch, local_db: Db
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    for code, (changes, status) in REFUSALS.items():
        with override_settings(TEMPLEOPS=dataclasses.replace(worker, **changes)):
            answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "mongodb://" not in answer.content.decode()
    assert list(worker.backup_dir.glob("backup_*")) == []
    assert len(raw_documents(local_db, "bookings")) == 45


def test_a_run_that_fails_answers_500_with_its_code_and_its_id(
    worker: Configuration, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = dataclasses.replace(worker, cloud_url=NOBODY, sync_failure_policy="abort")
    with override_settings(TEMPLEOPS=failing):
        answer: Any = caller.send("POST", "/api/backup", {"delete_bookings": True})

    body = answer.json()
    assert answer.status_code in (500, 503)
    assert {"detail", "code", "request_id", "backup_id"} <= set(body)
    run: Any = caller.get(f"/api/backups/{body['backup_id']}").json()  # type: ignore[attr-defined]
    assert (run["status"], run["error_code"]) == ("failed", body["code"])
