"""What a restore in place does not touch: a capped collection or a time-series that holds something. It is named before
and after, its documents stay, and a test copy gets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.restore.choices import Mode
from backups_app.restore.source import Source
from tests.restore.conftest import frames_of, restore
from tests.restore.test_preview import look

Db = Database[dict[str, Any]]
Dump = Callable[[Db], Source]
AT = datetime(2026, 1, 19, 5, 0, tzinfo=UTC)
BUCKETS = {"log": "log", "weather": "system.buckets.weather"}
REASONS = {
    "log": "it is capped and holds documents that older ones would push out: restore it into a test copy",
    "weather": "it is a time-series that holds measurements: restore it into a test copy",
}


def fill(database: Db) -> None:
    database.create_collection("log", capped=True, size=100_000, max=20)
    database["log"].insert_many([{"_id": number} for number in range(20)])
    database.create_collection("weather", timeseries={"timeField": "at", "metaField": "where"})
    measured = [{"at": AT + timedelta(minutes=n), "where": "gopuram", "degrees": n} for n in range(30)]
    database["weather"].insert_many(measured)


@pytest.mark.parametrize("name", ["log", "weather"])
@pytest.mark.parametrize("mode", list(Mode))
def test_what_has_gone_on_since_is_left_alone_and_named_before_and_after(
    local_db: Db, safety: Dump, name: str, mode: Mode
) -> None:
    fill(local_db)
    source = safety(local_db)
    local_db["log"].insert_one({"_id": 99})  # pushes the oldest out
    local_db["weather"].insert_one({"at": AT + timedelta(days=1), "where": "gopuram", "degrees": 7})
    local_db["weather"].delete_many({"where": "elsewhere"})
    if name == "weather":  # some of the backup's are missing now, so that there would be something to do
        local_db["weather"].delete_many({"where": "gopuram"})
        local_db["weather"].insert_one({"at": AT + timedelta(days=1), "where": "gopuram", "degrees": 7})
    before = frames_of(local_db, BUCKETS[name])

    (shown,) = [one for one in look(source, local_db, mode=mode).collections if one.name == name]
    outcome = restore(source, local_db, before=safety(local_db), mode=mode, collections=(name,))[name]

    assert (shown.withheld, outcome.withheld, outcome.complete) == (REASONS[name], REASONS[name], False)
    assert frames_of(local_db, BUCKETS[name]) == before


@pytest.mark.parametrize("mode", list(Mode))
def test_a_collection_that_was_capped_after_the_backup_keeps_what_it_holds(
    local_db: Db, safety: Dump, mode: Mode
) -> None:
    local_db["log"].insert_many([{"_id": number, "text": "x" * 900} for number in range(30)])
    source = safety(local_db)
    local_db["log"].delete_many({"_id": {"$lt": 25}})
    local_db.command("convertToCapped", "log", size=8_192)
    local_db["log"].insert_many([{"_id": number, "text": "y" * 900} for number in range(100, 120)])
    before = frames_of(local_db, "log")

    (shown,) = look(source, local_db, mode=mode).collections
    outcome = restore(source, local_db, before=safety(local_db), mode=mode)["log"]

    assert (shown.withheld, outcome.withheld, outcome.complete) == (REASONS["log"], REASONS["log"], False)
    assert frames_of(local_db, "log") == before


@pytest.mark.parametrize("name", ["log", "weather"])
def test_what_is_as_it_was_needs_nothing_and_what_is_gone_or_in_a_copy_comes_back(
    local_db: Db, safety: Dump, name: str
) -> None:
    fill(local_db)
    source, saved = safety(local_db), frames_of(local_db, BUCKETS[name])

    same = restore(source, local_db, before=safety(local_db), collections=(name,))[name]
    copy = local_db.client[f"{local_db.name}_copy"]
    copied = restore(source, copy, in_place=False, collections=(name,))[name]
    there = frames_of(copy, BUCKETS[name])
    local_db.client.drop_database(copy.name)
    local_db.drop_collection(name)
    again = restore(source, local_db, before=safety(local_db), collections=(name,))[name]

    assert (same.complete, same.unchanged) == (True, len(saved))
    assert (copied.complete, there) == (True, saved)
    assert (again.complete, frames_of(local_db, BUCKETS[name])) == (True, saved)
