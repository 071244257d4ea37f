"""A run from its start to its end on two real servers: what is synced, saved, verified, deleted and stated."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration, Secret
from backups_app.errors import (
    DatabaseNotFound,
    IdempotencyKeyReused,
    InvalidInput,
    LocalUrlMissing,
    ModeNotLocal,
    MongodumpMissing,
    RunActive,
    StoreMissing,
)
from backups_app.records import Origin
from backups_app.runs.recovery import housekeeping
from backups_app.use_cases.backups import backups, new_run
from backups_app.use_cases.listing import listing
from tests.conftest import NOBODY

from .conftest import PURGED, contents, now, raw_documents, run_backup, saved_documents

Db = Database[dict[str, Any]]


def folder_of(run: dict[str, Any]) -> Path:
    return Path(run["backup_path"])


def test_a_run_with_deletion_empties_both_sides_and_every_purged_document_is_in_the_backup(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"], run["error_code"]) == ("success", "success", None)
    assert contents(local_db) == contents(remote_db)
    assert all(raw_documents(side, name) == {} for side in (local_db, remote_db) for name in PURGED)
    saved = {name: saved_documents(folder_of(run), local_db.name, name) for name in PURGED}
    assert {name: len(documents) for name, documents in saved.items()} == {
        "activities": 25, "bookings": 52, "employee_bookings": 12,
    }  # fmt: skip
    assert run["collections_deleted_local"] == run["collections_deleted_remote"]
    assert sorted(run["collections_deleted_local"]) == [
        "activities (25 documents)", "bookings (52 documents)", "employee_bookings (12 documents)",
    ]  # fmt: skip


def test_what_was_live_before_the_purge_is_in_the_backup_byte_for_byte(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    before = contents(local_db), contents(remote_db)

    run = run_backup(delete_bookings=True)

    for name in PURGED:
        saved = saved_documents(folder_of(run), local_db.name, name)
        assert saved == before[0][name] | before[1][name]


def test_keeping_bookings_deletes_the_activities_and_nothing_else(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    run = run_backup(delete_bookings=False)

    assert run["status"] == "success"
    assert run["collections_deleted_local"] == run["collections_deleted_remote"] == ["activities (25 documents)"]
    assert len(raw_documents(local_db, "bookings")) == len(raw_documents(remote_db, "bookings")) == 52
    assert raw_documents(local_db, "activities") == {}


def test_indexes_and_the_empty_collections_stay_after_a_purge(seeded: Configuration, local_db: Db) -> None:
    local_db["bookings"].create_index("name")

    run_backup(delete_bookings=True)

    assert set(PURGED) <= set(local_db.list_collection_names())
    assert "name_1" in local_db["bookings"].index_information()


def test_the_folder_is_as_the_specification_draws_it(seeded: Configuration, local_db: Db) -> None:
    run = run_backup(delete_bookings=False)

    folder = folder_of(run)
    assert folder.name == f"backup_{run['backup_id']}"
    assert (folder / local_db.name / "bookings.bson").is_file()
    assert (folder / local_db.name / "bookings.metadata.json").is_file()
    written = json.loads((folder / "metadata.json").read_text())
    assert written["status"] == "success"
    assert written["backup_id"] == run["backup_id"]
    assert written["manifest"]["collections"]["bookings"]["documents"] == 52
    assert written["audit"]["count"] > 0
    assert all(entry.stat().st_mode & 0o077 == 0 for entry in [folder, *folder.rglob("*")])
    assert not list(seeded.backup_dir.glob(".partial-*"))


def test_without_atlas_the_run_syncs_nothing_and_can_be_a_success(seeded: Configuration, local_db: Db) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"]) == ("success", "skipped")
    assert raw_documents(local_db, "bookings") == {}
    assert run["collections_deleted_remote"] == []


def test_with_atlas_down_there_is_a_backup_with_a_warning_and_nothing_is_deleted(
    seeded: Configuration, local_db: Db
) -> None:
    before = contents(local_db)

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=NOBODY)):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"]) == ("partial", "failed")
    assert run["warnings"]
    assert run["resume_available"] is False
    assert run["collections_deleted_local"] == run["collections_deleted_remote"] == []
    assert contents(local_db) == before
    assert saved_documents(folder_of(run), local_db.name, "bookings") == before["bookings"]


def test_with_the_abort_policy_a_failed_sync_makes_no_backup(seeded: Configuration, local_db: Db) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=NOBODY, sync_failure_policy="abort")):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"]) == ("failed", "failed")
    assert not list(seeded.backup_dir.glob("backup_*"))
    assert len(raw_documents(local_db, "activities")) == 25


def test_the_list_is_still_there_when_backup_metadata_is_dropped(seeded: Configuration, local_db: Db) -> None:
    first, second = run_backup(delete_bookings=False), run_backup(delete_bookings=True)
    local_db.drop_collection("backup_metadata")

    listed = listing.list_runs(configuration=seeded)

    assert [run["backup_id"] for run in listed] == [second["backup_id"], first["backup_id"]]
    assert [run["status"] for run in listed] == ["success", "success"]
    assert local_db["backup_metadata"].count_documents({}) == 0, "reading writes nothing"

    housekeeping.tick(configuration=seeded, now=now())

    assert local_db["backup_metadata"].count_documents({}) == 2
    assert (
        listing.list_runs(configuration=seeded)[0]["collections_deleted_local"] == second["collections_deleted_local"]
    )


def test_the_list_is_still_there_when_the_server_is_down(seeded: Configuration) -> None:
    made = run_backup(delete_bookings=False)

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, local_url=NOBODY)) as _:
        from backups_app import configuration

        listed = listing.list_runs(configuration=configuration.current())

    assert [run["backup_id"] for run in listed] == [made["backup_id"]]


def test_every_step_says_when_it_began_and_ended(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=True)

    assert [step["name"] for step in run["steps"]] == [
        "preflight", "settle", "sync", "dump", "verify", "publish", "purge_remote", "purge_local",
    ]  # fmt: skip
    times = [moment for step in run["steps"] for moment in (step["started_at"], step["finished_at"])]
    assert None not in times
    assert times == sorted(times)


def test_two_runs_of_one_second_have_two_ids(seeded: Configuration) -> None:
    at = now()

    ids = []
    for _ in range(2):
        started = backups.start_backup(
            created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=at, enqueue=False
        )
        ids.append(backups.execute(backup_id=started["backup_id"])["backup_id"])

    assert ids[1] == f"{ids[0]}_01"


def test_a_second_trigger_is_refused_while_one_is_queued(seeded: Configuration) -> None:
    first = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=now(), enqueue=False
    )

    with pytest.raises(RunActive) as refused:
        run_backup(delete_bookings=False)

    assert refused.value.facts["backup_id"] == first["backup_id"]


def test_the_same_idempotency_key_is_the_same_run_and_another_body_is_refused(seeded: Configuration) -> None:
    first = run_backup(delete_bookings=False, idempotency_key="k-1")

    again = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.API, now=now(), idempotency_key="k-1"
    )

    assert again["backup_id"] == first["backup_id"]
    with pytest.raises(IdempotencyKeyReused):
        backups.start_backup(
            created_by="ananya", delete_bookings=True, origin=Origin.API, now=now(), idempotency_key="k-1"
        )


@pytest.mark.django_db(transaction=True)
def test_requests_with_one_key_at_once_are_one_run(seeded: Configuration, local_db: Db) -> None:
    """As many as come at once, several times: one starts it, none is refused."""

    def ask(key: str) -> str:
        try:
            started = backups.start_backup(
                created_by="ananya", delete_bookings=False, origin=Origin.API, now=now(), idempotency_key=key,
                enqueue=False,
            )  # fmt: skip
        finally:
            connection.close()
        return str(started["backup_id"])

    for key in ("one", "two", "three"):
        with ThreadPoolExecutor(max_workers=8) as pool:
            ids = set(pool.map(ask, [key] * 16))
        assert len(ids) == 1
        backups.execute(backup_id=ids.pop())
    assert local_db["backup_metadata"].count_documents({}) == 3


def test_a_key_decides_also_when_the_run_ended_before_the_other_was_written(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who looked before the run existed and writes after its end must not start a second one."""
    real, first = new_run.create, []

    def overtaken(database: Db, document: RunRecord, configuration: Configuration) -> RunRecord:
        monkeypatch.setattr(new_run, "create", real)
        first.append(run_backup(delete_bookings=False, idempotency_key="k"))
        return real(database, document, configuration)

    monkeypatch.setattr(new_run, "create", overtaken)

    late = run_backup(delete_bookings=False, idempotency_key="k")

    assert late["backup_id"] == first[0]["backup_id"]
    assert local_db["backup_metadata"].count_documents({}) == 1


