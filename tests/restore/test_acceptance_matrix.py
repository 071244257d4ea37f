"""Inputs at which stock mongorestore answers 0 and lies, or fails half-way: ours says what is wrong, before writing.

Row by row the acceptance matrix of the mongodump format, on verification (which a restore cannot go without) and on the
restore itself.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.errors import CollectionNotFound, VerificationFailed
from backups_app.restore.source import Source
from tests.restore.conftest import FIXTURES, documents, frames_of, restore, verified
from tests.restore.test_preview import look

Make = Callable[..., Source]
Dump = Callable[[Database[Any]], Source]
GOOD = documents(*((number, "x" * 40) for number in range(50)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small foreign dump of the database `seeded` with one collection and its metadata."""
    inside = tmp_path / "dump" / "temple"
    inside.mkdir(parents=True)
    (inside / "c.bson").write_bytes(b"".join(GOOD))
    index = '{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},"name":"_id_"}'
    metadata = f'{{"indexes":[{index}],"collectionName":"c","type":"collection"}}'
    (inside / "c.metadata.json").write_text(metadata)
    return tmp_path / "dump"


def restored(folder: Path, database: Database[Any]) -> list[bytes]:
    restore(verified(folder, "temple"), database)
    return sorted(frames_of(database, "c"))


@pytest.mark.parametrize("prelude", [None, '{"ServerVersion":"7.0.16","ToolVersion":"100.12.0"}'])
def test_a_dump_with_or_without_a_prelude_is_taken(folder: Path, local_db: Database[Any], prelude: str | None) -> None:
    if prelude:
        (folder / "temple/prelude.json").write_text(prelude)

    assert restored(folder, local_db) == sorted(GOOD)


@pytest.mark.parametrize("prelude", ["{}", '{"ServerVersion":""}', "junk", ""])
def test_a_spoilt_prelude_that_stops_mongorestore_stops_nobody_here(
    folder: Path, local_db: Database[Any], prelude: str
) -> None:
    """It says only which tools wrote the dump. Every document was read, counted and hashed without it."""
    (folder / "temple/prelude.json").write_text(prelude)

    assert restored(folder, local_db) == sorted(GOOD)


def test_a_date_in_relaxed_form_that_stops_mongorestore_is_read_as_what_it_is(
    folder: Path, local_db: Database[Any]
) -> None:
    rule = '{"at":{"$gt":{"$date":"2024-01-01T00:00:00Z"}}}'
    index = f'{{"v":2,"key":{{"n":1}},"name":"n_1","partialFilterExpression":{rule}}}'
    (folder / "temple/c.metadata.json").write_text(f'{{"indexes":[{index}],"collectionName":"c"}}')

    assert restored(folder, local_db) == sorted(GOOD)
    filtered = local_db["c"].index_information()["n_1"]["partialFilterExpression"]
    assert filtered == {"at": {"$gt": datetime(2024, 1, 1)}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"indexes":null}',
        '{"indexes":[{"v":2,"key":{"_id":1},"name":"_id_"},{"v":2,"key":{"n":1},"name":"n_1"}],"collectionName":"c"}',
    ],
)
def test_tolerable_metadata_is_tolerated(folder: Path, local_db: Database[Any], text: str) -> None:
    (folder / "temple/c.metadata.json").write_text(text)

    assert restored(folder, local_db) == sorted(GOOD)


@pytest.mark.parametrize("text", ["{", "[]", "not json", '{"options":{"a":{"$date":"nonsense"}}}'])
def test_broken_metadata_is_refused_and_nothing_is_written(folder: Path, local_db: Database[Any], text: str) -> None:
    (folder / "temple/c.metadata.json").write_text(text)

    with pytest.raises(VerificationFailed):
        restored(folder, local_db)

    assert local_db.list_collection_names() == []


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("cut", lambda data: data[:-7]),
        ("cut between documents and inside the last length", lambda data: data + b"\x20"),
        ("zero bytes at the end", lambda data: data + bytes(8)),
        ("a flipped bit in the structure", lambda data: data[:4] + bytes([data[4] ^ 0x40]) + data[5:]),
        ("an impossible length", lambda data: b"\xff\xff\xff\x7f" + data[4:]),
        ("nothing but garbage", lambda data: b"garbage" * 30),
    ],
)
def test_a_damaged_foreign_dump_is_refused_before_a_single_write(
    folder: Path, local_db: Database[Any], what: str, damage: Callable[[bytes], bytes]
) -> None:
    path = folder / "temple/c.bson"
    path.write_bytes(damage(path.read_bytes()))
    local_db["c"].insert_many([{"_id": number} for number in range(500)])

    with pytest.raises(VerificationFailed):
        restored(folder, local_db)

    assert local_db["c"].count_documents({}) == 500


