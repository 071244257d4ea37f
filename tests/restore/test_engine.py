"""The engine against real servers: everything back, nobody's edit lost, every exception named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Timestamp
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.collection_metadata import Described
from backups_app.errors import VerificationFailed
from backups_app.mongo import raw_ids
from backups_app.mongo.structures import structure_differences, structures
from backups_app.restore.choices import Mode
from backups_app.restore.source import Source
from tests.restore.conftest import documents, frames_of, restore

Make = Callable[..., Source]
Dump = Callable[[Database[Any]], Source]


def assert_everything_is_back(source: Source, database: Database[Any]) -> None:
    there = structures.all_of(database)
    for name, entry in source.manifest.collections.items():
        described = source.described(name)
        found = structures.with_indexes(database, there[name])
        wanted = structures.Structure(name=name, type=entry.type, options=described.options, indexes=described.indexes)
        assert structure_differences.differences(wanted=wanted, there=found) == []
        if entry.file is not None:
            physical = layout.BUCKETS_PREFIX + name if entry.type == "timeseries" else name
            assert sorted(frames_of(database, physical)) == sorted(source.frames(name))


def test_a_folder_of_a_real_mongodump_comes_back_byte_for_byte(golden: Source, local_db: Database[Any]) -> None:
    outcomes = restore(golden, local_db)

    assert [outcome.name for outcome in outcomes.values() if not outcome.complete] == []
    assert [sentence for outcome in outcomes.values() for sentence in outcome.sentences] == []
    assert sum(outcome.inserted for outcome in outcomes.values()) == golden.manifest.documents
    assert sum(outcome.proven for outcome in outcomes.values()) == golden.manifest.documents
    assert_everything_is_back(golden, local_db)


def test_a_standalone_server_gets_everything_back_too(golden: Source, standalone_db: Database[Any]) -> None:
    outcomes = restore(golden, standalone_db)

    assert all(outcome.complete for outcome in outcomes.values())
    assert_everything_is_back(golden, standalone_db)


def test_a_second_restore_of_the_same_finds_everything_done(
    golden: Source, local_db: Database[Any], safety: Dump
) -> None:
    restore(golden, local_db)

    outcomes = restore(golden, local_db, before=safety(local_db), mode=Mode.REPLACE)

    assert sum(outcome.inserted + outcome.replaced + outcome.deleted for outcome in outcomes.values()) == 0
    assert sum(outcome.unchanged for outcome in outcomes.values()) == golden.manifest.documents
    assert_everything_is_back(golden, local_db)


@pytest.mark.parametrize("server", ["local_db", "standalone_db"])
@pytest.mark.parametrize(
    ("mode", "numbers", "left"),
    [
        (Mode.ADD, (1, 0, 0), {1: "same", 2: "live", 3: "new", 9: "extra"}),
        (Mode.OVERWRITE, (1, 1, 0), {1: "same", 2: "backup", 3: "new", 9: "extra"}),
        (Mode.REPLACE, (1, 1, 1), {1: "same", 2: "backup", 3: "new"}),
    ],
)
def test_each_mode_does_what_it_says(
    request: pytest.FixtureRequest,
    a_source: Make,
    safety: Dump,
    server: str,
    mode: Mode,
    numbers: tuple[int, int, int],
    left: dict[int, str],
) -> None:
    database: Database[Any] = request.getfixturevalue(server)
    source = a_source(bookings=documents((1, "same"), (2, "backup"), (3, "new")))
    database["bookings"].insert_many([{"_id": 1, "v": "same"}, {"_id": 2, "v": "live"}, {"_id": 9, "v": "extra"}])

    outcome = restore(source, database, before=safety(database), mode=mode)["bookings"]

    assert (outcome.inserted, outcome.replaced, outcome.deleted) == numbers
    assert {document["_id"]: document["v"] for document in database["bookings"].find()} == left
    assert outcome.complete
    assert outcome.proven == len(left)


@pytest.mark.parametrize("server", ["local_db", "standalone_db"])
def test_what_was_edited_since_the_safety_backup_stays_and_is_named(
    request: pytest.FixtureRequest, a_source: Make, safety: Dump, server: str
) -> None:
    database: Database[Any] = request.getfixturevalue(server)
    source = a_source(bookings=documents((1, "backup"), (2, "backup"), (3, "backup"), (4, "backup")))
    bookings = database["bookings"]
    bookings.insert_many([{"_id": 1, "v": "old"}, {"_id": 2, "v": "old"}, {"_id": 8, "v": "x"}, {"_id": 9, "v": "x"}])
    before = safety(database)
    bookings.update_one({"_id": 1}, {"$set": {"v": "edited since"}})
    bookings.delete_one({"_id": 2})
    bookings.insert_one({"_id": 3, "v": "booked since"})
    bookings.update_one({"_id": 9}, {"$set": {"v": "edited since"}})
    bookings.insert_one({"_id": 10, "v": "booked since"})

    outcome = restore(source, database, before=before, mode=Mode.REPLACE)["bookings"]

    assert {document["_id"]: document["v"] for document in bookings.find()} == {
        1: "edited since", 3: "booked since", 4: "backup", 9: "edited since", 10: "booked since",
    }  # fmt: skip
    assert sorted(outcome.newer.ids) == [1, 2, 3, 9]
    assert (outcome.inserted, outcome.replaced, outcome.deleted) == (1, 0, 1)
    assert outcome.complete


def test_one_document_is_put_back_alone(a_source: Make, safety: Dump, local_db: Database[Any]) -> None:
    source = a_source(bookings=documents((1, "backup"), (2, "backup")))
    local_db["bookings"].insert_many([{"_id": 2, "v": "live"}, {"_id": 5, "v": "live"}])
    wanted = raw_ids.id_of(bson.encode({"_id": 2}))

    added = restore(source, local_db, before=safety(local_db), collections=("bookings",), document=wanted)["bookings"]
    over = restore(
        source, local_db, before=safety(local_db), collections=("bookings",), document=wanted, mode=Mode.OVERWRITE
    )["bookings"]

    assert (added.inserted, added.replaced, added.kept) == (0, 0, 1)
    assert (over.inserted, over.replaced, over.deleted) == (0, 1, 0)
    assert {document["_id"]: document["v"] for document in local_db["bookings"].find()} == {2: "backup", 5: "live"}


def test_the_bytes_decide_and_not_what_the_server_calls_equal(
    a_source: Make, safety: Dump, local_db: Database[Any]
) -> None:
    source = a_source(c=[bson.encode({"_id": 1, "v": 1.0}), bson.encode({"_id": 2, "b": 1, "a": 2})])
    local_db["c"].insert_many([{"_id": 1, "v": 1}, {"_id": 2, "a": 2, "b": 1}])

    outcome = restore(source, local_db, before=safety(local_db), mode=Mode.OVERWRITE)["c"]

    assert outcome.replaced == 2
    assert sorted(frames_of(local_db, "c")) == sorted(source.frames("c"))


def test_a_clash_with_a_unique_index_is_named_or_dissolves(
    a_source: Make, safety: Dump, local_db: Database[Any]
) -> None:
    source = a_source(c=[bson.encode({"_id": number, "code": f"C{number}"}) for number in (1, 2, 3)])
    local_db["c"].create_index("code", unique=True)
    local_db["c"].insert_many([{"_id": 1, "code": "C2"}, {"_id": 7, "code": "C3"}])
    before = safety(local_db)

    added = restore(source, local_db, before=before)["c"]
    left = {document["_id"]: document["code"] for document in local_db["c"].find()}
    replaced = restore(source, local_db, before=safety(local_db), mode=Mode.REPLACE)["c"]

    assert (added.inserted, added.clashes.ids, added.complete) == (0, [2, 3], False)
    assert left == {1: "C2", 7: "C3"}
    assert replaced.complete
    assert sorted(frames_of(local_db, "c")) == sorted(source.frames("c"))


def test_a_document_that_no_server_stores_unchanged_is_named(a_source: Make, local_db: Database[Any]) -> None:
    twice = bson.encode({"_id": 1, "a": 1})[4:-1] + bson.encode({"a": 2, "t": Timestamp(0, 0)})[4:-1]
    bad = (len(twice) + 5).to_bytes(4, "little") + twice + b"\0"
    zero = bson.encode({"_id": 2, "t": Timestamp(0, 0), "$odd": 1})
    source = a_source(c=[bad, zero])

    outcome = restore(source, local_db)["c"]

    assert (outcome.inserted, outcome.refused.ids, outcome.complete) == (1, [1], False)
    assert frames_of(local_db, "c") == [zero]


def test_of_two_versions_in_one_file_the_later_one_is_put_back(a_source: Make, local_db: Database[Any]) -> None:
    source = a_source(c=[*documents((1, "first"), (2, "x")), *documents((1, "second"))])

    outcome = restore(source, local_db)["c"]

    assert {document["_id"]: document["v"] for document in local_db["c"].find()} == {1: "second", 2: "x"}
    assert outcome.complete


def test_a_capped_collection_is_filled_in_order_and_never_pushed_out(
    a_source: Make, safety: Dump, local_db: Database[Any]
) -> None:
    local_db.create_collection("log", capped=True, size=100_000, max=50)
    local_db["log"].insert_many([{"_id": number} for number in range(50)])
    source = safety(local_db)
    local_db.drop_collection("log")

    first = restore(source, local_db)["log"]
    order = [document["_id"] for document in local_db["log"].find()]
    local_db["log"].insert_one({"_id": 99})
    second = restore(source, local_db, before=safety(local_db))["log"]

    assert (first.complete, order) == (True, list(range(50)))
    assert "push out" in second.withheld
    assert local_db["log"].find_one({"_id": 99})


def test_a_collection_of_another_kind_is_left_alone(a_source: Make, safety: Dump, local_db: Database[Any]) -> None:
    source = a_source(bookings=documents((1, "x")))
    local_db.command({"create": "bookings", "viewOn": "other", "pipeline": []})

    outcome = restore(source, local_db, before=safety(local_db))["bookings"]

    assert outcome.withheld == '"bookings" is a view now; in the backup it is a collection'


def test_rules_and_indexes_come_after_the_documents_also_those_that_break_them(
    safety: Dump, local_db: Database[Any]
) -> None:
    local_db["c"].insert_many([{"_id": 1, "n": "not a number"}, {"_id": 2, "n": 5}])
    local_db.command({"collMod": "c", "validator": {"n": {"$type": "int"}}, "validationAction": "error"})
    local_db["c"].create_index([("n", 1), ("m", -1)], name="both", sparse=True)
    source = safety(local_db)
    local_db.drop_collection("c")

    outcome = restore(source, local_db)["c"]

    assert outcome.complete
    assert_everything_is_back(source, local_db)
    with pytest.raises(Exception, match="failed validation"):
        local_db["c"].insert_one({"n": "x"})


def test_what_an_earlier_attempt_created_gets_its_indexes(safety: Dump, local_db: Database[Any]) -> None:
    local_db["c"].insert_one({"_id": 1})
    local_db["c"].create_index("n", name="n_1")
    source = safety(local_db)
    local_db["c"].drop_index("n_1")

    without = restore(source, local_db, before=safety(local_db))["c"]
    reported = list(without.sentences)
    restore(source, local_db, before=safety(local_db), unfinished=frozenset({"c"}))

    assert reported == ['the index "n_1" of "c" is not there']
    assert "n_1" in local_db["c"].index_information()


def test_damage_is_seen_before_anything_is_written(a_source: Make, local_db: Database[Any]) -> None:
    source = a_source(bookings=documents(*((number, "x" * 50) for number in range(300))))
    path = source.folder / "temple/bookings.bson"
    good = path.read_bytes()
    for at in range(40, len(good), len(good) // 20):
        path.write_bytes(good[:at])
        with pytest.raises(VerificationFailed):
            restore(source, local_db)
        flipped = bytearray(good)
        flipped[at] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(VerificationFailed):
            restore(source, local_db)

    assert local_db.list_collection_names() == []


def test_an_index_that_the_server_refuses_makes_the_restore_incomplete(
    safety: Dump, local_db: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    local_db["c"].insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 1}])
    local_db["c"].create_index("n", name="n_1")
    source = safety(local_db)
    local_db.drop_collection("c")
    described = source.described("c")
    unique = tuple({**index, "unique": True} if index["name"] == "n_1" else index for index in described.indexes)
    monkeypatch.setattr(Source, "described", lambda self, name: Described(options={}, indexes=unique))

    outcome = restore(source, local_db)["c"]

    assert (outcome.inserted, outcome.complete) == (2, False)
    assert outcome.sentences == ['index "n_1" of "c" could not be made (DuplicateKey)']


def test_documents_are_proven_before_an_index_with_a_time_to_live_is_made(
    safety: Dump, local_db: Database[Any]
) -> None:
    local_db["c"].insert_one({"_id": 1, "at": datetime(2001, 1, 1, tzinfo=UTC)})
    source = safety(local_db)
    local_db["c"].create_index("at", name="short", expireAfterSeconds=1)
    with_index = safety(local_db)
    local_db.drop_collection("c")

    outcome = restore(with_index if with_index.manifest.documents else source, local_db)["c"]

    assert (outcome.complete, outcome.proven) == (True, 1)
    assert "short" in local_db["c"].index_information()


def test_a_restore_of_one_document_says_nothing_of_those_that_nobody_asked_for(
    a_source: Make, safety: Dump, local_db: Database[Any]
) -> None:
    source = a_source(bookings=documents(*((number, "backup") for number in range(20))))
    local_db["bookings"].insert_one({"_id": 30, "v": "live"})
    wanted = raw_ids.id_of(bson.encode({"_id": 2}))

    outcome = restore(source, local_db, before=safety(local_db), collections=("bookings",), document=wanted)["bookings"]

    assert (outcome.inserted, outcome.proven, outcome.unchanged) == (1, 1, 0)
    assert (outcome.sentences, outcome.notes, outcome.complete) == ([], [], True)
