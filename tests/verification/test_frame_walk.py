"""The quick walk of chunks sees exactly what a slow walk of documents sees, and stumbles over nothing."""

from __future__ import annotations

import io
import random
from pathlib import Path

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.mongo import raw_ids
from backups_app.verification.frame_walk import FrameWalk

GOLDEN = Path(__file__).parents[1] / "fixtures" / "mongodump_plain" / "golden"
DOCUMENTS = [
    frame for path in sorted(GOLDEN.glob("*.bson")) for frame in bson_frames.frames(io.BytesIO(path.read_bytes()))
]
_DECIMALS = (
    "1E+6144", "9.999999999999999999999999999999999E+6144", "1E-6176", "NaN", "sNaN", "-Infinity", "-0E+10",
)  # fmt: skip
EXTREME_IDS = [
    *map(bson.Decimal128, _DECIMALS), float("nan"), float("inf"), 5e-324, 1.7976931348623157e308, bson.Int64(2**63 - 1),
    bson.DatetimeMS(2**63 - 1), "", b"", None, True, bson.MinKey(), bson.MaxKey(), bson.Timestamp(0, 0), bson.Code("f"),
    bson.Code("f", {"a": 1}), bson.DBRef("c", 1), {"a": {"b": [1, {"c": 2.0}]}}, {}, bson.Regex("a", "i"), [1, 2],
]  # fmt: skip


def walked(chunks: list[bytes], *, validate_all: bool = False) -> tuple[FrameWalk, list[bytes]]:
    keys: list[bytes] = []
    walk = FrameWalk(keys=keys.extend, validate_all=validate_all)
    for chunk in chunks:
        walk.feed(chunk)
    walk.finish()
    return walk, keys


@given(seed=st.integers(0, 2**32), largest=st.sampled_from([1, 3, 50, 1000, 70_000]))
@settings(max_examples=40, deadline=None)
def test_however_the_stream_is_cut_the_walk_is_the_same(seed: int, largest: int) -> None:
    chance = random.Random(seed)
    documents = chance.choices([each for each in DOCUMENTS if len(each) < 3000], k=chance.choice((1, 30, 1500)))
    data, chunks = b"".join(documents), []
    while data:
        size = chance.randint(1, max(largest, len(data) // 300))
        chunks.append(data[:size])
        data = data[size:]

    walk, keys = walked(chunks)

    assert walk.documents == len(documents)
    assert walk.stream_bytes == sum(map(len, documents))
    assert list(walk.offsets) == [sum(map(len, documents[:at])) for at in range(0, len(documents), 1000)]
    assert len(set(keys)) == len({raw_ids.key(raw_ids.id_of(frame)) for frame in documents})


@pytest.mark.parametrize("identity", EXTREME_IDS, ids=lambda value: repr(value)[:40])
def test_no_id_is_too_strange(identity: object) -> None:
    frame = bson.encode({"_id": identity})

    walk, keys = walked([frame, frame], validate_all=True)

    assert walk.documents == 2
    assert len(set(keys)) == 1


def test_a_mutated_document_is_walked_or_refused_and_nothing_else() -> None:
    chance = random.Random(5)
    small = [each for each in DOCUMENTS if len(each) < 3000]
    refused = 0

    for _ in range(5000):
        frame = bytearray(chance.choice(small))
        for _ in range(chance.choice((1, 2, 5))):
            frame[chance.randrange(4, len(frame))] = chance.randrange(256)
        try:
            walked([bytes(frame)])
        except InvalidFrame:
            refused += 1

    assert 0 < refused < 5000
