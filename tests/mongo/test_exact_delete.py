"""The exact delete, against real servers: a document goes if and only if its bytes are the ones handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import delete, filters
from backups_app.mongo.exact_writes.delete import DeleteOutcome, delete_equal
from backups_app.mongo.exact_writes.live_collection import inspect
from tests.mongo import near_copies

Documents = Collection[dict[str, Any]]
TempleDatabase = Database[dict[str, Any]]
MIB = 1024 * 1024


@pytest.fixture(params=["replica set", "standalone"])
def database(request: pytest.FixtureRequest) -> TempleDatabase:
    """The same test on both kinds of server."""
    name = "local_db" if request.param == "replica set" else "standalone_db"
    found: TempleDatabase = request.getfixturevalue(name)
    return found


@pytest.fixture
def bookings(database: TempleDatabase) -> Documents:
    return database["bookings"]


def _insert(collection: Documents, *frames: bytes) -> None:
    collection.insert_many([RawBSONDocument(frame) for frame in frames])


def _purge(collection: Documents, *frames: bytes) -> DeleteOutcome:
    return delete_equal(live=inspect(collection=collection), frames=frames)


def _frames(count: int, **fields: Any) -> list[bytes]:
    return [bson.encode({"_id": n, "devotee": f"devotee {n}", **fields}) for n in range(count)]


def _live(collection: Documents) -> list[bytes]:
    options = bson.CodecOptions(document_class=RawBSONDocument)
    return [bytes(document.raw) for document in collection.with_options(codec_options=options).find().sort("_id")]


# ── what is deleted, gone, kept ─────────────────────────────────────────────────


def test_equal_ones_are_deleted_and_all_others_stay(bookings: Documents) -> None:
    frames = _frames(1200)
    _insert(bookings, *frames[:1100], bson.encode({"_id": "new", "devotee": "came later"}))
    bookings.update_one({"_id": 7}, {"$set": {"devotee": "edited"}})

    outcome = _purge(bookings, *frames)

    assert (len(outcome.deleted), len(outcome.already_absent), len(outcome.refused)) == (1099, 100, 0)
    assert [raw_ids.decoded(raw_id) for raw_id in outcome.kept] == [7]
    assert [document["_id"] for document in bookings.find().sort("_id")] == [7, "new"]


def test_repeating_is_harmless(bookings: Documents) -> None:
    frames = _frames(600)
    _insert(bookings, *frames)
    _purge(bookings, *frames)

    again = _purge(bookings, *frames)

    assert (len(again.deleted), len(again.already_absent)) == (0, 600)


def test_a_collection_that_is_not_there_has_nothing_to_delete(bookings: Documents) -> None:
    outcome = _purge(bookings, *_frames(3))

    assert len(outcome.already_absent) == 3
    assert bookings.name not in bookings.database.list_collection_names()


def test_one_id_twice_in_a_batch_is_refused_whole(bookings: Documents) -> None:
    one, other = bson.encode({"_id": 1, "a": 1}), bson.encode({"_id": 1.0, "a": 1})
    _insert(bookings, one)

    with pytest.raises(ValueError):
        _purge(bookings, one, other)

    assert _live(bookings) == [one]


def test_values_that_look_like_operators_are_only_values(bookings: Documents) -> None:
    odd: list[dict[str, Any]] = [
        {"_id": "$amount", "amount": "$$ROOT", "nested": {"$literal": 1}},
        {"_id": "$$ROOT", "a.b": 1, "list": ["$_id", {"$eq": [1, 1]}]},
        {"_id": {"a": "$b"}, "": {"": "$"}, "$literal": "x"},
    ]
    frames = [bson.encode(document) for document in odd]
    _insert(bookings, *frames)
    stored = _live(bookings)

    outcome = _purge(bookings, *stored)

    assert len(outcome.deleted) == 3
    assert _live(bookings) == []


# ── E9: the server's equality is wider than bytes ───────────────────────────────


def test_the_51_near_copies_are_deleted_exactly_when_their_bytes_are_equal(bookings: Documents) -> None:
    pairs = near_copies.pairs()
    wrong = [name for name, saved, live in pairs if not _only_its_own_bytes_delete_it(bookings, saved, live)]
    wrong += [name for name, live, saved in pairs if not _only_its_own_bytes_delete_it(bookings, saved, live)]

    assert len(pairs) == 51
    assert wrong == []


def test_the_near_copies_fool_the_server_alone(bookings: Documents) -> None:
    fooled = 0
    for _, saved, live in near_copies.pairs():
        _insert(bookings, live)
        alone = filters.by_ids_and_bytes({raw_ids.id_of(saved): saved})
        fooled += bookings.delete_many(alone, collation=delete.SIMPLE).deleted_count
        bookings.delete_many({})

    assert fooled >= 25  # so that the test above would notice if the comparison of bytes were taken out


def _only_its_own_bytes_delete_it(collection: Documents, saved: bytes, live: bytes) -> bool:
    _insert(collection, live)
    assert _live(collection) == [live], "the server changed it on the way in, so the test would prove nothing"
    kept = _purge(collection, saved)
    stayed = _live(collection) == [live] and len(kept.kept) == 1
    deleted = _purge(collection, live)
    collection.delete_many({})
    return stayed and len(deleted.deleted) == 1


def test_500_random_pairs_in_one_batch_are_deleted_exactly_when_their_bytes_are_equal(bookings: Documents) -> None:
    pairs = near_copies.random_pairs(500, seed=20261124)
    _insert(bookings, *[live for _, _, live in pairs])

    outcome = _purge(bookings, *[saved for _, saved, _ in pairs])

    assert sorted(_live(bookings)) == sorted(live for _, saved, live in pairs if saved != live)
    assert len(outcome.deleted) == sum(saved == live for _, saved, live in pairs)
    assert outcome.already_absent == [] and outcome.refused == {}


# ── E10: odd ids, large, deep, capped and clustered documents ───────────────────


def test_every_type_of_id_is_deleted_exactly(bookings: Documents) -> None:
    ids: list[Any] = [
        1, bson.Int64(2), 3.5, bson.Decimal128("4.0"), "five", bson.ObjectId(), bson.Binary(b"7", 4), True, None,
        datetime(2026, 1, 1, tzinfo=UTC), bson.Timestamp(1, 1), {"part": 1, "of": [1, 2]}, bson.MinKey(), bson.MaxKey(),
        bson.Code("x"), bson.DatetimeMS(2**62), float("nan"),
    ]  # fmt: skip
    frames = [bson.encode({"_id": value, "devotee": "anna"}) for value in ids]
    _insert(bookings, *frames)
    edited = [bson.encode({"_id": value, "devotee": "edited"}) for value in ids]

    kept = _purge(bookings, *edited)
    deleted = _purge(bookings, *frames)

    assert len(kept.kept) == len(deleted.deleted) == len(ids) == 17
    assert _live(bookings) == []


@pytest.mark.parametrize("sizes", [[int(15.99 * MIB)], [int(7.9 * MIB)] * 2, [3 * MIB] * 3 + [100] * 5], ids=str)
def test_large_documents_are_deleted_exactly(bookings: Documents, sizes: list[int]) -> None:
    frames = [bson.encode({"_id": n, "photo": b"x" * (size - 64)}) for n, size in enumerate(sizes)]
    for frame in frames:
        _insert(bookings, frame)

    outcome = _purge(bookings, *frames)

    assert len(outcome.deleted) == len(sizes)
    assert _live(bookings) == []


def test_deep_documents_are_deleted_exactly(bookings: Documents) -> None:
    deep: dict[str, Any] = {"end": 1}
    for _ in range(178):
        deep = {"in": deep}
    frame = bson.encode({"_id": 1, "deep": deep})
    _insert(bookings, frame)

    outcome = _purge(bookings, frame)

    assert len(outcome.deleted) == 1


@pytest.mark.parametrize(
    "options",
    [{"capped": True, "size": MIB}, {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}],
    ids=["capped", "clustered"],
)
def test_capped_and_clustered_collections_are_deleted_exactly(
    database: TempleDatabase, options: dict[str, Any]
) -> None:
    collection = database.create_collection("bookings", **options)
    frames = _frames(50)
    _insert(collection, *frames)
    collection.update_one({"_id": 9}, {"$set": {"devotee": "DEVOTEE 9"}})

    outcome = _purge(collection, *frames)

    assert (len(outcome.deleted), len(outcome.kept)) == (49, 1)
    assert [document["_id"] for document in collection.find()] == [9]


# ── E11 and E8: types and collations ────────────────────────────────────────────


@pytest.mark.parametrize(
    "options", [{"viewOn": "other", "pipeline": []}, {"timeseries": {"timeField": "at"}}], ids=["view", "timeseries"]
)
def test_views_and_time_series_are_refused_by_type(database: TempleDatabase, options: dict[str, Any]) -> None:
    collection = database.create_collection("bookings", **options)

    with pytest.raises(ValueError, match="not a collection"):
        _purge(collection, *_frames(1))


def test_a_case_insensitive_collection_keeps_an_edit_of_case_alone(local_db: TempleDatabase) -> None:
    collection = local_db.create_collection("bookings", collation={"locale": "en", "strength": 2})
    frames = [bson.encode({"_id": name, "devotee": name}) for name in ("anna", "bela", "chitra")]
    _insert(collection, *frames)
    collection.update_one({"_id": "bela"}, {"$set": {"devotee": "BELA"}})

    outcome = _purge(collection, *frames)

    assert len(outcome.deleted) == 2
    assert [document["devotee"] for document in collection.find()] == ["BELA"]


def test_an_edit_of_case_after_the_read_is_kept_on_a_case_insensitive_collection(
    local_db: TempleDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = local_db.create_collection("bookings", collation={"locale": "en", "strength": 2})
    frames = [bson.encode({"_id": name, "devotee": name}) for name in ("anna", "bela")]
    _insert(collection, *frames)
    _before_the_delete_is_sent(
        monkeypatch, lambda: collection.update_one({"_id": "bela"}, {"$set": {"devotee": "BELA"}})
    )

    outcome = _purge(collection, *frames)

    assert len(outcome.deleted) == 1
    assert [document["devotee"] for document in collection.find()] == ["BELA"]


def test_on_a_standalone_server_a_collated_collection_is_withheld_with_its_reason(
    standalone_db: TempleDatabase,
) -> None:
    collection = standalone_db.create_collection("bookings", collation={"locale": "en", "strength": 2})
    frame = bson.encode({"_id": "anna"})
    _insert(collection, frame)

    with pytest.raises(ValueError, match="collation"):
        _purge(collection, frame)

    assert _live(collection) == [frame]


# ── A3: an edit between the read and the delete ─────────────────────────────────


def _before_the_delete_is_sent(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Do something once, in the moment between the read and the delete."""
    send, acts = delete._send, iter([act])

    def send_after_the_act(*arguments: Any) -> int:
        for once in acts:
            once()
        return send(*arguments)

    monkeypatch.setattr(delete, "_send", send_after_the_act)


