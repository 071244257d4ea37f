"""Dumps of other tools and of older servers, as an administrator meets them: verify, list, restore, rehearse.

Made here after the forms that mongodump and mongorestore have had: documents without `_id`, `system.indexes`, whole
servers, the server's own collections, strays.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bson
import pytest
from django.core.management import call_command

from backups_app.backup_files import layout
from backups_app.configuration import Configuration
from backups_app.restore.source import Source
from backups_app.use_cases.listing import listing
from backups_app.use_cases.restores import restores
from tests.journeys.conftest import Db

ID = "20240101_000000"
BOOKINGS = [{"_id": number, "name": f"Devotee {number}"} for number in range(3)]


def run(*arguments: str) -> tuple[int, Any]:
    """Run a command with `--json`. Return its exit code and what it printed."""
    out, errors = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(*arguments, "--json", stdout=out, stderr=errors)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue() or errors.getvalue())


def put(seeded: Configuration, files: Mapping[str, bytes], *, backup_id: str = ID) -> Path:
    """Write a folder of somebody else, as `backup_<id>/`."""
    folder = seeded.backup_dir / f"backup_{backup_id}"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def documents(*values: Mapping[str, Any]) -> bytes:
    return b"".join(map(bson.encode, values))


def dump_of(database: str = "temple_db", **collections: bytes) -> dict[str, bytes]:
    return {f"{database}/{name}.bson": data for name, data in collections.items()}


@pytest.fixture
def home(seeded: Configuration) -> str:
    """The name of the temple's database."""
    return seeded.database_name


# ── gzip, _id, text ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [b"", gzip.compress(documents(*BOOKINGS), mtime=0)[:-5], gzip.compress(b"", mtime=0) + bytes(9)],
    ids=["empty", "cut off", "bytes behind the end"],
)
def test_what_is_no_gzip_is_not_good_and_restores_nothing(
    seeded: Configuration, home: str, local_db: Db, data: bytes
) -> None:
    put(seeded, {f"{home}/bookings.bson.gz": data, f"{home}/users.bson.gz": gzip.compress(documents(*BOOKINGS))})
    before = local_db["users"].count_documents({})

    verified = run("backup_verify", ID)
    restored = run("backup_restore", ID)

    assert (verified[0], verified[1]["verified"]) == (5, False)
    assert "bookings.bson.gz is damaged" in verified[1]["problem"]
    shown = run("backup_show", ID)[1]
    assert (shown["verified"], shown["damaged"]) == (False, True) and "is damaged" in shown["message"]
    assert (restored[0], restored[1]["code"]) == (5, "verification_failed")
    assert local_db["users"].count_documents({}) == before


def test_an_id_that_stands_three_times_is_stated(seeded: Configuration, home: str) -> None:
    put(seeded, dump_of(home, bookings=documents(*BOOKINGS, BOOKINGS[0], BOOKINGS[0])))

    _, first = run("backup_verify", ID)
    _, again = run("backup_verify", ID)

    assert first["verified"] and again["verified"]
    assert any('"bookings" holds 1 _id more than once' in message for message in first["warnings"])
    assert again["warnings"] == first["warnings"]


def test_text_that_is_not_utf8_is_no_damage(seeded: Configuration, home: str, local_db: Db) -> None:
    text = b"Ramesh \xff"
    body = b"\x10_id\0" + struct.pack("<i", 1) + b"\x02name\0" + struct.pack("<i", len(text) + 1) + text + b"\0"
    frame = struct.pack("<i", len(body) + 5) + body + b"\0"
    put(seeded, dump_of(home, guests=frame))

    _, verified = run("backup_verify", ID)
    code, _ = run("backup_restore", ID)

    assert verified["verified"]
    assert any("text that is not UTF-8 in 1 document:" in message for message in verified["warnings"])
    assert code == 0
    assert local_db["guests"].count_documents({"_id": 1}) == 1


# ── documents without _id, system.indexes ───────────────────────────────────────


def test_documents_without_an_id_are_restored_once(seeded: Configuration, home: str, local_db: Db) -> None:
    line = {"text": "the same twice"}
    put(seeded, dump_of(home, log=documents(line, line, {"text": "another"}), oplog=documents({"op": "n"})))

    _, verified = run("backup_verify", ID)
    codes = [run("backup_restore", ID)[0], run("backup_restore", ID)[0]]

    assert '"log" holds documents without _id (3): a restore gives each one, always the same' in verified["warnings"]
    assert codes == [0, 0]
    assert sorted(one["text"] for one in local_db["log"].find()) == ["another", *["the same twice"] * 2]
    assert local_db["oplog"].count_documents({}) == 1


