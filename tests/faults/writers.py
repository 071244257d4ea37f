"""Applications that go on working while runs delete: four threads that insert and edit bookings on both sides."""

from __future__ import annotations

import itertools
import random
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument
from pymongo.write_concern import WriteConcern

from tests.faults.invariants import RAW, Acknowledged, TempleDatabase

COLLECTIONS = ("bookings", "employee_bookings", "activities")


class Writers:
    """Writes until `writes` are acknowledged, or, without a number, until the block ends. Every acknowledged version is
    noted, byte for byte. Each thread rests `rest_seconds` after each write, as an application does."""

    def __init__(
        self,
        sides: dict[str, TempleDatabase],
        acknowledged: Acknowledged,
        *,
        writes: int | None = None,
        threads: int = 4,
        seed: int = 1,
        rest_seconds: float = 0.0,
    ) -> None:
        self._sides = {
            name: {collection: _raw(database, collection) for collection in COLLECTIONS}
            for name, database in sides.items()
        }
        self._acknowledged = acknowledged
        self._each = None if writes is None else writes // threads
        self._rest_seconds = rest_seconds
        self._numbers = itertools.count(1)
        self._stop = threading.Event()
        self._locks = [threading.Lock() for _ in range(256)]
        self.failures: list[BaseException] = []
        self.inserts = self.edits = 0
        self._threads = [
            threading.Thread(target=self._work, args=(random.Random(seed * 1000 + n),), name=f"writer-{n}")
            for n in range(threads)
        ]

    @property
    def are_writing(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None or self._each is None:
            self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, chance: random.Random) -> None:
        try:
            for _ in itertools.repeat(None) if self._each is None else itertools.repeat(None, self._each):
                if self._stop.wait(self._rest_seconds):
                    return
                self._write(chance)
        except BaseException as failure:  # noqa: BLE001  (reported by the test's own thread)
            self.failures.append(failure)

    def _write(self, chance: random.Random) -> None:
        side = chance.choice(sorted(self._sides))
        name = chance.choices(COLLECTIONS, weights=(6, 2, 2))[0]
        number = next(self._numbers)
        if chance.random() < 0.5 and self._edit(side, name, number, chance):
            self.edits += 1
        else:
            self._insert(side, name, number)
            self.inserts += 1

    def _insert(self, side: str, name: str, number: int) -> None:
        booking = {"_id": f"{side}-{number}", "devotee": "மீனா", "version": number, "updatedAt": datetime.now(UTC)}
        frame = bson.encode(booking)
        with self._turn_of(side, name, booking["_id"]):
            self._sides[side][name].insert_one(RawBSONDocument(frame))
            self._acknowledged.note(side, name, frame)

    def _turn_of(self, side: str, name: str, document_id: Any) -> threading.Lock:
        """Who writes a document holds this, also for its first version: versions are noted in the order in which the
        server took them, or an older one would be looked for that its own application replaced."""
        return self._locks[hash((side, name, document_id)) % len(self._locks)]

    def _edit(self, side: str, name: str, number: int, chance: random.Random) -> bool:
        """Edit some booking that is live there now, or none."""
        some = self._sides[side][name].find({}, {"_id": 1}).limit(40)
        ids = [document["_id"] for document in some]
        if not ids:
            return False
        wanted = chance.choice(ids)
        with self._turn_of(side, name, wanted):
            after = self._sides[side][name].find_one_and_update(
                {"_id": wanted},
                {"$set": {"version": number, "updatedAt": datetime.now(UTC)}},
                return_document=ReturnDocument.AFTER,
            )
            if after is None:
                return False
            self._acknowledged.note(side, name, bytes(after.raw))
        return True


def _raw(database: TempleDatabase, name: str) -> Any:
    return database.get_collection(name, codec_options=RAW, write_concern=WriteConcern("majority", j=True))
