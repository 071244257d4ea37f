"""A copy is called good only when it is: whole, sound, complete, and read from the disk."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import bson
import pytest

from backups_app.backup_files import durable, manifest
from backups_app.backup_files.durable import Operation
from backups_app.backup_files.reading import document_index
from backups_app.errors import RunCancelled, VerificationFailed
from backups_app.progress import Silent
from backups_app.records import CollectionInfo
from backups_app.verification import verdict

from .small_dumps import DATABASE, Stated, bookings, write

COLLECTIONS = {"bookings": bookings(2500), "users": bookings(3, start=9000), "empty": []}
FIXTURES = Path(__file__).parents[1] / "fixtures"


def verify(folder: Path, sentences: Stated | None) -> verdict.Verdict:
    return verdict.verify(folder=folder, database=DATABASE, report=sentences, progress=Silent())


def problem(folder: Path, sentences: Stated | None) -> str:
    with pytest.raises(VerificationFailed) as failure:
        verify(folder, sentences)
    assert str(folder) not in failure.value.detail
    return str(failure.value.facts["problem"])


def changed(sentences: Stated, **changes: Any) -> Stated:
    return dataclasses.replace(sentences, **changes)


@pytest.mark.parametrize("compress", [False, True])
def test_the_manifest_says_what_the_copy_holds(a_folder: Path, compress: bool) -> None:
    sentences = write(a_folder, COLLECTIONS, compress=compress, views=("paid",))

    verified = verify(a_folder, sentences)

    held = verified.manifest.collections
    assert verified.warnings == ()
    assert {name: entry.documents for name, entry in held.items()} == {
        "bookings": 2500, "users": 3, "empty": 0, "paid": 0,
    }  # fmt: skip
    assert held["paid"].file is None
    assert held["bookings"].bytes == sum(map(len, COLLECTIONS["bookings"]))
    assert set(verified.manifest.files) == {
        path.relative_to(a_folder).as_posix() for path in a_folder.rglob("*") if path.is_file()
    }
    assert manifest.from_json(verified.manifest.as_json()) == verified.manifest


@pytest.mark.parametrize("compress", [False, True])
def test_the_index_points_at_every_thousandth_document(a_folder: Path, compress: bool) -> None:
    sentences = write(a_folder, COLLECTIONS, compress=compress)
    lengths = list(map(len, COLLECTIONS["bookings"]))

    entry = verify(a_folder, sentences).manifest.collections["bookings"]

    assert entry.index is not None
    index = document_index.read(a_folder, entry.index)
    assert index is not None
    assert list(index.offsets) == [0, sum(lengths[:1000]), sum(lengths[:2000])]
    assert len(index.members) == (3 if compress else 0)


def test_the_disk_is_read_and_not_memory(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    seen: list[Operation] = []

    with durable.recording(seen.append):
        verify(a_folder, sentences)

    forgotten = {one.path.name for one in seen if one.kind == "forget_cached"}
    assert {"bookings.bson", "users.bson", "empty.bson", "bookings.metadata.json", "prelude.json"} <= forgotten


def test_a_cancel_ends_the_verification(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)

    class Cancelled(Silent):
        def checkpoint(self) -> None:
            raise RunCancelled

    with pytest.raises(RunCancelled):
        verdict.verify(folder=a_folder, database=DATABASE, report=sentences, progress=Cancelled())


# ── something is not there, or too much ─────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("bookings.bson", 'the documents of "bookings" are missing'),
        ("bookings.metadata.json", 'options and indexes of "bookings" are missing'),
    ],
)
def test_a_missing_file_is_named(a_folder: Path, name: str, says: str) -> None:
    sentences = write(a_folder, COLLECTIONS)
    (a_folder / DATABASE / name).unlink()

    assert problem(a_folder, sentences) == says


def test_a_missing_collection_is_named(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    for path in (a_folder / DATABASE).glob("users.*"):
        path.unlink()

    assert problem(a_folder, sentences) == 'the collection "users" is missing'


def test_a_copy_without_its_database_is_no_copy(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    shutil.rmtree(a_folder / DATABASE)

    assert problem(a_folder, sentences) == f'it holds no folder "{DATABASE}"'


def test_an_empty_file_of_a_collection_that_was_not_empty_is_noticed(a_folder: Path) -> None:
    sentences = changed(write(a_folder, COLLECTIONS), digests={})
    (a_folder / DATABASE / "users.bson").write_bytes(b"")

    assert (
        problem(a_folder, sentences) == 'the copy of "users" has fewer documents than the database held: 0 instead of 3'
    )


@pytest.mark.parametrize("name", ["extra.bson", "notes.txt", "users.bson.gz", "../other.txt"])
def test_a_file_that_nobody_expected_is_noticed(a_folder: Path, name: str) -> None:
    sentences = write(a_folder, COLLECTIONS)
    (a_folder / DATABASE / name).write_bytes(b"")

    assert problem(a_folder, sentences)


@pytest.mark.parametrize("name", ["users.bson", "users.metadata.json", "prelude.json"])
def test_a_link_among_the_files_is_refused(a_folder: Path, tmp_path: Path, name: str) -> None:
    sentences = write(a_folder, COLLECTIONS)
    (a_folder / DATABASE / name).rename(tmp_path / name)
    (a_folder / DATABASE / name).symlink_to(tmp_path / name)

    assert "is a link" in problem(a_folder, sentences)


def test_a_linked_database_folder_is_refused(a_folder: Path, tmp_path: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    (a_folder / DATABASE).rename(tmp_path / "elsewhere")
    (a_folder / DATABASE).symlink_to(tmp_path / "elsewhere")

    assert problem(a_folder, sentences)


def test_plain_and_compressed_files_are_never_mixed(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    path = a_folder / DATABASE / "users.bson"
    path.rename(path.with_name("users.bson.gz"))

    assert "mixed" in problem(a_folder, sentences)


def test_two_collections_whose_files_were_swapped_are_noticed(a_folder: Path) -> None:
    sentences = write(a_folder, {"a": bookings(5), "b": bookings(5, start=50)})
    folder = a_folder / DATABASE
    for suffix in ("bson", "metadata.json"):
        (folder / f"a.{suffix}").rename(folder / "x")
        (folder / f"b.{suffix}").rename(folder / f"a.{suffix}")
        (folder / "x").rename(folder / f"b.{suffix}")

    assert problem(a_folder, sentences)


def test_a_file_cut_at_any_byte_is_noticed_also_between_documents(a_folder: Path) -> None:
    sentences = changed(write(a_folder, {"users": bookings(3)}), digests={})
    path = a_folder / DATABASE / "users.bson"
    whole = path.read_bytes()

    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert problem(a_folder, sentences)

    path.write_bytes(whole)
    assert verify(a_folder, sentences).manifest.documents == 3


# ── the database changed meanwhile ──────────────────────────────────────────────


def with_info(sentences: Stated, name: str, **changes: Any) -> tuple[CollectionInfo, ...]:
    return tuple(dataclasses.replace(one, **changes) if one.name == name else one for one in sentences.after)


def test_a_collection_dropped_meanwhile_fails(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    after = tuple(info for info in sentences.after if info.name != "users")

    assert (
        problem(a_folder, changed(sentences, after=after)) == '"users" was dropped or renamed while the copy was made'
    )


def test_a_collection_recreated_meanwhile_fails(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)

    assert "dropped or renamed" in problem(
        a_folder, changed(sentences, after=with_info(sentences, "users", uuid="f" * 32))
    )


def test_metadata_of_another_collection_of_that_name_fails(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    other = with_info(sentences, "users", uuid="f" * 32)

    assert "another collection" in problem(a_folder, changed(sentences, expected=other, after=other))


def test_a_collection_made_meanwhile_is_welcome(a_folder: Path) -> None:
    sentences = write(a_folder, {**COLLECTIONS, "new": bookings(2, start=500)})
    before = tuple(info for info in sentences.expected if info.name != "new")

    verified = verify(a_folder, changed(sentences, expected=before))

    assert verified.manifest.collections["new"].documents == 2


def test_documents_that_came_meanwhile_are_no_fault(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)

    verify(a_folder, changed(sentences, expected=with_info(sentences, "users", documents=1)))
    verify(a_folder, changed(sentences, after=with_info(sentences, "users", documents=1)))


def test_documents_deleted_meanwhile_explain_a_shortfall(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    more = with_info(sentences, "users", documents=5)

    verify(a_folder, changed(sentences, expected=more, after=more, deleted_meanwhile=2))

    assert "3 instead of 5" in problem(a_folder, changed(sentences, expected=more, after=more, deleted_meanwhile=1))


def test_where_the_server_does_not_report_a_small_shortfall_is_a_warning(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    few, many = (with_info(sentences, "bookings", documents=count) for count in (2510, 2600))

    verified = verify(a_folder, changed(sentences, expected=few, after=few, deleted_meanwhile=None))

    assert verified.warnings == (
        'the copy of "bookings" has fewer documents than the database held: 2,500 instead of 2,510',
    )
    assert problem(a_folder, changed(sentences, expected=many, after=many, deleted_meanwhile=None))


def test_what_the_engine_wrote_must_come_back_from_the_disk(a_folder: Path) -> None:
    sentences = write(a_folder, COLLECTIONS)
    path = a_folder / DATABASE / "users.bson"
    data = bytearray(path.read_bytes())
    data[data.index(b"Devotee")] ^= 1  # still sound BSON
    path.write_bytes(data)

    assert "does not give back" in problem(a_folder, sentences)


# ── _id ─────────────────────────────────────────────────────────────────────────


def test_an_id_that_stands_twice_is_counted_and_warned_of(a_folder: Path) -> None:
    first = bookings(1500)
    sentences = write(a_folder, {"bookings": [*first, *bookings(3, start=20), *bookings(1, start=20)]})

    verified = verify(a_folder, sentences)

    assert verified.manifest.collections["bookings"].duplicate_ids == 3
    assert len(verified.warnings) == 1


# ── somebody else's dump ────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["mongodump_plain", "mongodump_gzip"])
def test_a_folder_of_a_real_mongodump_gets_a_manifest(a_folder: Path, form: str) -> None:
    shutil.copytree(FIXTURES / form, a_folder / "backup")
    folder = a_folder / "backup"

    verified = verdict.verify(folder=folder, database="golden", report=None, progress=Silent())

    assert verified.manifest.documents == 363
    assert verified.warnings == ()
    held = verified.manifest.collections
    assert (held["weather"].type, held["paid_bookings"].type, held["x/y"].type) == ("timeseries", "view", "collection")
    verdict.recheck(folder=folder, manifest=verified.manifest, progress=Silent())
    again = verdict.verify(folder=folder, database="golden", report=None, progress=Silent())
    assert again.manifest == verified.manifest


def test_a_foreign_dump_is_validated_to_the_last_value(a_folder: Path) -> None:
    bad = bson.encode({"_id": 1, "flag": True})
    write(a_folder, {"x": [bson.encode({"_id": 0}), bad.replace(b"flag\0\x01", b"flag\0\x07")]})

    assert "neither true nor false (document 2" in problem(a_folder, None)


def test_what_a_foreign_folder_lacks_or_has_besides_is_warned_of(a_folder: Path) -> None:
    write(a_folder, {"a": bookings(2), "b": bookings(3)})
    (a_folder / DATABASE / "a.metadata.json").unlink()
    (a_folder / DATABASE / "b.bson").unlink()
    (a_folder / "oplog.bson").write_bytes(b"")

    verified = verify(a_folder, None)

    assert len(verified.warnings) == 3
    assert {name: entry.documents for name, entry in verified.manifest.collections.items()} == {"a": 2, "b": 0}