def test_the_indexes_of_system_indexes_are_made(seeded: Configuration, home: str, local_db: Db) -> None:
    of = {"v": 1, "ns": f"{home}.pujas"}
    indexes = documents(
        {**of, "key": {"_id": 1}, "name": "_id_"},
        {**of, "key": {"name": 1}, "name": "name_1", "unique": True, "dropDups": True, "background": True},
        {**of, "ns": f"{home}.elsewhere", "key": {"x": 1}, "name": "x_1"},
    )
    put(seeded, {**dump_of(home, pujas=documents(*BOOKINGS)), f"{home}/system.indexes.bson": indexes})

    _, verified = run("backup_verify", ID)
    code, restored = run("backup_restore", ID)
    rehearsed, _ = run("backup_rehearse", ID)

    assert (verified["verified"], verified["warnings"]) == (True, [])
    assert (code, rehearsed) == (0, 0)
    made = local_db["pujas"].index_information()
    assert set(made) == {"_id_", "name_1"} and made["name_1"]["unique"] and made["name_1"]["v"] == 2
    message = next(one["sentences"] for one in restored["restore"]["collections"] if one["name"] == "pujas")
    assert 'version 1 became version 2 for 2 of the indexes of "pujas"' in message
    assert 'the option dropDups of the index "name_1" is obsolete and was dropped' in message


def test_a_damaged_system_indexes_is_found_by_verify_and_not_first_by_restore(seeded: Configuration, home: str) -> None:
    put(seeded, {**dump_of(home, pujas=documents(*BOOKINGS)), f"{home}/system.indexes.bson": b"\x20\0\0\0\x01"})

    assert run("backup_verify", ID)[1]["verified"] is False


def test_obsolete_options_are_dropped_with_a_word(seeded: Configuration, home: str, local_db: Db) -> None:
    metadata = b'{"options":{"autoIndexId":false,"flags":1,"capped":true,"size":10000},"indexes":[]}'
    put(seeded, {**dump_of(home, ring=documents(*BOOKINGS)), f"{home}/ring.metadata.json": metadata})

    code, restored = run("backup_restore", ID)
    rehearsed, _ = run("backup_rehearse", ID)

    assert (code, rehearsed) == (0, 0)
    (message,) = (one["sentences"] for one in restored["restore"]["collections"])
    assert message == [f'the option {name} of "ring" is obsolete and was dropped' for name in ("autoIndexId", "flags")]
    assert local_db["ring"].options()["capped"] is True


def test_a_collection_that_the_server_does_not_make_is_named_and_the_rest_goes_on(
    seeded: Configuration, home: str, local_db: Db
) -> None:
    odd = {f"{home}/odd.metadata.json": b'{"options":{"storageEngine":{"nonsense":{}}},"indexes":[]}'}
    put(seeded, {**dump_of(home, odd=documents({"_id": 1}), pujas=documents(*BOOKINGS)), **odd})

    code, restored = run("backup_restore", ID)

    withheld = {one["name"]: one["withheld"] for one in restored["restore"]["collections"]}
    assert code != 0 and withheld["odd"].startswith("the server does not make it (") and withheld["pujas"] == ""
    assert local_db["pujas"].count_documents({}) == 3


def test_a_name_that_the_server_does_not_take_is_named_and_the_rest_goes_on(
    seeded: Configuration, home: str, local_db: Db
) -> None:
    too_long = "x" * 254
    put(seeded, dump_of(home, pujas=documents(*BOOKINGS), **{"a%24b": documents({"_id": 1})}))
    metadata = json.dumps({"collectionName": too_long, "indexes": []}).encode()
    put(seeded, {f"{home}/{layout.file_base(too_long)}{end}": data for end, data in [
        (".bson", documents({"_id": 1})), (".metadata.json", metadata)]})  # fmt: skip

    previewed, _ = run("backup_restore", ID, "--dry-run")
    code, restored = run("backup_restore", ID)

    withheld = {one["name"]: one["withheld"] for one in restored["restore"]["collections"]}
    assert (previewed, code, restored["status"]) == (0, 3, "partial")
    assert all(withheld[name].startswith("the server does not make it (") for name in (too_long, "a$b"))
    assert local_db["pujas"].count_documents({}) == 3


# ── whole servers, the server's own, buckets ────────────────────────────────────


