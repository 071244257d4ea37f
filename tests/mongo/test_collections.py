"""Through the one door every name that a server takes is a collection like any other, whatever is done with it."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.operations import IndexModel
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from backups_app.mongo import connections, raw_ids, scanning
from backups_app.mongo.collections import collection_of
from backups_app.mongo.exact_writes import delete, insert, live_collection, live_documents, replace
from backups_app.mongo.exact_writes.replace import Replacement
from tests import odd_names

Mongo = Database[dict[str, Any]]
MANY = 250
by_name = pytest.mark.parametrize("name", odd_names.SOME, ids=lambda name: ascii(name)[:20])


@pytest.fixture(params=["replica set", "standalone"])
def mongo(request: pytest.FixtureRequest) -> Mongo:
    """An empty database, on both kinds of server."""
    found: Mongo = request.getfixturevalue("local_db" if request.param == "replica set" else "standalone_db")
    return found


def documents(count: int) -> list[bytes]:
    return [bson.encode({"_id": number, "v": "x" * 100}) for number in range(count)]


def filled(mongo: Mongo, name: str) -> Collection[Any]:
    mongo.command({"insert": name, "documents": [{"_id": number, "v": number} for number in range(MANY)]})
    return collection_of(mongo, name)


@by_name
def test_it_is_read_in_every_way(mongo: Mongo, name: str) -> None:
    collection = filled(mongo, name)

    raw = b"".join(collection.find_raw_batches({}, batch_size=100))
    grouped = list(collection.aggregate([{"$group": {"_id": "$v"}}], batchSize=100))

    assert collection.name == name
    assert collection.full_name == f"{mongo.name}.{name}"
    assert len(list(collection.find({}, batch_size=100))) == MANY
    assert len(bson.decode_all(raw)) == len(grouped) == MANY
    assert collection.find_one({"_id": 7}) == {"_id": 7, "v": 7}
    assert collection.count_documents({}) == collection.estimated_document_count() == MANY
    assert sorted(collection.distinct("v")) == list(range(MANY))
    batches = scanning.batches(connections.for_scans(mongo), {"find": name, "batchSize": 100}, size=100)
    assert sum(len(scanning.documents(batch.array)) for batch in batches) == MANY


@by_name
def test_other_options_are_the_same_collection(mongo: Mongo, name: str) -> None:
    collection = filled(mongo, name).with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
    other = collection.with_options(
        read_preference=ReadPreference.PRIMARY,
        write_concern=WriteConcern(w=1),
        read_concern=ReadConcern("local"),
    )

    found = other.find_one({"_id": 7})

    assert isinstance(found, RawBSONDocument)
    assert other.full_name == collection.full_name
    assert (other.write_concern.document, other.read_concern.level) == ({"w": 1}, "local")
    assert collection.write_concern == mongo.write_concern
    assert connections.for_scans(mongo) is not mongo
    assert collection_of(connections.for_scans(mongo), name).count_documents({}) == MANY


@by_name
def test_exact_writes_write_it(mongo: Mongo, name: str) -> None:
    frames = documents(MANY)
    live = live_collection.inspect(collection=collection_of(mongo, name))
    new = bson.encode({"_id": 0, "v": "new"})
    # A `Timestamp(0, 0)` takes the road of updates by pipeline.
    odd = bson.encode({"_id": "odd", "at": bson.Timestamp(0, 0)})
    ids = [raw_ids.id_of(frame) for frame in (*frames, odd)]

    with mongo.client.start_session() as session:
        used = session if live.transactions else None
        inserted = insert.insert_missing(collection=live.collection, frames=[*frames, odd], session=used)
        change = Replacement(expected=frames[0], new=new)
        replaced = replace.replace_equal(collection=live.collection, replacements=[change], session=used)
    there = live_documents.read(collection=live.collection, ids=ids)
    deleted = delete.delete_equal(live=live, frames=[*frames, odd])

    assert live.type == "missing"
    assert len(inserted.done) == MANY + 1
    assert len(replaced.done) == 1
    assert sorted(there.values()) == sorted([new, *frames[1:], odd])
    assert (len(deleted.deleted), len(deleted.kept)) == (MANY, 1)
    assert live_collection.inspect(collection=collection_of(mongo, name)).type == "collection"
    assert [bytes(one) for one in collection_of(mongo, name).find_raw_batches({})] == [new]


@by_name
def test_its_indexes_are_made_and_listed(mongo: Mongo, name: str) -> None:
    collection = collection_of(mongo, name)

    collection.create_index("seva", unique=True)
    collection.create_indexes([IndexModel("day"), IndexModel("at", expireAfterSeconds=60)])

    assert [index["name"] for index in collection.list_indexes()] == ["_id_", "seva_1", "day_1", "at_1"]
    assert collection.index_information()["seva_1"]["unique"]


@by_name
def test_its_changes_are_reported_under_its_name(local_db: Mongo, name: str) -> None:
    local_db.command({"create": name})
    collection = collection_of(local_db, name)

    with local_db.watch() as of_database, collection.watch() as of_collection:
        collection.insert_one({"_id": 1})
        collection.update_one({"_id": 1}, {"$set": {"v": 1}})
        collection.delete_one({"_id": 1})
        reported = [[next(stream) for _ in range(3)] for stream in (of_database, of_collection)]

    for changes in reported:
        assert [change["operationType"] for change in changes] == ["insert", "update", "delete"]
        assert {change["ns"]["coll"] for change in changes} == {name}


def test_every_name_that_the_server_takes_is_opened_and_distinguished(local_db: Mongo) -> None:
    with local_db.watch() as stream:
        for number, name in enumerate(odd_names.ALL):
            collection = collection_of(local_db, name)
            collection.insert_one({"_id": number})
            collection.create_index("seva")
        reported = [next(stream)["ns"]["coll"] for _ in odd_names.ALL]

    assert sorted(local_db.list_collection_names()) == sorted(reported) == sorted(odd_names.ALL)
    for number, name in enumerate(odd_names.ALL):
        assert list(collection_of(local_db, name).find()) == [{"_id": number}], name
        assert [index["name"] for index in collection_of(local_db, name).list_indexes()] == ["_id_", "seva_1"], name


@pytest.mark.parametrize("name", odd_names.REFUSED_BY_SERVER, ids=ascii)
def test_what_a_server_refuses_it_refuses_itself(mongo: Mongo, name: str) -> None:
    with pytest.raises(OperationFailure):
        collection_of(mongo, name).insert_one({"_id": 1})

    assert mongo.list_collection_names() == []


def test_a_nul_in_a_name_is_refused(mongo: Mongo) -> None:
    with pytest.raises(OperationFailure):
        collection_of(mongo, "a\0b").insert_one({"_id": 1})

    assert mongo.list_collection_names() == []
