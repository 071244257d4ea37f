"""What lies beside a published backup is named, never read, and no reason to refuse it; while a run verifies its own
copy it is. A lost index is made again."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from backups_app.backup_files.manifest import Manifest
from backups_app.errors import VerificationFailed
from backups_app.progress import Silent
from backups_app.verification import verdict

from .small_dumps import DATABASE, Stated, bookings, write

RESTORES, STOPS = ". Stock mongorestore would restore it", ". Stock mongorestore would stop at it"


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def made(request: pytest.FixtureRequest, a_folder: Path) -> tuple[Path, Manifest, Stated, bool]:
    message = write(a_folder, {"bookings": bookings(1200), "users": bookings(3)}, compress=request.param)
    manifest = verdict.verify(folder=a_folder, database=DATABASE, report=message, progress=Silent()).manifest
    return a_folder, manifest, message, request.param


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the address of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _file(path: Path) -> None:
    path.write_bytes(b"whatever")


def _directory(path: Path) -> None:
    path.mkdir()
    (path / "x.bson").write_bytes(b"")


def _link(path: Path) -> None:
    path.symlink_to("/etc/hosts")


@pytest.mark.parametrize(
    ("name", "put", "effect"),
    [
        (".DS_Store", _file, ""),
        ("Thumbs.db", _file, ""),
        (f"{DATABASE}/.DS_Store", _file, ""),
        (f"{DATABASE}/bookings.bson~", _file, ""),
        (f"{DATABASE}/.bookings.bson.swp", _file, ""),
        (f"{DATABASE}/notes", _directory, ""),
        (f"{DATABASE}/queue.sock", _socket, ""),
        (f"{DATABASE}/elsewhere", _link, ""),
        (".tmp", _directory, STOPS),
        (f"{DATABASE}/other.bin", _file, RESTORES),
    ],
)
def test_a_stray_entry_is_named_and_stops_nobody(
    made: tuple[Path, Manifest, Stated, bool], name: str, put: Callable[[Path], None], effect: str
) -> None:
    folder, manifest, message, _ = made
    put(folder / name)

    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert warnings == (f"{name} is not part of the backup and was not read{effect}",)
    with pytest.raises(VerificationFailed):
        verdict.verify(folder=folder, database=DATABASE, report=message, progress=Silent())


def test_another_database_beside_it_is_named(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, _ = made
    _directory(folder / "copy")

    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert warnings == (f'the database "copy" of this dump was left out, "{DATABASE}" was read{RESTORES}',)


@pytest.mark.parametrize(
    ("base", "effect"), [("x.bson", RESTORES), ("x.metadata.json", RESTORES), ("100%.bson", STOPS), ("a%2.bson", STOPS)]
)
def test_of_a_file_that_mongorestore_reads_the_warning_says_what_it_would_do(
    made: tuple[Path, Manifest, Stated, bool], base: str, effect: str
) -> None:
    folder, manifest, _, packed = made
    for name in (base, f"{base}.gz"):
        (folder / DATABASE / name).write_bytes(b"no BSON at all")

    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    read = {base: "" if packed else effect, f"{base}.gz": effect if packed else ""}
    assert set(warnings) == {
        f"{DATABASE}/{name} is not part of the backup and was not read{message}" for name, message in read.items()
    }


def test_of_many_strays_the_first_are_named_and_the_rest_counted(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, _ = made
    for number in range(1_234):
        (folder / DATABASE / f"{number:05}.tmp").touch()

    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert len(warnings) == 101
    assert "00099.tmp" in warnings[99]
    assert warnings[100] == "1,134 more entries are not part of the backup and were not read"


def test_a_file_of_a_collection_without_a_name_is_named_by_its_path(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, packed = made
    name = f"{DATABASE}/.bson" + (".gz" if packed else "")
    (folder / name).touch()

    (message,) = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert message == f'"{name}" was left out: no server takes such a name'


def test_a_name_that_is_not_utf8_can_be_reported(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, _ = made
    Path(os.fsdecode(os.fsencode(folder / DATABASE) + b"/caf\xe9.txt")).write_bytes(b"")

    (message,) = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert message.encode() and "caf" in message


def test_a_second_file_of_a_collection_in_the_other_form_is_stray(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, packed = made
    (folder / DATABASE / ("users.bson" if packed else "users.bson.gz")).write_bytes(b"")

    (message,) = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert "is not part of the backup" in message


@pytest.mark.parametrize("lost", ["gone", "empty", "garbage", "older"])
def test_a_lost_index_is_made_again(made: tuple[Path, Manifest, Stated, bool], lost: str) -> None:
    folder, manifest, _, _ = made
    index = folder / str(manifest.collections["bookings"].index)
    whole = index.read_bytes()
    if lost == "gone":
        index.unlink()
    else:
        index.write_bytes({"empty": b"", "garbage": b"x" * 50, "older": whole[:-8]}[lost])

    (message,) = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert message == 'the index of "bookings" was lost and was made again'
    assert index.read_bytes() == whole
    assert verdict.recheck(folder=folder, manifest=manifest, progress=Silent()) == ()


def test_a_directory_in_an_indexs_place_is_reported_and_the_backup_is_good(
    made: tuple[Path, Manifest, Stated, bool],
) -> None:
    folder, manifest, _, _ = made
    index = folder / str(manifest.collections["bookings"].index)
    index.unlink()
    index.mkdir()

    warnings = verdict.recheck(folder=folder, manifest=manifest, progress=Silent())

    assert 'the index of "bookings" is lost and cannot be made again: its pages open more slowly' in warnings


def test_damage_is_found_also_where_the_index_is_lost(made: tuple[Path, Manifest, Stated, bool]) -> None:
    folder, manifest, _, _ = made
    entry = manifest.collections["bookings"]
    (folder / str(entry.index)).unlink()
    data = folder / str(entry.file)
    data.write_bytes(data.read_bytes()[:-300])

    with pytest.raises(VerificationFailed):
        verdict.recheck(folder=folder, manifest=manifest, progress=Silent())
