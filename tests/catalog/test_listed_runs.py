"""Runs as lists have them: decoded once, and successful backups without what only their own pages show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog.run import listed_runs, run_moments, runs
from backups_app.catalog.run.listed_runs import ListedRun
from backups_app.catalog.run.run_record import RunRecord

Db = Database[dict[str, Any]]
AT = datetime(2025, 1, 19, 14, 30, 22, tzinfo=UTC)


def stored(local_db: Db, backup_id: str = "20250119_143022", **fields: Any) -> str:
    local_db["backup_metadata"].insert_one(
        {
            "_id": backup_id, "backup_id": backup_id, "kind": "backup", "status": "success", "created_at": AT,
            "documents": 12, "bytes": 812, "collections_backed_up": ["bookings"], "resume_available": False,
            "steps": [{"name": "publish", "state": "done", "sentence": "Published"}], "warnings": ["One"],
            "purge": {"allowed": False, "collections": [], "remote": {}, "local": {}}, "heartbeat_at": AT, **fields,
        }
    )  # fmt: skip
    return backup_id


def listed(local_db: Db, **fields: Any) -> RunRecord:
    backup_id = stored(local_db, **fields)
    return listed_runs.every(local_db)[backup_id]


def test_a_successful_backup_says_what_lists_show_and_refuses_the_rest(local_db: Db) -> None:
    run = listed(local_db)

    whole = runs.get(local_db, backup_id=run.id)
    assert isinstance(run, ListedRun) and whole is not None
    shown = dict(run)
    assert shown.pop(run_moments.READ_AT) == run_moments.contents_read_at(whole)
    assert shown.items() <= whole.items()
    assert (run.documents, run.size_bytes, run.purge, run.created_at) == (12, 812, whole.purge, AT)
    for refused in ("steps", "warnings", "audit"):
        with pytest.raises(RuntimeError, match="only listed"):
            getattr(run, refused)
    assert listed_runs.shortened(whole) == run


@pytest.mark.parametrize(
    "fields",
    [{"status": "partial"}, {"status": "failed"}, {"status": "in_progress"}, {"kind": "rehearsal"}, {"purge": None}],
)
def test_of_any_other_run_everything_is_read(local_db: Db, fields: dict[str, Any]) -> None:
    run = listed(local_db, **fields)

    assert type(run) is RunRecord
    assert run == runs.get(local_db, backup_id=run.id)
    assert run.has_done("publish")


def test_a_record_is_decoded_again_only_when_it_changed(local_db: Db) -> None:
    backup_id, other = stored(local_db), stored(local_db, "20250119_150000")
    first = listed_runs.every(local_db)
    local_db["backup_metadata"].update_one({"_id": backup_id}, {"$set": {"documents": 13}})

    second = listed_runs.every(local_db)

    assert second[other] is first[other]
    assert (first[backup_id].documents, second[backup_id].documents) == (12, 13)


def test_a_run_that_ends_between_the_two_questions_is_listed_once_as_it_ended(
    local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_id = stored(local_db, status="in_progress")
    read, asked = listed_runs._read, list[Any]()

    def ends_meanwhile(records: Any, wanted: Any, fields: Any = None) -> Any:
        if asked:
            records.update_one({"_id": backup_id}, {"$set": {"status": "success"}})
        asked.append(wanted)
        return read(records, wanted, fields)

    monkeypatch.setattr(listed_runs, "_read", ends_meanwhile)

    assert [run.status for run in listed_runs.every(local_db).values()] == ["success"]


def test_what_is_wrong_in_a_record_is_left_out(local_db: Db) -> None:
    run = listed(local_db, documents="many", collections_backed_up="bookings")

    assert (run.documents, run.collections_backed_up) == (None, [])
