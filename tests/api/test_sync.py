"""Sync over the API: what the last proof stated, what lost its place, its difference, and putting it back."""

from __future__ import annotations

import json
from contextlib import nullcontext
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pymongo.errors import OperationFailure

from backups_app.configuration import Configuration
from backups_app.mongo.exact_writes import insert
from tests.journeys.conftest import Db
from tests.security.conftest import Caller


def _command(name: str, *arguments: str) -> str:
    """Return what a command prints; `backup_status` ends with how well the data is protected: not at all here."""
    out = StringIO()
    with pytest.raises(SystemExit) if name == "backup_status" else nullcontext() as ended:
        call_command(name, *arguments, stdout=out)
    assert ended is None or ended.value.code == 1
    return out.getvalue()


def _sync(caller: Caller, **wish: bool) -> Any:
    answer: Any = caller.send("POST", "/api/backup/sync", wish)
    assert answer.status_code == 200, answer.content
    return answer.json()


def _status(caller: Caller) -> Any:
    answer: Any = caller.get("/api/backup/status")
    return answer.json()


def test_the_verdict_of_the_last_proof_is_reported_with_its_date(worker: Configuration, caller: Caller) -> None:
    assert _status(caller)["sync"] == {"synced_at": None, "proof": None, "blocked": {}, "left_over": {}}

    log = _sync(caller, exact=True)

    reported = _status(caller)["sync"]
    assert reported["proof"] == log["proof"]
    everything = sum(log["totals"][count] for count in ("equal", "pulled", "pushed"))
    assert (reported["proof"]["verdict"], reported["proof"]["documents"]) == ("equal", everything)
    assert reported["synced_at"] == reported["proof"]["at"] == log["started_at"]
    assert "Last proof        equal, " in _command("backup_status")
    assert json.loads(_command("backup_status", "--json"))["sync"] == reported


def test_the_documents_that_a_proof_found_to_differ_are_named(
    worker: Configuration, caller: Caller, local_db: Db, remote_db: Db
) -> None:
    _sync(caller)
    remote_db.command({"collMod": "devotees", "validator": {"bad": {"$exists": False}}})
    local_db["devotees"].insert_one({"_id": 77, "phone": "77", "bad": 1})

    _sync(caller, exact=True)

    proof = _status(caller)["sync"]["proof"]
    assert (proof["verdict"], proof["differing_count"]) == ("differs", 1)
    assert proof["differing"] == [{"collection": "devotees", "id": 77}]
    message = _command("backup_status")
    assert "differs, 1 documents" in message
    assert "devotees 77" in message


@pytest.fixture
def conflict(worker: Configuration, caller: Caller, local_db: Db, remote_db: Db) -> str:
    """Both sides had changed one document; ours won, Atlas's is kept."""
    _sync(caller)
    local_db["devotees"].replace_one({"_id": 3}, {"_id": 3, "phone": "here", "gotra": "Kashyapa"})
    remote_db["devotees"].replace_one({"_id": 3}, {"_id": 3, "phone": "there"})
    assert _sync(caller)["totals"]["conflicts"] == 1
    [reported] = _get(caller, "/api/backup/sync/conflicts")
    assert (reported["document_id"], reported["collection"], reported["side"], reported["kind"]) == (
        3,
        "devotees",
        "remote",
        "replaced",
    )
    return str(reported["id"])


def _get(caller: Caller, path: str) -> Any:
    answer: Any = caller.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def _text(value: str) -> dict[str, str]:
    return {"type": "String", "text": value}


CHANGES = [
    {"sign": "~", "field": "phone", "before": _text("here"), "after": _text("there")},
    {"sign": "-", "field": "gotra", "before": _text("Kashyapa"), "after": None},
]


def test_a_conflict_is_shown_with_its_difference(caller: Caller, conflict: str) -> None:
    shown = _get(caller, f"/api/backup/sync/conflicts/{conflict}")

    assert shown["version"] == {"_id": 3, "phone": "there"}
    assert shown["live"] == {"_id": 3, "phone": "here", "gotra": "Kashyapa"}
    assert shown["changes"] == CHANGES
    assert json.loads(_command("backup_sync", "--conflict", conflict, "--json"))["changes"] == CHANGES
    message = _command("backup_sync", "--conflict", conflict)
    assert '~ phone: "here"  String -> "there"  String' in message
    assert conflict in _command("backup_sync", "--conflicts")


def test_a_replaced_version_is_put_back_if_what_is_live_is_what_was_seen(
    caller: Caller, conflict: str, local_db: Db, remote_db: Db
) -> None:
    path = f"/api/backup/sync/conflicts/{conflict}"
    seen = _get(caller, path)["live_sha256"]
    old: Any = caller.send("POST", f"{path}/put-back", {"seen": "0" * 64})
    assert (old.status_code, old.json()["code"]) == (409, "document_changed")

    done: Any = caller.send("POST", f"{path}/put-back", {"seen": seen})

    assert done.status_code == 204
    assert local_db["devotees"].find_one({"_id": 3}) == {"_id": 3, "phone": "there"}
    _sync(caller)
    assert remote_db["devotees"].find_one({"_id": 3}) == {"_id": 3, "phone": "there"}
    assert len(_get(caller, "/api/backup/sync/conflicts?which=all")) >= 2


def test_it_is_strict_about_what_it_is_given(worker: Configuration, caller: Caller) -> None:
    unknown: Any = caller.get("/api/backup/sync/conflicts/nothing")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "kept_version_not_found")
    for query in ("limit=0", "limit=1001", "offset=-1", "which=some", "unknown=1"):
        answer: Any = caller.get(f"/api/backup/sync/conflicts?{query}")
        assert answer.status_code == 422, query
    for body in ({}, {"seen": 1}, {"seen": "x", "more": 1}):
        refused: Any = caller.send("POST", "/api/backup/sync/conflicts/nothing/put-back", body)
        assert refused.status_code == 422, body


def test_what_a_sync_had_done_before_it_failed_is_in_its_answer(
    worker: Configuration, caller: Caller, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        local_db["activities"].insert_one({"_id": f"new-{number}"})
    local_db["devotees"].insert_one({"_id": "new", "phone": "new"})
    real = insert.insert_missing

    def over_quota(*, collection: Any, **given: Any) -> Any:
        if collection.name == "devotees":
            raise OperationFailure("you are over your space quota", 8000, {"code": 8000, "errmsg": "over your quota"})
        return real(collection=collection, **given)

    monkeypatch.setattr(insert, "insert_missing", over_quota)
    answer: Any = caller.send("POST", "/api/backup/sync", {})
    reported = answer.json()
    monkeypatch.undo()
    again = _sync(caller)

    assert (answer.status_code, reported["code"]) == (503, "database_over_quota")
    assert "Before that, this sync pulled " in reported["hint"] and " and pushed " in reported["hint"]
    assert reported["hint"].endswith("The next sync goes on from there.")
    assert again["status"] == "success"
