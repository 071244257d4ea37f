"""A whole run with the real mongodump, where it is installed: the engine may be another, the promises are the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo.database import Database

from backups_app.configuration import Configuration
from backups_app.mongo import mongodump_process

from .conftest import PURGED, contents, raw_documents, run_backup, saved_documents

Db = Database[dict[str, Any]]


@pytest.mark.skipif(
    mongodump_process.find("mongodump") is None, reason="mongodump is not on PATH, so no run was made with it."
)
def test_a_run_with_mongodump_purges_what_it_saved_and_nothing_else(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, backup_engine="mongodump")):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["engine"], run["error_code"]) == ("success", "mongodump", None)
    assert run["consistency"]["kind"] == "per_collection"
    assert all(raw_documents(side, name) == {} for side in (local_db, remote_db) for name in PURGED)
    assert contents(local_db) == contents(remote_db)
    saved = {name: saved_documents(Path(run["backup_path"]), local_db.name, name) for name in PURGED}
    assert {name: len(documents) for name, documents in saved.items()} == {
        "activities": 25, "bookings": 52, "employee_bookings": 12,
    }  # fmt: skip
