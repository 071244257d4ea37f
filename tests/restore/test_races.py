"""Writers at work while a restore replaces everything: no edit that was acknowledged is lost."""

from __future__ import annotations

import os
import random
import threading
from typing import Any

import bson
import pytest
from pymongo.database import Database
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from backups_app.configuration import Configuration
from backups_app.records import Origin
from backups_app.use_cases.backups import backups
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import now, run_backup, saved_documents

Db = Database[dict[str, Any]]
DOCUMENTS = 3_000
ROUNDS = int(os.environ.get("RESTORE_RACES", "1"))


class Writer(threading.Thread):
    """Edits, inserts and deletes its own documents, and remembers what was acknowledged last."""

    def __init__(self, database: Db, *, first: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.bookings = database.get_collection("bookings", write_concern=WriteConcern(w=1))  # a quick application
        self.first = first
        self.stop = stop
        self.acknowledged: dict[int, int | None] = {}
        self.writes = 0

    def run(self) -> None:
        dice = random.Random(self.first)
        while not self.stop.is_set():
            number = self.first + 2 * dice.randrange(DOCUMENTS)
            self.writes += 1
            kind = dice.random()
            if kind < 0.1:
                self.bookings.delete_one({"_id": number})
                self.acknowledged[number] = None
            else:
                self.bookings.update_one({"_id": number}, {"$set": {"v": self.writes}}, upsert=True)
                self.acknowledged[number] = self.writes


@pytest.mark.django_db
@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("mode", ["overwrite", "replace"])
def test_no_acknowledged_edit_is_lost(configured: Configuration, local_db: Db, mode: str, round_: int) -> None:
    local_db["bookings"].insert_many([{"_id": number, "v": 0} for number in range(DOCUMENTS)])
    backup = run_backup(delete_bookings=False)
    stop = threading.Event()
    writers = [Writer(local_db, first=first, stop=stop) for first in (0, 1)]
    for writer in writers:
        writer.start()

    choices = restores.choose(configuration=configured, backup_id=backup["_id"], mode=mode, collections=["bookings"])
    shown = restores.preview_restore(configuration=configured, choices=choices)
    started = restores.start(
        choices=choices,
        confirmation=shown.confirmation,
        created_by="ananya",
        origin=Origin.WEB,
        now=now(),
        enqueue=False,
    )
    run = backups.execute(backup_id=started["backup_id"])
    stop.set()
    for writer in writers:
        writer.join()

    assert run["restore"]["sums"], run["error_message"]
    safety = saved_documents(configured.backup_dir / f"backup_{run['_id']}", local_db.name, "bookings")
    held = {bson.decode(frame)["_id"]: bson.decode(frame)["v"] for frame in safety.values()}
    now_there = local_db.get_collection("bookings", read_concern=ReadConcern("local"))  # the very last writes too
    live = {document["_id"]: document["v"] for document in now_there.find()}
    acknowledged = {number: value for writer in writers for number, value in writer.acknowledged.items()}
    lost = {
        number: (value, live.get(number), held.get(number))
        for number, value in acknowledged.items()
        if live.get(number) != value and held.get(number) != value
    }
    assert run["restore"]["sums"]["replaced"] > 0
    assert sum(writer.writes for writer in writers) > 500
    assert lost == {}
