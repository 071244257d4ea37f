"""Restore over the API: preview first, then what the preview's hash confirms, and nothing else."""

from __future__ import annotations

from typing import Any

from backups_app.configuration import Configuration
from tests.api.conftest import backed_up
from tests.journeys.conftest import Db, raw_documents
from tests.security.conftest import Caller


def test_a_preview_says_what_would_be_done_and_the_named_hash_does_it(
    worker: Configuration, caller: Caller, local_db: Db
) -> None:
    path = f"/api/backups/{backed_up(caller)['backup_id']}/restore"
    lost = raw_documents(local_db, "devotees")
    local_db["devotees"].delete_many({"_id": {"$lt": 10}})

    preview: Any = caller.send("POST", path, {"collections": ["devotees"]})
    assert (preview.status_code, preview.json()["totals"]["insert"]) == (200, 10)
    assert len(raw_documents(local_db, "devotees")) == 20
    wrong: Any = caller.send("POST", path, {"collections": ["devotees"], "dry_run": False, "confirmation": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "preview_outdated")
    body = {"collections": ["devotees"], "dry_run": False, "confirmation": preview.json()["confirmation"]}
    other: Any = caller.send("POST", path, body | {"mode": "replace"})
    assert (other.status_code, other.json()["code"]) == (409, "preview_outdated")
    assert len(raw_documents(local_db, "devotees")) == 20

    done: Any = caller.send("POST", path, body)

    assert done.status_code == 202
    run: Any = caller.get(done.headers["Location"]).json()  # type: ignore[attr-defined]
    assert (run["kind"], run["status"]) == ("restore", "success")
    assert raw_documents(local_db, "devotees") == lost


def test_it_is_strict_about_what_it_is_given(no_worker: Configuration, caller: Caller) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"dry_run": "false"}, {"mode": "drop"}, {"collections": "bookings"}, {"collections": []}, {"to": 7},
        {"collections": [1]}, {"include_purged": 1}, {"unknown": True},
    )  # fmt: skip
    for body in wrong:
        answer: Any = caller.send("POST", "/api/backups/20990101_000000/restore", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), body
    inside: Any = caller.send("POST", "/api/backups/20990101_000000/restore", {"collections": ["bookings", 7]})
    assert inside.json()["errors"] == [{"field": "collections.1", "message": "Must be a string."}]
    assert caller.send("POST", "/api/backups/20990101_000000/restore", {}).status_code == 404
    for odd in ({"collections": ["a\0b"]}, {"id": "\0", "collections": ["bookings"]}, {"to": "x\0"}):
        assert caller.send("POST", "/api/backups/20990101_000000/restore", odd).status_code in (404, 422), odd


def test_a_rehearsal_is_asked_for_and_its_proof_is_in_the_status(worker: Configuration, caller: Caller) -> None:
    first = backed_up(caller)["backup_id"]
    newest = backed_up(caller)["backup_id"]

    for body, proven in (({"backup_id": first}, first), (None, newest)):
        done: Any = caller.send("POST", "/api/backup/rehearse", body)
        assert done.status_code == 202
        run: Any = caller.get(done.headers["Location"]).json()  # type: ignore[attr-defined]
        status: Any = caller.get("/api/backup/status").json()  # type: ignore[attr-defined]
        assert (run["kind"], run["status"], run["restore"]["sums"]["differing"]) == ("rehearsal", "success", 0)
        assert run["restore"]["choices"]["backup_id"] == proven
        assert (status["last_proven_restorable"]["backup_id"], status["last_proven_restorable"]["at"]) == (
            proven,
            run["finished_at"],
        )

    for wrong, answer in (("20990101_000000", (404, "backup_not_found")), ("latest", (422, "validation_error"))):
        refused: Any = caller.send("POST", "/api/backup/rehearse", {"backup_id": wrong})
        assert (refused.status_code, refused.json()["code"]) == answer


def test_a_test_copy_is_made_listed_and_removed_and_nothing_else_is(
    worker: Configuration, caller: Caller, local_db: Db
) -> None:
    path, name = f"/api/backups/{backed_up(caller)['backup_id']}/restore", f"{local_db.name}_copy"
    preview: Any = caller.send("POST", path, {"to": name}).json()  # type: ignore[attr-defined]
    made: Any = caller.send("POST", path, {"to": name, "dry_run": False, "confirmation": preview["confirmation"]})
    assert made.status_code == 202

    listed: Any = caller.get("/api/backup/copies").json()  # type: ignore[attr-defined]
    wrong: Any = caller.send("DELETE", f"/api/backup/copies/{local_db.name}")
    foreign: Any = caller.send("DELETE", "/api/backup/copies/some_database")
    removed: Any = caller.send("DELETE", f"/api/backup/copies/{name}")

    assert [(copy["database"], copy["purpose"]) for copy in listed] == [(name, "test copy")]
    assert (wrong.status_code, foreign.status_code, removed.status_code) == (422, 409, 204)
    assert caller.get("/api/backup/copies").json() == []  # type: ignore[attr-defined]
    assert name not in local_db.client.list_database_names()
    assert raw_documents(local_db, "devotees")
