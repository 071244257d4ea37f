"""Restore as an administrator meets it: preview, confirm, safety backup, proof, undo, test copies, rehearsal."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pymongo.database import Database
from pymongo.errors import AutoReconnect

from backups_app.backup_files import metadata
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput, NotATestCopy, PreviewOutdated, RestoreTargetTaken
from backups_app.mongo import scratch, scratch_names
from backups_app.records import Origin, Side, Status
from backups_app.restore.choices import Choices
from backups_app.restore.engine import Engine
from backups_app.restore.outcome import CollectionOutcome
from backups_app.runs.steps import restore_parts
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import restores
from backups_app.use_cases.status import status
from tests.journeys.conftest import contents, now, run_backup

Db = Database[dict[str, Any]]
pytestmark = pytest.mark.django_db


def restore(configuration: Configuration, choices: Choices) -> RunRecord:
    """Preview, confirm what was shown, and carry it out here."""
    shown = restores.preview_restore(configuration=configuration, choices=choices)
    started = restores.start(
        choices=choices,
        confirmation=shown.confirmation,
        created_by="ananya",
        origin=Origin.COMMAND,
        now=now(),
        enqueue=False,
    )
    return backups.execute(backup_id=started["backup_id"])


def command(*arguments: str) -> tuple[int, Any]:
    out = StringIO()
    try:
        call_command(*arguments, "--json", stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_what_was_purged_is_left_out_until_it_is_chosen_and_then_reaches_both_sides(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    backup = run_backup(delete_bookings=True)
    assert backup["status"] == Status.SUCCESS
    before = contents(local_db)
    choose = {"configuration": seeded, "backup_id": backup["_id"]}

    plain = restores.preview_restore(configuration=seeded, choices=restores.choose(**choose))
    chosen = restores.choose(**choose, collections=["bookings", "employee_bookings"])
    shown = restores.preview_restore(configuration=seeded, choices=chosen)
    run = restore(seeded, chosen)
    run_backup(delete_bookings=False)
    run_backup(delete_bookings=False)

    assert {entry.name: entry.emptied_by for entry in plain.left_out if entry.emptied_by} == {
        "activities": backup["_id"], "bookings": backup["_id"], "employee_bookings": backup["_id"],
    }  # fmt: skip
    assert plain.total("insert") == 0
    assert (shown.total("insert"), shown.needs_the_phrase) == (64, False)
    assert (run["status"], run["restore"]["sums"]["inserted"], run["restore"]["sums"]["proven"]) == ("success", 64, 64)
    assert before["bookings"] == {}
    for side in (local_db, remote_db):
        assert len(contents(side)["bookings"]) == 52
        assert len(contents(side)["employee_bookings"]) == 12
    assert contents(local_db)["bookings"] == contents(remote_db)["bookings"]


def test_a_restore_begins_with_a_safety_backup_and_undo_brings_it_back(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    local_db["devotees"].update_one({"_id": 1}, {"$set": {"name": "edited"}})
    local_db["devotees"].delete_one({"_id": 2})
    local_db["devotees"].insert_one({"_id": 99, "phone": "new"})
    edited = contents(local_db)

    replace = restores.choose(configuration=seeded, backup_id=backup["_id"], collections=["devotees"], mode="replace")
    run = restore(seeded, replace)
    restored = contents(local_db)["devotees"]
    undone = restore(seeded, restores.undo(configuration=seeded, run=run))

    sums = run["restore"]["sums"]
    assert (run["kind"], run["status"]) == ("restore", "success")
    assert (sums["inserted"], sums["replaced"], sums["deleted"], sums["unchanged"]) == (1, 1, 1, 28)
    assert len(restored) == 30
    written = metadata.read(seeded.backup_dir / f"backup_{run['_id']}")
    assert written is not None and written["holds_alone"] == {"devotees": 2}
    assert undone["status"] == "success"
    assert contents(local_db) == edited


def test_only_what_was_shown_can_be_confirmed(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    choices = restores.choose(configuration=seeded, backup_id=backup["_id"], collections=["devotees"])
    other = restores.choose(configuration=seeded, backup_id=backup["_id"], collections=["bookings"])
    shown = restores.preview_restore(configuration=seeded, choices=other)

    for confirmation in (shown.confirmation, None, ""):
        with pytest.raises(PreviewOutdated):
            restores.start(
                choices=choices, confirmation=confirmation, created_by="x", origin=Origin.API, now=now(), enqueue=False
            )


def test_an_open_purge_lets_go_of_what_a_restore_puts_back(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=True)
    frames = list(contents(local_db)["devotees"].values())
    purge_ledger.open_batch(
        local_db, run_id=backup["_id"], collection="devotees", first=0, frames=frames, sides=[Side.LOCAL], now=now()
    )
    local_db["devotees"].delete_many({"_id": {"$lt": 10}})

    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], collections=["devotees"]))

    assert run["restore"]["sums"]["inserted"] == 10
    assert purge_ledger.runs_with_open(local_db) == []


def test_a_test_copy_is_marked_listed_removed_and_never_the_temples_database(
    seeded: Configuration, local_db: Db
) -> None:
    backup = run_backup(delete_bookings=True)
    name = restores.copy_name(configuration=seeded, backup_id=backup["_id"])
    before = contents(local_db)

    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], to=name))
    listed = [copy.database for copy in restores.list_copies(configuration=seeded)]
    copied = contents(local_db.client[name])
    restores.remove_copy(configuration=seeded, name=name, removed_by="ananya", origin=Origin.WEB, now=now())

    assert (run["kind"], run["status"]) == ("test_copy", "success")
    assert len(copied["bookings"]) == 52
    assert name in listed
    assert name not in local_db.client.list_database_names()
    assert contents(local_db) == before
    for wrong in (local_db.name, local_db.name.upper(), "admin"):
        with pytest.raises(InvalidInput):
            restores.remove_copy(configuration=seeded, name=wrong, removed_by="x", origin=Origin.WEB, now=now())


def test_a_database_that_is_not_ours_is_neither_written_nor_dropped(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    stranger = local_db.client[f"{local_db.name}_other"]
    stranger["c"].insert_one({"_id": 1})

    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], to=stranger.name))

    assert (run["status"], run["error_code"]) == ("failed", RestoreTargetTaken.code)
    with pytest.raises(NotATestCopy):
        restores.remove_copy(configuration=seeded, name=stranger.name, removed_by="x", origin=Origin.WEB, now=now())
    assert stranger.list_collection_names() == ["c"]
    local_db.client.drop_database(stranger.name)


def test_a_rehearsal_proves_a_backup_and_leaves_nothing(seeded: Configuration, local_db: Db) -> None:
    run_backup(delete_bookings=False)
    databases = set(local_db.client.list_database_names())

    code, reported = command("backup_rehearse")
    proven = status.status(configuration=seeded, now=now()).last_proven

    assert (code, reported["status"], reported["kind"]) == (0, "success", "rehearsal")
    assert proven is not None
    assert "collections match" in proven["steps"][-1]["sentence"]
    assert set(local_db.client.list_database_names()) == databases


def test_a_rehearsal_leaves_the_scratch_of_another_temple_alone(seeded: Configuration, local_db: Db) -> None:
    run_backup(delete_bookings=False)
    other = f"durga_{local_db.name}"
    wanted: dict[str, Any] = {
        "name": scratch_names.rehearsal_name(other),
        "temple": other,
        "backup_id": "x",
        "now": now(),
    }

    with scratch.lent(local_db.client, created_by="ravi", **wanted) as writing:
        writing["bookings"].insert_one({"_id": 1})
        code, reported = command("backup_rehearse")

        assert (code, reported["status"]) == (0, "success"), reported["error_message"]
        assert writing["bookings"].count_documents({}) == 1
        assert writing.name not in [copy.database for copy in restores.list_copies(configuration=seeded)]
        with pytest.raises(NotATestCopy):
            restores.remove_copy(configuration=seeded, name=writing.name, removed_by="x", origin=Origin.WEB, now=now())


def test_the_database_of_restore_tests_is_no_test_copy_and_one_from_before_is_not_dropped(
    seeded: Configuration, local_db: Db
) -> None:
    backup = run_backup(delete_bookings=False)
    name = scratch_names.rehearsal_name(local_db.name)
    with pytest.raises(InvalidInput, match="restore tests use it"):
        restores.choose(configuration=seeded, backup_id=backup.id, to=name)
    copy = scratch.make(
        local_db.client, name=name, temple=local_db.name, backup_id=backup.id, purpose=scratch.TEST_COPY,
        created_by="ravi", now=now(),
    )  # fmt: skip
    copy["bookings"].insert_one({"_id": "edited here"})

    code, reported = command("backup_rehearse")

    assert (code, reported["status"], reported["error_code"]) == (1, "failed", RestoreTargetTaken.code)
    assert f"backup_restore --remove-copy {name}" in reported["error_message"]
    assert copy["bookings"].count_documents({}) == 1
    local_db.client.drop_database(name)


def test_a_damaged_backup_is_refused_before_anything_is_written(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=True)
    path = seeded.backup_dir / f"backup_{backup['_id']}" / local_db.name / "bookings.bson"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before = contents(local_db)

    code, reported = command("backup_rehearse", backup["_id"])
    refused, answer = command("backup_restore", backup["_id"], "--collections", "bookings")

    assert (code, reported["error_code"]) == (5, "verification_failed")
    assert (refused, answer["code"]) == (5, "verification_failed")
    assert contents(local_db) == before


def test_the_command_previews_confirms_and_refuses(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    local_db["devotees"].delete_one({"_id": 3})
    wanted = ("backup_restore", backup["_id"], "--collections", "devotees")

    dry = command(*wanted, "--dry-run")
    unconfirmed = command(*wanted, "--mode", "replace")
    single = command(*wanted, "--id", "3")
    unknown = command("backup_restore", "20200101_000000")
    nothing = command("backup_restore", backup["_id"], "--collections", "nothing")

    assert (dry[0], dry[1]["totals"]["insert"], dry[1]["needs_phrase"]) == (0, 1, False)
    assert (unconfirmed[0], unconfirmed[1]["code"]) == (2, "confirmation_missing")
    assert (single[0], single[1]["restore"]["sums"]["inserted"]) == (0, 1)
    assert (unknown[0], nothing[0]) == (10, 10)
    assert command(*wanted, "--mode", "replace", "--confirm", "RESTORE")[0] == 0


def test_after_the_loss_of_the_database_everything_comes_back(seeded: Configuration, local_db: Db) -> None:
    backup = run_backup(delete_bookings=False)
    before = contents(local_db)
    local_db.client.drop_database(local_db.name)

    code, reported = command("backup_restore", backup["_id"])

    assert (code, reported["status"]) == (0, "success")
    assert contents(local_db) == before
    assert runs.get(local_db, backup_id=reported["backup_id"]) is not None
    assert "phone_1" in local_db["devotees"].index_information()


def test_large_collections_are_put_in_place_side_by_side(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_parts, "LARGE", 1)
    backup = run_backup(delete_bookings=False)
    target = f"{local_db.name}_copy"
    run = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"], to=target))
    copied = contents(local_db.client[target])
    local_db.client.drop_database(target)

    assert run.status == Status.SUCCESS, run.error_message
    assert run.restore.names == ("activities", "bookings", "devotees", "employee_bookings")
    assert {entry["name"]: entry["proven"] for entry in run.restore.collections} == {
        name: len(copied[name]) for name in run.restore.names
    }
    assert {name: copied[name] for name in ("bookings", "devotees")} == {
        name: contents(local_db)[name] for name in ("bookings", "devotees")
    }
    assert (run.restore.at_work, run.restore.unfinished) == ((), ())


def test_where_one_of_two_fails_the_record_names_what_was_at_work(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_parts, "LARGE", 1)
    backup = run_backup(delete_bookings=False)
    for name in contents(local_db):
        local_db.drop_collection(name)
    real = Engine.restore

    def fails(engine: Engine, name: str) -> CollectionOutcome:
        if name == "bookings":
            raise AutoReconnect("the line was cut")
        return real(engine, name)

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "restore", fails)
        cut = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"]))
    again = restore(seeded, restores.choose(configuration=seeded, backup_id=backup["_id"]))

    assert cut.error_code == "restore_unfinished"
    assert "bookings" in cut.restore.at_work
    assert "bookings" not in cut.restore.names
    assert again.status == Status.SUCCESS, again.error_message
    assert len(contents(local_db)["bookings"]) > 0
