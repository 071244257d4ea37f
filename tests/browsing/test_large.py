"""Large documents: a page ends at its bytes and says so, one document is shortened, memory stays flat."""

from __future__ import annotations

import json
from typing import Any

import bson
import pytest
from bson import Binary, Code, Int64, ObjectId

from backups_app.backup_files.reading import bson_frames
from backups_app.backup_files.shown import extended_json, json_stream, shortened
from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import compare, versions
from backups_app.browsing.reading import documents
from backups_app.browsing.reading.collection_opening import open_collection
from backups_app.browsing.reading.opening import open_backup
from backups_app.browsing.search import search
from backups_app.browsing.search.query import parse
from backups_app.browsing.values import fields, tree
from backups_app.mongo import raw_ids
from tests.browsing import large
from tests.browsing.conftest import Maker

A, B = "20250119_143022", "20250120_143022"
COUNT = 16
KINDS = [large.large_list, large.large_text, large.large_binary]


@pytest.mark.parametrize("compressed", [False, True])
def test_a_page_ends_at_its_bytes_and_the_next_ones_cover_the_rest_once(
    store: Store, a_backup: Maker, compressed: bool
) -> None:
    sizes = [3, 1, 1, 5, 5, 1, 1, 1, 1, 4, 0]
    every = [large.large_binary(number, size=size * large.MEGABYTE) for number, size in enumerate(sizes)]
    a_backup(A, {"c": every}, compressed=compressed)

    seen: list[tuple[int, ...]] = []
    at: int | None = 0
    while at is not None:
        page = documents.page(store=store, backup_id=A, collection="c", offset=at, limit=6)
        seen.append(tuple(document.number for document in page.documents))
        assert page.truncated == (len(page.documents) < min(6, 11 - at))
        at = page.next

    assert [number for page in seen for number in page] == list(range(11))
    assert seen[:3] == [(0,), (1, 2), (3,)]


@pytest.mark.parametrize("make", [large.large_text, large.large_binary])
def test_reading_searching_and_comparing_take_flat_memory(store: Store, a_backup: Maker, make: Any) -> None:
    a_backup(A, {"c": [make(number) for number in range(COUNT)]})
    a_backup(B, {"c": [make(number).replace(b"name", b"nime") for number in range(COUNT)]})
    source = open_collection(backup=open_backup(store=store, backup_id=A), collection="c")
    compared = compare.of_collection(store=store, a=A, b=B, collection="c")
    live = make(3)

    with large.flat_memory():
        page = documents.page(store=store, backup_id=A, collection="c", limit=COUNT)
        summary = fields.summarise(page.readable)
        found = search.find(source, query=parse("name:" + make.__name__[6:9]), limit=COUNT, seconds=60)
        differing = compare.documents_of(
            store=store, a=A, b=B, collection="c", comparison=compared, kind="changed", limit=COUNT
        )
    with large.flat_memory():
        reported = versions.of_document(
            store=store, collection="c", raw_id=raw_ids.id_of(live), live=live, with_live=True, seconds=60
        )
        root = tree.document(page.documents[0].frame)

    assert (len(page.documents), page.next, page.truncated) == (1, 1, True)
    assert summary[0].sample == 1
    assert (len(found.hits), found.next, found.finished) == (2, 2, False)
    assert len(differing) == 1
    assert [change.name for change in differing[0].changes] == ["name", "nime"]
    assert [version.there for version in reported.versions] == [True, True, True]
    assert root.size == 4


def test_a_search_goes_on_to_every_match(store: Store, a_backup: Maker) -> None:
    a_backup(A, {"c": [large.large_text(number, size=2 * large.MEGABYTE) for number in range(7)]})
    source = open_collection(backup=open_backup(store=store, backup_id=A), collection="c")

    numbers: list[int] = []
    at: int | None = 0
    while at is not None:
        page = search.find(source, query=parse("name:text"), start=at, limit=100, seconds=60)
        numbers += [hit.number for hit in page.hits]
        at = page.next

    assert numbers == list(range(7))


EVERY_TYPE = {
    "_id": ObjectId(), "deep": {"a": {"b": [{"c": ["x" * 5_000] * 400}] * 3}}, "text": "é" * 900_000, "n": Int64(5),
    "data": Binary(bytes(900_000), 4), "old": Binary(bytes(2_000), 2), "code": Code("x" * 3_000),
    "scoped": Code("y" * 3_000, {"z": 1}), "k" * 3_000: 1, "rx": bson.Regex("r" * 3_000), "none": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "frame", [make(1) for make in KINDS] + [bson.encode(EVERY_TYPE)], ids=["list", "text", "binary", "every type"]
)
def test_a_large_document_is_shortened_to_sound_bson(frame: bytes) -> None:
    short = shortened.shorten(frame)

    bson_frames.validate(short)
    read = bson.decode(short)
    assert len(short) < shortened.SHOWN_BYTES + 4_096
    assert read["_id"] == bson.decode(frame)["_id"]
    assert list(read)[:2] == list(bson.decode(frame))[:2]
    json.dumps(extended_json.relaxed(short))


def test_what_is_not_large_is_not_touched() -> None:
    frame = large.large_list(1, size=large.MEGABYTE // 2)

    assert shortened.shorten(frame) is frame


@pytest.mark.parametrize("form", ["relaxed", "plain", "canonical"])
def test_the_stream_is_the_json_of_the_document(form: Any) -> None:
    frame = bson.encode(EVERY_TYPE | {"list": [1, 2.5, {"a": []}], "empty": {}})

    written = list(json_stream.pieces(frame, form))

    assert json.loads("".join(written)) == {name: extended_json.value(v, form) for name, v in _values(frame)}
    assert len(written) > 5


def _values(frame: bytes) -> Any:
    from backups_app.mongo import raw_bson

    return ((name.decode(), value) for name, value in raw_bson.elements(frame))


def test_a_long_text_is_shown_part_by_part_to_its_end() -> None:
    text = "".join(chr(0x900 + n % 100) for n in range(700_000))
    frame = bson.encode({"_id": 1, "note": text})

    parts: list[str] = []
    start: int | None = 0
    while start is not None:
        node = tree.whole(frame, path="1", start=start)
        parts.append(node.text)
        start = node.more_from

    assert "".join(parts) == text
    assert len(parts) == 3
