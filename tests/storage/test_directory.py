"""A target in a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from backups_app.errors import ObjectMissing, TargetMissing, TargetNotEmpty
from backups_app.storage.directory import NEW, DirectoryTarget
from tests.storage.contract import TargetContract


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    made = DirectoryTarget(name="nas", root=tmp_path / "copies")
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


def test_a_directory_whose_name_is_an_object_is_no_object(target: DirectoryTarget) -> None:
    (target.root / "abc").mkdir()

    with pytest.raises(ObjectMissing):
        target.head("abc")


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetMissing):
        DirectoryTarget(name="nas", root=tmp_path / "not" / "mounted").prepare(database="temple_db")
