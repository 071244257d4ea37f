"""A backup folder belongs to one database: an instance of another one is refused before it touches anything there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from pymongo.database import Database

from backups_app.assurance.sentence import Level
from backups_app.backup_files.store.store import Store
from backups_app.catalog import lease
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import StoreOfAnotherDatabase
from backups_app.mongo import connections
from backups_app.mongo.connections import ServerFacts
from backups_app.records import Origin
from backups_app.runs.recovery import clearing, recovery
from backups_app.use_cases import verification
from backups_app.use_cases.doctor import doctor
from backups_app.use_cases.listing import listing
from backups_app.use_cases.readiness import readiness
from backups_app.use_cases.restores import restores
from backups_app.use_cases.status import status
from tests.journeys.conftest import now, run_backup
from tests.journeys.test_dated_in_future import command

pytestmark = pytest.mark.django_db(transaction=True)
Mongo = Database[dict[str, Any]]
CODE = "store_of_another_database"


@pytest.fixture
def theirs(seeded: Configuration, local_db: Mongo) -> Iterator[Configuration]:
    """Another temple on the same server, whose instance was given the folder of this one."""
    name = f"{seeded.database_name}_too"
    local_db.client[name]["bookings"].insert_one({"_id": 1})
    yield dataclasses.replace(seeded, database_name=name, cloud_url=type(seeded.cloud_url)(""))
    local_db.client.drop_database(name)


@pytest.fixture
def good(seeded: Configuration) -> RunRecord:
    return run_backup(delete_bookings=False)


def without_a_name(configuration: Configuration) -> None:
    """The folder as it was before `.store_id` named a database."""
    file = configuration.backup_dir / ".store_id"
    file.write_text(file.read_text().splitlines()[0] + "\n")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_store_names_its_database(seeded: Configuration, good: RunRecord) -> None:
    store_id, name = (seeded.backup_dir / ".store_id").read_text().splitlines()

    assert name == seeded.database_name
    assert store_id == good["store_id"]


@pytest.mark.parametrize("named", [True, False], ids=["named", "from before it had a name"])
def test_another_databases_instance_is_refused_everywhere(
    seeded: Configuration, good: RunRecord, theirs: Configuration, named: bool
) -> None:
    if not named:
        without_a_name(seeded)
    Store(seeded.backup_dir).make_partial("20260101_000000")
    before = contents(seeded.backup_dir)

    with override_settings(TEMPLEOPS=theirs):
        assert [str(one.msg) for one in run_checks(tags=["templeops"]) if one.id == "templeops.W008"]
        message, code = command("backup_now", "--json")
        assert (json.loads(message)["code"], code) == (CODE, 12)
        with pytest.raises(StoreOfAnotherDatabase):
            readiness.require_ready(configuration=theirs)
        reported = status.status(configuration=theirs, now=now())
    assert reported.verdict is Level.NOT_PROTECTED
    assert [refusal.code for refusal in reported.refusals] == [CODE]
    assert CODE in [finding.subject for finding in doctor.examine(configuration=theirs)]

    assert contents(seeded.backup_dir) == before
    assert Store(seeded.backup_dir).partials() == ("20260101_000000",)


def test_its_recovery_tidies_nothing_up(
    seeded: Configuration, good: RunRecord, theirs: Configuration, local_db: Mongo
) -> None:
    other = local_db.client[theirs.database_name]
    lease.remember_store(other, store_id=good["store_id"])
    Store(seeded.backup_dir).make_partial("20260101_000000")

    with pytest.raises(StoreOfAnotherDatabase):
        clearing.clear_the_way(configuration=theirs, database=other, spared="")

    assert Store(seeded.backup_dir).partials() == ("20260101_000000",)


def test_its_dead_run_of_the_same_second_leaves_the_partial_of_the_living_one(
    seeded: Configuration, good: RunRecord, theirs: Configuration, local_db: Mongo
) -> None:
    other = local_db.client[theirs.database_name]
    dead = good | {"_id": "20260101_000000", "backup_id": "20260101_000000", "status": "in_progress"}
    dead = dead | {"phase": "dumping", "steps": []}
    other["backup_metadata"].insert_one(dead)
    Store(seeded.backup_dir).make_partial("20260101_000000")

    recovery.close(configuration=theirs, database=other, document=dead)

    assert Store(seeded.backup_dir).partials() == ("20260101_000000",)


def test_it_takes_no_backup_for_its_own(
    seeded: Configuration, good: RunRecord, theirs: Configuration, local_db: Mongo
) -> None:
    assert [run["backup_id"] for run in listing.list_runs(configuration=theirs)] == [good["backup_id"]]
    assert local_db.client[theirs.database_name]["backup_metadata"].count_documents({}) == 0
    assert status.status(configuration=theirs, now=now()).last_backup is None
    with pytest.raises(Exception, match="no backup"):
        restores.newest_verified(configuration=theirs)


def test_a_foreign_dump_there_is_not_adopted(seeded: Configuration, good: RunRecord, theirs: Configuration) -> None:
    folder = seeded.backup_dir / "backup_20250101_000000" / "x"
    folder.mkdir(parents=True)
    (folder / "bookings.bson").write_bytes(b"")

    with pytest.raises(StoreOfAnotherDatabase):
        verification.verify_backup(
            configuration=theirs, backup_id="20250101_000000", requested_by="x", origin=Origin.COMMAND, now=now()
        )

    assert not (folder.parent / "metadata.json").exists()


def test_a_store_without_a_name_takes_that_of_its_backups(seeded: Configuration, good: RunRecord) -> None:
    without_a_name(seeded)

    assert run_backup(delete_bookings=False)["status"] == "success"

    assert (seeded.backup_dir / ".store_id").read_text().splitlines() == [good["store_id"], seeded.database_name]


def test_the_admin_decides_about_a_store_without_a_name_that_holds_both(
    seeded: Configuration, good: RunRecord, theirs: Configuration
) -> None:
    without_a_name(seeded)

    doctor.adopt_store(configuration=theirs)

    readiness.require_ready(configuration=theirs)
    with pytest.raises(StoreOfAnotherDatabase):
        readiness.require_ready(configuration=seeded)
    with pytest.raises(StoreOfAnotherDatabase):  # a folder that bears a name is taken from nobody
        doctor.adopt_store(configuration=seeded)


def test_age_decides_nothing_while_the_clocks_differ(
    seeded: Configuration, good: RunRecord, local_db: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(seeded.backup_dir, database=seeded.database_name)
    (store.make_partial("20250101_000000") / seeded.database_name).mkdir()
    store.publish("20250101_000000")
    trashed = store.trash("20250101_000000", now=now() - timedelta(days=2))
    facts = connections.facts

    def apart(client: Any) -> ServerFacts:
        return dataclasses.replace(facts(client), clock_ahead_seconds=-601.0)

    with monkeypatch.context() as patched:
        patched.setattr(connections, "facts", apart)
        clearing.clear_the_way(configuration=seeded, database=local_db, spared="")
        assert trashed.is_dir()
    clearing.clear_the_way(configuration=seeded, database=local_db, spared="")
    assert not trashed.exists()
