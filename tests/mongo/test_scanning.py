"""Cutting the answers of a cursor into documents: where the next begins follows from the number of an element."""

from __future__ import annotations

import struct

import bson
import pytest

from backups_app.mongo import scanning


def array_of(frames: list[bytes]) -> memoryview:
    elements = b"".join(b"\x03%d\0%b" % (number, frame) for number, frame in enumerate(frames))
    return memoryview(struct.pack("<i", len(elements) + 5) + elements + b"\0")


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 99, 100, 101, 199, 200, 999, 1000, 1001, 1100, 10_000, 10_001])
def test_an_answer_is_cut_into_its_documents(count: int) -> None:
    frames = [bson.encode({"_id": number, "x": "y" * (number % 7)}) for number in range(count)]

    assert [bytes(one) for one in scanning.documents(array_of(frames))] == frames
    assert scanning.back_to_back(array_of(frames)) == (count, b"".join(frames))