def _without_the_predicate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "by_ids_and_bytes", lambda frames: filters.by_ids(list(frames)))


def test_an_edit_between_read_and_delete_is_kept(bookings: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = _frames(20)
    _insert(bookings, *frames)
    _before_the_delete_is_sent(monkeypatch, lambda: bookings.update_one({"_id": 7}, {"$set": {"devotee": "edited"}}))

    outcome = _purge(bookings, *frames)

    assert [document["devotee"] for document in bookings.find()] == ["edited"]
    assert (len(outcome.deleted), len(outcome.kept)) == (19, 1)


def test_without_the_predicate_that_edit_would_be_lost(
    standalone_db: TempleDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = standalone_db["bookings"]
    frames = _frames(20)
    _insert(collection, *frames)
    _without_the_predicate(monkeypatch)
    _before_the_delete_is_sent(monkeypatch, lambda: collection.update_one({"_id": 7}, {"$set": {"devotee": "edited"}}))

    _purge(collection, *frames)

    assert _live(collection) == []  # the mutant loses it, so the test above can fail


def test_what_somebody_else_deletes_meanwhile_is_counted_as_gone(
    bookings: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = _frames(20)
    _insert(bookings, *frames)
    _before_the_delete_is_sent(monkeypatch, lambda: bookings.delete_many({"_id": {"$lt": 5}}))

    outcome = _purge(bookings, *frames)

    assert (len(outcome.deleted), len(outcome.already_absent)) == (15, 5)


# ── what the server refuses ─────────────────────────────────────────────────────


def test_a_document_that_the_server_refuses_is_named_and_the_others_go(bookings: Documents) -> None:
    frames = _frames(40)
    _insert(bookings, *frames)
    impossible = bson.encode({"_id": {"$never": 1}, "devotee": "no server stores this id"})

    outcome = _purge(bookings, *frames[:20], impossible, *frames[20:])

    assert len(outcome.deleted) == 40
    assert list(outcome.refused) == [raw_ids.id_of(impossible)]
    assert "the server refused it" in next(iter(outcome.refused.values()))


def test_ids_of_types_that_no_server_stores_are_gone_without_asking(bookings: Documents) -> None:
    _insert(bookings, bson.encode({"_id": "anna"}))
    impossible = [bson.encode({"_id": bson.Regex("an+a")}), bson.encode({"_id": [1]})]

    outcome = _purge(bookings, *impossible)

    assert len(outcome.already_absent) == 2
    assert len(_live(bookings)) == 1


def test_far_away_servers_get_ten_statements_in_one_bulk(bookings: Documents) -> None:
    frames = _frames(2600)
    _insert(bookings, *frames)
    bookings.update_one({"_id": 1300}, {"$set": {"devotee": "edited"}})
    near = inspect(collection=bookings)
    far = type(near)(**{**vars(near), "statements_at_once": 10})

    outcome = delete_equal(live=far, frames=frames)

    assert (len(outcome.deleted), len(outcome.kept)) == (2599, 1)
    assert [document["_id"] for document in bookings.find()] == [1300]
