"""What things are called on the backup disk: backup ids, folders, and the file of a collection.

File names are those of mongodump, so that stock mongorestore takes our folders and we take its.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import quote_plus, unquote_plus

from backups_app.errors import InvalidBackupId

METADATA = "metadata.json"
ORIGINAL_METADATA = "metadata.original.json"
"""The `metadata.json` that a fetched backup had where it was made."""
STORE_ID = ".store_id"
PRELUDE = "prelude.json"
DATA_SUFFIX = ".bson"
COLLECTION_METADATA_SUFFIX = ".metadata.json"
GZIP_SUFFIX = ".gz"
INDEX_SUFFIX = ".idx"
DIGEST_SUFFIX = ".digest"
GONE_SUFFIX = ".gone"
DELTA = "delta"
"""The folder of an incremental's files, one level above the database, so that no stock tool takes them for a dump."""
BUCKETS_PREFIX = "system.buckets."
"""A time-series collection's documents lie in a collection of this name (servers before 8.3)."""

PUBLISHED_PREFIX = "backup_"
PARTIAL_PREFIX = ".partial-"
TRASH_PREFIX = ".trash-"

_ID = re.compile(r"[0-9]{8}_[0-9]{6}(_[0-9]{2})?", re.ASCII)
_LONGEST_BASE = 238
_KEPT_OF_A_LONG_NAME = 208
_HASH_MARK = "%24"


def check_id(backup_id: str) -> str:
    """Return `backup_id` if it is one, wholly and in ASCII. Raise `InvalidBackupId`."""
    if not isinstance(backup_id, str) or _ID.fullmatch(backup_id) is None:
        raise InvalidBackupId()
    return backup_id


def new_backup_id(*, now: datetime, taken: Collection[str]) -> str:
    """Given an aware moment and the ids in use, return a free id in UTC, with a suffix from `_01` when the second is
    taken. Raise `InvalidBackupId` when even `_99` is."""
    second = id_of(now)
    candidates = [second, *(id_of(now, ending=f"_{number:02d}") for number in range(1, 100))]
    for candidate in candidates:
        if candidate not in taken:
            return check_id(candidate)
    raise InvalidBackupId()


def id_of(moment: datetime, *, ending: str = "") -> str:
    """Return the id of a backup made at an aware moment, in UTC; `ending` is that of a second one of this second."""
    return f"{moment.astimezone(UTC).strftime('%Y%m%d_%H%M%S')}{ending}"


def published_name(backup_id: str) -> str:
    return PUBLISHED_PREFIX + check_id(backup_id)


def partial_name(backup_id: str) -> str:
    return PARTIAL_PREFIX + check_id(backup_id)


def file_base(collection: str) -> str:
    """Return the file name of a collection without its suffix, exactly as mongodump writes it."""
    escaped = quote_plus(collection, safe="")
    if len(escaped) <= _LONGEST_BASE:
        return escaped
    # SHA-1 is mongodump's choice of a short name, not a safeguard.
    digest = hashlib.sha1(collection.encode(), usedforsecurity=False).digest()
    return escaped[:_KEPT_OF_A_LONG_NAME] + _HASH_MARK + urlsafe_b64encode(digest).rstrip(b"=").decode()


def collection_name(*, base: str, stated: str | None) -> str:
    """Given a file's base and the `collectionName` of its metadata file (None in old dumps), return the collection.

    The stated name wins when the base is its own; a base that it does not explain is decoded.
    """
    if stated is not None and file_base(stated) == base:
        return stated
    return unquote_plus(base)
