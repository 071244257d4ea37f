"""`backup_sync_state`: the marks by which the two databases of a pair know each other, one document on each side.

    {_id: "pair", pair: "9f…", role: "local" | "remote", database: "temple_db", generation: 7, next_generation: 7}

The local one also remembers what the next sync needs:

     tokens: {local: {…}, remote: {…}},      where each side's change stream goes on
     echo: {local: {session: UUID, after, last}, remote: …},   our own transactions, which the stream leaves out
     collections: [{name, local: uuid, remote: uuid, known: 812, indexes_differ: true}],
     making: [{name, side}],                 collections that sync makes there, until they have all their indexes
     left_over: [{name, reason, reason_details}],   what the last sync did not do and nobody decided against
     leftover: [{name, ids: [Binary]}], blocked: [{name, reason}],
     full: [name],                           collections that must be scanned next time
     proof: {at: Date, verdict: "equal" | "differs", documents: 23861, differing: […], …},
     remote: "5b1c…",                        a digest of where Atlas was at the last sync
     synced_at: Date
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson.binary import Binary
from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError
from pymongo.write_concern import WriteConcern

from backups_app.messages import stored

NAME = "backup_sync_state"
PAIR = "pair"
_DURABLE = WriteConcern(w="majority", j=True)


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `backup_sync_state` of either side, with durable writes and moments in UTC."""
    aware = database.codec_options.with_options(tz_aware=True)
    return database.get_collection(NAME, write_concern=_DURABLE, codec_options=aware)


def read(database: Database[Any]) -> dict[str, Any] | None:
    """Return this side's mark, or None when it bears none."""
    mark = collection(database).find_one({"_id": PAIR})
    return None if mark is None else stored.restored(mark)


def create(database: Database[Any], *, pair: str, role: str) -> bool:
    """Mark a side that bears no mark. Return False when one was there already; it is left as it is."""
    mark = {"_id": PAIR, "pair": pair, "role": role, "database": database.name, "generation": 0, "next_generation": 0}
    try:
        collection(database).insert_one(mark)
    except DuplicateKeyError:
        return False
    return True


def replace(database: Database[Any], *, pair: str, role: str) -> None:
    """Replace the mark of a side, whatever it was: only for `--adopt`."""
    mark = {"pair": pair, "role": role, "database": database.name, "generation": 0, "next_generation": 0}
    collection(database).replace_one({"_id": PAIR}, mark, upsert=True)


def announce_remote(database: Database[Any], *, local: Mapping[str, Any], role: str) -> int | None:
    """Announce the next generation on a remote that fits the local mark, in one step. Return it, or None."""
    fits = {
        "_id": PAIR,
        "pair": local["pair"],
        "role": role,
        "database": database.name,
        "generation": {"$gte": local["generation"], "$lte": local["next_generation"]},
        "next_generation": {"$gte": local["next_generation"]},
    }
    mark = collection(database).find_one_and_update(
        fits, {"$inc": {"next_generation": 1}}, return_document=ReturnDocument.AFTER
    )
    return None if mark is None else int(mark["next_generation"])


def announce_local(database: Database[Any], *, pair: str, expected: int, generation: int) -> bool:
    """Announce the generation here as well. Return False when another sync did so meanwhile."""
    result = collection(database).update_one(
        {"_id": PAIR, "pair": pair, "next_generation": expected}, {"$set": {"next_generation": generation}}
    )
    return result.matched_count == 1


def note_creation(database: Database[Any], *, name: str, side: str) -> None:
    """Remember beforehand that a collection is being made on `side`; `finish` says what is still unfinished."""
    collection(database).update_one({"_id": PAIR}, {"$addToSet": {"making": {"name": name, "side": side}}})


def look_again(database: Database[Any], *, name: str, ids: Sequence[bytes] | None) -> None:
    """Have the next sync look at these raw ids of a collection, or at all of it (None), whatever its streams report.
    A side without a mark was never synced: nothing is remembered there."""
    wanted = {"full": name} if ids is None else {"leftover": {"name": name, "ids": [Binary(raw_id) for raw_id in ids]}}
    collection(database).update_one({"_id": PAIR}, {"$addToSet": wanted})


def finish(database: Database[Any], *, pair: str, generation: int, changes: Mapping[str, Any]) -> bool:
    """Make the announced generation the current one. Return False when another sync announced a later one."""
    result = collection(database).update_one(
        {"_id": PAIR, "pair": pair, "next_generation": generation},
        {"$set": {**stored.with_details(changes), "generation": generation}},
    )
    return result.matched_count == 1