def test_a_bit_flipped_inside_a_value_is_seen_where_mongorestore_answers_0(
    folder: Path, local_db: Database[Any]
) -> None:
    source = verified(folder, "temple")
    path = folder / "temple/c.bson"
    data = bytearray(path.read_bytes())
    data[data.index(b"xxx") + 1] ^= 1
    path.write_bytes(data)

    with pytest.raises(VerificationFailed):
        restore(source, local_db)

    assert local_db.list_collection_names() == []


def test_all_duplicates_are_stated_to_be_there_where_mongorestore_answers_0(
    folder: Path, local_db: Database[Any], safety: Dump
) -> None:
    source = verified(folder, "temple")
    restore(source, local_db)
    local_db["c"].update_many({}, {"$set": {"v": "other"}})

    outcome = restore(source, local_db, before=safety(local_db))["c"]

    assert (outcome.inserted, outcome.kept, outcome.proven) == (0, 50, 50)


def test_plain_and_compressed_files_mixed_are_refused_where_mongorestore_restores_half(
    folder: Path, local_db: Database[Any]
) -> None:
    (folder / "temple/d.bson.gz").write_bytes(gzip.compress(b"".join(GOOD)))

    with pytest.raises(VerificationFailed, match="mixed"):
        restored(folder, local_db)


def test_a_name_that_is_not_in_the_backup_is_refused_where_mongorestore_answers_0(
    folder: Path, local_db: Database[Any]
) -> None:
    with pytest.raises(CollectionNotFound):
        restore(verified(folder, "temple"), local_db, collections=("absent",))


def test_stray_files_do_not_stop_a_restore_as_they_stop_mongorestore(folder: Path, local_db: Database[Any]) -> None:
    (folder / ".tmp").mkdir()
    (folder / "temple/logs.d").write_text("x")

    assert restored(folder, local_db) == sorted(GOOD)


def test_a_name_that_does_not_decode_stops_mongorestore_and_is_taken_as_it_stands_here(
    folder: Path, local_db: Database[Any]
) -> None:
    (folder / "temple/100%.bson").write_bytes(b"".join(GOOD))

    assert restored(folder, local_db) == sorted(GOOD)
    assert sorted(frames_of(local_db, "100%")) == sorted(GOOD)


@pytest.mark.parametrize(
    ("file", "spoilt"), [("c.bson", lambda data: data[:-7]), ("c.metadata.json", lambda data: b"{")]
)
def test_a_preview_sees_what_a_dry_run_of_mongorestore_does_not(
    folder: Path, local_db: Database[Any], file: str, spoilt: Callable[[bytes], bytes]
) -> None:
    source = verified(folder, "temple")
    path = folder / "temple" / file
    path.write_bytes(spoilt(path.read_bytes()))

    with pytest.raises(VerificationFailed):
        look(source, local_db)


def test_a_cut_gzip_file_is_refused(tmp_path: Path, local_db: Database[Any]) -> None:
    folder = tmp_path / "golden"
    shutil.copytree(FIXTURES / "mongodump_gzip", folder)
    path = folder / "golden/bookings.bson.gz"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(VerificationFailed):
        verified(folder, "golden")


def test_a_thousand_flipped_bits_are_all_refused_and_five_hundred_documents_stay(
    a_source: Make, local_db: Database[Any]
) -> None:
    source = a_source(c=GOOD)
    local_db["c"].insert_many([{"_id": number, "v": "live"} for number in range(500)])
    path = source.folder / "temple/c.bson"
    good = path.read_bytes()
    points = [at * 7919 % (len(good) * 8) for at in range(1_000)]

    refused = 0
    for point in points:
        flipped = bytearray(good)
        flipped[point // 8] ^= 1 << point % 8
        path.write_bytes(flipped)
        with pytest.raises(VerificationFailed):
            restore(source, local_db, collections=("c",))
        refused += 1
    for cut in range(20):
        path.write_bytes(good[: len(good) * cut // 20])
        with pytest.raises(VerificationFailed):
            restore(source, local_db)
        refused += 1

    assert refused == 1_020
    assert local_db["c"].count_documents({"v": "live"}) == 500
