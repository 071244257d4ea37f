"""What a person typed as an `_id`, as the raw ids that it can mean."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from typing import Any

import bson
from bson import json_util
from bson.binary import Binary
from bson.errors import BSONError
from bson.int64 import Int64
from bson.objectid import ObjectId

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import NotUtf8
from backups_app.errors import DocumentNotFound
from backups_app.mongo import raw_bson, raw_ids

_LONGEST = 4_096
_RAW = "raw:"


def candidates(typed: str) -> tuple[bytes, ...]:
    """Given `507f1f77bcf86cd799439011`, `B-17`, `17`, `true` or Extended JSON such as `{"$oid": "…"}`, return the raw
    ids to look for. A number is also looked for as a string. Raise DocumentNotFound for nonsense."""
    if not typed or len(typed) > _LONGEST or "\0" in typed:
        raise DocumentNotFound
    if typed.startswith(_RAW):
        return (_checked(typed.removeprefix(_RAW)),)
    meant: list[Any] = [typed]
    if typed.lstrip()[:1] in ("{", '"', "[") or typed in ("true", "false", "null"):
        meant = [*_extended(typed), typed]
    elif ObjectId.is_valid(typed):
        meant = [ObjectId(typed), typed]
    elif _is_uuid(typed):
        meant = [Binary(uuid.UUID(typed).bytes, 4), Binary(uuid.UUID(typed).bytes, 3), typed]
    else:
        meant = [typed, *_numbers(typed)]
    return tuple(_raw(value) for value in meant)


def address(raw_id: bytes) -> str:
    """Return a raw id in the shortest form that `candidates` reads back first: for links and for `--id`."""
    try:
        bson_frames.validate(raw_bson.document([("_id", raw_ids.value(raw_id))]))
    except NotUtf8:
        return _RAW + raw_id.hex()
    value = raw_ids.decoded(raw_id)
    forms = [str(value)] if isinstance(value, ObjectId | str) else []
    document = json_util.dumps({"_id": value}, json_options=json_util.CANONICAL_JSON_OPTIONS)
    forms.append(json.dumps(json.loads(document)["_id"], ensure_ascii=False))
    return next((form for form in forms if _means(form, raw_id)), _RAW + raw_id.hex())


def _means(typed: str, raw_id: bytes) -> bool:
    try:
        return candidates(typed)[0] == raw_id
    except DocumentNotFound:
        return False


def _checked(digits: str) -> bytes:
    """Read the form of last resort: the raw id itself, in hex. It must be a sound value."""
    try:
        raw_id = bytes.fromhex(digits)
        _validate(raw_bson.document([("_id", raw_ids.value(raw_id))]))
    except (ValueError, IndexError) as error:
        raise DocumentNotFound from error
    return raw_id


def _validate(frame: bytes) -> None:
    with suppress(NotUtf8):  # a server stores such an `_id`, and only its bytes name it
        bson_frames.validate(frame)


def _extended(typed: str) -> list[Any]:
    try:
        return [json_util.loads(f'{{"_id": {typed}}}', json_options=json_util.CANONICAL_JSON_OPTIONS)["_id"]]
    except (ValueError, TypeError, KeyError, RecursionError, BSONError):
        return []


def _is_uuid(typed: str) -> bool:
    try:
        return str(uuid.UUID(typed)) == typed.lower()
    except ValueError:
        return False


def _numbers(typed: str) -> list[Any]:
    try:
        number = int(typed)
    except ValueError:
        return _fraction(typed)
    forms: list[Any] = [float(number)] if abs(number) < 2**53 else []
    if -(2**31) <= number < 2**31:
        return [number, Int64(number), *forms]
    return [Int64(number), *forms] if -(2**63) <= number < 2**63 else forms


def _fraction(typed: str) -> list[Any]:
    try:
        return [float(typed)]
    except ValueError:
        return []


def _raw(value: Any) -> bytes:
    try:
        return raw_ids.id_of(bson.encode({"_id": value}))
    except (BSONError, OverflowError, ValueError, UnicodeError, TypeError) as error:
        raise DocumentNotFound from error
