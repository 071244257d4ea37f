"""What may happen between two incrementals besides writes: a purge, a restore, an oplog that is too short. Each one is
the whole state all the same."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import contents, run_backup
from tests.journeys.test_incremental_runs import assert_whole, full, incremental, message
from tests.journeys.test_restore import restore

pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]
LONGEST_SECONDS = 60


def test_the_next_one_after_a_purge_lacks_what_was_deleted(seeded: Configuration, local_db: Db) -> None:
    """It begins from the purge's own backup, which holds what the purge deleted."""
    full()
    incremental()

    purge = run_backup(delete_bookings=True)
    after = incremental()
    again = incremental()

    assert purge["status"] == "success"
    assert after.incremental.base == again.incremental.base == purge.id
    assert (after.incremental.read, again.incremental.read) == ("stream", "stream")
    assert not contents(local_db).get("bookings")
    assert_whole(after, seeded, local_db)
    assert_whole(again, seeded, local_db)


def test_the_next_one_after_a_restore_is_what_was_restored(seeded: Configuration, local_db: Db) -> None:
    base = full()
    incremental()
    local_db["devotees"].update_many({"_id": {"$lt": 5}}, {"$set": {"name": "edited"}})
    local_db["devotees"].delete_one({"_id": 7})
    edited = incremental()

    for backup in (base, edited):
        replace = restores.choose(configuration=seeded, backup_id=backup.id, collections=["devotees"], mode="replace")
        assert restore(seeded, replace)["status"] == "success"
        after = incremental()

        assert after.incremental.base == base.id
        assert_whole(after, seeded, local_db)


@pytest.fixture
def short_of_memory(configured: Configuration, tmp_path: Path, db: None) -> Iterator[tuple[Configuration, Db]]:
    """A replica set of one whose oplog holds a megabyte behind the last checkpoint, and no Atlas."""
    with (
        EmbeddedServer(
            data_dir=tmp_path / "short", replica_set="short", oplog_megabytes=1, checkpoint_seconds=1
        ) as server,
        server.client() as client,
    ):
        configuration = dataclasses.replace(configured, local_url=Secret(server.uri), cloud_url=Secret(""))
        with override_settings(TEMPLEOPS=configuration):
            yield configuration, client[configuration.database_name]


def test_when_the_oplog_has_overrun_the_token_everything_is_read(short_of_memory: tuple[Configuration, Db]) -> None:
    configuration, database = short_of_memory
    database["bookings"].insert_many([{"_id": n, "name": "Lakshmi"} for n in range(50)])
    base = full()
    incremental()
    database["bookings"].update_one({"_id": 3}, {"$set": {"name": "edited"}})
    assert incremental().incremental.read == "stream"

    overrun(database, base)
    database["bookings"].delete_one({"_id": 4})
    run = incremental()

    assert (run.incremental.base, run.incremental.read) == (base.id, "all")
    assert message(run, "Everything was read, because its history is gone (code 286).")
    assert_whole(run, configuration, database)


def overrun(database: Db, base: RunRecord) -> None:
    """Write until the server has forgotten the token of the base."""
    stream, deadline = base.stream, time.monotonic() + LONGEST_SECONDS
    assert stream is not None
    while time.monotonic() < deadline:
        database["noise"].insert_many([{"filling": "x" * 10_000} for _ in range(200)])
        database["noise"].delete_many({})
        try:
            database.watch(start_after=stream.token).close()
        except OperationFailure as error:
            assert error.code == 286, error  # ChangeStreamHistoryLost
            return
    raise AssertionError("the oplog kept everything")
