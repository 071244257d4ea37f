"""The database that a real mongodump dumped (`tests/fixtures`), and how to put it into a server byte for byte."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

from bson import json_util
from bson.raw_bson import RawBSONDocument
from pymongo.database import Database

from backups_app.backup_files import layout
from backups_app.backup_files.reading import bson_frames

FIXTURES = Path(__file__).parents[1] / "fixtures"
PLAIN, GZIP = FIXTURES / "mongodump_plain", FIXTURES / "mongodump_gzip"
NAME = "golden"
_KEPT_BY_THE_SERVER = ("_id_",)


def load(database: Database[Any]) -> None:
    """Make every collection, view and index of the fixture in an empty database, and insert every document raw."""
    described = [_parsed(path) for path in sorted((PLAIN / NAME).glob("*.metadata.json"))]
    for one in sorted(described, key=lambda each: "viewOn" in each.get("options", {})):
        options = one.get("options", {})
        database.command({"create": one["collectionName"], **_creatable(options)})
        indexes = [_creatable(index) for index in one["indexes"] if not _is_own(index)]
        if indexes:
            database.command({"createIndexes": one["collectionName"], "indexes": indexes})
    for path in sorted((PLAIN / NAME).glob("*.bson")):
        stated = next((one["collectionName"] for one in described if _base(one["collectionName"]) == path.stem), None)
        source = stated or layout.collection_name(base=path.stem, stated=None)
        with path.open("rb") as file:
            for frame in bson_frames.frames(file):
                insert_raw(database, source, frame)


def insert_raw(database: Database[Any], collection: str, frame: bytes) -> None:
    """Put one document into a collection as it is: an ordinary insert would give Timestamp(0, 0) the present time."""
    namespace = f"{database.name}.{collection}"
    operation = {"op": "i", "ns": namespace, "o": RawBSONDocument(frame)}
    reply = database.client.admin.command({"applyOps": [operation]})
    assert reply["results"] == [True]


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of a dump: uncompressed, without what differs from server to server."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.endswith(layout.INDEX_SUFFIX):
            continue
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        name = path.name.removesuffix(layout.GZIP_SUFFIX)
        if name.endswith(".metadata.json"):
            data = re.sub(rb'"uuid":"[0-9a-f]{32}"', b'"uuid":""', data)
        if name == layout.PRELUDE:
            data = json.dumps(sorted(json.loads(data))).encode()
        found[name] = data
    return found


def _base(collection: str) -> str:
    return layout.file_base(collection)


def _parsed(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json_util.loads(path.read_text("utf-8"), json_options=json_util.CANONICAL_JSON_OPTIONS)
    return parsed


def _creatable(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "v"}


def _is_own(index: dict[str, Any]) -> bool:
    return index["name"] in _KEPT_BY_THE_SERVER or bool(index.get("clustered"))
