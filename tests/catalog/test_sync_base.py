"""The base: found again, packed in buckets that grow deeper, and closed to a sync that was overtaken."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.catalog.sync import sync_base
from backups_app.catalog.sync.sync_base import BaseEntry, SyncBase
from backups_app.errors import OwnershipLost
from backups_app.mongo import raw_ids

Mongo = Database[dict[str, Any]]


@pytest.fixture(autouse=True)
def _small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_base, "BUCKET_ENTRIES", 5)


def _entry(number: int, content: bytes = b"") -> BaseEntry:
    return BaseEntry(b"\x10" + number.to_bytes(4, "little"), hashlib.sha256(content + bytes([number])).digest())


def _filled(database: Mongo, count: int, *, generation: int = 1, expected: int | None = None) -> SyncBase:
    base = SyncBase(database, name="halls", generation=generation, expected=count if expected is None else expected)
    base.change({raw_ids.key(_entry(n).raw_id): _entry(n) for n in range(count)})
    return base


def _key(number: int) -> bytes:
    return raw_ids.key(_entry(number).raw_id)


def test_entries_are_found_changed_and_removed(local_db: Mongo) -> None:
    base = _filled(local_db, 200)

    base.change({_key(1): _entry(1, b"new"), _key(2): None})

    assert base.count() == 199
    assert base.read([_key(1), _key(2), _key(3)]) == {_key(1): _entry(1, b"new"), _key(3): _entry(3)}
    assert len(base.read_prefix("")) == 199
    assert sum(len(base.read_prefix(f"{part:02x}")) for part in range(256)) == 199


def test_buckets_grow_deeper_and_nothing_is_lost(local_db: Mongo) -> None:
    shallow = _filled(local_db, 100, expected=1)
    before = shallow.read_prefix("")

    deeper = SyncBase(local_db, name="halls", generation=2, expected=1_000)

    assert deeper.read_prefix("") == before
    assert deeper.count() == 100
    assert local_db[sync_base.NAME].count_documents({"_id.d": 0}) == 0


def test_deepening_that_was_cut_is_begun_again(local_db: Mongo) -> None:
    shallow = _filled(local_db, 100, expected=1)
    before = shallow.read_prefix("")
    stale = {"_id": {"c": "halls", "d": 2, "b": "00"}, "n": 1, "g": 1, "e": b""}
    local_db[sync_base.NAME].insert_one(stale)

    assert SyncBase(local_db, name="halls", generation=2, expected=1_000).read_prefix("") == before


def test_a_later_sync_closes_a_bucket_to_an_earlier_one(local_db: Mongo) -> None:
    _filled(local_db, 3, generation=7)
    overtaken = SyncBase(local_db, name="halls", generation=6, expected=3)

    with pytest.raises(OwnershipLost):
        overtaken.change({_key(1): None})

    assert overtaken.count() == 3


def test_a_purge_forgets_by_number_whatever_its_type(local_db: Mongo) -> None:
    base = _filled(local_db, 10)
    as_double = b"\x01" + bytes.fromhex("000000000000f03f")

    sync_base.forget(local_db, collection="halls", ids=[as_double])
    sync_base.forget(local_db, collection="unknown", ids=[as_double])

    assert base.count() == 9
    assert base.read([_key(1)]) == {}


def test_collections_do_not_meet(local_db: Mongo) -> None:
    _filled(local_db, 10)
    other = SyncBase(local_db, name="halls.old", generation=1, expected=10)
    other.change({_key(1): _entry(1)})

    sync_base.clear_collection(local_db, name="halls.old")

    assert SyncBase(local_db, name="halls", generation=1, expected=10).count() == 10
    assert other.count() == 0


def test_very_long_ids_are_known_by_their_hash(local_db: Mongo) -> None:
    base = _filled(local_db, 1)
    raw_id = b"\x02" + (3_001).to_bytes(4, "little") + b"x" * 3_000 + b"\0"
    key = raw_ids.key(raw_id)

    base.change({key: BaseEntry(raw_id, bytes(32))})

    found = base.read([key])[key]
    assert found.hash == bytes(32)
    assert not sync_base.is_real(found.raw_id)
