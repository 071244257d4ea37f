"""`<base>.metadata.json`: a collection's options and indexes as mongodump writes them, key by key and byte by byte."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import bson
from bson import json_util
from pymongo.database import Database

from backups_app.backup_files.shown import extended_json
from backups_app.dump.server.listing import VIEW, Listed
from backups_app.errors import DumpFailed
from backups_app.messages import dump as messages
from backups_app.mongo import scanning

_NO_OPTIONS = b"\x05\0\0\0\0"


def text(*, database: Database[Any], listed: Listed) -> str:
    """Return the metadata file of a collection: options, indexes, uuid, name and type, in mongodump's order.

    Raise `DumpFailed` when options or indexes would not come back from the file as they are, and pymongo's errors.
    """
    indexes = [] if listed.info.type == VIEW else _indexes(database, listed.info.name)
    parts = [] if listed.options == _NO_OPTIONS else [f'"options":{_faithful(listed, listed.options)}']
    parts.append(f'"indexes":[{",".join(_faithful(listed, index) for index in indexes)}]')
    if listed.info.uuid:
        parts.append(f'"uuid":"{listed.info.uuid}"')
    name = json.dumps(listed.info.name, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    parts += [f'"collectionName":{name}', f'"type":"{listed.info.type}"']
    return "{" + ",".join(parts) + "}"


def _indexes(database: Database[Any], name: str) -> list[bytes]:
    """By command, for pymongo's own call refuses names that the server takes (`trailing.`)."""
    found: list[bytes] = []
    for batch in scanning.batches(database, {"listIndexes": name, "cursor": {}}):
        found += [bytes(frame) for frame in scanning.documents(batch.array)]
    return found


def _faithful(listed: Listed, frame: bytes) -> str:
    """Extended JSON cannot distinguish a name that begins with `$` from one of its own: refuse rather than blur."""
    try:
        return _json_of(frame)
    except (ValueError, TypeError, bson.errors.BSONError) as error:
        raise _refusal(listed) from error


@lru_cache(maxsize=16)
def _json_of(frame: bytes) -> str:
    """Most collections have the same `_id` index. Raise ValueError for what would not come back as it is."""
    written = extended_json.canonical_text(frame)
    if bson.encode(json_util.loads(written, json_options=json_util.CANONICAL_JSON_OPTIONS)) != frame:
        raise ValueError
    return written


def _refusal(listed: Listed) -> DumpFailed:
    return DumpFailed(reason=messages.STRUCTURE_NOT_WRITABLE(name=listed.info.name))
