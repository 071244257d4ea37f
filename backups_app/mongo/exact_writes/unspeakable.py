"""Inserts into a collection whose name servers take and pymongo does not: `a..b`, `a.`. By plain commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError, InvalidName

from backups_app.mongo import raw_ids
from backups_app.mongo.exact_writes import form
from backups_app.mongo.exact_writes.written import WriteOutcome

PROBLEM = "the driver cannot address a collection of this name"


def is_unspeakable(database: Database[Any], name: str) -> bool:
    """Return whether pymongo refuses this name."""
    try:
        database[name]
    except InvalidName:
        return True
    return False


def insert_missing(*, database: Database[Any], name: str, frames: Sequence[bytes]) -> WriteOutcome:
    """Given raw documents with different `_id`s, insert those that are missing, each by itself. A document whose `_id`
    is there is `stale`. Raise PyMongoError when the outcome is unknown: repeating is harmless."""
    outcome = WriteOutcome()
    keyed = [(raw_ids.key(raw_ids.of(frame)), frame) for frame in frames]
    possible = [(key, frame) for key, frame in keyed if not form.needs_pipeline(frame)]
    outcome.refused = {key: PROBLEM for key, frame in keyed if form.needs_pipeline(frame)}
    if not possible:
        return outcome
    reply = database.command(
        {
            "insert": name,
            "ordered": False,
            "documents": [RawBSONDocument(frame) for _, frame in possible],
            "writeConcern": {"w": "majority", "j": True},
        }
    )
    refused = {one["index"]: one for one in reply.get("writeErrors", ())}
    if reply.get("writeConcernError"):
        raise BulkWriteError({**reply, "writeErrors": [], "writeConcernErrors": [reply["writeConcernError"]]})
    for index, (key, _) in enumerate(possible):
        if index in refused:
            outcome.refuse(key, refused[index])
        else:
            outcome.done.append(key)
    return outcome
