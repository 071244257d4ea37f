"""Touched documents that are read while the stream is read are those of the snapshot, and none is left out or twice."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import AutoReconnect

from backups_app.dump.server import snapshot
from backups_app.dump.server.snapshot import Snapshot
from backups_app.dump.writing import touched_reading
from backups_app.dump.writing.touched_reading import EarlyReading, Frames, Ids
from backups_app.mongo import raw_ids
from backups_app.mongo.change_events import Touched

Db = Database[dict[str, object]]
NUMBERS = range(2_500)


@pytest.fixture
def moment(local_db: Db) -> Snapshot:
    """2,500 bookings as they were, before half of them changed and one went."""
    local_db["bookings"].insert_many([{"_id": n, "amount": 1} for n in NUMBERS])
    with local_db.client.start_session(causal_consistency=False) as session:
        taken = snapshot.take(local_db, sources=["bookings"], session=session, lifetime_seconds=60)
    assert taken is not None
    local_db["bookings"].update_many({"_id": {"$mod": [2, 0]}}, {"$set": {"amount": 2}})
    local_db["bookings"].delete_one({"_id": 3})
    return taken


def touched_by(numbers: range) -> Touched:
    ids = {}
    for number in numbers:
        raw_id = raw_ids.id_of(bson.encode({"_id": number}))
        ids[raw_ids.key(raw_id)] = raw_id
    return Touched(token={}, ids={"bookings": ids})


class Later:
    """Reads what was not read early, and counts it."""

    def __init__(self, database: Db, moment: Snapshot, session: ClientSession) -> None:
        self._asked = (database, moment, session)
        self.read_late = 0

    def __call__(self, ids: Ids) -> Frames:
        database, moment, session = self._asked
        self.read_late += len(ids)
        return touched_reading.by_ids(database, "bookings", ids, read_concern=moment.read_concern, session=session)


def read_by(database: Db, moment: Snapshot, *, heard: tuple[int, ...]) -> tuple[dict[int, int], int]:
    """Return the amounts by id as they are read where the stream reported so many at a time, and how many were read
    late."""
    amounts: dict[int, int] = {}
    asked: list[bytes] = []
    names = frozenset({"bookings"})
    with (
        EarlyReading(database=database, moment=moment, names=names) as early,
        database.client.start_session(causal_consistency=False) as session,
    ):
        for known in heard:
            early.hear(touched_by(range(known)))
        later = Later(database, moment, session)
        for part, found in early.answers("bookings", touched_by(NUMBERS).ids["bookings"], read=later):
            asked += part
            amounts |= {one["_id"]: one["amount"] for one in map(bson.decode, found.values())}
    assert asked == list(touched_by(NUMBERS).ids["bookings"])
    return amounts, later.read_late


@pytest.mark.parametrize(
    ("heard", "late"), [((), 2_500), ((700, 1_900), 1_500), ((2_500,), 500)], ids=["none", "some", "most"]
)
def test_each_is_read_once_as_it_was(local_db: Db, moment: Snapshot, heard: tuple[int, ...], late: int) -> None:
    assert read_by(local_db, moment, heard=heard) == (dict.fromkeys(NUMBERS, 1), late)


def test_what_would_take_too_much_memory_is_read_late(
    local_db: Db, moment: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched_reading, "MOST_BYTES", 10_000)

    amounts, late = read_by(local_db, moment, heard=(2_500,))

    assert amounts == dict.fromkeys(NUMBERS, 1)
    assert late == 1_500


def test_what_could_not_be_read_early_is_read_late(
    local_db: Db, moment: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, cut = touched_reading.by_ids, iter([True])

    def cut_once(*asked: Any, **more: Any) -> Frames:
        if next(cut, False):
            raise AutoReconnect("cut")
        return read(*asked, **more)

    monkeypatch.setattr(touched_reading, "by_ids", cut_once)

    amounts, late = read_by(local_db, moment, heard=(2_500,))

    assert amounts == dict.fromkeys(NUMBERS, 1)
    assert late == 1_500


def test_a_collection_that_must_be_read_whole_is_not_read_early(local_db: Db, moment: Snapshot) -> None:
    touched = touched_by(NUMBERS)
    touched.whole.add("bookings")
    with (
        EarlyReading(database=local_db, moment=moment, names=frozenset({"bookings"})) as early,
        local_db.client.start_session(causal_consistency=False) as session,
    ):
        early.hear(touched)
        later = Later(local_db, moment, session)
        list(early.answers("bookings", touched.ids["bookings"], read=later))

    assert later.read_late == len(NUMBERS)
