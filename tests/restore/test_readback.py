"""What is read back adds up to what was written, or the digests say what differs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import bson
import pytest
from pymongo.database import Database

from backups_app.mongo.exact_writes import insert
from backups_app.restore.readback import Fingerprint, Reading
from backups_app.restore.source import Source
from tests.restore.conftest import documents, frames_of, restore

Make = Callable[..., Source]
FRAMES = [bson.encode({"_id": number, "text": "x" * (number % 40)}) for number in range(6_000)]


def fingerprint(frames: list[bytes]) -> Fingerprint:
    made = Fingerprint()
    made.add(frames)
    return made


def test_the_order_does_not_matter_and_every_bit_does() -> None:
    shuffled = random.Random(1).sample(FRAMES, len(FRAMES))
    swapped = [bson.encode({"_id": 0, "text": "x"}), bson.encode({"_id": 1, "text": ""}), *FRAMES[2:]]

    assert fingerprint(shuffled) == fingerprint(FRAMES)
    for other in (FRAMES[1:], [*FRAMES, FRAMES[0]], [FRAMES[1], *FRAMES[1:]], swapped):
        assert fingerprint(other) != fingerprint(FRAMES)


def test_a_reading_is_equal_only_when_it_came_to_its_end(a_source: Make) -> None:
    reading = Reading(a_source(bookings=FRAMES), "bookings")

    assert not reading.is_equal(Fingerprint())
    next(reading.batches())
    assert not reading.is_equal(fingerprint(FRAMES))
    assert [frame for batch in reading.batches() for frame in batch] == FRAMES
    assert reading.is_equal(fingerprint(FRAMES))
    assert not reading.is_equal(fingerprint(FRAMES[1:]))


def test_other_bytes_on_the_disk_than_were_verified_are_never_equal(a_source: Make) -> None:
    source = a_source(bookings=FRAMES)
    reading = Reading(source, "bookings")
    path = source.folder / "temple" / "bookings.bson"
    path.write_bytes(path.read_bytes().replace(b"xxxxx\0", b"xxxxy\0"))
    found = fingerprint([frame for batch in reading.batches() for frame in batch])

    assert not reading.is_equal(found)


@pytest.mark.parametrize("fault", ["altered", "left out"])
def test_what_the_server_stored_otherwise_is_named(
    a_source: Make, local_db: Database[Any], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A server that acknowledges a document and stores another one, or none: the digests name it."""
    source = a_source(bookings=documents(*((n, n) for n in range(40))))
    real = insert._all

    def faulty(target: Any, batch: Any, together: Any) -> Any:
        found = real(target, batch, together)
        victim = bson.decode(batch[7][1])["_id"]
        if fault == "altered":
            target.update_one({"_id": victim}, {"$set": {"altered": True}})
        else:
            target.delete_one({"_id": victim})
        return found

    monkeypatch.setattr(insert, "_all", faulty)
    outcome = restore(source, local_db)["bookings"]

    assert (outcome.proven, outcome.differing.count, outcome.complete) == (39, 1, False)
    assert outcome.differing.ids == [bson.decode(list(source.frames("bookings"))[7])["_id"]]


def test_what_came_while_it_was_written_belongs_to_the_one_who_wrote_it(
    a_source: Make, local_db: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = a_source(bookings=documents(*((n, n) for n in range(40))))
    real = insert._all

    def interrupted(target: Any, batch: Any, together: Any) -> Any:
        target.insert_one({"_id": "walk-in"})
        return real(target, batch, together)

    monkeypatch.setattr(insert, "_all", interrupted)
    outcome = restore(source, local_db)["bookings"]

    assert (outcome.proven, outcome.complete) == (40, True)
    assert len(outcome.sentences) == 1
    assert bson.encode({"_id": "walk-in"}) in frames_of(local_db, "bookings")
