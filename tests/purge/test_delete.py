"""Purging a side against the verified file: exactly, resumable, never by anything but that file."""

from __future__ import annotations

import threading
from datetime import timedelta

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import AutoReconnect

from backups_app.backup_files.digests import document_digests
from backups_app.catalog import purge_ledger, restored_ids
from backups_app.errors import DatabaseUnreachable, OwnershipLost, PurgeWithheld, VerificationFailed
from backups_app.mongo import raw_bson, raw_ids
from backups_app.mongo.exact_writes.delete import delete_equal
from backups_app.mongo.raw_bson import Value
from backups_app.progress import Silent
from backups_app.purge import delete
from backups_app.purge.delete import PurgeStopped
from backups_app.records import Side
from backups_app.verification import verdict
from tests.purge.conftest import NOW, Backup, TempleDatabase, bookings, ids


def _raw_id(value: object) -> bytes:
    return raw_ids.id_of(bson.encode({"_id": value}))


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_both_sides_lose_what_the_backup_holds_and_keep_what_differs(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup, compression: str
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(1200))
    purge = backup_of(local_db, remote_db, compression=compression)
    remote_db["bookings"].update_one({"_id": 3}, {"$set": {"status": "moved"}})
    remote_db["bookings"].delete_one({"_id": 4})
    local_db["bookings"].insert_one({"_id": 5000, "devotee": "came later"})

    remote, local = purge.side(Side.REMOTE), purge.side(Side.LOCAL)

    assert (remote.deleted, remote.already_absent, remote.skipped_changed, remote.skipped_ids) == (1198, 1, 1, ["3"])
    assert (local.deleted, local.already_absent, local.skipped_changed) == (1200, 0, 0)
    assert remote.done and local.done
    assert (ids(remote_db), ids(local_db)) == ([3], [5000])
    assert purge_ledger.open_for_run(local_db, run_id=purge.run_id) == {}
    assert set(purge.forgotten) == {_raw_id(number) for number in range(1200)}


def test_the_ledger_is_written_before_the_first_delete(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db["bookings"].insert_many(bookings(10))
    purge = backup_of(local_db)
    seen: list[int] = []

    def look(*, live: object, frames: list[bytes]) -> object:
        raw = [raw_ids.id_of(frame) for frame in frames]
        seen.append(len(purge_ledger.open_ids(local_db, collection="bookings", ids=raw)))
        return real(live=live, frames=frames)  # type: ignore[arg-type]

    real = delete_equal
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delete, "delete_equal", look)
        purge.side(Side.LOCAL)

    assert seen == [10]


def test_two_batches_are_under_way_at_once(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db["bookings"].insert_many(bookings(2000))
    purge = backup_of(local_db)
    met = threading.Barrier(2)
    real = delete_equal

    def meet(*, live: object, frames: list[bytes]) -> object:
        met.wait(30)  # raises where the other batch is not under way
        return real(live=live, frames=frames)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delete, "delete_equal", meet)
        report = purge.side(Side.LOCAL)

    assert (report.deleted, report.done, ids(local_db)) == (2000, True, [])


def test_a_batch_that_fails_leaves_the_other_one_counted_and_the_next_attempt_finishes(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(2300))
    purge = backup_of(local_db, remote_db)
    remote_db["bookings"].update_one({"_id": 600}, {"$set": {"status": "moved"}})
    real = delete_equal
    met = threading.Barrier(2)

    def second_fails(*, live: object, frames: list[bytes]) -> object:
        met.wait(30)
        if raw_ids.id_of(frames[0]) == _raw_id(0):
            raise AutoReconnect("cut")
        return real(live=live, frames=frames)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, pytest.raises(PurgeStopped) as stopped:
        patch.setattr(delete, "delete_equal", second_fails)
        purge.side(Side.REMOTE)
    between = ids(remote_db)

    assert isinstance(stopped.value.cause_error, DatabaseUnreachable)
    assert (stopped.value.report.deleted, stopped.value.report.skipped_ids) == (499, ["600"])
    assert between == [*range(500), 600, *range(1000, 2300)]
    report = purge.side(Side.REMOTE)
    assert (report.deleted, report.already_absent, report.skipped_changed, report.done) == (2299, 0, 1, True)
    assert ids(remote_db) == [600]


