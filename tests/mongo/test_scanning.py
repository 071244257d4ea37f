"""Answers of a cursor: cut into documents, where the next begins follows from the number of an element; and each asked
for in the session of the first."""

from __future__ import annotations

import struct

import bson
import pytest

from backups_app.mongo import scanning
from backups_app.mongo.embedded import EmbeddedServer


def array_of(frames: list[bytes]) -> memoryview:
    elements = b"".join(b"\x03%d\0%b" % (number, frame) for number, frame in enumerate(frames))
    return memoryview(struct.pack("<i", len(elements) + 5) + elements + b"\0")


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 99, 100, 101, 199, 200, 999, 1000, 1001, 1100, 10_000, 10_001])
def test_an_answer_is_cut_into_its_documents(count: int) -> None:
    frames = [bson.encode({"_id": number, "x": "y" * (number % 7)}) for number in range(count)]

    assert [bytes(one) for one in scanning.documents(array_of(frames))] == frames
    assert scanning.back_to_back(array_of(frames)) == (count, b"".join(frames))


def test_a_cursor_stays_in_its_session_while_others_use_the_client(local_server: EmbeddedServer) -> None:
    with local_server.client() as client:
        numbers = client["scanned"]["numbers"]
        numbers.drop()
        numbers.insert_many({"_id": number} for number in range(10))
        answers = scanning.batches(numbers.database, {"find": "numbers", "batchSize": 2}, size=2)
        read = [len(scanning.documents(next(answers).array))]
        with numbers.find(batch_size=2) as another:  # holds the session that the pool hands out next
            next(another)
            read += [len(scanning.documents(answer.array)) for answer in answers]
        client.drop_database("scanned")

    assert sum(read) == 10
