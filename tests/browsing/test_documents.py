"""Any page of a collection, any document by number or `_id`, and what damage looks like."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import bson
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collections, document_ids, documents
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import open_backup
from backups_app.browsing.search import search
from backups_app.browsing.search.query import parse
from backups_app.errors import (
    BackupNotFound,
    BackupRemoved,
    CollectionNotFound,
    DamagedDocument,
    DocumentNotFound,
    InvalidBackupId,
    InvalidInput,
)
from backups_app.mongo import raw_ids
from tests.browsing.conftest import Maker, bookings

ID = "20250119_143022"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 999, 1000, 1001, 2499, 2500, 3000])
def test_a_page_from_anywhere_holds_the_documents_of_that_place(
    store: Store, a_backup: Maker, compressed: bool, offset: int
) -> None:
    every = list(bookings(2_500))
    a_backup(ID, {"bookings": every}, compressed=compressed)

    page = documents.page(store=store, backup_id=ID, collection="bookings", offset=offset, limit=25)

    assert page.total == 2_500
    assert page.readable == tuple(every[offset : offset + 25])
    assert [document.number for document in page.documents] == list(range(offset, min(2_500, offset + 25)))


@pytest.mark.parametrize(("offset", "limit"), [(-1, 25), (0, 0), (0, 1001), (2**40, 1)])
def test_a_page_outside_all_measure_is_refused(store: Store, a_backup: Maker, offset: int, limit: int) -> None:
    a_backup(ID, {"bookings": bookings(3)})

    with pytest.raises(InvalidInput):
        documents.page(store=store, backup_id=ID, collection="bookings", offset=offset, limit=limit)


def test_an_empty_collection_has_an_empty_page(store: Store, a_backup: Maker) -> None:
    a_backup(ID, {"empty": []})

    page = documents.page(store=store, backup_id=ID, collection="empty")

    assert (page.total, page.documents) == (0, ())


HOSTILE = [
    "../bookings",
    "..",
    ".",
    "/etc/passwd",
    "%2e%2e/bookings",
    "%252e%252e",
    "bookings\0",
    "bookings\n",
    "bookings.bson",
    "temple_db/bookings",
    "temple_db/bookings.bson",
    "metadata.json",
    "Bookings",
    "BOOKINGS",
    "bookings ",
    " bookings",
    "ｂｏｏｋｉｎｇｓ",
    "-rf",
    "~",
    "$where",
    "x" * 5_000,
    "",
]
HOSTILE_IDS = [
    "..",
    "../..",
    "20250119_14302",
    "20250119_1430222",
    "20250119_143022\n",
    "20250119_143022\0",
    "２０２５0119_143022",
    "٢٠٢٥0119_143022",
    "20250119_143022/..",
    "/20250119_143022",
    "%2e%2e",
    "20250119_143022_1",
    "backup_20250119_143022",
    "20250119_143022 ",
    "x" * 5_000,
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_collection_is_found_among_the_manifests_keys_or_not_at_all(store: Store, a_backup: Maker, name: str) -> None:
    a_backup(ID, {"bookings": bookings(3)})

    with pytest.raises(CollectionNotFound):
        documents.page(store=store, backup_id=ID, collection=name)


@pytest.mark.parametrize("backup_id", HOSTILE_IDS)
def test_an_id_is_one_or_is_refused(store: Store, a_backup: Maker, backup_id: str) -> None:
    a_backup(ID, {"bookings": bookings(3)})

    with pytest.raises((InvalidBackupId, BackupNotFound)):
        documents.page(store=store, backup_id=backup_id, collection="bookings")


@pytest.mark.parametrize("what", ["folder", "directory", "file"])
def test_links_lead_nowhere(store: Store, a_backup: Maker, tmp_path: Path, what: str) -> None:
    folder = a_backup(ID, {"bookings": bookings(3)})
    linked = {"folder": folder, "directory": folder / "temple_db", "file": folder / "temple_db/bookings.bson"}[what]
    elsewhere = tmp_path / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)

    with pytest.raises(Exception, match=r"no backup|plain file|gone"):
        documents.page(store=store, backup_id=ID, collection="bookings")


def test_a_file_that_is_gone_says_so(store: Store, a_backup: Maker) -> None:
    folder = a_backup(ID, {"bookings": bookings(3)})
    (folder / "temple_db/bookings.bson").unlink()

    with pytest.raises(BackupRemoved):
        documents.page(store=store, backup_id=ID, collection="bookings")


def test_a_document_is_found_by_its_number_and_by_its_id(store: Store, a_backup: Maker) -> None:
    oid = ObjectId()
    nested = bson.encode({"_id": 5, "inner": {"_id": oid}})
    every = [nested, bson.encode({"name": "first", "_id": oid}), bson.encode({"_id": oid, "name": "second"})]
    every += [bson.encode({"_id": "17"}), bson.encode({"_id": 17.0}), bson.encode({"_id": {"a": 1, "b": "x"}})]
    a_backup(ID, {"c": every})

    def found(typed: str) -> int:
        return documents.by_id(store=store, backup_id=ID, collection="c", typed=typed).number

    assert documents.sound(store=store, backup_id=ID, collection="c", number=3) == every[3]
    assert found(str(oid)) == 1  # not the nested one, and the first of two
    assert found("17") == 3
    assert found('{"$numberDouble": "17.0"}') == 4
    assert found('{"a": {"$numberInt": "1"}, "b": "x"}') == 5


def test_what_is_not_there_is_not_found(store: Store, a_backup: Maker) -> None:
    a_backup(ID, {"c": bookings(3)})

    for typed in ("99", "", "x" * 2_000, "{", '{"$oid": "zz"}', "a\0b", "[1]"):
        with pytest.raises(DocumentNotFound):
            documents.by_id(store=store, backup_id=ID, collection="c", typed=typed)
    for number in (-1, 3, 10**9):
        with pytest.raises(DocumentNotFound):
            documents.document_at(store=store, backup_id=ID, collection="c", number=number)


@given(
    st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(max_size=30), st.binary(min_size=12, max_size=12).map(ObjectId))
)
def test_the_address_of_an_id_leads_back_to_it(value: object) -> None:
    raw_id = raw_ids.id_of(bson.encode({"_id": value}))

    assert document_ids.candidates(document_ids.address(raw_id))[0] == raw_id


def test_a_damaged_document_is_named_and_its_neighbours_are_fine(store: Store, a_backup: Maker) -> None:
    every = list(bookings(20))
    broken = bytearray(every[7])
    broken[4] = 0x44  # a type that BSON does not know
    folder = a_backup(ID, {"bookings": [*every[:7], bytes(broken), *every[8:]]})
    assert folder

    page = documents.page(store=store, backup_id=ID, collection="bookings")

    assert [document.number for document in page.documents if document.problem] == [7]
    assert page.readable == (*every[:7], *every[8:])
    assert documents.raw(store=store, backup_id=ID, collection="bookings", number=7)[: len(broken)] == bytes(broken)
    with pytest.raises(DamagedDocument, match=r"Document 8 .* Readable documents before it: 7"):
        documents.sound(store=store, backup_id=ID, collection="bookings", number=7)


def test_behind_a_broken_length_reading_stops_and_goes_on_at_the_next_index_point(
    store: Store, a_backup: Maker
) -> None:
    every = list(bookings(2_000))
    folder = a_backup(ID, {"bookings": every})
    path = folder / "temple_db/bookings.bson"
    data = bytearray(path.read_bytes())
    at = len(every[0]) * 7
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)

    page = documents.page(store=store, backup_id=ID, collection="bookings")
    later = documents.page(store=store, backup_id=ID, collection="bookings", offset=1_500, limit=10)

    assert (page.readable, page.broken_at) == (tuple(every[:7]), 7)
    assert later.readable == tuple(every[1_500:1_510])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_mutilation_makes_a_reader_crash(
    store: Store, a_foreign_backup: Callable[[str, str], Path], data: st.DataObject
) -> None:
    folder = store.root / f"backup_{ID}"
    (folder / "db").mkdir(parents=True, exist_ok=True)
    frames = b"".join(bookings(5))
    at = data.draw(st.integers(0, len(frames) - 1))
    mutated = frames[:at] + data.draw(st.binary(min_size=0, max_size=6)) + frames[at + data.draw(st.integers(0, 6)) :]
    (folder / "db/c.bson").write_bytes(mutated)

    page = documents.page(store=store, backup_id=ID, collection="c")
    source = open_collection(backup=open_backup(store=store, backup_id=ID), collection="c")

    assert len(page.documents) <= 6 + 6
    for frame in page.readable:
        bson.decode(frame)
    search.find(source, query=parse("devotee"))


def test_the_middle_of_a_million_documents_opens_as_quickly_as_the_beginning(
    store: Store, a_backup: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    for compressed, backup_id in ((False, ID), (True, "20250119_143023")):
        a_backup(backup_id, {"bookings": bookings(1_000_000)}, compressed=compressed)
        seconds = {}
        for offset in (0, 500_000, 999_975):
            began = time.perf_counter()
            page = documents.page(store=store, backup_id=backup_id, collection="bookings", offset=offset, limit=25)
            seconds[offset] = time.perf_counter() - began
            assert [bson.decode(frame)["_id"] for frame in page.readable] == list(range(offset, offset + 25))
        with capsys.disabled():
            reported = ", ".join(f"from {offset:,}: {took * 1000:.1f} ms" for offset, took in seconds.items())
            print(f"\n  page of 25 in 1,000,000 ({'gzip' if compressed else 'plain'}) {reported}")
        source = open_collection(backup=open_backup(store=store, backup_id=backup_id), collection="bookings")
        for typed, number in (("Devotee 0999998", 999_998), ('"0999998"', 999_998), ("_id:999998", 999_998)):
            wanted, found, at, calls, began = parse(typed), [], 0, 0, time.perf_counter()
            while True:
                result = search.find(source, query=wanted, start=at)
                found += [hit.number for hit in result.hits]
                calls += 1
                if result.next is None:
                    break
                at = result.next
            assert found == [number]
            with capsys.disabled():
                print(f"  search {typed!r}: {time.perf_counter() - began:.2f} s in {calls} call(s)")


def test_a_collections_list_says_sizes_indexes_and_that_it_was_verified(store: Store, a_backup: Maker) -> None:
    a_backup(ID, {"bookings": bookings(150), "empty": [], "sync_logs": bookings(1)})

    found = {entry.name: entry for entry in collections.of_backup(store=store, backup_id=ID)}

    assert (found["bookings"].documents, found["bookings"].size) == (
        150,
        f"{150 * len(next(iter(bookings(1)))) / 1024:.2f} KB",
    )
    assert (found["bookings"].indexes, found["bookings"].verified) == (("_id_",), True)
    assert (found["empty"].documents, found["empty"].size) == (0, "0 B")
    assert found["sync_logs"].internal
