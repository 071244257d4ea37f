"""Which run deleted a document, as the purge ledger names it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.catalog import purge_ledger
from backups_app.mongo import raw_bson, raw_ids

_FIELDS = (b"seen", b"run")


def runs_that_deleted(database: Database[Any], *, collection: str, ids: Sequence[bytes]) -> dict[bytes, str]:
    """Given raw ids, return by key (`raw_ids.key`) the newest run whose entry names the document as deleted: it was
    looked at on a side after the delete, was not kept there, and no restore took it back. Raise pymongo's errors."""
    wanted_keys = {raw_ids.key(raw_id) for raw_id in ids}
    named: dict[bytes, str] = {}
    for part in purge_ledger.in_parts(ids):
        among = RawBSONDocument(raw_bson.document([("$in", raw_ids.array(part))]))
        wanted = {"collection": collection, "documents.id": among, "seen": {"$ne": {}}}
        shown = {"documents.id": 1, "released": 1, "seen": 1, "run": 1}
        for document in purge_ledger.raw_entries(database).find(wanted, shown).sort("opened_at", 1):
            raw = bytes(document.raw)
            sentences = bson.decode(
                raw_bson.document((n.decode(), v) for n, v in raw_bson.elements(raw) if n in _FIELDS)
            )
            kept = {number for seen in sentences["seen"].values() for number in seen["kept"]}
            numbered = enumerate(purge_ledger.ids_in(raw, "documents"))
            deleted = {raw_ids.key(raw_id) for number, raw_id in numbered if number not in kept}
            named |= dict.fromkeys(wanted_keys & deleted - purge_ledger.keys_in(raw, "released"), sentences["run"])
    return named
