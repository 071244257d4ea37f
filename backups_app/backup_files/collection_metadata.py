"""What the `.metadata.json` of a collection says: its type, options and indexes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bson import json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError

from backups_app.backup_files import descent
from backups_app.backup_files.reading import collection_reader
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.errors import VerificationFailed
from backups_app.messages import backup_files as messages

_LARGEST = 64 * 1024 * 1024
_UUID_DIGITS = 32
_STRICT = json_util.CANONICAL_JSON_OPTIONS.with_options(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


@dataclass(frozen=True, kw_only=True)
class CollectionMetadata:
    """`indexes` and `options` are as in the file (Extended JSON); `problem` says why they could not be read."""

    name: str | None = None
    type: str = "collection"
    uuid: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()
    problem: str = ""


def read(folder: Path, relative: str | None) -> CollectionMetadata:
    """Return what the file says; a missing or empty one says nothing, a damaged one has a `problem`."""
    if relative is None:
        return CollectionMetadata()
    try:
        with descent.open_file(folder, relative) as file:
            stream = collection_reader.opened(file, name=relative, at_most=_LARGEST)
            raw = b"".join(iter(lambda: stream.read(_LARGEST), b""))
        document = json.loads(raw) if raw.strip() else {}
    except FileNotFoundError:
        return CollectionMetadata(problem=messages.METADATA_FILE_MISSING())
    except (OSError, VerificationFailed, InvalidFrame, ValueError, RecursionError):
        return CollectionMetadata(problem=messages.METADATA_FILE_UNREADABLE())
    if not isinstance(document, dict):
        return CollectionMetadata(problem=messages.METADATA_FILE_NOT_JSON_OBJECT())
    return _interpreted(document)


@dataclass(frozen=True, kw_only=True)
class Described:
    """A collection's options and indexes as BSON values, in their order."""

    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Mapping[str, Any], ...] = ()


def described(folder: Path, relative: str) -> Described:
    """Return what the file says as BSON values; of its indexes those that have a name and a key. Raise
    `VerificationFailed` when it cannot be read."""
    plain = read(folder, relative)
    try:
        if plain.problem:
            raise ValueError(plain.problem)
        both = {"options": plain.options, "indexes": list(plain.indexes)}
        found = json_util.loads(json.dumps(both), json_options=_STRICT)
    except (ValueError, TypeError, RecursionError, OverflowError, BSONError) as error:
        raise VerificationFailed(problem=messages.FILE_UNREADABLE(path=relative)) from error
    indexes = (spec for spec in found["indexes"] if is_index(spec))
    options = found["options"] if isinstance(found["options"], Mapping) else {}
    return Described(options=options, indexes=tuple(indexes))


def is_index(spec: Any) -> bool:
    """Whether this describes an index: with a key and a name."""
    whole = isinstance(spec, Mapping) and isinstance(spec.get("name"), str) and isinstance(spec.get("key"), Mapping)
    return whole and bool(spec["key"])


def _interpreted(document: Mapping[str, Any]) -> CollectionMetadata:
    """The options decide what it is, as for mongorestore; the stated type is not asked."""
    options, indexes, name, uuid = (document.get(key) for key in ("options", "indexes", "collectionName", "uuid"))
    options = options if isinstance(options, dict) else {}
    kind = "timeseries" if "timeseries" in options else "collection"
    return CollectionMetadata(
        name=name if isinstance(name, str) else None,
        type="view" if "viewOn" in options else kind,
        uuid=uuid if isinstance(uuid, str) and len(uuid) == _UUID_DIGITS else "",
        options=options,
        indexes=tuple(index for index in indexes if isinstance(index, dict)) if isinstance(indexes, list) else (),
    )