def test_the_base_is_forgotten_while_the_entry_is_still_open(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db["bookings"].insert_many(bookings(10))
    purge = backup_of(local_db)
    open_then: list[int] = []

    purge.side(
        Side.LOCAL,
        forget_base=lambda raw: open_then.append(len(purge_ledger.open_ids(local_db, collection="bookings", ids=raw))),
    )

    assert open_then == [10]


class _StopsAt(Silent):
    def __init__(self, checkpoint: int) -> None:
        self.left = checkpoint

    def checkpoint(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OwnershipLost


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_purge_that_stopped_is_finished_by_the_next_attempt(
    local_db: TempleDatabase, backup_of: Backup, at: int
) -> None:
    local_db["bookings"].insert_many(bookings(1300))
    purge = backup_of(local_db)
    with pytest.raises(OwnershipLost):
        purge.side(Side.LOCAL, progress=_StopsAt(at))
    between = len(ids(local_db))

    report = purge.side(Side.LOCAL)

    assert between == max(0, 1300 - 500 * at)
    assert (report.deleted, report.already_absent, report.done) == (1300, 0, True)
    assert ids(local_db) == []


@pytest.mark.parametrize("side", [Side.REMOTE, Side.LOCAL])
def test_what_was_deleted_and_not_recorded_counts_as_deleted_by_the_next_attempt(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup, side: Side
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(700))
    purge = backup_of(local_db, remote_db)
    if side is Side.LOCAL:
        purge.side(Side.REMOTE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(purge_ledger, "close_side", _die)
        with pytest.raises(OwnershipLost):
            purge.side(side)

    report = purge.side(side)

    assert (report.deleted, report.already_absent, report.done) == (700, 0, True)


def _die(*_: object, **__: object) -> None:
    raise OwnershipLost


def test_what_somebody_else_deleted_before_its_side_began_is_gone(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(20))
    purge = backup_of(local_db, remote_db)
    remote_db["bookings"].delete_one({"_id": 1})
    remote = purge.side(Side.REMOTE)
    local_db["bookings"].delete_many({"_id": {"$in": [2, 3]}})

    local = purge.side(Side.LOCAL)

    assert (remote.deleted, remote.already_absent) == (19, 1)
    assert (local.deleted, local.already_absent) == (18, 2)


def test_a_document_created_again_after_its_side_was_closed_stays(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(20))
    purge = backup_of(local_db, remote_db)
    purge.side(Side.REMOTE)
    remote_db["bookings"].insert_one(bookings(1)[0])

    again = purge.side(Side.REMOTE)

    assert ids(remote_db) == [0]
    assert (again.deleted, again.reappeared, again.done) == (20, 1, True)


def test_what_a_restore_took_back_is_not_deleted_by_a_resumed_purge(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(20))
    purge = backup_of(local_db, remote_db)
    purge.side(Side.REMOTE)
    restored = {raw_ids.key(_raw_id(7)), raw_ids.key(_raw_id(8))}
    purge_ledger.close_for_restore(local_db, collection="bookings", is_chosen=restored.__contains__)

    local = purge.side(Side.LOCAL)

    assert ids(local_db) == [7, 8]
    assert (local.deleted, local.done) == (18, True)
    assert purge_ledger.open_for_run(local_db, run_id=purge.run_id) == {}


def test_what_a_restore_put_back_of_batches_that_were_not_begun_is_not_deleted(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    """Of those the ledger has no entry that a restore could release."""
    for database in (local_db, remote_db):
        database["bookings"].insert_many(bookings(1_200))
    purge = backup_of(local_db, remote_db)
    restored = [*range(3, 6), *range(500, 1_000)]
    restored_ids.remember(
        local_db, run_ids=[purge.run_id, "20200101_000000"], collection="bookings", restore="20261125_120000",
        identities=[document_digests.identity_hash(raw_ids.key(_raw_id(n)))[:8] for n in restored], now=NOW,
    )  # fmt: skip

    remote, local = purge.side(Side.REMOTE), purge.side(Side.LOCAL)

    assert ids(remote_db) == ids(local_db) == restored
    assert (remote.deleted, remote.restored, remote.done) == (local.deleted, local.restored, local.done)
    assert (local.deleted, local.restored, local.done) == (697, 503, True)
    assert purge_ledger.open_for_run(local_db, run_id=purge.run_id) == {}


def test_a_collection_that_was_restored_as_a_whole_is_not_deleted(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db["bookings"].insert_many(bookings(20))
    purge = backup_of(local_db)
    restored_ids.remember(
        local_db, run_ids=[purge.run_id], collection="bookings", restore="r", identities=None, now=NOW
    )

    report = purge.side(Side.LOCAL)

    assert (len(ids(local_db)), report.deleted, report.restored, report.done) == (20, 0, 20, True)


def test_what_was_restored_is_remembered_as_long_as_the_run_may_go_on(local_db: TempleDatabase) -> None:
    for run_id in ("open", "ended"):
        restored_ids.remember(
            local_db, run_ids=[run_id], collection="bookings", restore="r", identities=[b"12345678"], now=NOW
        )

    early = restored_ids.expire(local_db, now=NOW + timedelta(days=89), days=90, still_open=["open"])
    late = restored_ids.expire(local_db, now=NOW + timedelta(days=91), days=90, still_open=["open"])

    assert (early, late) == (0, 1)
    assert restored_ids.of_run(local_db, run_id="open", collection="bookings").begins
    assert not restored_ids.of_run(local_db, run_id="ended", collection="bookings").begins


def test_an_id_that_stands_twice_in_the_file_is_left_alone(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db["bookings"].insert_many(bookings(20))
    purge = backup_of(local_db)
    path = purge.folder / str(purge.manifest.collections["bookings"].file)
    path.write_bytes(path.read_bytes() + bson.encode({"_id": 7.0, "devotee": "written anew during the scan"}))
    verified = verdict.verify(folder=purge.folder, database=local_db.name, report=None, progress=Silent())
    purge.manifest = verified.manifest

    report = purge.side(Side.LOCAL)

    assert purge.manifest.collections["bookings"].duplicate_ids == 1
    assert ids(local_db) == [7]
    assert (report.deleted, report.duplicate_ids, report.done) == (19, 2, True)


@pytest.mark.parametrize("harm", ["a bit flipped", "cut", "longer", "gone", "another file", "a link"])
def test_nothing_is_deleted_by_a_file_that_is_not_the_verified_one(
    local_db: TempleDatabase, backup_of: Backup, harm: str
) -> None:
    local_db["bookings"].insert_many(bookings(700))
    local_db["events"].insert_many(bookings(700))
    purge = backup_of(local_db)
    path = purge.folder / str(purge.manifest.collections["bookings"].file)
    data = path.read_bytes()
    if harm == "a bit flipped":
        path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    elif harm == "cut":
        path.write_bytes(data[:-50])
    elif harm == "longer":
        path.write_bytes(data + bson.encode({"_id": "more"}))
    elif harm == "gone":
        path.unlink()
    elif harm == "another file":
        path.write_bytes((path.parent / "events.bson").read_bytes() + b"")
        path.write_bytes(path.read_bytes().replace(b"paid", b"due!"))
    else:
        path.rename(path.with_name("elsewhere"))
        path.symlink_to(path.with_name("elsewhere"))

    with pytest.raises(PurgeStopped) as stopped:
        purge.side(Side.LOCAL)

    assert isinstance(stopped.value.cause_error, VerificationFailed)
    assert len(ids(local_db)) == 700
    assert purge_ledger.open_for_run(local_db, run_id=purge.run_id) == {}


def test_nothing_outside_the_allow_list_is_ever_purged(local_db: TempleDatabase, backup_of: Backup) -> None:
    names = ["events", "users", "backup_metadata", "backup_purge_ledger", "bookings2", "Bookings", "system.views", ""]
    local_db["events"].insert_many(bookings(3))
    purge = backup_of(local_db)

    for name in names:
        with pytest.raises(ValueError):
            purge.side(Side.LOCAL, collection=name)

    assert len(ids(local_db, "events")) == 3


def test_a_side_whose_collection_is_a_view_is_withheld(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    local_db["bookings"].insert_many(bookings(3))
    purge = backup_of(local_db, remote_db)
    remote_db.create_collection("bookings", viewOn="other", pipeline=[])

    with pytest.raises(PurgeStopped) as stopped:
        purge.side(Side.REMOTE)

    assert isinstance(stopped.value.cause_error, PurgeWithheld)
    assert "a view" in delete.obstacles(database=remote_db, collections=["bookings"])["bookings"]
    assert delete.obstacles(database=local_db, collections=["bookings"]) == {}


def test_a_collection_that_one_side_never_had_is_gone_there(
    local_db: TempleDatabase, remote_db: TempleDatabase, backup_of: Backup
) -> None:
    local_db["bookings"].insert_many(bookings(700))
    purge = backup_of(local_db, remote_db)

    remote, local = purge.side(Side.REMOTE), purge.side(Side.LOCAL)

    assert (remote.deleted, remote.already_absent, remote.done) == (0, 700, True)
    assert (local.deleted, local.done) == (700, True)
    assert "bookings" not in remote_db.list_collection_names()
    assert "bookings" in local_db.list_collection_names()


def test_indexes_options_and_validators_stay(local_db: TempleDatabase, backup_of: Backup) -> None:
    local_db.create_collection("bookings", validator={"amount": {"$gte": 0}})
    local_db["bookings"].create_index("devotee", unique=True)
    local_db["bookings"].insert_many(bookings(50))
    before = list(local_db.list_collections(filter={"name": "bookings"}))
    purge = backup_of(local_db)

    purge.side(Side.LOCAL)

    assert list(local_db.list_collections(filter={"name": "bookings"})) == before
    assert "devotee_1" in local_db["bookings"].index_information()


def test_a_document_that_the_ledger_cannot_remember_is_left_and_says_so(
    local_db: TempleDatabase, backup_of: Backup
) -> None:
    local_db["bookings"].insert_many(bookings(3))
    local_db["bookings"].insert_one({"_id": "x" * (5 * 1024 * 1024)})
    purge = backup_of(local_db)

    report = purge.side(Side.LOCAL)

    assert (report.deleted, report.refused, report.done) == (3, 1, False)
    assert local_db["bookings"].count_documents({}) == 1


def test_twelve_types_of_id_and_large_documents_are_purged(local_db: TempleDatabase, backup_of: Backup) -> None:
    odd = [1.5, None, True, "text", {"a": 1}, bson.ObjectId(), bson.Timestamp(1, 1), bson.MinKey(), bson.MaxKey()]
    odd += [bson.Binary(b"1", 4), bson.Decimal128("8.0"), bson.Int64(9)]  # type: ignore[list-item]
    local_db["bookings"].insert_many([{"_id": value} for value in odd])
    for number in range(3):
        local_db["bookings"].insert_one({"_id": f"photo {number}", "photo": b"x" * (7 * 1024 * 1024)})
    twice = raw_bson.document([("_id", raw_bson.text("twice")), ("a", Value(0x0A, b"")), ("a", Value(0x08, b"\1"))])
    local_db["bookings"].insert_one(RawBSONDocument(twice))
    purge = backup_of(local_db)

    report = purge.side(Side.LOCAL)

    assert (report.deleted, report.done) == (len(odd) + 4, True)
    assert ids(local_db) == []
