"""The sequences in which a booking could be lost after a purge or a mix-up of servers (`docs/reliability.md`).

Those with a fault in the middle are in `test_unfinished.py` and `tests/faults`; an owner that was overtaken in
`test_overtaken.py`; settings that are wrong in `test_a_run.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from pymongo.database import Database
from pymongo.errors import AutoReconnect

from backups_app.catalog import purge_ledger
from backups_app.catalog.run.run_record import RunRecord
from backups_app.catalog.sync import sync_state
from backups_app.configuration import Configuration, Secret
from backups_app.errors import DatabaseUnreachable
from backups_app.mongo.embedded import EmbeddedServer
from backups_app.records import INTERNAL, Origin, Side
from backups_app.restore import write
from backups_app.restore.choices import Choices
from backups_app.runs.recovery import recovery
from backups_app.runs.steps import publish, purge_sides, sync
from backups_app.sync.engine import SyncReport
from backups_app.use_cases.backups import backups
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import restores
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish
from tests.proxy import Proxy

from .conftest import contents, now, raw_documents, run_backup
from .test_restore import restore
from .test_unfinished import die_in, remote_fails_in

Db = Database[dict[str, Any]]


def plain_sync() -> SyncReport:
    return syncs.sync_now(wish=SyncWish(), requested_by="ananya", origin=Origin.COMMAND, now=now())


def written(report: SyncReport) -> int:
    """How many documents a sync wrote or deleted, on both sides together."""
    totals = report.log["totals"]
    return sum(int(totals[name]) for name in ("pulled", "pushed", "deleted_local", "deleted_remote"))


def test_what_was_restored_after_a_purge_stays_on_both_sides_and_later_syncs_write_nothing(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    backup = run_backup(delete_bookings=True)
    chosen = restores.choose(
        configuration=seeded, backup_id=backup["_id"], collections=["bookings"], include_purged=True
    )
    restore(seeded, chosen)

    reports = [plain_sync() for _ in range(3)]

    assert len(raw_documents(local_db, "bookings")) == 52
    assert contents(local_db) == contents(remote_db)
    assert [written(report) for report in reports[1:]] == [0, 0]
    assert purge_ledger.runs_with_open(local_db) == []


def test_what_a_restore_finds_unchanged_is_not_deleted_by_the_purge_that_was_cut(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Atlas is purged, this side is not: the restore has nothing to write, and its documents stay all the same."""
    cut = cut_locally(monkeypatch)
    whole = raw_documents(local_db, "bookings")

    run = restore(seeded, _choose(seeded, cut, "bookings", mode="add"))
    run_backup(delete_bookings=False)
    resumed = backups.resume(
        backup_id=cut["_id"], requested_by="ravi", origin=Origin.WEB, now=now(), keep=False, enqueue=False
    )
    plain_sync()

    assert (run["restore"]["sums"]["unchanged"], run["restore"]["sums"]["inserted"]) == (52, 0)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == whole
    assert raw_documents(local_db, "employee_bookings") == raw_documents(remote_db, "employee_bookings") == {}
    assert (resumed["status"], resumed["resume_available"]) == ("success", False)


