"""What the validator accepts is safe to decode; what is not sound BSON is refused, quickly and without recursion."""

from __future__ import annotations

import io
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions, DatetimeConversion

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.reading.bson_frames import InvalidFrame, NotUtf8
from backups_app.backup_files.shown import extended_json

GOLDEN = Path(__file__).parents[1] / "fixtures" / "mongodump_plain" / "golden"
MUTATIONS = 1_000_000 if os.environ.get("TEMPLEOPS_LONG") else 20_000
DECODING: CodecOptions[Any] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)

AROUND = len(b"\0\0\0\0\x03a\0\0")
"""Bytes that a document of one element adds to the document in it."""


def golden_documents() -> list[bytes]:
    return [
        frame for path in sorted(GOLDEN.glob("*.bson")) for frame in bson_frames.frames(io.BytesIO(path.read_bytes()))
    ]


def document(elements: bytes) -> bytes:
    return struct.pack("<i", len(elements) + 5) + elements + b"\0"


def nested(depth: int) -> bytes:
    """A document in a document, in linear time: this module is imported by every process that collects tests."""
    empty = document(b"")
    sizes = range(len(empty) + (depth - 1) * AROUND, len(empty), -AROUND)
    return b"".join(struct.pack("<i", size) + b"\x03a\0" for size in sizes) + empty + b"\0" * (depth - 1)


