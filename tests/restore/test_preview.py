"""A preview reads and compares for real: its numbers are those of the restore, its problems those that will come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Timestamp
from pymongo.database import Database

from backups_app.management.terminal.restore_text import preview_lines
from backups_app.mongo import raw_ids
from backups_app.progress import Silent
from backups_app.restore import preview
from backups_app.restore.choices import Choices, Mode
from backups_app.restore.live import Live
from backups_app.restore.plan import decide
from backups_app.restore.preview import RestorePreview
from backups_app.restore.source import Source
from tests.restore.conftest import documents, frames_of, restore

Make = Callable[..., Source]
Dump = Callable[[Database[Any]], Source]


def look(
    source: Source, database: Database[Any] | None, *, disk_free_bytes: int | None = None, **more: Any
) -> RestorePreview:
    choices = Choices(**{"backup_id": "20250119_143022", "target": "temple", "in_place": True, **more})
    return preview.make(
        source=source,
        choices=choices,
        decided=decide(manifest=source.manifest, choices=choices, emptied={}),
        database=database,
        server="localhost:1",
        confirmation="hash",
        progress=Silent(),
        disk_free_bytes=disk_free_bytes,
    )


@pytest.mark.parametrize("mode", list(Mode))
def test_the_numbers_are_those_of_the_restore(
    a_source: Make, safety: Dump, local_db: Database[Any], mode: Mode
) -> None:
    source = a_source(c=documents((1, "same"), (2, "backup"), (3, "new"), (4, "new")))
    local_db["c"].insert_many(
        [{"_id": 1, "v": "same"}, {"_id": 2, "v": "live"}, {"_id": 8, "v": 1}, {"_id": 9, "v": 1}]
    )
    before = frames_of(local_db, "c")

    shown = look(source, local_db, mode=mode).collections[0]
    untouched = frames_of(local_db, "c")
    outcome = restore(source, local_db, before=safety(local_db), mode=mode)["c"]

    assert untouched == before
    assert (shown.in_backup, shown.there_now, shown.creates) == (4, 4, False)
    assert (shown.insert, shown.replace, shown.delete) == (outcome.inserted, outcome.replaced, outcome.deleted)
    assert (shown.unchanged, shown.keep, shown.extra) == (outcome.unchanged, outcome.kept, outcome.extra)


def test_samples_show_both_versions(a_source: Make, local_db: Database[Any]) -> None:
    source = a_source(c=documents((1, "backup"), (2, "new")))
    local_db["c"].insert_many([{"_id": 1, "v": "live"}, {"_id": 9, "v": "extra"}])

    samples = look(source, local_db, mode=Mode.REPLACE).collections[0].samples

    def plain(frame: bytes | None) -> Any:
        return None if frame is None else bson.decode(frame)["v"]

    assert [(one.action, plain(one.now), plain(one.backup)) for one in samples] == [
        ("insert", None, "new"),
        ("replace", "live", "backup"),
        ("delete", "extra", None),
    ]


def test_unique_clashes_and_broken_rules_are_foreseen(a_source: Make, local_db: Database[Any]) -> None:
    source = a_source(
        c=[
            bson.encode({"_id": number, "code": f"C{number}", "n": number if number < 8 else "x"})
            for number in range(10)
        ]
    )
    local_db.create_collection("c", validator={"n": {"$type": "int"}})
    local_db["c"].create_index([("code", 1)], unique=True, name="one_code", collation={"locale": "en", "strength": 2})
    local_db["c"].create_index([("code", 1), ("n", 1)], unique=True, name="some", partialFilterExpression={"n": 1})
    local_db["c"].insert_many([{"_id": 90, "code": "c1", "n": 1}, {"_id": 91, "code": "C2", "n": 2}])

    shown = look(source, local_db).collections[0]
    outcome = restore(source, local_db)["c"]

    assert shown.insert == 10
    assert any('2 documents have a value of the unique index "one_code"' in message for message in shown.problems)
    assert any("2 documents break the collection's validation rule" in message for message in shown.problems)
    assert 'The unique index "some" could not be checked beforehand.' in shown.problems
    assert (outcome.inserted, outcome.clashes.count, outcome.refused.count) == (6, 2, 2)


AMONG_THEMSELVES = (
    "The documents of the backup were compared with those that are there, not with one another: the unique index "
    '"one_pair", which the backup does not have, may refuse some of them.'
)


def test_an_index_that_only_the_target_has_may_refuse_documents_of_the_backup(
    safety: Dump, local_db: Database[Any]
) -> None:
    local_db["c"].insert_many([{"_id": number, "pair": number // 2} for number in range(10)])
    source = safety(local_db)
    local_db["c"].delete_many({})
    local_db["c"].create_index("pair", unique=True, name="one_pair")

    shown = look(source, local_db).collections[0]
    one = look(source, local_db, collections=("c",), document=raw_ids.id_of(bson.encode({"_id": 3}))).collections[0]
    outcome = restore(source, local_db)["c"]

    assert shown.insert == 10 and AMONG_THEMSELVES in shown.problems
    assert one.insert == 1 and AMONG_THEMSELVES not in one.problems
    assert (outcome.inserted, outcome.clashes.count) == (5, 5)


def test_under_an_index_that_the_backup_has_too_its_documents_do_not_clash(
    safety: Dump, local_db: Database[Any]
) -> None:
    local_db["c"].create_index("pair", unique=True, name="one_pair", collation={"locale": "en", "strength": 2})
    local_db["c"].insert_many([{"_id": number, "pair": f"p{number}"} for number in range(10)])
    source = safety(local_db)
    local_db["c"].delete_many({})

    assert look(source, local_db).collections[0].problems == []
    local_db["c"].drop_indexes()
    local_db["c"].create_index("pair", unique=True, name="one_pair", collation={"locale": "en", "strength": 1})
    assert AMONG_THEMSELVES in look(source, local_db).collections[0].problems


def test_what_no_server_stores_unchanged_is_named_beforehand(a_source: Make, local_db: Database[Any]) -> None:
    twice = bson.encode({"_id": 1, "a": 1})[4:-1] + bson.encode({"a": 2, "t": Timestamp(0, 0)})[4:-1]
    source = a_source(c=[(len(twice) + 5).to_bytes(4, "little") + twice + b"\0", *documents((2, "x"))])

    shown = look(source, local_db).collections[0]

    assert [message for message in shown.problems if message.startswith("1 document cannot be stored unchanged")]


def test_indexes_and_options_that_differ_are_named(safety: Dump, local_db: Database[Any]) -> None:
    local_db.create_collection("c", validator={"n": {"$type": "int"}})
    local_db["c"].create_index([("a", 1), ("b", 1)], name="both")
    local_db["c"].create_index("gone", name="gone", expireAfterSeconds=60)
    source = safety(local_db)
    local_db.drop_collection("c")
    local_db["c"].create_index([("b", 1), ("a", 1)], name="both")
    local_db["c"].create_index("new", name="new")

    problems = look(source, local_db).collections[0].problems

    assert problems == [
        'the option validator of "c" differs from the backup',
        'the index "gone" of "c" is not there',
        'the index "new" of "c" is not in the backup',
        'the index "both" of "c" differs from the backup',
    ]


def test_a_preview_of_a_copy_that_does_not_exist_yet_creates_everything(golden: Source) -> None:
    shown = look(golden, None, in_place=False, target="copy")

    assert shown.total("insert") == golden.manifest.documents
    assert all(entry.creates and not entry.withheld for entry in shown.collections)
    assert not shown.needs_the_phrase


def test_of_a_whole_real_dump_nothing_is_left_to_do_after_its_restore(golden: Source, local_db: Database[Any]) -> None:
    first = look(golden, local_db)
    restore(golden, local_db)

    second = look(golden, local_db, mode=Mode.REPLACE)

    assert first.total("insert") == golden.manifest.documents
    assert (second.total("insert"), second.total("replace"), second.total("delete")) == (0, 0, 0)
    assert second.total("unchanged") == golden.manifest.documents


def test_a_disk_that_is_too_small_is_reported_beforehand(a_source: Make, local_db: Database[Any]) -> None:
    source = a_source(c=documents((1, "x" * 5_000), (2, "y")))
    free = Live(local_db).free_bytes()
    enough, little = look(source, local_db), look(source, local_db, disk_free_bytes=4_000)

    assert free is not None
    assert free > 1_000_000
    assert (enough.disk_problem, enough.insert_bytes > 5_000) == ("", True)
    assert little.disk_problem == "About 4.93 KB would be written, and only 3.91 KB are free on the server's disk."
    assert little.disk_problem in list(preview_lines(little))