def test_a_key_may_be_used_again_after_a_day(seeded: Configuration) -> None:
    yesterday = now() - timedelta(hours=25)
    old = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=yesterday, idempotency_key="k",
        enqueue=False,
    )  # fmt: skip
    backups.execute(backup_id=old["backup_id"])

    assert run_backup(delete_bookings=True, idempotency_key="k")["backup_id"] != old["backup_id"]


def test_another_run_is_still_refused_whatever_the_key(seeded: Configuration) -> None:
    backups.start_backup(created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=now(), enqueue=False)

    with pytest.raises(RunActive):
        run_backup(delete_bookings=False, idempotency_key="k")


def test_a_queued_run_can_be_cancelled_before_any_worker_takes_it(seeded: Configuration, local_db: Db) -> None:
    started = backups.start_backup(
        created_by="ananya", delete_bookings=True, origin=Origin.WEB, now=now(), enqueue=False
    )

    run = backups.cancel(backup_id=started["backup_id"], requested_by="ravi", origin=Origin.WEB, now=now())

    assert (run["status"], run["error_code"]) == ("cancelled", "cancelled")
    assert "Stopped by ravi" in run["error_message"]
    assert backups.execute(backup_id=started["backup_id"])["status"] == "cancelled"
    assert len(raw_documents(local_db, "bookings")) == 45


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"primary_database": "cloud"}, ModeNotLocal),
        ({"local_url": Secret("")}, LocalUrlMissing),
        ({"database_name": "temple_of_nobody"}, DatabaseNotFound),
        ({"database_name": "admin"}, DatabaseNotFound),
    ],
)
def test_a_wrong_configuration_is_refused_by_name_and_nothing_is_written(
    seeded: Configuration, local_db: Db, changes: dict[str, Any], error: type[Exception]
) -> None:
    before = local_db.client.list_database_names(), local_db.list_collection_names()

    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, **changes)), pytest.raises(error):
        run_backup(delete_bookings=True)

    assert (local_db.client.list_database_names(), local_db.list_collection_names()) == before
    assert list(seeded.backup_dir.iterdir()) == []


