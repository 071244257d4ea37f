"""Insert and replace: the exact bytes or nothing, on a replica set and on a standalone server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import bson
import pytest
from bson import Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import encoding, insert, live_documents, replace
from backups_app.mongo.exact_writes.replace import Replacement
from tests.sync.pairs import document, double, int32, int64, timestamp


class Target(NamedTuple):
    collection: Collection[Any]
    session: ClientSession | None

    def live(self, *frames: bytes) -> set[bytes]:
        ids = [raw_ids.id_of(frame) for frame in frames]
        return set(live_documents.read(collection=self.collection, ids=ids).values())

    def put(self, *frames: bytes) -> None:
        self.collection.insert_many([RawBSONDocument(frame) for frame in frames])


@pytest.fixture(params=["replica set", "standalone"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    if request.param == "standalone":
        database: Database[dict[str, Any]] = request.getfixturevalue("standalone_db")
        yield Target(database["halls"], None)
        return
    database = request.getfixturevalue("local_db")
    with database.client.start_session(causal_consistency=False) as session:
        yield Target(database["halls"], session)


def _hall(number: int, **fields: int) -> bytes:
    return document(("_id", int32(number)), *((name, int32(value)) for name, value in fields.items()))


def _key(frame: bytes) -> bytes:
    return raw_ids.key(raw_ids.id_of(frame))


def test_what_is_missing_is_inserted_and_what_is_there_stays(target: Target) -> None:
    target.put(_hall(1, seats=1))

    outcome = insert.insert_missing(
        collection=target.collection, frames=[_hall(1, seats=2), _hall(2), _hall(3)], session=target.session
    )

    assert set(outcome.done) == {_key(_hall(2)), _key(_hall(3))}
    assert outcome.stale == [_key(_hall(1))]
    assert target.live(_hall(1), _hall(2)) == {_hall(1, seats=1), _hall(2)}


def test_only_what_is_still_as_it_was_read_is_replaced(target: Target) -> None:
    target.put(_hall(1), _hall(2, seats=9))

    outcome = replace.replace_equal(
        collection=target.collection,
        replacements=[Replacement(_hall(n), _hall(n, seats=5)) for n in (1, 2, 3)],
        session=target.session,
    )

    assert outcome.done == [_key(_hall(1))]
    assert set(outcome.stale) == {_key(_hall(2)), _key(_hall(3))}
    assert target.live(_hall(1), _hall(2), _hall(3)) == {_hall(1, seats=5), _hall(2, seats=9)}


def test_one_refused_document_does_not_hold_up_the_rest(target: Target) -> None:
    target.collection.create_index("seats", unique=True)
    target.put(*(_hall(n, seats=n) for n in range(12)))
    changes = [Replacement(_hall(n, seats=n), _hall(n, seats=n + 100)) for n in range(11)]
    changes[4] = Replacement(_hall(4, seats=4), _hall(4, seats=11))

    outcome = replace.replace_equal(collection=target.collection, replacements=changes, session=target.session)
    inserted = insert.insert_missing(
        collection=target.collection, frames=[_hall(20, seats=11), _hall(21, seats=21)], session=target.session
    )

    assert len(outcome.done) == 10
    assert list(outcome.clashes) == [_key(_hall(4))]
    assert outcome.clashing[_key(_hall(4))] == {"seats": 11}
    assert (inserted.done, list(inserted.clashes)) == ([_key(_hall(21))], [_key(_hall(20))])
    assert target.live(_hall(4)) == {_hall(4, seats=4)}


def test_many_refused_documents_are_each_singled_out(target: Target) -> None:
    database = target.collection.database
    database.create_collection("halls", validator={"seats": {"$gte": 0}})
    frames = [_hall(n, seats=-1 if n % 2 else 1) for n in range(40)]

    outcome = insert.insert_missing(collection=target.collection, frames=frames, session=target.session)

    assert len(outcome.done) == len(outcome.refused) == 20
    assert all("DocumentValidationFailure" in reason for reason in outcome.refused.values())


@pytest.mark.parametrize(
    "odd",
    [
        [("t", timestamp(0))],
        [("$price", int32(1))],
        [("a", int32(1)), ("a", int32(2))],
        [("n", double(-0.0)), ("m", int64(1))],
    ],
    ids=["zero timestamp", "dollar name", "one name twice", "numbers"],
)
def test_odd_bytes_arrive_as_they_are(target: Target, odd: list[Any]) -> None:
    new = document(("_id", int32(1)), *odd)
    again = document(("_id", int32(1)), *odd, ("z", int32(1)))

    inserted = insert.insert_missing(collection=target.collection, frames=[new], session=target.session)
    assert inserted.done
    assert target.live(new) == {new}

    replaced = replace.replace_equal(
        collection=target.collection, replacements=[Replacement(new, again)], session=target.session
    )
    assert replaced.done
    assert target.live(new) == {again}


def test_bytes_that_would_stop_the_server_are_refused_here(target: Target) -> None:
    deadly = document(("_id", int32(1)), ("a", int32(1)), ("a", int32(2)), ("t", timestamp(0)))

    assert encoding.why_not(deadly)
    inserted = insert.insert_missing(collection=target.collection, frames=[deadly], session=target.session)

    assert list(inserted.refused) == [_key(deadly)]
    assert target.collection.database.command("ping")["ok"]


def test_the_type_of_an_id_can_change(target: Target) -> None:
    old, new = document(("_id", int32(1))), document(("_id", double(1.0)))
    target.put(old)

    outcome = replace.replace_equal(
        collection=target.collection, replacements=[Replacement(old, new)], session=target.session
    )

    assert outcome.done
    assert target.live(new) == {new}


def test_an_equal_number_of_another_type_is_not_the_same_inside_a_transaction(target: Target) -> None:
    there, read = document(("_id", int32(1)), ("n", int64(7))), document(("_id", int32(1)), ("n", int32(7)))
    target.put(there)

    outcome = replace.replace_equal(
        collection=target.collection, replacements=[Replacement(read, _hall(1, n=8))], session=target.session
    )

    assert outcome.stale, "another size, so even a standalone server sees it"
    assert target.live(there) == {there}


def test_documents_that_need_the_pipeline_are_found_among_many() -> None:
    """Those bytes stand inside values, too; and whatever stands before it, an odd document is found."""
    zero = bson.encode({"_id": 1, "at": Timestamp(0, 0)})
    dollar = bson.encode({"_id": 2, "$set": 1})
    plain = [
        bson.encode({"_id": number, "text": "\x11a$b\x02$", "n": 17, "inner": {"$gt": 1, "at": Timestamp(0, 0)}})
        for number in range(0x24 * 4)
    ]
    for at in (0, 7, len(plain)):
        frames = [*plain[:at], zero, *plain[at:], dollar]

        assert encoding.Together(frames).needing_pipeline() == [zero, dollar]
        assert [frame for frame in frames if encoding.needs_pipeline(frame)] == [zero, dollar]
    assert encoding.Together(plain).needing_pipeline() == []