def string(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<i", len(text) + 1 if length is None else length) + text + b"\0"


GOOD = document(b"\x02a\0" + string(b"text") + b"\x10n\0\x01\0\0\0")

BOMBS = {
    "empty": b"",
    "four bytes": b"\x05\0\0\0",
    "no end mark": b"\x05\0\0\0\x01",
    "length too small": b"\x04\0\0\0\0",
    "length zero": b"\0\0\0\0\0",
    "length negative": b"\xff\xff\xff\xff\0",
    "length too large": struct.pack("<i", 100) + b"\0",
    "longer than its length": GOOD + b"\0",
    "201 levels": nested(201),
    "1,000 levels": nested(1000),
    "100,000 levels": nested(100_000),
    "array 1,000 levels": nested(1000).replace(b"\x03a\0", b"\x04a\0"),
    "a million and one values": document(b"\x0ax\0" * 1_000_001),
    "unknown type": document(b"\x14a\0" + b"\0" * 8),
    "type zero": document(b"\x00a\0"),
    "name without end": document(b"\x0aaaaa"),
    "name not UTF-8": document(b"\x0a\xff\xfe\0"),
    "name an overlong NUL": document(b"\x0a\xc0\x80\0"),
    "name a surrogate": document(b"\x0a\xed\xa0\x80\0"),
    "string length zero": document(b"\x02a\0" + string(b"", 0)),
    "string length negative": document(b"\x02a\0" + string(b"abc", -1)),
    "string length huge": document(b"\x02a\0" + string(b"abc", 0x7FFFFFFF)),
    "string length one short": document(b"\x02a\0" + string(b"abc", 3)),
    "string length one long": document(b"\x02a\0" + string(b"abc", 5)),
    "string without end": document(b"\x02a\0" + struct.pack("<i", 3) + b"abc"),
    "string not UTF-8": document(b"\x02a\0" + string(b"\xff")),
    "string cut UTF-8": document(b"\x02a\0" + string(b"\xe0\xa4")),
    "string a surrogate": document(b"\x02a\0" + string(b"\xed\xb0\x80")),
    "string beyond Unicode": document(b"\x02a\0" + string(b"\xf5\x80\x80\x80")),
    "boolean two": document(b"\x08a\0\x02"),
    "boolean cut": b"\x08\0\0\0\x08a\0\0",
    "double cut": document(b"\x01a\0" + b"\0" * 6),
    "date cut": document(b"\x09a\0" + b"\0" * 3),
    "ObjectId cut": document(b"\x07a\0" + b"\0" * 10),
    "decimal cut": document(b"\x13a\0" + b"\0" * 14),
    "binary negative": document(b"\x05a\0\xff\xff\xff\xff\0"),
    "binary huge": document(b"\x05a\0\xff\xff\xff\x7f\0abc"),
    "binary old with wrong length": document(b"\x05a\0\x06\0\0\0\x02\x09\0\0\0ab"),
    "binary old too short": document(b"\x05a\0" + struct.pack("<i", 2) + b"\x02ab"),
    "regex with one part": document(b"\x0ba\0pattern\0"),
    "regex not UTF-8": document(b"\x0ba\0\xff\0i\0"),
    "pointer cut": document(b"\x0ca\0" + string(b"db.c") + b"\0" * 8),
    "code not UTF-8": document(b"\x0da\0" + string(b"\xff")),
    "scope shorter than its length": document(b"\x0fa\0" + struct.pack("<i", 40) + string(b"f") + document(b"")),
    "scope longer than its length": document(b"\x0fa\0" + struct.pack("<i", 4) + string(b"f") + document(b"")),
    "scope with a bad value": document(
        b"\x0fa\0" + struct.pack("<i", 4 + 6 + 9) + string(b"f") + document(b"\x08a\0\x02")
    ),
    "nested length beyond parent": document(b"\x03a\0" + struct.pack("<i", 50) + b"\0"),
    "nested length too small": document(b"\x03a\0" + struct.pack("<i", 4) + b"\0"),
    "nested without end mark": document(b"\x03a\0" + struct.pack("<i", 5) + b"\x01"),
    "nested takes the parent's end": document(b"\x03a\0" + struct.pack("<i", 6) + b"\0"),
}  # fmt: skip


def test_every_document_of_a_real_dump_is_sound() -> None:
    documents = golden_documents()

    for frame in documents:
        bson_frames.validate(frame)

    assert len(documents) == 363


@pytest.mark.parametrize("name", BOMBS)
def test_a_hand_made_bomb_is_refused(name: str) -> None:
    with pytest.raises(InvalidFrame):
        bson_frames.validate(BOMBS[name])


MARKED = ["name not UTF-8", "name an overlong NUL", "name a surrogate", "string not UTF-8", "string cut UTF-8",
          "string a surrogate", "string beyond Unicode", "regex not UTF-8", "code not UTF-8"]  # fmt: skip


def test_text_that_is_not_utf8_is_a_mark_on_a_whole_document_and_nothing_else_is() -> None:
    for name, frame in BOMBS.items():
        with pytest.raises(InvalidFrame) as found:
            bson_frames.validate(frame)

        assert isinstance(found.value, NotUtf8) == (name in MARKED), name


def test_a_mark_does_not_hide_damage_behind_it() -> None:
    marked_and_broken = document(b"\x02a\0" + string(b"\xff") + b"\x08b\0\x02")

    with pytest.raises(InvalidFrame) as found:
        bson_frames.validate(marked_and_broken)

    assert not isinstance(found.value, NotUtf8)


def test_two_hundred_levels_and_duplicate_names_are_allowed() -> None:
    bson_frames.validate(nested(200))
    bson_frames.validate(document(b"\x10a\0\x01\0\0\0\x10a\0\x02\0\0\0"))
    bson_frames.validate(document(b"\x02\0" + string(b"with\0NUL")))


def mutants(count: int) -> Iterator[bytes]:
    chance = random.Random(20261124)
    sources = [frame for frame in golden_documents() if len(frame) < 5000]
    for _ in range(count):
        frame = bytearray(chance.choice(sources))
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            frame[chance.randrange(len(frame))] = chance.randrange(256)
        yield bytes(frame)


def test_nothing_that_the_validator_accepts_makes_a_decoder_raise() -> None:
    accepted = 0

    for frame in mutants(MUTATIONS):
        try:
            bson_frames.validate(frame)
        except InvalidFrame:
            continue
        accepted += 1
        bson.decode(frame, DECODING)
        for form in (extended_json.relaxed, extended_json.canonical, extended_json.plain):
            form(frame)

    assert MUTATIONS / 100 < accepted < MUTATIONS


def test_frames_come_out_as_they_went_in() -> None:
    documents = golden_documents()

    again = list(bson_frames.frames(io.BytesIO(b"".join(documents))))

    assert again == documents


def test_a_file_cut_at_any_byte_is_noticed() -> None:
    three = b"".join(golden_documents()[:3])
    boundaries = {0, *_boundaries(three)}

    for end in range(len(three)):
        stream = io.BytesIO(three[:end])
        if end in boundaries:
            list(bson_frames.frames(stream))  # between documents: only the manifest can know
        else:
            with pytest.raises(InvalidFrame):
                list(bson_frames.frames(stream))


def _boundaries(data: bytes) -> list[int]:
    ends, at = [], 0
    while at < len(data):
        at += struct.unpack_from("<i", data, at)[0]
        ends.append(at)
    return ends


def test_damage_is_reported_by_number_and_offset() -> None:
    first, second, *_ = golden_documents()
    broken = bytearray(second)
    broken[-1] = 7

    with pytest.raises(InvalidFrame) as failure:
        list(bson_frames.frames(io.BytesIO(first + bytes(broken))))

    assert (failure.value.number, failure.value.offset) == (1, len(first))


class Dribbling(io.BytesIO):
    """A stream that gives a few bytes at a time, as a decompressing one may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size if size is not None and size > 0 else 7, 7))


@pytest.mark.parametrize("stream", [io.BytesIO, Dribbling])
def test_batches_give_the_same_documents_and_the_same_damage(stream: type[io.BytesIO]) -> None:
    whole = b"".join(golden_documents()[:3])

    for data in [whole, *(whole[:end] for end in range(len(whole))), *_broken(whole)]:
        assert _read(bson_frames.batches, stream(data)) == _read(bson_frames.frames, stream(data))


def _broken(whole: bytes) -> list[bytes]:
    """A wrong length, and a missing end mark, of each document."""
    found = []
    for end in _boundaries(whole):
        found.append(whole[: end - 1] + b"\x07" + whole[end:])
        found.append(whole[:end] + b"\x02" + whole[end + 1 :])
    return found


def _read(reader: Any, stream: io.BytesIO) -> tuple[list[bytes], Any]:
    frames: list[bytes] = []
    try:
        for one in reader(stream):
            frames += one if isinstance(one, list) else [one]
    except InvalidFrame as error:
        return frames, (error.number, error.offset, error.problem.split()[0])
    return frames, None