def test_mongodump_asked_for_and_missing_is_refused(seeded: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with (
        override_settings(TEMPLEOPS=dataclasses.replace(seeded, backup_engine="mongodump")),
        pytest.raises(MongodumpMissing),
    ):
        run_backup(delete_bookings=False)


def test_a_backup_disk_that_is_not_mounted_is_refused_and_nothing_is_written(
    seeded: Configuration, tmp_path: Path
) -> None:
    run_backup(delete_bookings=False)
    mount_point = tmp_path / "not mounted"
    mount_point.mkdir(mode=0o700)

    with (
        override_settings(TEMPLEOPS=dataclasses.replace(seeded, backup_dir=mount_point)),
        pytest.raises(StoreMissing),
    ):
        run_backup(delete_bookings=False)

    assert list(mount_point.iterdir()) == []


@pytest.mark.parametrize("value", ["true", "false", 1, 0, None, [], {}])
def test_only_a_real_boolean_says_whether_bookings_are_deleted(seeded: Configuration, value: Any) -> None:
    with pytest.raises(InvalidInput):
        run_backup(delete_bookings=value)


def test_both_urls_on_one_server_fail_the_sync_and_delete_nothing(seeded: Configuration, local_db: Db) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=seeded.local_url)):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"]) == ("partial", "failed")
    assert any(step["counts"].get("error_code") == "pair_mismatch" for step in run["steps"])
    assert len(raw_documents(local_db, "bookings")) == 45


def test_the_metadata_of_a_published_backup_mirrors_its_record(seeded: Configuration) -> None:
    run = run_backup(delete_bookings=True)

    written = metadata.read(folder_of(run))

    assert written is not None
    shown = listing.public(run)
    for name in ("status", "sync_status", "collections_deleted_local", "collections_deleted_remote", "steps", "purge"):
        assert written[name] == shown[name], name
    assert written["holds_alone"] == {"bookings": 52, "employee_bookings": 12}


def test_a_run_warns_where_little_of_the_disk_stays_free_and_succeeds(
    seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backups_app.runs.steps.preflight.NEARLY_FULL", 1)

    run = run_backup(delete_bookings=False)

    assert run["status"] == "success"
    assert any("Less than a fifth of the backup disk stays free" in str(one) for one in run["warnings"])