@pytest.mark.parametrize("alone", [False, True])
def test_what_was_restored_after_a_cut_in_the_middle_of_atlas_is_kept_and_named_by_resume(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    """The purge had not come to these documents: the ledger has no entry that the restore could release."""
    with remote_fails_in("bookings", monkeypatch, begun=False):
        cut = run_backup(delete_bookings=True)
    before = raw_documents(local_db, "bookings")
    more = {"document": "bookings-7"} if alone else {}

    run = restore(seeded, _choose(seeded, cut, "bookings", **more))
    resumed = backups.resume(
        backup_id=cut["_id"], requested_by="ravi", origin=Origin.WEB, now=now(), keep=False, enqueue=False
    )
    plain_sync()

    restored = {key: value for key, value in before.items() if not alone or b"bookings-7\0" in value}
    assert run["restore"]["sums"]["unchanged"] == len(restored) == (1 if alone else 52)
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == restored
    assert raw_documents(local_db, "employee_bookings") == raw_documents(remote_db, "employee_bookings") == {}
    assert (resumed["status"], resumed["resume_available"]) == ("success", False)
    for side in ("remote", "local"):
        assert resumed["purge"][side]["bookings"]["restored"] == len(restored)
        (step,) = (one for one in resumed["steps"] if one["name"] == f"purge_{side}")
        named = "1 document" if alone else "52 documents"
        assert f"; {named} restored meanwhile and kept" in step["sentence"]


def test_a_newer_run_with_deletion_deletes_what_was_restored_before_it(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote_fails_in("bookings", monkeypatch, begun=False):
        cut = run_backup(delete_bookings=True)
    restore(seeded, _choose(seeded, cut, "bookings"))

    newer = run_backup(delete_bookings=True)

    assert newer["status"] == "success"
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == {}


@pytest.mark.parametrize("mode", ["add", "overwrite", "replace"])
def test_what_a_restore_finds_unchanged_goes_to_an_atlas_that_lost_it(
    seeded: Configuration, local_db: Db, remote_db: Db, mode: str
) -> None:
    """So few vanished that the deletion guard would let them go."""
    backup = run_backup(delete_bookings=False)
    whole = raw_documents(local_db, "bookings")
    remote_db["bookings"].delete_many({"_id": {"$in": [f"bookings-{n}" for n in range(10)]}})

    restore(seeded, _choose(seeded, backup, "bookings", mode=mode))
    reports = [plain_sync() for _ in range(2)]

    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings") == whole
    assert [written(report) for report in reports] == [10, 0]


def test_one_restored_document_goes_to_an_atlas_that_lost_it_and_the_others_follow_the_rule(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    backup = run_backup(delete_bookings=False)
    lost = [f"bookings-{n}" for n in range(2)]
    remote_db["bookings"].delete_many({"_id": {"$in": lost}})

    restore(seeded, _choose(seeded, backup, "bookings", mode="overwrite", document=lost[0]))
    report = plain_sync()

    assert [document["_id"] for document in remote_db["bookings"].find({"_id": {"$in": lost}})] == lost[:1]
    assert [document["_id"] for document in local_db["bookings"].find({"_id": {"$in": lost}})] == lost[:1]
    assert next(one for one in report.log["collections"] if one["name"] == "bookings")["found_by"] != "scan"


def test_a_deletion_after_a_restore_is_carried_over_from_either_side(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    backup = run_backup(delete_bookings=False)
    restore(seeded, _choose(seeded, backup, "bookings", mode="replace"))

    local_db["bookings"].delete_one({"_id": "bookings-1"})
    plain_sync()
    remote_db["bookings"].delete_one({"_id": "bookings-2"})
    plain_sync()

    for side in (local_db, remote_db):
        assert side["bookings"].count_documents({"_id": {"$in": ["bookings-1", "bookings-2"]}}) == 0


def test_a_restore_that_broke_off_after_it_claimed_its_documents_loses_none(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = cut_locally(monkeypatch)
    local_db["bookings"].delete_many({"_id": {"$in": [f"bookings-{n}" for n in range(10)]}})
    choices = _choose(seeded, cut, "bookings", mode="add")

    with monkeypatch.context() as broken:
        broken.setattr(write.CollectionWriter, "write", _server_lost)
        assert restore(seeded, choices)["error_code"] == "restore_unfinished"
    plain_sync()
    left = raw_documents(local_db, "bookings"), raw_documents(remote_db, "bookings")
    restore(seeded, choices)
    plain_sync()

    assert len(left[0]) == 42
    assert left[0] == left[1]
    assert len(raw_documents(local_db, "bookings")) == 52
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings")


def _server_lost(writer: object) -> None:
    raise AutoReconnect("lost")


def cut_locally(monkeypatch: pytest.MonkeyPatch) -> RunRecord:
    """Return a run that purged Atlas and was cut before it purged this side."""
    real = purge_sides.perform_side

    def cut(run: Any, *, side: Side, database: Db) -> Any:
        if side is Side.LOCAL:
            raise DatabaseUnreachable(side=side.value)
        return real(run, side=side, database=database)

    with monkeypatch.context() as patched:
        patched.setattr(purge_sides, "perform_side", cut)
        return run_backup(delete_bookings=True)


def _choose(configuration: Configuration, backup: RunRecord, name: str, **more: Any) -> Choices:
    return restores.choose(
        configuration=configuration, backup_id=backup["_id"], collections=[name], include_purged=True, **more
    )


def test_an_identical_booking_made_again_after_a_purge_is_a_new_one_and_stays(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    booking = local_db["bookings"].find_one({"_id": "bookings-7"}) or {}
    run_backup(delete_bookings=True)
    local_db["bookings"].insert_one(booking)

    plain_sync()
    plain_sync()

    assert [document["_id"] for document in remote_db["bookings"].find()] == ["bookings-7"]
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings")


def test_an_application_that_edits_a_purged_booking_into_being_again_is_not_undone(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    run_backup(delete_bookings=True)
    remote_db["bookings"].update_one({"_id": "bookings-3"}, {"$set": {"paid": True}}, upsert=True)

    plain_sync()

    assert list(local_db["bookings"].find()) == [{"_id": "bookings-3", "paid": True}]
    assert raw_documents(local_db, "bookings") == raw_documents(remote_db, "bookings")


def test_what_only_atlas_had_is_never_deleted_when_atlas_was_away_for_the_sync_alone(
    seeded: Configuration, local_db: Db, remote_db: Db, remote_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(local_db), contents(remote_db)
    with Proxy(remote_server.address) as network:
        _away_in(sync, network, monkeypatch)
        with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(network.uri))):
            run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"], run["resume_available"]) == ("partial", "failed", False)
    assert (contents(local_db), contents(remote_db)) == before


def _away_in(step: Any, network: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection while one step of the run is performed, and no longer."""
    real = step.perform

    def cut_off(run: Any) -> Any:
        network.refuse()
        try:
            return real(run)
        finally:
            network.heal()

    monkeypatch.setattr(step, "perform", cut_off)


def _atlas_went_back(local: Db, remote: Db) -> None:
    sync_state.collection(remote).update_one({"_id": "pair"}, {"$set": {"generation": 0, "next_generation": 0}})


def _restored_machine(local: Db, remote: Db) -> None:
    sync_state.collection(local).update_one({"_id": "pair"}, {"$set": {"generation": 0, "next_generation": 0}})


def _second_site(local: Db, remote: Db) -> None:
    sync_state.collection(local).delete_one({"_id": "pair"})


def _repointed(local: Db, remote: Db) -> None:
    sync_state.collection(remote).update_one({"_id": "pair"}, {"$set": {"pair": "another"}})


STRANGERS: dict[str, tuple[Callable[[Db, Db], None], str]] = {
    "Atlas was restored from its own snapshot": (_atlas_went_back, "side_rolled_back"),
    "this machine was restored": (_restored_machine, "side_rolled_back"),
    "a second local site": (_second_site, "pair_mismatch"),
    "a URL that leads elsewhere": (_repointed, "pair_mismatch"),
}


@pytest.mark.parametrize("how", STRANGERS)
def test_a_pair_that_does_not_fit_gets_a_backup_and_nothing_is_synced_or_deleted(
    seeded: Configuration, local_db: Db, remote_db: Db, how: str
) -> None:
    change, code = STRANGERS[how]
    plain_sync()
    local_db["bookings"].insert_one({"_id": "taken since"})
    remote_db["bookings"].delete_one({"_id": "bookings-1"})
    change(local_db, remote_db)
    before = contents(local_db), contents(remote_db)

    run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"], run["resume_available"]) == ("partial", "failed", False)
    assert code in [step["counts"].get("error_code") for step in run["steps"]]
    assert (contents(local_db), contents(remote_db)) == before
    assert listing.get_run(configuration=seeded, backup_id=run["backup_id"])["published"]


def test_swapped_urls_sync_nothing_and_delete_nothing(seeded: Configuration, local_db: Db, remote_db: Db) -> None:
    plain_sync()
    before = contents(local_db), contents(remote_db)
    swapped = dataclasses.replace(seeded, local_url=seeded.cloud_url, cloud_url=seeded.local_url)

    with override_settings(TEMPLEOPS=swapped):
        run = run_backup(delete_bookings=True)

    assert (run["status"], run["sync_status"]) == ("partial", "failed")
    assert "pair_mismatch" in [step["counts"].get("error_code") for step in run["steps"]]
    assert (contents(local_db), contents(remote_db)) == before


@pytest.fixture
def another_disk(seeded: Configuration, tmp_path: Any) -> Iterator[Configuration]:
    """The settings of a second host: the same database, a backup disk of its own."""
    folder = tmp_path / "the other host's disk"
    folder.mkdir(mode=0o700)
    yield dataclasses.replace(seeded, backup_dir=folder)


def test_a_host_never_decides_about_another_host_s_disk(
    seeded: Configuration, another_disk: Configuration, local_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = run_backup(delete_bookings=False)["backup_id"]
    (another_disk.backup_dir / ".store_id").write_text("b" * 32)
    died = die_in(publish, monkeypatch, after=True)

    with override_settings(TEMPLEOPS=another_disk):
        recovery.recover(configuration=another_disk, now=now())
        listed = {run["backup_id"] for run in listing.list_runs(configuration=another_disk, every=True)}
        verified = listing.get_run(configuration=another_disk, backup_id=died)

    assert {kept, died} <= listed
    assert (verified["status"], verified["error_code"]) == ("partial", "interrupted")
    assert sorted(path.name for path in seeded.backup_dir.glob("backup_*")) == [f"backup_{kept}", f"backup_{died}"]


def test_a_sync_that_ends_without_a_result_lets_nothing_be_deleted(
    seeded: Configuration, local_db: Db, remote_db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(local_db), contents(remote_db)
    for broken in (None, "", 0, {}, {"status": "success"}, True):
        monkeypatch.setattr("backups_app.sync.engine.synchronise", lambda broken=broken, **_: broken)

        run = run_backup(delete_bookings=True)

        assert run["status"] != "success", broken
        assert (contents(local_db), contents(remote_db)) == before


SHIFTS = [
    timedelta(minutes=90), timedelta(minutes=-195), timedelta(days=2), timedelta(days=-42), timedelta(0),
    timedelta(hours=1), timedelta(hours=-1), timedelta(seconds=-1), timedelta(milliseconds=1), timedelta(days=-9000),
]  # fmt: skip
HOURS_THAT_COME_TWICE_OR_NEVER = [
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
]  # fmt: skip


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin"])
def test_whatever_the_clock_does_ids_are_unique_and_the_order_is_that_of_the_record(
    seeded: Configuration, zone: str
) -> None:
    moments = [start + shift for start in HOURS_THAT_COME_TWICE_OR_NEVER for shift in (timedelta(0), *SHIFTS)]
    ids = []
    with timezone.override(zone):
        for moment in moments:
            started = backups.start_backup(
                created_by="ananya", delete_bookings=False, origin=Origin.COMMAND, now=moment, enqueue=False
            )
            backups.cancel(backup_id=started["_id"], requested_by="ananya", origin=Origin.COMMAND, now=moment)
            ids.append(started["_id"])
        listed = listing.list_runs(configuration=seeded, every=True)

    assert len(set(ids)) == len(moments) == 22
    assert all(name.startswith(f"{moment:%Y%m%d_%H%M%S}") for name, moment in zip(ids, moments, strict=True))
    assert [run["created_at"] for run in listed] == sorted((run["created_at"] for run in listed), reverse=True)
    assert {run["backup_id"] for run in listed} == set(ids)


def test_our_own_collections_are_never_synced_in_either_direction(
    seeded: Configuration, local_db: Db, remote_db: Db
) -> None:
    run_backup(delete_bookings=False)
    for name in sorted(INTERNAL - {"backup_sync_state"}):
        remote_db[name].insert_one({"_id": "of another host"})
    ours = {name: local_db[name].count_documents({}) for name in INTERNAL - {"sync_logs"}}

    plain_sync()

    assert {name: local_db[name].count_documents({}) for name in ours} == ours
    for name in sorted(INTERNAL - {"backup_sync_state"}):
        assert [document["_id"] for document in remote_db[name].find()] == ["of another host"]
        assert local_db[name].find_one({"_id": "of another host"}) is None
