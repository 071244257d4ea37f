"""Writes the demo's temple into empty databases, and empties them again only where it was written by the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.errors import DemoRefused
from backups_app.management.demo import history, temple
from backups_app.management.demo.generator import DemoCollection
from backups_app.mongo import connections
from backups_app.records import Side

MARKS = "templeops_demo"
"""A database of its own, beside the temple's: which databases of this server the demo has filled."""

MongoDatabase = Database[dict[str, Any]]


def fill(*, sides: Mapping[Side, MongoDatabase], now: datetime, with_history: bool = False) -> dict[str, int]:
    """Write the temple into both sides (or one). Return the number of documents by local collection; empty when the
    demo had been there already. A fill that was cut short starts over. `with_history`: the local side grows in thirty
    nights, each with its backup. Raise `DemoRefused` where others' data are, `DatabaseUnreachable`."""
    local = sides[Side.LOCAL]
    with connections.reachable(Side.LOCAL):
        if _stored_state(local) == "filled":
            return {}
    for side, database in sides.items():
        with connections.reachable(side):
            _make_room(database)
    for side, database in reversed(list(sides.items())):  # the local side last: its mark says that all is done
        with connections.reachable(side):
            _set_mark(database, "filling", now)
            if with_history and side is Side.LOCAL:
                _live_through(database, now)
            else:
                _write(side, database)
            _set_mark(database, "filled", now)
    return {collection.name: len(temple.on_both_sides(collection)[0].documents) for collection in temple.collections()}


def reset(*, sides: Mapping[Side, MongoDatabase]) -> None:
    """Drop the databases that the demo has filled. Raise `DemoRefused` for any other, and while a backup runs."""
    for side, database in sides.items():
        with connections.reachable(side):
            if _stored_state(database) is None and _others(database):
                raise DemoRefused(database=database.name, side=side.value)
            if side is Side.LOCAL and runs.active(database) is not None:
                raise DemoRefused(database=database.name, side=side.value)
    for side, database in sides.items():
        with connections.reachable(side):
            if _stored_state(database) is not None:
                database.client.drop_database(database.name)
                database.client[MARKS].filled.delete_one({"_id": database.name})


def _make_room(database: MongoDatabase) -> None:
    if _stored_state(database) is not None:
        database.client.drop_database(database.name)
    elif _others(database):
        raise DemoRefused(database=database.name, side="")


def _others(database: MongoDatabase) -> list[str]:
    return database.list_collection_names()


def _write(side: Side, database: MongoDatabase) -> None:
    for collection in temple.collections():
        here, there = temple.on_both_sides(collection)
        _create(database, here if side is Side.LOCAL else there)


def _live_through(database: MongoDatabase, now: datetime) -> None:
    """Write the local side as it was thirty nights ago, then night by night what came since."""
    collections = [temple.on_both_sides(collection)[0] for collection in temple.collections()]
    there = {one.name: history.share(one, night=0) for one in collections}
    for one in collections:
        _create(database, replace(one, documents=one.documents[: there[one.name]]))

    def grow(night: int) -> None:
        for one in collections:
            wanted = history.share(one, night=night)
            if wanted > there[one.name]:
                database[one.name].insert_many(one.documents[there[one.name] : wanted])
                there[one.name] = wanted

    history.make(now=now, grow=grow)
    for one in collections:
        if rest := one.documents[there[one.name] :]:
            database[one.name].insert_many(rest)


def _create(database: MongoDatabase, collection: DemoCollection) -> None:
    created = database.create_collection(collection.name, **collection.options)
    if collection.indexes:
        created.create_indexes(list(collection.indexes))
    if collection.documents:
        created.insert_many(collection.documents)


def _stored_state(database: MongoDatabase) -> str | None:
    found = database.client[MARKS].filled.find_one({"_id": database.name})
    return found["state"] if found else None


def _set_mark(database: MongoDatabase, state: str, now: datetime) -> None:
    database.client[MARKS].filled.replace_one(
        {"_id": database.name}, {"_id": database.name, "state": state, "at": now}, upsert=True
    )
