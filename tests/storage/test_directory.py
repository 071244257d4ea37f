"""A target in a directory."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from backups_app.errors import (
    ObjectMissing,
    ObjectUnreadable,
    TargetDirectoryMissing,
    TargetMissing,
    TargetNotEmpty,
    TargetNotMounted,
)
from backups_app.storage import disks
from backups_app.storage.directory import NEW, DirectoryTarget
from backups_app.storage.target import NEVER
from tests.storage.contract import TargetContract


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    made = DirectoryTarget(name="nas", root=tmp_path / "copies")
    made.root.mkdir()
    made.prepare(database="temple_db")
    return made


class TestDirectory(TargetContract):
    pass


def test_a_directory_that_was_never_prepared_is_no_target(tmp_path: Path) -> None:
    target = DirectoryTarget(name="nas", root=tmp_path)

    for act in (target.check, lambda: target.put("abc", iter([b"x"])), lambda: list(target.list_objects())):
        with pytest.raises(TargetMissing):
            act()

    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()

    with pytest.raises(TargetNotEmpty):
        DirectoryTarget(name="nas", root=tmp_path).prepare(database="temple_db")

    assert [entry.name for entry in tmp_path.iterdir()] == ["photos"]


def test_a_directory_is_prepared_once(target: DirectoryTarget) -> None:
    before = (target.root / ".store_id").read_bytes()

    target.prepare(database="temple_db")

    assert (target.root / ".store_id").read_bytes() == before


def test_what_is_not_whole_and_what_is_not_ours_is_not_listed(target: DirectoryTarget) -> None:
    (target.root / f"{NEW}abc").write_bytes(b"half")
    (target.root / "Photos of the temple").mkdir()

    assert list(target.list_objects()) == []


def test_what_a_killed_writer_left_goes_with_its_name(target: DirectoryTarget) -> None:
    for name in ("abc", "xyz"):
        (target.root / f"{NEW}{name}").write_bytes(b"half")

    target.delete("abc")
    target.delete("abc")

    assert [path.name for path in target.root.glob(f"{NEW}*")] == [f"{NEW}xyz"]


def test_a_directory_whose_name_is_an_object_is_no_object(target: DirectoryTarget) -> None:
    (target.root / "abc").mkdir()

    with pytest.raises(ObjectMissing):
        target.head("abc")


def test_what_the_disk_does_not_let_be_looked_at_does_not_hide_the_others(
    target: DirectoryTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.put("copy-bad", [b"bad"])
    target.put("copy-good", [b"good"])
    refuse(monkeypatch, target.root / "copy-bad")

    listed = {head.name: head for head in target.list_objects()}

    assert listed["copy-good"].failure is None
    assert listed["copy-good"].size_bytes == 4
    assert isinstance(listed["copy-bad"].failure, ObjectUnreadable)
    assert listed["copy-bad"].modified_at == NEVER
    with pytest.raises(ObjectUnreadable):
        list(target.read("copy-bad"))


def refuse(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """As a disk does where a sector is bad: every look at these files ends with EIO."""
    bad = {path.stat().st_ino for path in paths}
    fstat = os.fstat

    def refusing(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        if found.st_ino in bad:
            raise OSError(errno.EIO, "Input/output error")
        return found

    monkeypatch.setattr(os, "fstat", refusing)


@pytest.mark.parametrize("path", ["not/mounted", "new"])
def test_a_directory_that_is_not_there_is_named_and_not_made(tmp_path: Path, path: str) -> None:
    with pytest.raises(TargetDirectoryMissing):
        DirectoryTarget(name="nas", root=tmp_path / path).prepare(database="temple_db")

    assert list(tmp_path.iterdir()) == []


def test_below_a_mount_point_with_nothing_mounted_no_directory_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = tmp_path / "the nas"
    (point / "temple").mkdir(parents=True)
    table = tmp_path / "fstab"
    table.write_text(f"# UUID=1 /\nserver:/nas {str(point).replace(' ', chr(92) + '040')} nfs defaults 0 0\n")
    monkeypatch.setattr(disks, "TABLE", table)
    for root in (point, point / "temple"):
        with pytest.raises(TargetNotMounted) as refused:
            DirectoryTarget(name="nas", root=root).prepare(database="temple_db")
        assert str(point) in refused.value.detail
    monkeypatch.setattr(os.path, "ismount", lambda path: path == point)

    DirectoryTarget(name="nas", root=point / "temple").prepare(database="temple_db")

    assert (point / "temple" / ".store_id").exists()


@pytest.mark.parametrize("kind", ["link", "dangling", "loop", "fifo", "socket", "directory"])
def test_what_is_no_plain_file_does_not_hide_the_others(target: DirectoryTarget, kind: str) -> None:
    target.put("copy-good", [b"good"])
    odd = target.root / "object-odd"
    with socket.socket(socket.AF_UNIX) as listening:
        make: dict[str, Callable[[], object]] = {
            "link": lambda: odd.symlink_to(target.root / "copy-good"),
            "dangling": lambda: odd.symlink_to("/nowhere"),
            "loop": lambda: odd.symlink_to(odd),
            "fifo": lambda: os.mkfifo(odd),
            "socket": lambda: listening.bind(os.path.relpath(odd)),
            "directory": odd.mkdir,
        }
        make[kind]()

        assert [head.name for head in target.list_objects()] == ["copy-good"]
        with pytest.raises(ObjectMissing):
            target.head("object-odd")
        with pytest.raises(ObjectMissing):
            list(target.read("object-odd"))
