"""What the end of a restore leaves: a way back also for what it created, a record that outlives its database, and every
refusal by name."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.backup_files.collection_metadata import Described
from backups_app.configuration import Configuration
from backups_app.management.terminal import restore_text
from backups_app.pages.restore import restore_flow
from backups_app.restore.source import Source
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import contents, run_backup
from tests.journeys.test_restore import command, restore

Db = Database[dict[str, Any]]
pytestmark = pytest.mark.django_db


def test_undo_empties_what_the_restore_created_and_says_that_the_collection_stays(
    seeded: Configuration, local_db: Db
) -> None:
    backup = run_backup(delete_bookings=False)
    local_db.drop_collection("devotees")
    local_db["bookings"].update_one({"_id": "bookings-1"}, {"$set": {"name": "edited"}})
    before = contents(local_db)
    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], mode="overwrite"))
    assert len(contents(local_db)["devotees"]) == 30

    choices = restores.undo(configuration=seeded, run=run)
    shown = {one.name: one for one in restores.preview_restore(configuration=seeded, choices=choices).collections}
    undone = restore(seeded, choices)

    stays = '"devotees" was not there before: its documents are removed, the collection itself stays.'
    assert (shown["devotees"].delete, shown["devotees"].problems) == (30, [stays])
    assert undone["status"] == "success", undone["error_message"]
    assert contents(local_db) == before | {"devotees": {}}
    assert "phone_1" in local_db["devotees"].index_information()
    assert any(stays in line for line in restore_text.outcome_lines(undone))


def lost_log_and_devotees(configuration: Configuration, local_db: Db) -> dict[str, Any]:
    """A backup that holds the log of a sync; then that log and some devotees are lost."""
    backup = run_backup(delete_bookings=False)
    local_db["devotees"].delete_many({"_id": {"$lt": 4}})
    local_db["sync_logs"].delete_many({})
    return {"configuration": configuration, "backup_id": backup.id}


def test_undo_leaves_our_own_records_that_the_restore_added_and_says_so(seeded: Configuration, local_db: Db) -> None:
    asked = lost_log_and_devotees(seeded, local_db)
    before = contents(local_db)
    run = restore(seeded, restores.choose(**asked, collections=["sync_logs", "devotees"]))
    assert {one["name"]: one["inserted"] for one in run.restore.collections} == {"sync_logs": 1, "devotees": 4}

    choices = restores.undo(configuration=seeded, run=run)
    shown = restores.preview_restore(configuration=seeded, choices=choices)
    undone = restore(seeded, choices)

    stays = "this product's own records are never deleted: what the restore added stays"
    assert [(one.name, one.reason) for one in shown.left_out] == [("sync_logs", stays)]
    assert f"Left out: sync_logs ({stays})" in list(restore_text.preview_lines(shown))
    assert ("sync_logs", stays) in restore_flow.preview_of(shown).problems
    assert (undone.status, contents(local_db)) == ("success", before)
    sentence = "What the undone restore added to sync_logs stays: this product's own records are never deleted."
    assert sentence in undone.warnings and sentence in list(restore_text.outcome_lines(undone))


def test_a_restore_of_our_own_records_alone_has_nothing_to_undo(seeded: Configuration, local_db: Db) -> None:
    asked = lost_log_and_devotees(seeded, local_db)
    run = restore(seeded, restores.choose(**asked, collections=["sync_logs"]))

    code, answer = command("backup_restore", "--undo", run.id, "--confirm", "RESTORE")

    assert (code, answer["code"]) == (1, "only_own_records_to_undo")
    assert "(sync_logs)" in answer["detail"]


def test_only_an_undo_empties_what_a_backup_does_not_hold(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    local_db.drop_collection("devotees")
    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"]))
    local_db["later"].insert_one({"_id": 1})
    safety = run["_id"]

    for wanted in (
        {"collections": ["later"], "mode": "replace"},
        {"collections": ["devotees"], "mode": "overwrite"},
        {"collections": ["devotees"], "to": f"{local_db.name}_copy"},
    ):
        choices = restores.choose(configuration=seeded, backup_id=safety, **wanted)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="holds no collection"):
            restores.preview_restore(configuration=seeded, choices=choices)
    everything = restores.choose(configuration=seeded, backup_id=safety, mode="replace")

    assert "devotees" not in [
        one.name for one in restores.preview_restore(configuration=seeded, choices=everything).collections
    ]


def test_a_record_rebuilt_from_its_folder_has_its_numbers_and_its_undo(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    local_db["devotees"].delete_many({"_id": {"$lt": 4}})
    before = contents(local_db)
    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], collections=["devotees"]))
    local_db.drop_collection("backup_metadata")

    rebuilt = listing.get_run(configuration=seeded, backup_id=run["_id"])
    undone = restore(seeded, restores.undo(configuration=seeded, run=rebuilt))

    assert (rebuilt["kind"], rebuilt["restore"]["sums"]["inserted"]) == ("restore", 4)
    assert "4 added" in rebuilt["message"]
    assert (undone["status"], contents(local_db)) == ("success", before)
    assert "restore" not in (metadata.read(seeded.backup_dir / f"backup_{backup['_id']}") or {})


def test_an_index_refused_in_a_collection_that_stays_empty_is_named(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = run_backup(delete_bookings=True)
    local_db.drop_collection("activities")
    haystack = {"v": 2, "key": {"at": "geoHaystack", "n": 1}, "name": "of_an_old_server", "bucketSize": 1}
    described = Source.described

    def with_an_old_index(source: Source, name: str) -> Described:
        found = described(source, name)
        return Described(options=found.options, indexes=(*found.indexes, haystack)) if name == "activities" else found

    monkeypatch.setattr(Source, "described", with_an_old_index)

    code, reported = command("backup_restore", backup["_id"])

    (activities,) = [one for one in reported["restore"]["collections"] if one["name"] == "activities"]
    assert (code, reported["status"], reported["error_code"]) == (3, "partial", "restore_differs")
    assert activities["created"] and activities["inserted"] == 0
    assert activities["sentences"] == ['index "of_an_old_server" of "activities" could not be made (CannotCreateIndex)']
    assert "activities" in local_db.list_collection_names()


def test_what_a_purge_emptied_and_somebody_dropped_is_made_again_empty(seeded: Configuration, local_db: Db) -> None:
    local_db["activities"].create_index("name", name="by_name")
    backup = run_backup(delete_bookings=True)
    local_db.drop_collection("activities")

    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"]))

    assert run["status"] == "success", run["error_message"]
    assert local_db["activities"].count_documents({}) == 0
    assert "by_name" in local_db["activities"].index_information()


def test_after_the_loss_of_the_database_a_sync_finds_rules_and_indexes_the_same(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    for side in (local_db, remote_db):
        side.create_collection("rooms", validator={"beds": {"$type": "int"}})
        side["rooms"].insert_one({"_id": 1, "beds": 2})
    backup = run_backup(delete_bookings=False)
    local_db.drop_collection("rooms")

    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"]))
    code, log = command("backup_sync")

    assert (run["status"], code) == ("success", 0)
    assert "differs" not in str(log)