def test_of_a_whole_server_the_temples_database_is_read(seeded: Configuration, home: str, local_db: Db) -> None:
    many = {f"accounts/c{number}.bson": b"" for number in range(9)}
    own = dump_of("admin", **{"system.version": documents({"_id": "x"}), "system.users": b""})
    put(seeded, {**many, **own, **dump_of("config", chunks=b""), **dump_of(home, pujas=documents(*BOOKINGS)),
                 "prelude.json": b'{"ServerVersion":"7.0.16"}', "oplog.bson": documents({"op": "n"})})  # fmt: skip

    first, again = run("backup_verify", ID), run("backup_verify", ID)
    code, restored = run("backup_restore", ID)
    rehearsed, _ = run("backup_rehearse", ID)

    assert (first[0], again[0], code, rehearsed) == (0, 0, 0, 0)
    assert first[1]["collections"] == 1
    for warnings in (first[1]["warnings"], again[1]["warnings"], restored["warnings"]):
        for name in ("accounts", "admin", "config"):
            assert any(message.startswith(f'the database "{name}" of this dump was left out') for message in warnings)
        assert "oplog.bson was left out: it is for mongorestore --oplogReplay alone" in warnings
    assert local_db["pujas"].count_documents({}) == 3


def test_the_servers_own_collections_are_left_out_by_name_and_the_rest_goes_on(
    seeded: Configuration, home: str, local_db: Db
) -> None:
    own = ("system.users", "system.version", "system.profile", "system.views", "$admin.system.users")
    put(seeded, dump_of(home, pujas=documents(*BOOKINGS), **{name: documents({"x": 1}) for name in own}))

    _, verified = run("backup_verify", ID)
    code, restored = run("backup_restore", ID)

    assert (verified["verified"], verified["collections"], code) == (True, 1, 0)
    for name in own:
        assert any(message.startswith(f'"{name}" was left out: ') for message in verified["warnings"])
        assert any(message.startswith(f'"{name}" was left out: ') for message in restored["warnings"])
    assert local_db["pujas"].count_documents({}) == 3


def test_a_folder_of_nothing_but_the_servers_own_is_never_reported_as_restored(seeded: Configuration) -> None:
    put(seeded, dump_of("admin", **{"system.version": documents({"_id": "x"})}))

    _, verified = run("backup_verify", ID)

    assert verified["warnings"] == ['"system.version" was left out: the server keeps it itself']
    assert run("backup_restore", ID)[0] != 0
    assert run("backup_rehearse", ID)[0] != 0


def test_buckets_alone_become_a_plain_collection(seeded: Configuration, home: str, local_db: Db) -> None:
    put(seeded, {f"{home}/system.buckets.weather.bson": documents({"_id": 1, "control": {}, "data": {}})})

    _, verified = run("backup_verify", ID)
    code, _ = run("backup_restore", ID)

    assert '"weather" is a time-series of which only the buckets are here, without its options' in verified["warnings"]
    assert code == 0
    assert local_db["weather"].count_documents({}) == 1


def test_a_dump_at_the_folders_top_is_read(seeded: Configuration, local_db: Db) -> None:
    put(seeded, {"pujas.bson": documents(*BOOKINGS), "oplog.bson": documents({"op": "n"})})

    codes = [run("backup_verify", ID)[0], run("backup_verify", ID)[0], run("backup_restore", ID)[0]]

    assert codes == [0, 0, 0]
    assert local_db["pujas"].count_documents({}) == 3


# ── never verified, replaced, stray ─────────────────────────────────────────────


def test_a_folder_that_nobody_verified_is_adopted_by_restore_itself(
    seeded: Configuration, home: str, local_db: Db
) -> None:
    put(seeded, dump_of(home, pujas=documents(*BOOKINGS)))

    code, _ = run("backup_restore", ID)

    assert code == 0
    assert local_db["pujas"].count_documents({}) == 3
    assert listing.get_run(configuration=seeded, backup_id=ID)["verified"]


@pytest.mark.parametrize("keep_our_metadata", [False, True])
def test_another_dump_in_its_place_is_not_verified(seeded: Configuration, home: str, keep_our_metadata: bool) -> None:
    folder = put(seeded, dump_of(home, pujas=documents(*BOOKINGS)))
    run("backup_verify", ID)
    listing.list_runs(configuration=seeded)  # writes its record
    assert listing.get_run(configuration=seeded, backup_id=ID)["documents"] == 3

    shutil.rmtree(folder / home if keep_our_metadata else folder)
    put(seeded, dump_of(home, pujas=documents(*BOOKINGS[:2], {"_id": 9, "name": "Devotee 9"})))
    (listed,) = run("backup_list")[1]
    _, shown = run("backup_show", ID)
    _, verified = run("backup_verify", ID)

    for reported in (listed, shown):
        assert (reported["verified"], reported["damaged"], reported["documents"]) == (False, False, None)
    assert (verified["verified"], verified["documents"]) == (True, 3)
    assert listing.get_run(configuration=seeded, backup_id=ID)["verified"]


