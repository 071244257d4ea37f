"""An owner that stood still for longer than its lease, was overtaken, and wakes up in the middle of its work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.catalog import lease, purge_ledger
from backups_app.catalog.run import run_writers, runs
from backups_app.configuration import Configuration
from backups_app.errors import OwnershipLost
from backups_app.mongo.exact_writes.delete import DeleteOutcome, delete_equal
from backups_app.purge import delete
from backups_app.records import Phase
from backups_app.runs import ownership
from backups_app.runs.closing import closing
from backups_app.runs.recovery import recovery
from backups_app.runs.steps import dump, publish, purge_remote, verify
from backups_app.use_cases.listing import listing

from .conftest import contents, now, run_backup

Db = Database[dict[str, Any]]
LONG_AGO = {"$dateSubtract": {"startDate": "$$NOW", "unit": "hour", "amount": 1}}


def overtake(local: Db, configuration: Configuration) -> str:
    """Let the lease run out and the heart fall silent, as they do while an owner stands still; then recover."""
    running = runs.active(local)
    assert running is not None
    local["backup_lease"].update_one({"_id": "lease"}, [{"$set": {"expires_at": LONG_AGO}}])
    runs.collection(local).update_one({"_id": running["_id"]}, [{"$set": {"heartbeat_at": LONG_AGO}}])
    assert recovery.recover(configuration=configuration, now=now()) == [running["_id"]]
    return str(running["_id"])


def once_before(step: Any, act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something once, as a step of a run begins its work."""
    real, left = step.perform, [act]

    def perform(run: Any) -> Any:
        while left:
            left.pop()()
        return real(run)

    monkeypatch.setattr(step, "perform", perform)


@pytest.mark.parametrize("step", [dump, verify, publish])
def test_overtaken_before_its_backup_stood_it_publishes_nothing_and_deletes_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch, step: Any
) -> None:
    closed: list[str] = []
    once_before(step, lambda: closed.append(overtake(local_db, seeded)), monkeypatch)

    run_backup(delete_bookings=True)

    run = listing.get_run(configuration=seeded, backup_id=closed[0])
    store = Store(seeded.backup_dir)
    assert (run["status"], run["error_code"], run["published"]) == ("failed", "interrupted", False)
    assert store.backups().ids == ()
    assert contents(local_db) == contents(remote_db)  # synced, and all there
    assert len(contents(local_db)["bookings"]) == 52
    assert run_backup(delete_bookings=True)["status"] == "success"
    assert store.partials() == ()


def test_overtaken_before_the_purge_it_deletes_nothing_and_its_backup_stays(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    once_before(purge_remote, lambda: closed.append(overtake(local_db, seeded)), monkeypatch)

    run_backup(delete_bookings=True)

    run = listing.get_run(configuration=seeded, backup_id=closed[0])
    assert (run["status"], run["published"], run["verified"]) == ("partial", True, True)
    assert len(contents(local_db)["bookings"]) == len(contents(remote_db)["bookings"]) == 52
    assert purge_ledger.runs_with_open(local_db) == []


@pytest.mark.django_db(transaction=True)  # its end is put on record in a thread, which would wait
def test_overtaken_between_the_ledger_and_the_delete_its_batch_is_exact_and_it_goes_no_further(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = delete_equal
    closed: list[str] = []

    def late(*, live: Any, frames: list[bytes]) -> DeleteOutcome:
        if not closed:
            closed.append(overtake(local_db, seeded))
            live.collection.update_one({}, {"$set": {"name": "edited while it slept"}})
        return real(live=live, frames=frames)

    monkeypatch.setattr(delete, "delete_equal", late)
    run_backup(delete_bookings=True)
    monkeypatch.setattr(delete, "delete_equal", real)

    woken = listing.get_run(configuration=seeded, backup_id=closed[0])
    assert (woken["status"], woken["resume_available"]) == ("partial", True)
    assert [document["name"] for document in remote_db["activities"].find()] == ["edited while it slept"]
    assert len(contents(local_db)["activities"]) == 25
    assert len(contents(local_db)["bookings"]) == len(contents(remote_db)["bookings"]) == 52

    assert run_backup(delete_bookings=True)["status"] == "success"
    assert contents(local_db)["bookings"] == contents(remote_db)["bookings"] == {}
    kept = [document["name"] for side in (local_db, remote_db) for document in side["activities"].find()]
    saved = b"".join(path.read_bytes() for path in seeded.backup_dir.glob("backup_*/*/activities.bson"))
    assert "edited while it slept" in kept or b"edited while it slept" in saved


def test_overtaken_while_it_writes_its_end_it_writes_nothing_beside_the_backup(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = closing.update_metadata
    overtaken, closed = [overtake], []

    def late(folder: Path, **options: Any) -> None:
        if overtaken:
            closed.append(overtaken.pop()(local_db, seeded))
            options["document"].apply({"sync_status": "what the woken owner thinks"})
        real(folder, **options)

    monkeypatch.setattr(closing, "update_metadata", late)
    run_backup(delete_bookings=False)

    record = runs.get(local_db, backup_id=closed[0])
    beside = metadata.read(Store(seeded.backup_dir).folder(closed[0]))
    assert record is not None and beside is not None
    assert (record.status, record.sync_status) == (beside["status"], beside["sync_status"]) == ("success", "success")


def test_an_owner_of_before_a_machine_was_set_back_matches_no_run(
    seeded: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = 2**50  # the fence of the life that the machine forgot when it was restored
    lease.take(local_db, owner=dataclasses.replace(ownership.this_process(), token="x").as_document(), seconds=-1)
    local_db["backup_lease"].update_one({"_id": "lease"}, {"$set": {"fence": ahead}})
    refused: list[int] = []

    def the_older_one_wakes() -> None:
        running = runs.active(local_db)
        assert running is not None
        older = run_writers.Ownership(database=local_db, backup_id=running["_id"], fence=ahead)
        for act in (older.beat, lambda: older.write(phase=Phase.DUMPING, changes={"note": "it wrote"})):
            with pytest.raises(OwnershipLost):
                act()
        refused.append(running["fence"])

    once_before(dump, the_older_one_wakes, monkeypatch)

    run = run_backup(delete_bookings=True)

    assert (run["status"], run["note"], refused) == ("success", "", [ahead + 1])
