"""Folders that a real mongodump wrote are read as they are: every name, every type, plain and gzip."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backups_app.backup_files.shown import extended_json
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collections, document_ids, documents, index, opening
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.search import query, search
from backups_app.browsing.values import fields, tree
from backups_app.errors import CollectionPreparing
from backups_app.mongo import raw_ids
from tests.browsing.conftest import FIXTURES, bookings

ID = "20250119_143022"
Put = Callable[[str, str], Path]


@pytest.fixture(params=["mongodump_plain", "mongodump_gzip"])
def golden(request: pytest.FixtureRequest, store: Store, a_foreign_backup: Put) -> Store:
    """A store that holds one folder of a real mongodump."""
    a_foreign_backup(ID, request.param)
    return store


def names_in_the_metadata_files() -> set[str]:
    files = (FIXTURES / "mongodump_plain/golden").glob("*.metadata.json")
    return {json.loads(file.read_text())["collectionName"] for file in files}


def test_every_collection_is_there_under_its_own_name(golden: Store) -> None:
    found = {entry.name: entry for entry in collections.of_backup(store=golden, backup_id=ID)}

    assert set(found) == names_in_the_metadata_files()
    assert not any(entry.verified or entry.problem for entry in found.values())
    assert (found["weather"].type, found["paid_bookings"].type) == ("timeseries", "view")
    assert (found["empty"].documents, found["paid_bookings"].documents) == (0, 0)
    assert found["weather"].documents
    assert "_id_" in found["bookings"].indexes


def test_every_document_of_every_collection_is_read_and_shown(golden: Store) -> None:
    raw = FIXTURES / "mongodump_plain/golden"
    shown = 0
    for entry in collections.of_backup(store=golden, backup_id=ID):
        page = documents.page(store=golden, backup_id=ID, collection=entry.name, limit=1_000)
        assert not [document for document in page.documents if document.problem]
        assert page.total == entry.documents == len(page.readable)
        for frame in page.readable:
            root = tree.document(frame)
            assert root.size == len(root.children) or root.more_from is not None
            assert all(node.type and not node.type.startswith("unknown") for node in root.children)
            assert list(tree.leaves(frame)) is not None
            shown += 1
        fields.summarise(page.readable)
        if raw.joinpath(f"{entry.name}.bson").exists():
            assert b"".join(page.readable) == raw.joinpath(f"{entry.name}.bson").read_bytes()
    assert shown > 100


def test_every_id_of_every_type_leads_to_its_document(golden: Store) -> None:
    page = documents.page(store=golden, backup_id=ID, collection="every_id", limit=1_000)

    for frame in page.readable:
        address = document_ids.address(raw_ids.id_of(frame))
        assert documents.by_id(store=golden, backup_id=ID, collection="every_id", typed=address).frame == frame


def test_what_extended_json_says_agrees_with_the_tree(golden: Store) -> None:
    page = documents.page(store=golden, backup_id=ID, collection="every_type", limit=1_000)

    for frame in page.readable:
        names = [node.name for node in tree.document(frame).children]
        assert list(dict.fromkeys(names)) == list(extended_json.relaxed(frame))
        duplicates = {node.name for node in tree.document(frame).children if node.duplicate}
        assert duplicates == extended_json.repeated_names(frame)


def test_a_search_finds_in_a_foreign_folder(golden: Store) -> None:
    backup = opening.open_backup(store=golden, backup_id=ID)
    source = open_collection(backup=backup, collection="bookings")
    first = next(source.frames(start=0))
    text = next(value for _, value in tree.leaves(first) if value.type == 2 and len(value.data) > 8)
    wanted = query.parse('"' + text.data[4:-1].decode() + '"')

    page = search.find(source, query=wanted, limit=1_000)

    assert page.finished
    assert first in [hit.frame for hit in page.hits]


def test_a_large_foreign_file_is_prepared_bit_by_bit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = store.root / f"backup_{ID}/db"
    folder.mkdir(parents=True)
    (folder / "bookings.bson").write_bytes(b"".join(bookings(200_000)))
    reported: list[int] = []

    while True:
        try:
            found = open_collection(
                backup=opening.open_backup(store=store, backup_id=ID), collection="bookings", seconds=0.05
            )
            break
        except CollectionPreparing as error:
            reported.append(error.facts["percent"])

    assert found.total == 200_000
    assert reported == sorted(reported)
    assert all(0 <= percent < 100 for percent in reported)


def test_a_foreign_file_that_grows_is_walked_again(store: Store) -> None:
    folder = store.root / f"backup_{ID}/db"
    folder.mkdir(parents=True)
    path = folder / "bookings.bson"
    path.write_bytes(b"".join(bookings(3)))
    before = documents.page(store=store, backup_id=ID, collection="bookings").total

    path.write_bytes(b"".join(bookings(5)))

    assert (before, documents.page(store=store, backup_id=ID, collection="bookings").total) == (3, 5)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_cut_foreign_file_shows_what_lies_before_the_cut(store: Store, compressed: bool) -> None:
    folder = store.root / f"backup_{ID}/db"
    folder.mkdir(parents=True)
    data = b"".join(bookings(10))[:-20]
    path = folder / ("bookings.bson.gz" if compressed else "bookings.bson")
    path.write_bytes(gzip.compress(data) if compressed else data)

    (listed,) = collections.of_backup(store=store, backup_id=ID)
    page = documents.page(store=store, backup_id=ID, collection="bookings")

    assert listed.documents == 9
    assert listed.problem == "document 10 cannot be read: the last document is cut off"
    assert page.readable == tuple(bookings(9))


def test_walks_in_memory_are_few(store: Store) -> None:
    folder = store.root / f"backup_{ID}/db"
    folder.mkdir(parents=True)
    for number in range(80):
        (folder / f"c{number}.bson").write_bytes(b"".join(bookings(1)))

    found = collections.of_backup(store=store, backup_id=ID, seconds=30.0)

    assert all(entry.documents == 1 for entry in found)
    assert len(index._walks) <= 64
