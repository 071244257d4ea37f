"""What a list sees of a backup's files without reading `metadata.json` or looking at each file again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import metadata, stamps
from backups_app.backup_files.manifest import CollectionEntry, FileEntry, Manifest
from backups_app.backup_files.stamps import Change
from backups_app.runs.description import folder_looks
from backups_app.runs.description.folder_looks import FolderLooks

ID, BASE = "20250119_143022", "20250119_020000"
LONG_AGO = 1_600_000_000


@pytest.fixture(autouse=True)
def old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process waits until what a test wrote is old enough to be trusted."""
    monkeypatch.setattr(folder_looks, "YOUNG_NS", -(10**12))


def make(root: Path, backup_id: str = ID, *, base: str = "") -> Path:
    """A backup of one collection, as its run left it."""
    folder = root / f"backup_{backup_id}"
    manifest = Manifest(
        database="temple_db",
        base=base,
        files={"temple_db/bookings.bson": FileEntry(bytes=5, sha256="a", stream_bytes=5, stream_sha256="a")},
        collections={
            "bookings": CollectionEntry(
                type="collection",
                uuid="",
                documents=1,
                bytes=5,
                file="temple_db/bookings.bson",
                metadata=None,
                index=None,
            )
        },
    )
    (folder / "temple_db").mkdir(parents=True)
    data(folder).write_bytes(b"first")
    metadata.write(folder, {"kind": "backup", "manifest": manifest.as_json(), "stamps": stamps.take(folder, manifest)})
    return folder


def data(folder: Path) -> Path:
    return folder / "temple_db" / "bookings.bson"


def look(root: Path, backup_id: str = ID, **options: Any) -> Change | None:
    return FolderLooks(root, **options).change(backup_id)


def count_readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read, readings = metadata.read_plain, list[Path]()

    def counted(folder: Path) -> Any:
        readings.append(folder)
        return read(folder)

    monkeypatch.setattr(metadata, "read_plain", counted)
    return readings


def test_what_has_not_changed_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    readings = count_readings(monkeypatch)

    assert [look(tmp_path, each_file=()) for _ in range(3)] == [Change.NONE] * 3
    assert len(readings) == 1


def test_metadata_of_the_same_size_and_time_is_another_one(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert look(tmp_path, each_file=()) is Change.NONE
    file = folder / "metadata.json"
    before = file.stat()
    file.write_text(file.read_text().replace('"bytes": 5', '"bytes": 6'))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    assert look(tmp_path, each_file=()) is Change.OTHERS  # of one file, all are others


def test_a_file_that_went_or_was_exchanged_shows_in_its_directory(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert look(tmp_path, each_file=()) is Change.NONE
    other = folder / "temple_db" / "other"
    other.write_bytes(b"other")
    other.rename(data(folder))
    assert look(tmp_path, each_file=()) is Change.OTHERS

    data(folder).unlink()

    assert look(tmp_path, each_file=()) is Change.SIZE


def test_what_was_written_into_a_file_is_seen_file_by_file(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert look(tmp_path, each_file=()) is Change.NONE
    with data(folder).open("r+b") as file:
        file.write(b"fi")
        file.truncate()

    assert look(tmp_path, each_file=()) is Change.NONE
    assert look(tmp_path, each_file=(ID,)) is Change.OTHERS
    assert look(tmp_path) is Change.OTHERS
    with data(folder).open("r+b") as file:
        file.write(b"first")
    noted = json.loads((folder / "metadata.json").read_text())["stamps"]["temple_db/bookings.bson"][1]
    os.utime(data(folder), ns=(noted, noted))
    assert look(tmp_path, each_file=()) is Change.NONE  # what was found bad is looked at each time


def test_an_incremental_is_looked_at_with_its_base(tmp_path: Path) -> None:
    base = make(tmp_path, BASE)
    make(tmp_path, base=BASE)
    assert look(tmp_path, each_file=()) is Change.NONE

    data(base).unlink()

    assert look(tmp_path, each_file=()) is Change.SIZE


def test_what_changed_a_moment_ago_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_looks, "YOUNG_NS", 10**13)
    make(tmp_path)
    readings = count_readings(monkeypatch)

    look(tmp_path, each_file=())
    look(tmp_path, each_file=())

    assert len(readings) == 2


def test_each_list_looks_file_by_file_at_the_newest_and_at_others_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_looks, "IN_EACH_LOOK", 2)
    ids = [f"2025011{number}_020000" for number in range(9, 0, -1)]
    for backup_id in ids:
        make(tmp_path, backup_id)
    for looked in (folder_looks.of_a_list(tmp_path, ids) for _ in ids):
        assert {looked.change(backup_id) for backup_id in ids} == {Change.NONE}
    for backup_id in ids:
        data(tmp_path / f"backup_{backup_id}").write_bytes(b"longer")

    found = [{one for one in ids if looks.change(one) is not Change.NONE} for looks in turns(tmp_path, ids)]

    assert found[0] > {ids[0], ids[1]} and len(found[0]) == 4
    assert found[-1] == set(ids)


def turns(root: Path, ids: list[str]) -> list[FolderLooks]:
    return [folder_looks.of_a_list(root, ids) for _ in range(5)]
