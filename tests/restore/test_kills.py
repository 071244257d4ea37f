"""kill -9 in the middle of a restore: each document is as before or as planned, and a repeat finishes it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.embedded import EmbeddedServer

Db = Database[dict[str, Any]]
ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("RESTORE_KILLS", "3"))
DOCUMENTS = 12_000


class Temple:
    """A temple reached only through its commands, as a person would."""

    def __init__(self, folder: Path, server: EmbeddedServer, name: str) -> None:
        self.environment = os.environ | {
            "MONGODB_LOCAL_URL": server.uri,
            "MONGODB_CLOUD_URL": "",
            "DATABASE_NAME": name,
            "PRIMARY_DATABASE": "local",
            "BACKUP_DIR": str(folder / "store"),
            "BACKUP_ENGINE": "python",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "SECRET_KEY": "a-key-for-the-tests-only-0123456789abcdef0123456789abcdef",
        }
        self.run("migrate", "--verbosity", "0")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        out, err = process.communicate()
        return process.returncode, out or err


@pytest.mark.parametrize("turn", range(KILLS))
def test_a_killed_restore_leaves_nothing_in_between_and_a_repeat_finishes_it(
    turn: int, tmp_path: Path, local_server: EmbeddedServer, local_db: Db
) -> None:
    temple = Temple(tmp_path, local_server, local_db.name)
    planned = {number: f"backup {number}" for number in range(DOCUMENTS)}
    local_db["bookings"].insert_many([{"_id": number, "v": value} for number, value in planned.items()])
    local_db["bookings"].create_index("v", name="v_1")
    _, told = temple.run("backup_now", "--json")
    backup = json.loads(told)["backup_id"]
    before = _disturb(local_db, turn)

    process = temple.start(
        "backup_restore", backup, "--collections", "bookings", "--mode", "replace", "--confirm", "RESTORE"
    )
    _wait_until_restoring(local_db, process)
    time.sleep(random.Random(turn).uniform(0.0, 1.5))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    between = _values(local_db)
    code, told = temple.run(
        "backup_restore", backup, "--collections", "bookings", "--mode", "replace", "--confirm", "RESTORE", "--json"
    )

    strange = {
        number: value
        for number in planned.keys() | before.keys()
        if (value := between.get(number)) not in (before.get(number), planned.get(number))
    }
    assert strange == {}
    assert (code, json.loads(told)["status"]) == (0, "success")
    assert _values(local_db) == planned
    assert "v_1" in local_db["bookings"].index_information()
    killed = local_db["backup_metadata"].find_one({"kind": "restore"}, sort=[("created_at", 1)])
    assert killed is not None
    assert killed["status"] != "in_progress"


def _disturb(database: Db, turn: int) -> dict[int, str]:
    """Edit, delete and add, or on every third turn lose the whole collection. Return what is there then."""
    if turn % 3 == 2:
        database.drop_collection("bookings")
        return {}
    database["bookings"].update_many({"_id": {"$lt": 4_000}}, {"$set": {"v": "edited"}})
    database["bookings"].delete_many({"_id": {"$gte": 8_000}})
    database["bookings"].insert_many([{"_id": 100_000 + number, "v": "extra"} for number in range(2_000)])
    return _values(database)


def _values(database: Db) -> dict[int, str]:
    return {document["_id"]: document["v"] for document in database["bookings"].find()}


def _wait_until_restoring(database: Db, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        if database["backup_metadata"].find_one({"kind": "restore", "phase": "restoring"}):
            return
        time.sleep(0.02)
