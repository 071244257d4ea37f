"""Transactions that nobody will ever end: their process was killed, or its line cut, between a write and its commit.

A server keeps such a transaction, and its hold on every document it wrote, for 60 to 90 seconds. A writer that meets
one is not kept waiting: what is ours and stands idle is aborted, which undoes nothing that was ever acknowledged.
"""

from __future__ import annotations

from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from backups_app.mongo import connections

IDLE_SECONDS = 2.0
"""Between two commands of a living transaction of ours there is never as much."""
LOOK_SECONDS = 5.0


def end_idle_transactions(client: MongoClient[dict[str, Any]]) -> int:
    """Abort the transactions of TempleOps that have stood idle on this server for two seconds. Return how many.

    An owner that is merely paused finds its transaction gone and tries again, as after any conflict. Where the server
    does not let us look (small Atlas tiers), nothing happens, and it ends them itself in the end.
    """
    idle = {"$gt": IDLE_SECONDS * 1_000_000}
    stages: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": False, "idleSessions": True}},
        {"$match": {"type": "idleSession", "appName": connections.APP_NAME, "transaction.timeInactiveMicros": idle}},
        {"$project": {"id": "$lsid.id"}},
    ]
    try:
        with pymongo.timeout(LOOK_SECONDS):
            # Our clients read with "majority", which this stage does not take.
            admin = client.get_database("admin", read_concern=ReadConcern("local"))
            sessions = [{"id": found["id"]} for found in admin.aggregate(stages)]
            if sessions:
                client.admin.command("killSessions", sessions)
    except PyMongoError:
        return 0
    return len(sessions)
