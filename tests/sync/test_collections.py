"""Every kind of collection: made alike, copied as far as its kind allows, and what cannot be is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import gridfs
import pytest

from backups_app.mongo.raw_bson import text
from backups_app.progress import Silent
from backups_app.records import Side
from tests.sync.pairs import Pair, contents, document, int32, seed, version


@pytest.mark.parametrize(
    "options",
    [
        {"validator": {"n": {"$gte": 0}}, "validationLevel": "moderate"},
        {"collation": {"locale": "en", "strength": 2}},
        {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
        {"capped": True, "size": 8192, "max": 100},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_missing_collection_is_made_with_its_options_and_indexes(any_pair: Pair, options: dict[str, Any]) -> None:
    source = any_pair.application[Side.REMOTE]
    source.create_collection("halls", **options)
    source["halls"].create_index([("n", 1)], name="by_n")
    seed(
        any_pair,
        [document(("_id", int32(key)), ("n", int32(key))) for key in range(5)],
        sides=[Side.REMOTE],
        name="halls",
    )

    any_pair.sync()

    made, original = (
        next(iter(side.list_collections(filter={"name": "halls"})))["options"]
        for side in (any_pair.local, any_pair.remote)
    )
    assert made == original
    assert "by_n" in any_pair.local["halls"].index_information()
    assert len(contents(any_pair.local)["halls"]) == 5
    any_pair.assert_converged()


def test_a_capped_collection_only_receives_inserts(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("feed", capped=True, size=65536, max=5)
    seed(any_pair, [document(("_id", int32(key))) for key in range(5)], name="feed")
    any_pair.sync()
    any_pair.application[Side.LOCAL]["feed"].insert_many([{"_id": key} for key in range(5, 8)])

    for _ in range(3):
        report = any_pair.sync()

    assert {one["_id"] for one in any_pair.remote["feed"].find()} == {3, 4, 5, 6, 7}
    assert report.log["totals"]["pushed"] == 0
    assert any_pair.kept() == set()


def test_a_time_series_is_copied_by_insertion(any_pair: Pair) -> None:
    source = any_pair.application[Side.LOCAL]
    source.create_collection("lamps", timeseries={"timeField": "at", "metaField": "lamp"})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    source["lamps"].insert_many([{"at": moment, "lamp": number % 3, "oil": number} for number in range(30)])

    first = any_pair.sync()
    again = any_pair.sync()

    assert first.counts["pushed"] == 30
    assert (again.counts["pushed"], again.counts["equal"]) == (0, 30)
    assert not again.unresolved
    assert any_pair.remote["lamps"].count_documents({}) == 30


def test_a_view_is_skipped_and_stated(any_pair: Pair) -> None:
    seed(any_pair, [version(1)])
    any_pair.application[Side.LOCAL].create_collection("today", viewOn="bookings", pipeline=[])

    report = any_pair.sync(exclude=frozenset({"secret"}))

    assert report.skipped == {"today": "a view holds no documents of its own"}
    assert "today" not in any_pair.remote.list_collection_names()


def test_a_file_arrives_with_its_chunks_before_it(any_pair: Pair) -> None:
    data = bytes(range(256)) * 4_000
    file_id = gridfs.GridFS(any_pair.application[Side.REMOTE]).put(data, filename="kolam.png")
    order: list[str] = []

    class Order:
        def expect(self, label: str, total: int) -> None: ...
        def advance(self, label: str, count: int, size_bytes: int = 0) -> None:
            order.append(label.split()[0])

        def note(self, sentence: str) -> None: ...
        def checkpoint(self) -> None: ...

    any_pair.sync(progress=Order())

    assert gridfs.GridFS(any_pair.application[Side.LOCAL]).get(file_id).read() == data
    assert order.index("fs.chunks") < order.index("fs.files")


def test_options_and_indexes_that_differ_are_reported(any_pair: Pair) -> None:
    seed(any_pair, [version(1)])
    any_pair.application[Side.LOCAL]["bookings"].create_index("slot", name="slot", unique=True)
    any_pair.application[Side.REMOTE].command({"collMod": "bookings", "validator": {"x": {"$exists": False}}})

    report = any_pair.sync()

    [bookings] = report.log["collections"]
    assert "index slot is missing on Atlas" in bookings["differences"]
    assert any("option validator differs" in sentence for sentence in bookings["differences"])

    any_pair.sync(exact=True, create_indexes=True)
    assert "slot" in any_pair.remote["bookings"].index_information()


def test_a_collection_with_its_own_collation_is_synced_exactly(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("bookings", collation={"locale": "en", "strength": 2})
    seed(any_pair, [document(("_id", text(name)), ("n", int32(0))) for name in ("anna", "ravi", "meena")])
    any_pair.sync()
    any_pair.put(Side.LOCAL, document(("_id", text("anna")), ("n", int32(1))))
    any_pair.put(Side.REMOTE, document(("_id", text("ravi")), ("n", int32(1))))
    any_pair.collection(Side.REMOTE).delete_one({"_id": "meena"})

    report = any_pair.sync()

    assert {one["_id"]: one["n"] for one in any_pair.remote["bookings"].find()} == {"anna": 1, "ravi": 1}
    here = {one["_id"]: one["n"] for one in any_pair.local["bookings"].find()}
    if any_pair.has_transactions:
        assert (here, dict(report.unresolved)) == ({"anna": 1, "ravi": 1}, {})
        return
    assert here == {"anna": 1, "ravi": 1, "meena": 0}, "a standalone server cannot delete exactly there"
    [named] = report.log["collections"][0]["unresolved_documents"]
    assert named["id"] == "meena"
    assert "collation" in named["reason"]


def test_an_edit_of_letters_alone_is_seen_in_a_case_insensitive_collection(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("bookings", collation={"locale": "en", "strength": 2})
    seed(any_pair, [document(("_id", int32(1)), ("name", text("ANNA")))])
    any_pair.sync()
    new = document(("_id", int32(1)), ("name", text("anna")))
    any_pair.put(Side.LOCAL, new)

    any_pair.sync()

    assert any_pair.get(Side.REMOTE, 1) == new


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_clustered_collection_is_edited_and_deleted_like_any_other(any_pair: Pair, side: Side) -> None:
    for one in Side:
        any_pair.application[one].create_collection("bookings", clusteredIndex={"key": {"_id": 1}, "unique": True})
    seed(any_pair, [version(key) for key in range(10)])
    any_pair.sync()
    any_pair.put(side, version(1, minutes=1))
    any_pair.delete(side, 2)
    any_pair.put(side, version(20))

    report = any_pair.sync()

    assert not report.unresolved
    assert contents(any_pair.local) == contents(any_pair.remote)
    assert len(contents(any_pair.local)["bookings"]) == 10
    any_pair.assert_converged()
    any_pair.assert_nothing_lost()


def test_a_document_changed_on_both_sides_of_a_capped_collection_is_named(any_pair: Pair) -> None:
    for side in Side:
        any_pair.application[side].create_collection("feed", capped=True, size=65536)
    seed(any_pair, [document(("_id", int32(1)), ("n", int32(0)))], name="feed")
    any_pair.sync()
    any_pair.application[Side.LOCAL]["feed"].update_one({"_id": 1}, {"$set": {"n": 1}})

    report = any_pair.sync()

    assert dict(report.unresolved) == {"feed": 1}
    assert any_pair.remote["feed"].find_one({"_id": 1}) == {"_id": 1, "n": 0}


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_what_is_deleted_from_a_time_series_is_neither_deleted_nor_brought_back_elsewhere(
    any_pair: Pair, side: Side
) -> None:
    source = any_pair.application[side]
    source.create_collection("lamps", timeseries={"timeField": "at", "metaField": "lamp"})
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    source["lamps"].insert_many([{"at": moment, "lamp": number % 3, "oil": number} for number in range(30)])
    any_pair.sync()
    source["lamps"].delete_many({"lamp": 1})

    for _ in range(2):
        report = any_pair.sync()
        assert not report.unresolved

    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    assert any_pair.side(other)["lamps"].count_documents({}) == 30
    assert any_pair.side(side)["lamps"].count_documents({}) == 20
    assert any_pair.kept() == set()


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_deleted_file_goes_before_its_chunks(any_pair: Pair, side: Side) -> None:
    """A reader must never find a file whose chunks are gone."""
    kept, gone = (gridfs.GridFS(any_pair.application[side]).put(bytes(700_000), filename=name) for name in "ab")
    any_pair.sync()
    gridfs.GridFS(any_pair.application[side]).delete(gone)
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    files, chunks = (any_pair.application[other][name] for name in ("fs.files", "fs.chunks"))
    seen: list[tuple[int, int]] = []

    class Watching(Silent):
        def checkpoint(self) -> None:
            now = (files.count_documents({}), chunks.count_documents({}))
            if not seen or seen[-1] != now:
                seen.append(now)

    report = any_pair.sync(progress=Watching())
    seen.append((files.count_documents({}), chunks.count_documents({})))

    assert seen[0] == (2, 6)
    assert (1, 6) in seen, "the file first"
    assert seen[-1] == (1, 3)
    assert not report.unresolved
    assert gridfs.GridFS(any_pair.application[other]).get(kept).read() == bytes(700_000)