def test_a_file_that_was_cut_is_not_verified_in_any_list(seeded: Configuration, home: str) -> None:
    folder = put(seeded, dump_of(home, pujas=documents(*BOOKINGS), users=documents(*BOOKINGS)))
    run("backup_verify", ID)

    (folder / home / "pujas.bson").write_bytes(documents(*BOOKINGS[:2]))

    reported = listing.get_run(configuration=seeded, backup_id=ID)
    assert (reported["verified"], reported["damaged"]) == (False, True)
    assert run("backup_verify", ID)[1]["verified"] is False


def test_a_file_written_to_with_its_old_size_is_not_verified_until_it_is_read(seeded: Configuration, home: str) -> None:
    folder = put(seeded, dump_of(home, pujas=documents(*BOOKINGS), users=documents(*BOOKINGS)))
    run("backup_verify", ID)
    path = folder / home / "pujas.bson"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000))

    before = listing.get_run(configuration=seeded, backup_id=ID)
    code, _ = run("backup_verify", ID)

    assert (before["verified"], before["damaged"], code) == (False, False, 0)
    assert listing.get_run(configuration=seeded, backup_id=ID)["verified"]


def test_what_is_replaced_after_the_preview_is_not_restored(seeded: Configuration, home: str, local_db: Db) -> None:
    folder = put(seeded, dump_of(home, pujas=documents(*BOOKINGS)))
    choices = restores.choose(configuration=seeded, backup_id=ID)
    restores.preview_restore(configuration=seeded, choices=choices)

    shutil.rmtree(folder / home)
    put(seeded, dump_of(home, pujas=documents({"_id": 7})))
    preview = restores.preview_restore(configuration=seeded, choices=choices)

    assert [(one.name, one.insert) for one in preview.collections] == [("pujas", 1)]
    assert local_db["pujas"].count_documents({}) == 0


def test_a_stray_file_stops_no_verify_restore_rehearsal_or_list(seeded: Configuration, home: str) -> None:
    folder = put(seeded, dump_of(home, pujas=documents(*BOOKINGS)))
    run("backup_verify", ID)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / home / "x.bson").write_bytes(b"x")

    code, verified = run("backup_verify", ID)
    restored = run("backup_restore", ID)
    rehearsed = run("backup_rehearse", ID)

    assert (code, restored[0], rehearsed[0]) == (0, 0, 0)
    wanted = [
        ".DS_Store is not part of the backup and was not read",
        f"{home}/x.bson is not part of the backup and was not read. Stock mongorestore would restore it",
    ]
    assert [message for message in verified["warnings"] if "not read" in message] == restored[1]["warnings"] == wanted
    assert listing.get_run(configuration=seeded, backup_id=ID)["verified"]


def test_a_source_gives_each_document_its_id_at_every_reading(tmp_path: Path) -> None:
    from tests.restore.conftest import verified

    (tmp_path / "d").mkdir()
    (tmp_path / "d/log.bson").write_bytes(documents({"a": 1}, {"a": 1}))
    source: Source = verified(tmp_path, "d")

    first, again = list(source.frames("log")), list(source.frames("log"))

    assert first == again and first[0] != first[1]
    assert [bson.decode(frame)["a"] for frame in first] == [1, 1]


def test_a_dump_that_was_found_damaged_may_be_replaced_by_a_good_one(seeded: Configuration, home: str) -> None:
    put(seeded, dump_of(home, bookings=documents(*BOOKINGS)[:-1]))
    assert run("backup_verify", ID)[0] == 5 and run("backup_show", ID)[1]["damaged"]

    put(seeded, dump_of(home, bookings=documents(*BOOKINGS)))

    assert not run("backup_show", ID)[1]["damaged"]
    assert run("backup_verify", ID)[0] == 0 and run("backup_show", ID)[1]["verified"]


def test_a_dump_that_lies_one_folder_too_deep_is_not_called_good(seeded: Configuration, home: str) -> None:
    put(seeded, {f"dump/{home}/bookings.bson": documents(*BOOKINGS)})

    verified = run("backup_verify", ID)
    restored = run("backup_restore", ID)

    assert (verified[0], verified[1]["verified"], restored[0]) == (5, False, 5)
    assert 'its dump lies one folder too deep, in "dump"' in verified[1]["problem"]


@pytest.mark.parametrize("files", [{"notes.txt": b"x"}, {"empty/notes.txt": b"x"}, {"a/b/c/bookings.bson": b""}])
def test_a_folder_without_a_dump_is_not_called_good(seeded: Configuration, files: Mapping[str, bytes]) -> None:
    put(seeded, files)

    code, verified = run("backup_verify", ID)

    assert (code, verified["verified"]) == (5, False)
    assert "it holds no dump of mongodump" in verified["problem"]
