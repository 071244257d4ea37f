"""A record is read field by field: what is not of its type is left out, and what MongoDB cannot hold is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog.run import record_shape, runs
from backups_app.catalog.run.run_record import RunRecord

SOUND: dict[str, Any] = {
    "_id": "20250119_143022", "kind": "backup", "status": "success", "documents": 12, "bytes": 2**62,
    "collections_backed_up": ["bookings"], "collections_deleted_local": [], "note": None,
    "created_at": datetime(2025, 1, 19, tzinfo=UTC),
    "steps": [{"name": "dump", "state": "done", "sentence": "", "counts": {},
               "labels": [{"name": "bookings", "done": 3, "total": None, "bytes": 8}], "started_at": None}],
    "purge": {"allowed": True, "withheld": {}, "remote": {"bookings": {"deleted": None, "kept_ids": [], "done": True}},
              "local": {}},
    "restore": {"emptied": [{"name": "bookings", "run": "20250119_143022"}], "at_work": "bookings"},
    "holds_alone": {"bookings": 3},
}  # fmt: skip


def test_a_sound_record_stays_as_it_is() -> None:
    assert record_shape.wrong_fields(SOUND) == []
    assert record_shape.without_wrong_fields(SOUND) == SOUND
    assert record_shape.can_be_stored(SOUND)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("documents", "x"), ("documents", -1), ("documents", True), ("documents", 1.5), ("documents", 10**30),
        ("bytes", "y"), ("collections_backed_up", 5), ("collections_backed_up", "bookings"),
        ("collections_backed_up", [5]), ("warnings", [{}]), ("kind", {}), ("status", 7), ("error_message", []),
        ("steps", [5]), ("steps", [{"labels": [5]}]), ("steps", [{"labels": [{"done": "x"}]}]), ("purge", 5),
        ("purge", {"remote": {"bookings": {"deleted": "x"}}}), ("purge", {"withheld": {"bookings": 5}}),
        ("kept_changed", {"count": "x"}), ("pinned", "me"), ("incremental", {"number": "x"}),
        ("holds_alone", {"a": "x"}), ("restore", {"emptied": [{}]}),
        ("restore", {"collections": [{}]}), ("verification", {"problem": 5}),
    ],
)  # fmt: skip
def test_a_field_of_another_type_is_named_and_left_out(name: str, value: Any) -> None:
    changed = SOUND | {name: value}

    assert record_shape.wrong_fields(changed) == [name]
    assert name not in record_shape.without_wrong_fields(changed)


@pytest.mark.parametrize(
    "value",
    [10**30, -(2**63) - 1, float("nan"), float("inf"), "\ud800", {"a\0b": 1}, {"\ud800": 1}, {5: 1}, [[10**30]], b"x"],
)
def test_what_mongodb_or_json_cannot_hold_is_known(value: Any) -> None:
    assert not record_shape.can_be_stored({"extra": value})


def test_what_is_nested_without_end_is_known() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]

    assert not record_shape.can_be_stored({"extra": deep})


def test_a_record_that_was_rebuilt_wrong_is_read_without_what_is_wrong(local_db: Database[Any]) -> None:
    runs.collection(local_db).insert_one({**SOUND, "collections_backed_up": 5, "bytes": "y"})

    read = [runs.get(local_db, backup_id=SOUND["_id"]), *runs.recent(local_db)]

    for record in read:
        assert isinstance(record, RunRecord)
        assert (record.collections_backed_up, record.size_bytes, record.documents) == ([], None, 12)
