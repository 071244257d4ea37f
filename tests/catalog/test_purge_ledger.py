"""The purge ledger on a real server: what is open, for whom, and what closes it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from pymongo.database import Database

from backups_app.catalog import ledger_documents, purge_ledger
from backups_app.catalog.purge_ledger import LedgerEntry, SeenOnSide
from backups_app.mongo import raw_ids
from backups_app.records import Side

LedgerDatabase = Database[dict[str, Any]]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOTH = (Side.REMOTE, Side.LOCAL)


def _frames(*ids: Any) -> list[bytes]:
    return [bson.encode({"_id": value, "devotee": "anna"}) for value in ids]


def _among(*ids: Any) -> Callable[[bytes], bool]:
    return {raw_ids.key(raw_id) for raw_id in _ids(*ids)}.__contains__


def _ids(*ids: Any) -> list[bytes]:
    return [raw_ids.id_of(frame) for frame in _frames(*ids)]


def _opened(
    database: LedgerDatabase, *ids: Any, run_id: str = "20261124_120000", first: int = 0, sides: Sequence[Side] = BOTH
) -> LedgerEntry:
    purge_ledger.ensure_indexes(database)
    return purge_ledger.open_batch(
        database, run_id=run_id, collection="bookings", first=first, frames=_frames(*ids), sides=sides, now=NOW
    )


def _open(database: LedgerDatabase, *ids: Any, collection: str = "bookings") -> list[Any]:
    found = purge_ledger.open_ids(database, collection=collection, ids=_ids(*ids))
    return [raw_ids.decoded(raw_id) for raw_id in _ids(*ids) if raw_id in found]


def _close(database: LedgerDatabase, entry: LedgerEntry, side: Side, *, finished: bool = True) -> None:
    purge_ledger.close_side(database, entry=entry, side=side, seen=SeenOnSide(deleted=1), finished=finished)


def _again(database: LedgerDatabase, entry: LedgerEntry, *ids: Any) -> LedgerEntry:
    return purge_ledger.open_batch(
        database,
        run_id=entry.run_id,
        collection=entry.collection,
        first=entry.first,
        frames=_frames(*ids),
        sides=BOTH,
        now=NOW,
    )


def test_an_entry_holds_its_documents_and_no_others(local_db: LedgerDatabase) -> None:
    _opened(local_db, 1, 2, 3)

    assert _open(local_db, 2, 3, 4) == [2, 3]
    assert _open(local_db, 2, collection="activities") == []


def test_nothing_is_open_where_there_is_no_ledger(local_db: LedgerDatabase) -> None:
    assert _open(local_db, 1, 2) == []
    assert purge_ledger.open_for_run(local_db, run_id="20261124_120000") == {}
    assert local_db.list_collection_names() == []


def test_a_key_is_open_in_every_form_that_the_index_takes_for_it(local_db: LedgerDatabase) -> None:
    _opened(local_db, 1, {"part": 2.0}, None, "anna", bson.Decimal128("7"), -0.0)

    asked = [1.0, bson.Int64(1), bson.Decimal128("1.0"), {"part": 2}, None, "anna", 7, 0, "Anna", {"part": 3}, True]

    assert _open(local_db, *asked) == [*asked[:5], "anna", 7, 0]


def test_an_entry_put_together_as_bytes_is_what_bson_would_write() -> None:
    frames = [bson.encode({"_id": value, "a": 1}) for value in (1, "text", bson.ObjectId(), {"x": [1]}, 2.5)]
    fields: dict[str, Any] = {"_id": {"run": "r", "first": 0}, "state": "open", "documents": [], "seen": {}}

    made = ledger_documents.with_documents(bson.encode(fields), raw_ids.ids_of(frames), frames)

    remembered = [{"id": bson.decode(frame)["_id"], "sha256": hashlib.sha256(frame).digest()} for frame in frames]
    assert made.raw == bson.encode({**fields, "documents": remembered})


def test_ids_are_remembered_byte_for_byte(local_db: LedgerDatabase) -> None:
    values = [1, bson.Int64(2), bson.Decimal128("3.00"), {"b": 1, "a": [1, 2]}, bson.Timestamp(0, 0), bson.MinKey()]
    _opened(local_db, *values)

    raw = purge_ledger.raw_entries(local_db).find_one({})

    assert raw is not None
    assert list(purge_ledger.ids_in(bytes(raw.raw), "documents")) == _ids(*values)


def test_an_entry_is_open_until_its_last_side_was_seen(local_db: LedgerDatabase) -> None:
    entry = _opened(local_db, 1, 2)

    _close(local_db, entry, Side.REMOTE)
    between = _again(local_db, entry, 1, 2)
    still_open = _open(local_db, 1, 2)
    _close(local_db, between, Side.LOCAL)

    assert between.open_sides == {Side.LOCAL}
    assert still_open == [1, 2]
    assert _open(local_db, 1, 2) == []
    assert _again(local_db, entry, 1, 2).open_sides == frozenset()


def test_a_side_that_is_not_finished_stays_open_and_is_remembered(local_db: LedgerDatabase) -> None:
    entry = _opened(local_db, 1, 2, sides=(Side.LOCAL,))

    _close(local_db, entry, Side.LOCAL, finished=False)

    again = _again(local_db, entry, 1, 2)
    assert again.open_sides == {Side.LOCAL}
    assert again.seen == {Side.LOCAL: SeenOnSide(deleted=1)}


def test_what_a_side_was_seen_to_be_is_found_again(local_db: LedgerDatabase) -> None:
    entry = _opened(local_db, 1, 2, 3, 4)
    seen = SeenOnSide(deleted=2, already_absent=1, skipped=(3,))

    purge_ledger.close_side(local_db, entry=entry, side=Side.REMOTE, seen=seen, finished=True)

    assert _again(local_db, entry, 1, 2, 3, 4).seen == {Side.REMOTE: seen}


def test_a_run_knows_what_it_has_open(local_db: LedgerDatabase) -> None:
    _opened(local_db, 1, 2)
    _close(local_db, _opened(local_db, 3, first=500, sides=(Side.LOCAL,)), Side.LOCAL)
    _opened(local_db, 9, run_id="20261123_120000")

    assert purge_ledger.open_collections(local_db, run_id="20261124_120000") == ["bookings"]
    assert purge_ledger.open_for_run(local_db, run_id="20261124_120000") == {"bookings": 2}
    assert purge_ledger.runs_with_open(local_db) == ["20261123_120000", "20261124_120000"]


def test_keep_after_all_closes_what_one_run_has_open(local_db: LedgerDatabase) -> None:
    _opened(local_db, 1, 2)
    _opened(local_db, 9, run_id="20261123_120000")

    closed = purge_ledger.close_all_for_run(local_db, run_id="20261124_120000")

    assert closed == 1
    assert _open(local_db, 1, 2, 9) == [9]


def test_a_restore_releases_its_documents_and_no_others(local_db: LedgerDatabase) -> None:
    entry = _opened(local_db, 1, 2, 3)

    released = purge_ledger.close_for_restore(local_db, collection="bookings", is_chosen=_among(2.0, 7))

    assert released == 1
    assert _open(local_db, 1, 2, 3) == [1, 3]
    assert _again(local_db, entry, 1, 2, 3).released == {raw_ids.key(_ids(2)[0])}


def test_an_entry_of_which_everything_was_restored_is_closed(local_db: LedgerDatabase) -> None:
    entry = _opened(local_db, 1, 2)

    purge_ledger.close_for_restore(local_db, collection="bookings", is_chosen=_among(1))
    purge_ledger.close_for_restore(local_db, collection="bookings", is_chosen=_among(2))

    assert purge_ledger.open_for_run(local_db, run_id=entry.run_id) == {}
    assert _again(local_db, entry, 1, 2).open_sides == frozenset()


def test_only_entries_closed_long_ago_expire(local_db: LedgerDatabase) -> None:
    _close(local_db, _opened(local_db, 1, sides=(Side.LOCAL,)), Side.LOCAL)
    _opened(local_db, 2, first=500)

    soon = purge_ledger.expire(local_db, now=datetime.now(UTC) + timedelta(days=89), days=90)
    late = purge_ledger.expire(local_db, now=datetime.now(UTC) + timedelta(days=91), days=90)

    assert (soon, late) == (0, 1)
    assert _open(local_db, 1, 2) == [2]


def test_an_id_too_large_to_be_remembered_is_an_error(local_db: LedgerDatabase) -> None:
    purge_ledger.ensure_indexes(local_db)
    frame = bson.encode({"_id": "x" * (16 * 1024 * 1024 - 200)})

    with pytest.raises(purge_ledger.TooLargeToRemember):
        purge_ledger.open_batch(
            local_db, run_id="r", collection="bookings", first=0, frames=[frame], sides=BOTH, now=NOW
        )


def test_a_thousand_ids_among_fifty_thousand_are_looked_up_by_the_index(local_db: LedgerDatabase) -> None:
    for first in range(0, 50_000, 500):
        _opened(local_db, *range(first, first + 500), first=first)
    _close(local_db, _again(local_db, _opened(local_db, 0, first=0), 0), Side.LOCAL, finished=False)

    started = time.perf_counter()
    found = purge_ledger.open_ids(local_db, collection="bookings", ids=_ids(*range(49_500, 50_500)))
    print(f"1,000 ids among 50,000 open ones: {(time.perf_counter() - started) * 1000:.0f} ms")

    assert len(found) == 500
    plan = local_db[purge_ledger.NAME].find({"state": "open", "collection": "bookings", "documents.id": 7}).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
