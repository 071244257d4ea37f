"""`backup_lease`: one run, restore or clean-up at a time, by the server's clock.

    {_id: "lease", owner: {host, pid, started, boot_id, token} | null, fence: 1737297022000, expires_at: Date}
    {_id: "stores", ids: ["…"]}

The lease gives order and tidiness. That no booking is lost does not rest on it (`docs/reliability.md`): every delete
compares bytes. Taking it is one pipeline update with `$cond` and `$$NOW`, because `$expr` is refused in an upsert's
filter and the clocks of hosts differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

NAME = "backup_lease"
LEASE = "lease"
STORES = "stores"


def collection(database: Database[Any]) -> Collection[Any]:
    """Return `backup_lease` of the local database."""
    return database[NAME]


def holder(database: Database[Any]) -> Mapping[str, Any] | None:
    """Return the owner that holds the lease now, expired or not, or None."""
    document = collection(database).find_one({"_id": LEASE})
    return None if document is None else document.get("owner")


def held_by(database: Database[Any]) -> Mapping[str, Any] | None:
    """Return the owner whose lease has not expired by the server's clock, or None."""
    document = collection(database).find_one(
        {"_id": LEASE, "owner": {"$ne": None}, "$expr": {"$gt": ["$expires_at", "$$NOW"]}}
    )
    return None if document is None else document["owner"]


def take(
    database: Database[Any], *, owner: Mapping[str, Any], seconds: int, dead: Mapping[str, Any] | None = None
) -> int | None:
    """Take the lease for `seconds`. Return the new fence, or None while somebody else holds it.

    `dead` is a holder that is known to be gone (same host, its process ended): it is replaced at once.
    The fence is max(fence + 1, server time in ms): it grows even when a restored machine's clock is behind.
    """
    free = {
        "$or": [
            {"$eq": [{"$ifNull": ["$owner", None]}, None]},
            {"$lt": ["$expires_at", "$$NOW"]},
            {"$eq": ["$owner", {"$literal": dict(dead) if dead else {"nobody": True}}]},
        ]
    }
    fence = {"$max": [{"$add": [{"$ifNull": ["$fence", 0]}, 1]}, {"$toLong": "$$NOW"}]}
    new = {
        "owner": {"$cond": ["$free", {"$literal": dict(owner)}, "$owner"]},
        "fence": {"$cond": ["$free", fence, "$fence"]},
        "expires_at": {"$cond": ["$free", {"$add": ["$$NOW", seconds * 1000]}, "$expires_at"]},
    }
    update: list[dict[str, Any]] = [{"$set": {"free": free}}, {"$set": new}, {"$unset": "free"}]
    try:
        document = collection(database).find_one_and_update(
            {"_id": LEASE}, update, upsert=True, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError:  # two first takers at once: the other one has it
        return None
    assert document is not None, "an upsert returns what it wrote"
    return int(document["fence"]) if document["owner"] == dict(owner) else None


def renew(database: Database[Any], *, owner: Mapping[str, Any], fence: int, seconds: int) -> bool:
    """Hold the lease for `seconds` more. Return False when it is no longer ours."""
    result = collection(database).update_one(
        {"_id": LEASE, "owner": dict(owner), "fence": fence},
        [{"$set": {"expires_at": {"$add": ["$$NOW", seconds * 1000]}}}],
    )
    return result.matched_count == 1


def release(database: Database[Any], *, owner: Mapping[str, Any], fence: int) -> None:
    """Let the lease go, if it is still ours. The fence stays, so that the next one is higher."""
    collection(database).update_one({"_id": LEASE, "owner": dict(owner), "fence": fence}, {"$set": {"owner": None}})


def known_stores(database: Database[Any]) -> Sequence[str]:
    """Return the ids of the backup stores that this database's backups were written to.

    They stand here and not in `backup_metadata`, which a stock restore may roll back.
    """
    document = collection(database).find_one({"_id": STORES}) or {}
    return list(document.get("ids", []))


def remember_store(database: Database[Any], *, store_id: str) -> None:
    """Add a store to the known ones."""
    collection(database).update_one({"_id": STORES}, {"$addToSet": {"ids": store_id}}, upsert=True)
