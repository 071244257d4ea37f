"""Any document of any file is found by its number, plain or gzip, with or without an index."""

from __future__ import annotations

import dataclasses
import gzip
import io
import random
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bson
import pytest

from backups_app.backup_files.manifest import CollectionEntry
from backups_app.backup_files.reading import bson_frames, collection_reader, document_index, gzip_members
from backups_app.backup_files.reading.bson_frames import InvalidFrame
from backups_app.backup_files.reading.document_index import EVERY, DocumentIndex
from backups_app.backup_files.reading.gzip_members import Decompressed

COUNT = 3_210
FORMS: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "ours": gzip_members.member, "foreign": gzip.compress}


@pytest.fixture(scope="module")
def documents() -> list[bytes]:
    chance = random.Random(7)
    return [bson.encode({"_id": n, "pad": "x" * chance.randrange(300)}) for n in range(COUNT)]


def an_entry(folder: Path, documents: list[bytes], form: str, indexed: bool) -> CollectionEntry:
    name = "db/x.bson" if form == "plain" else "db/x.bson.gz"
    (folder / "db").mkdir(exist_ok=True)
    parts = [b"".join(documents[start : start + EVERY]) for start in range(0, len(documents), EVERY)]
    members: array[int] = array("Q")
    data = b""
    for part in parts if form == "ours" else [b"".join(parts)]:
        members.append(len(data))
        data += FORMS[form](part)
    (folder / name).write_bytes(data)
    offsets = array("Q", [sum(map(len, parts[:number])) for number in range(len(parts))])
    index = DocumentIndex(
        documents=len(documents),
        stream_bytes=sum(map(len, documents)),
        offsets=offsets,
        members=members if form == "ours" else array("Q"),
    )
    if indexed:
        document_index.write(folder / f"{name}.idx", index)
    return CollectionEntry(
        type="collection", uuid="", documents=len(documents), bytes=sum(map(len, documents)), file=name, metadata=None,
        index=f"{name}.idx" if indexed else None,
    )  # fmt: skip


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("form", ["plain", "ours", "foreign"])
def test_reading_begins_at_any_document(a_folder: Path, documents: list[bytes], form: str, indexed: bool) -> None:
    entry = an_entry(a_folder, documents, form, indexed)

    for start in (0, 1, 999, 1000, 1001, 2000, 3000, COUNT - 1, COUNT, COUNT + 5):
        found = list(collection_reader.frames(folder=a_folder, entry=entry, start=start))
        assert found == documents[start:], start


def test_a_page_of_a_compressed_file_reads_one_member_only(a_folder: Path, documents: list[bytes]) -> None:
    entry = an_entry(a_folder, documents, "ours", indexed=True)
    path = a_folder / "db/x.bson.gz"
    whole = path.read_bytes()
    index = document_index.read(a_folder, "db/x.bson.gz.idx")
    assert index is not None
    path.write_bytes(b"\0" * index.members[2] + whole[index.members[2] :])

    page = next(collection_reader.frames(folder=a_folder, entry=entry, start=2500))

    assert page == documents[2500]


def test_a_damaged_index_is_not_trusted(a_folder: Path, documents: list[bytes]) -> None:
    entry = an_entry(a_folder, documents, "plain", indexed=True)
    path = a_folder / "db/x.bson.idx"
    good = path.read_bytes()

    for bad in (b"", b"x" * 100, good[:-1], good + b"\0", b"NOTINDEX" + good[8:]):
        path.write_bytes(bad)
        assert next(collection_reader.frames(folder=a_folder, entry=entry, start=2222)) == documents[2222]


def test_a_view_holds_no_documents(a_folder: Path) -> None:
    view = CollectionEntry(type="view", uuid="", documents=0, bytes=0, file=None, metadata=None, index=None)

    assert list(collection_reader.frames(folder=a_folder, entry=view)) == []


def test_damage_is_reported_by_the_number_in_the_file(a_folder: Path, documents: list[bytes]) -> None:
    broken = list(documents)
    broken[2345] = broken[2345][:-1] + b"\x01"
    entry = an_entry(a_folder, broken, "plain", indexed=True)

    with pytest.raises(InvalidFrame) as failure:
        list(collection_reader.frames(folder=a_folder, entry=entry, start=2100))

    assert failure.value.number == 2345


def unpacked(data: bytes, size: int = 1000) -> bytes:
    stream = Decompressed(io.BytesIO(data))
    return b"".join(iter(lambda: stream.read(size), b""))


@pytest.mark.parametrize("content", [b"", b"x", b"abc" * 100_000])
def test_any_gzip_is_read_whole(content: bytes) -> None:
    assert unpacked(gzip.compress(content)) == content
    assert unpacked(gzip_members.member(content)) == content
    assert unpacked(gzip.compress(content) + gzip_members.member(content)) == content * 2
    assert gzip.decompress(gzip_members.member(content)) == content


def test_gzip_cut_at_any_byte_is_noticed() -> None:
    data = gzip_members.member(b"one booking " * 20) + gzip_members.member(b"two bookings" * 20)
    first = len(gzip_members.member(b"one booking " * 20))

    for end in range(1, len(data)):
        if end != first:
            with pytest.raises(InvalidFrame):
                unpacked(data[:end])


def test_every_flipped_bit_of_a_gzip_body_is_noticed() -> None:
    content = bytes(random.Random(1).randbytes(300))
    data = gzip_members.member(content)

    for at in range(10, len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0x10
        try:
            found: Any = unpacked(bytes(flipped))
        except InvalidFrame:
            continue
        assert found == content  # a bit that means nothing


def test_a_gzip_bomb_is_refused() -> None:
    stream = Decompressed(io.BytesIO(gzip.compress(b"\0" * 50_000_000)), at_most=1_000_000)

    with pytest.raises(InvalidFrame):
        while stream.read(1 << 16):
            pass

    assert stream.stream_bytes < 1_200_000


def test_a_compressed_file_may_not_hold_more_than_its_manifest_says(a_folder: Path, documents: list[bytes]) -> None:
    entry = an_entry(a_folder, documents, "ours", indexed=False)

    with pytest.raises(InvalidFrame):
        list(collection_reader.frames(folder=a_folder, entry=dataclasses.replace(entry, bytes=entry.bytes - 1)))


def test_frames_are_walked_in_gzip_as_in_plain(documents: list[bytes]) -> None:
    stream = Decompressed(io.BytesIO(gzip.compress(b"".join(documents))))

    assert list(bson_frames.frames(stream)) == documents
