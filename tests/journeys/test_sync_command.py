"""`backup_sync` in a real terminal, as an operator types it: what it prints, asks and answers."""

from __future__ import annotations

import json
import os
import pty
import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from tests.fork_server import ForkServer

SECONDS = 60.0
Mongo = Database[dict[str, Any]]
Type = Callable[..., tuple[int, str]]


@pytest.fixture
def typed(environment: dict[str, str], fork_server: ForkServer) -> Type:
    """Run `backup_sync …` with a terminal of its own. Return exit code and all that it showed."""

    def run(*arguments: str, answer: str = "") -> tuple[int, str]:
        ours, theirs = pty.openpty()
        if answer:
            os.write(ours, answer.encode() + b"\n")
        with ThreadPoolExecutor() as beside:
            shown = beside.submit(_shown, ours)
            with open(theirs, "r+b", buffering=0) as terminal:
                streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal)
                done = fork_server.run("backup_sync", *arguments, environment=environment, **streams)
        os.close(ours)
        return done.returncode, shown.result()

    return run


def _shown(terminal: int) -> str:
    """Read until the other end is closed."""
    data, deadline = b"", time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when nobody holds the other end any more
            break
        if not part:
            break
        data += part
    return data.decode(errors="replace").replace("\r\n", "\n")


def _json(shown: str) -> Any:
    return json.loads(shown[shown.index("{") : shown.rindex("}") + 1])


def test_what_each_option_does_and_answers(typed: Type, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_many([{"_id": number} for number in range(30)])
    local_db["halls"].insert_one({"_id": 1})

    code, shown = typed("--dry-run")
    assert (code, remote_db.list_collection_names()) == (0, [])
    assert "Would be: 0 pulled, 31 pushed" in shown

    code, shown = typed("--collection", "halls")
    assert code == 0
    assert "halls: 1 pushed" in shown
    assert "bookings: not synced, not requested" in shown
    assert "bookings" not in remote_db.list_collection_names()

    code, shown = typed("--json")
    log = _json(shown)
    assert (code, log["status"], log["totals"]["pushed"]) == (0, "success", 30)

    code, shown = typed("--exact")
    assert code == 0
    assert "an exact scan was requested" in shown
    assert "Proof: equal, 31 documents compared" in shown


def test_pairing_again_asks_for_its_word(typed: Type, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    assert typed()[0] == 0
    remote_db["backup_sync_state"].update_one({}, {"$set": {"pair": "other"}})
    remote_db["bookings"].insert_one({"_id": 2})

    code, shown = typed()
    assert code == 1
    assert "another local database" in shown
    assert local_db["bookings"].count_documents({}) == 1

    code, shown = typed("--adopt", answer="no")
    assert code == 2
    assert "Type ADOPT to go on" in shown
    assert local_db["bookings"].count_documents({}) == 1

    code, shown = typed("--adopt", answer="ADOPT")
    assert code == 0, shown
    assert local_db["bookings"].count_documents({}) == remote_db["bookings"].count_documents({}) == 2


def test_what_is_left_over_shows_in_the_exit_code(typed: Type, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_many([{"_id": number, "n": -(number % 2)} for number in range(4)])
    remote_db.create_collection("bookings", validator={"n": {"$gte": 0}})

    code, shown = typed()

    assert code == 3
    assert "2 unresolved" in shown
    assert "unresolved 1: remote: the server refused it (DocumentValidationFailure)" in shown
