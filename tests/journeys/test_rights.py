"""What becomes of a run whose user on Atlas may write and may not delete."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient
from pymongo.database import Database

from backups_app.configuration import Configuration, Secret
from backups_app.mongo import connections
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from tests.guarded import PASSWORD, guarded_server, uri

from .conftest import contents, now, run_backup

Db = Database[dict[str, Any]]
ALL_BUT_DELETING = [
    "find", "insert", "update", "createCollection", "createIndex", "listCollections", "listIndexes", "collStats",
    "dbStats", "changeStream",
]  # fmt: skip


@pytest.fixture
def careful(seeded: Configuration, tmp_path: Path) -> Iterator[tuple[Configuration, Db]]:
    """The settings of a temple whose Atlas lets it write and not delete, and that database as its owner sees it."""
    name = seeded.database_name
    with guarded_server(tmp_path) as address, MongoClient[Any](uri(address)) as client:
        may = [{"resource": {"db": name, "collection": ""}, "actions": ALL_BUT_DELETING}]
        client.admin.command("createRole", "careful", privileges=may, roles=[])
        client.admin.command("createUser", "careful", pwd=PASSWORD, roles=["careful"])
        yield dataclasses.replace(seeded, cloud_url=Secret(uri(address, "careful"))), client[name]
        connections.close_all()


def test_without_the_right_to_delete_on_atlas_this_side_stays_whole_and_resume_finishes_it_once_it_is_given(
    careful: tuple[Configuration, Db], local_db: Db
) -> None:
    configuration, atlas = careful
    with override_settings(TEMPLEOPS=configuration):
        run = run_backup(delete_bookings=True)
        before = contents(local_db), contents(atlas)
        atlas.client.admin.command("grantRolesToUser", "careful", roles=["readWriteAnyDatabase"])
        resumed = backups.resume(
            backup_id=run["backup_id"], requested_by="ravi", origin=Origin.WEB, now=now(), keep=False, enqueue=False
        )

    assert (run["status"], run["sync_status"], run["resume_available"]) == ("partial", "success", True), run["steps"]
    assert run["error_code"] == "database_right_missing"
    assert "no right to remove documents" in run["error_message"] and "grantRolesToUser" in run["error_message"]
    assert "both databases can be reached" not in run["error_message"]
    assert before[0] == before[1]
    assert len(before[0]["bookings"]) == 45 and len(before[0]["activities"]) == 25
    assert (resumed["status"], resumed["resume_available"]) == ("success", False)
    assert contents(local_db)["bookings"] == contents(atlas)["bookings"] == {}
