"""A foreign file that is damaged, cut, or no plain file: its readable part is shown, then where it ends, by name."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import bson
import bson.raw_bson
import pytest

from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import compare
from backups_app.browsing.reading import collections, documents, raw_documents
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import open_backup
from backups_app.browsing.search import search
from backups_app.browsing.search.query import parse
from backups_app.browsing.values import fields
from backups_app.errors import BackupRemoved, DamagedDocument, FileNotReadable
from tests.browsing.conftest import Maker, bookings

ID, COUNT = "20250101_000000", 3_000


def _documents(count: int = COUNT) -> list[bytes]:
    return [bson.encode({"_id": n, "name": f"Devotee {n}", "noise": os.urandom(20)}) for n in range(count)]


def _impossible_length(data: bytes, number: int) -> bytes:
    at = sum(len(one) for one in _split(data)[:number])
    return data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]


def _split(data: bytes) -> list[bytes]:
    return [bytes(one.raw) for one in bson.decode_all(data, bson.CodecOptions(bson.raw_bson.RawBSONDocument))]


@pytest.fixture
def foreign(a_folder: Path) -> Path:
    """The directory of a database in a folder that somebody else put here."""
    folder = a_folder / f"backup_{ID}" / "temple_db"
    folder.mkdir(parents=True)
    return folder


def _written(foreign: Path, kind: str) -> int:
    """Put a damaged `bookings` there. Return how many documents of it can be read at least."""
    data = b"".join(_documents())
    files = {
        "half a gzip": ("bookings.bson.gz", gzip.compress(data)[: len(gzip.compress(data)) // 2], 100),
        "cut at a document": ("bookings.bson", data[: len(data) // 2], 100),
        "an impossible length": ("bookings.bson", _impossible_length(data, 1_200), 1_200),
    }
    name, content, readable = files[kind]
    (foreign / name).write_bytes(content)
    return readable


KINDS = ["half a gzip", "cut at a document", "an impossible length"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_readable_part_is_shown_and_then_where_it_ends(foreign: Path, a_folder: Path, kind: str) -> None:
    least = _written(foreign, kind)
    store = Store(a_folder)

    first = documents.page(store=store, backup_id=ID, collection="bookings", limit=50)
    last = documents.page(store=store, backup_id=ID, collection="bookings", offset=first.total - 10, limit=50)

    assert least <= first.total < COUNT
    assert [len(first.readable), first.broken_at] == [50, None]
    assert (len(last.readable), last.broken_at, last.documents[-1].damaged) == (10, first.total, True)
    assert last.documents[-1].problem


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_says_that_the_rest_was_looked_at(foreign: Path, a_folder: Path, kind: str) -> None:
    _written(foreign, kind)
    store = Store(a_folder)
    source = open_collection(backup=open_backup(store=store, backup_id=ID), collection="bookings")

    found = search.find(source, query=parse('"Devotee 7"'), seconds=30, limit=5_000)
    [listed] = collections.of_backup(store=store, backup_id=ID)

    assert (found.broken_at, found.finished, found.next) == (source.total, False, None)
    assert [hit.number for hit in found.hits][:1] == [7]
    assert f"document {source.total + 1:,} cannot be read" in listed.problem
    with pytest.raises(DamagedDocument):
        documents.by_id(store=store, backup_id=ID, collection="bookings", typed=str(COUNT - 1))
    assert documents.by_id(store=store, backup_id=ID, collection="bookings", typed="5").number == 5
    with pytest.raises(DamagedDocument):
        compare.of_backups(store=store, a=ID, b=ID)


def test_what_lies_at_the_damage_can_be_looked_at(foreign: Path, a_folder: Path) -> None:
    _written(foreign, "an impossible length")

    found = documents.document_at(store=Store(a_folder), backup_id=ID, collection="bookings", number=1_200)
    reported = raw_documents.undecodable_document(found, store=Store(a_folder), backup_id=ID, collection="bookings")

    assert (reported.restorable, reported.identity, reported.raw[:4]) == (False, "", b"\xff\xff\xff\x7f")


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", gzip.compress(b"".join(_documents(20)))[:-12]], ids=["empty", "zip", "cut"]
)
def test_a_file_of_which_nothing_can_be_read_is_not_stated_to_be_empty(
    foreign: Path, a_folder: Path, content: bytes
) -> None:
    (foreign / "bookings.bson.gz").write_bytes(content)

    page = documents.page(store=Store(a_folder), backup_id=ID, collection="bookings")

    if content or page.total:  # that an empty file is no gzip stream is the verification's to say
        assert page.broken_at is not None and page.documents[-1].damaged


@pytest.mark.parametrize("cut", ["at a document", "to nothing", "inside a document"])
def test_a_verified_file_that_lost_its_end_does_not_go_on_for_ever(store: Store, a_backup: Maker, cut: str) -> None:
    every = list(bookings(2_500))
    file = a_backup(ID, {"bookings": every}) / "temple_db/bookings.bson"
    kept = {"at a document": len(every[0]) * 1_700, "to nothing": 0, "inside a document": len(every[0]) * 1_700 + 9}
    os.truncate(file, kept[cut])
    source = open_collection(backup=open_backup(store=store, backup_id=ID), collection="bookings")

    page = documents.page(store=store, backup_id=ID, collection="bookings", offset=1_690, limit=100)
    beyond = documents.page(store=store, backup_id=ID, collection="bookings", offset=2_300, limit=100)
    found = search.find(source, query=parse("devotee"), seconds=30, limit=5_000)

    assert page.broken_at is not None and beyond.broken_at is not None
    assert (found.broken_at, found.finished) != (None, True)
    assert len(found.hits) < 2_500


@pytest.mark.parametrize("what", ["file", "pipe", "directory of the database"])
def test_what_is_no_plain_file_is_refused_by_name(store: Store, a_backup: Maker, tmp_path: Path, what: str) -> None:
    folder = a_backup(ID, {"bookings": bookings(30)})
    taken = folder / "temple_db" if what.startswith("directory") else folder / "temple_db/bookings.bson"
    taken.rename(tmp_path / "elsewhere")
    if what == "pipe":
        os.mkfifo(taken)
    else:
        taken.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileNotReadable) as refusal:
        documents.page(store=store, backup_id=ID, collection="bookings")

    assert (refusal.value.status, refusal.value.code) == (409, "file_not_readable")


def test_a_linked_file_of_a_foreign_folder_is_refused_by_name_and_listed(foreign: Path, a_folder: Path) -> None:
    (foreign / "bookings.bson").symlink_to("/etc/passwd")

    [listed] = collections.of_backup(store=Store(a_folder), backup_id=ID)

    assert listed.problem == "its file cannot be read"
    with pytest.raises(FileNotReadable):
        documents.page(store=Store(a_folder), backup_id=ID, collection="bookings")


def test_a_linked_index_is_not_followed_and_the_documents_are_shown(
    store: Store, a_backup: Maker, tmp_path: Path
) -> None:
    every = list(bookings(1_500))
    index = a_backup(ID, {"bookings": every}) / "temple_db/bookings.bson.idx"
    index.rename(tmp_path / "elsewhere")
    index.symlink_to(tmp_path / "elsewhere")

    page = documents.page(store=store, backup_id=ID, collection="bookings", offset=1_200, limit=10)

    assert page.readable == tuple(every[1_200:1_210])


def test_a_file_that_goes_while_it_is_read_is_gone_by_name(store: Store, a_backup: Maker) -> None:
    folder = a_backup(ID, {"bookings": bookings(30)})
    source = open_collection(backup=open_backup(store=store, backup_id=ID), collection="bookings")
    (folder / "temple_db/bookings.bson").unlink()

    with pytest.raises(BackupRemoved):
        list(source.frames(start=0))


def test_the_fields_of_a_damaged_file_are_those_of_its_readable_part(foreign: Path, a_folder: Path) -> None:
    _written(foreign, "an impossible length")

    page = documents.page(store=Store(a_folder), backup_id=ID, collection="bookings", offset=1_000, limit=1_000)

    assert {one.name for one in fields.summarise(page.readable)} == {"_id", "name", "noise"}
    assert (len(page.readable), page.broken_at) == (200, 1_200)
