"""What a sync kept goes only when it is old and two verified backups that are still here hold it, over whole runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_conflicts
from backups_app.catalog.sync.replaced_version import ReplacedVersion
from backups_app.configuration import Configuration
from tests.journeys.conftest import run_backup
from tests.sync.pairs import document, int32

pytestmark = pytest.mark.django_db(transaction=True)
Mongo = Database[dict[str, Any]]


def _keep(database: Mongo, number: int, *, days: int) -> None:
    frame = document(("_id", int32(number)))
    replaced = ReplacedVersion(
        collection="halls", side="remote", reason="conflict", why="newer", frame=frame, other=None
    )
    sync_conflicts.keep(
        database, replaced_versions=[replaced], run_id="r", now=datetime.now(UTC) - timedelta(days=days)
    )


def _kept(database: Mongo) -> set[int]:
    return {one["document_id"] for one in sync_conflicts.newest(database, only_conflicts=False, limit=9)}


@pytest.fixture
def first(configured: Configuration, local_db: Mongo, db: None) -> RunRecord:
    """The first of two backups that hold one version that was kept long ago, and one that was not."""
    local_db["halls"].insert_one({"_id": 1})
    _keep(local_db, 1, days=91)
    _keep(local_db, 2, days=89)
    run = run_backup(delete_bookings=False)
    assert run["status"] == "success"
    run_backup(delete_bookings=False)
    assert _kept(local_db) == {1, 2}, "one backup held them when the second run began"
    return run


def test_a_version_expires_with_the_run_after_two_backups_hold_it(first: RunRecord, local_db: Mongo) -> None:
    _keep(local_db, 3, days=200)

    run_backup(delete_bookings=False)
    assert _kept(local_db) == {2, 3}, "the third is old, but no backup holds it yet"

    run_backup(delete_bookings=False)
    assert _kept(local_db) == {2, 3}, "one backup holds it"

    run_backup(delete_bookings=False)
    assert _kept(local_db) == {2}


def _remove(folder: Path, database: Mongo) -> None:
    shutil.rmtree(folder)


def _cut(folder: Path, database: Mongo) -> None:
    (file,) = folder.glob("*/sync_conflicts.bson")
    file.write_bytes(file.read_bytes()[:-10])


def _spoil(folder: Path, database: Mongo) -> None:
    (file,) = folder.glob("*/sync_conflicts.bson")
    file.write_bytes(file.read_bytes().replace(b"newer", b"older"))


def _found_damaged(folder: Path, database: Mongo) -> None:
    runs.amend(
        database, backup_id=folder.name.removeprefix("backup_"), changes={"verification": {"problem": "it is damaged"}}
    )


def _unverified(folder: Path, database: Mongo) -> None:
    (folder / "metadata.json").unlink()


def _date_in_the_future(folder: Path, database: Mongo) -> None:
    ahead = {"created_at": datetime.now(UTC) + timedelta(days=30)}
    runs.amend(database, backup_id=folder.name.removeprefix("backup_"), changes=ahead)


def _date_the_folder_in_the_future(folder: Path, database: Mongo) -> None:
    """Its record is lost, so the folder speaks."""
    database["backup_metadata"].delete_one({"_id": folder.name.removeprefix("backup_")})
    written = metadata.read(folder) or {}
    metadata.write(folder, written | {"created_at": "2099-01-01T00:00:00+00:00"})


def _begins_from_the_other(folder: Path, database: Mongo) -> None:
    """An incremental and its base are one backup: where the base's disk rots, both are gone."""
    (base,) = (one.name.removeprefix("backup_") for one in folder.parent.glob("backup_*") if one != folder)
    written = metadata.read(folder) or {}
    metadata.write(folder, written | {"incremental": {"base": base, "number": 1}})


HARMS = [
    _remove,
    _cut,
    _spoil,
    _found_damaged,
    _unverified,
    _date_in_the_future,
    _date_the_folder_in_the_future,
    _begins_from_the_other,
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__.strip("_"))
def test_a_version_that_no_two_sound_backups_hold_any_more_does_not_expire(
    first: RunRecord, local_db: Mongo, harm: Callable[[Path, Mongo], None]
) -> None:
    harm(Path(first["backup_path"]), local_db)

    run_backup(delete_bookings=False)

    assert _kept(local_db) == {1, 2}
