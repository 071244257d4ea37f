"""Writes reach the disk in the promised order, and an error is an end."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import durable, metadata
from backups_app.backup_files.durable import DurableFile, Operation
from backups_app.errors import DiskFull, FolderNotWritable, StorageFailed, TempleOpsError

ERRORS = [
    (errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EFBIG, DiskFull),
    (errno.EACCES, FolderNotWritable), (errno.EROFS, FolderNotWritable), (errno.EPERM, FolderNotWritable),
    (errno.EIO, StorageFailed), (errno.ENODEV, StorageFailed),
]  # fmt: skip


def recorded(act: Any) -> list[str]:
    seen: list[Operation] = []
    with durable.recording(seen.append):
        act()
    return [f"{one.kind} {(one.target or one.path).name}" for one in seen]


def failing(code: int) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_long_file_is_on_its_way_to_the_disk_before_it_is_whole(
    a_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "posix_fadvise", lambda _, start, length, advice: asked.append((start, length, advice)))
    piece = bytes(durable.WRITE_BACK_BYTES // 2)

    with DurableFile(a_folder / "bookings.bson") as file:
        for _ in range(5):
            file.write(piece)

    step = durable.WRITE_BACK_BYTES
    assert asked == [(0, step, os.POSIX_FADV_DONTNEED), (step, step, os.POSIX_FADV_DONTNEED)]
    assert (a_folder / "bookings.bson").read_bytes() == piece * 5


def test_a_disk_that_takes_no_advice_still_gets_the_file(a_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fadvise", failing(errno.EINVAL))

    with DurableFile(a_folder / "bookings.bson") as file:
        file.write(bytes(durable.WRITE_BACK_BYTES))

    assert (a_folder / "bookings.bson").stat().st_size == durable.WRITE_BACK_BYTES


def test_a_document_is_replaced_in_the_order_that_survives_a_power_cut(a_folder: Path) -> None:
    order = recorded(lambda: metadata.write(a_folder, {"backup_id": "x"}))

    assert order == [
        "create .metadata.json.tmp", "write .metadata.json.tmp", "fsync .metadata.json.tmp", "close .metadata.json.tmp",
        "rename metadata.json", f"fsync_directory {a_folder.name}",
    ]  # fmt: skip
    assert metadata.read(a_folder) == {"backup_id": "x"}


def test_a_file_is_on_the_disk_once_it_is_closed(a_folder: Path) -> None:
    def act() -> None:
        with DurableFile(a_folder / "x.bson", expected_bytes=1 << 20) as file:
            file.write(b"one")
            file.write(b"two")

    order = recorded(act)

    assert order == [
        "create x.bson", "truncate x.bson", "write x.bson", "write x.bson", "truncate x.bson",
        "fsync x.bson", "close x.bson",
    ]  # fmt: skip
    assert (a_folder / "x.bson").read_bytes() == b"onetwo"
    assert (a_folder / "x.bson").stat().st_mode & 0o777 == 0o600


def test_a_file_that_exists_is_never_opened_for_writing(a_folder: Path) -> None:
    (a_folder / "x").write_text("first")
    (a_folder / "link").symlink_to(a_folder / "y")

    for name in ("x", "link"):
        with pytest.raises(StorageFailed):
            DurableFile(a_folder / name)

    assert (a_folder / "x").read_text() == "first"
    assert not (a_folder / "y").exists()


@pytest.mark.parametrize(("code", "named"), ERRORS)
@pytest.mark.parametrize("call", ["write", "fsync", "close"])
def test_an_error_of_the_disk_has_a_name_and_is_never_tried_again(
    a_folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int, named: type[TempleOpsError]
) -> None:
    file = DurableFile(a_folder / "x")
    calls: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync") or fsync(descriptor))  # type: ignore[func-returns-value]
    monkeypatch.setattr(os, call, lambda *_: calls.append(call) or failing(code)())  # type: ignore[func-returns-value]

    with pytest.raises(named):
        file.write(b"booking")
        file.close()
    monkeypatch.undo()

    assert calls.count(call) == 1
    assert calls.count("fsync") <= 1
    with pytest.raises(AssertionError):
        file.write(b"more")
    with pytest.raises(AssertionError):
        file.close()


@pytest.mark.parametrize(("code", "named"), ERRORS)
def test_the_old_document_stays_when_the_new_one_cannot_be_written(
    a_folder: Path, monkeypatch: pytest.MonkeyPatch, code: int, named: type[TempleOpsError]
) -> None:
    metadata.write(a_folder, {"status": "in_progress"})
    monkeypatch.setattr(os, "fsync", failing(code))

    with pytest.raises(named):
        metadata.write(a_folder, {"status": "success"})
    monkeypatch.undo()

    assert metadata.read(a_folder) == {"status": "in_progress"}
    metadata.write(a_folder, {"status": "failed"})  # what the dead process left does not stand in the way
    assert metadata.read(a_folder) == {"status": "failed"}


def test_a_full_disk_is_found_before_the_first_byte(a_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.ENOSPC))

    with pytest.raises(DiskFull) as failure:
        DurableFile(a_folder / "x", expected_bytes=5 * 1024 * 1024)

    assert "5.00 MB" in failure.value.detail
    assert str(a_folder) not in failure.value.detail


def test_a_file_system_that_cannot_reserve_space_is_fine(a_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "posix_fallocate", failing(errno.EOPNOTSUPP))

    with DurableFile(a_folder / "x", expected_bytes=4096) as file:
        file.write(b"abc")

    assert (a_folder / "x").read_bytes() == b"abc"


@pytest.mark.parametrize("available", [True, False], ids=["renameat2", "without renameat2"])
def test_a_rename_never_replaces_anything(a_folder: Path, monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    if not available:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    (a_folder / "a").mkdir()
    (a_folder / "b").mkdir()

    with pytest.raises(FileExistsError):
        durable.rename(a_folder / "a", a_folder / "b")
    order = recorded(lambda: durable.rename(a_folder / "a", a_folder / "c"))

    assert order == ["rename c", f"fsync_directory {a_folder.name}"]
    assert sorted(path.name for path in a_folder.iterdir()) == ["b", "c"]


def test_what_another_program_wrote_is_made_durable_from_the_bottom_up(a_folder: Path) -> None:
    inner = a_folder / "out" / "db"
    inner.mkdir(parents=True, mode=0o755)
    (inner / "x.bson").write_bytes(b"x")
    (inner / "x.bson").chmod(0o644)

    order = recorded(lambda: durable.sync_tree(a_folder / "out"))

    assert order == ["fsync x.bson", "fsync_directory db", "fsync_directory out"]
    assert (inner / "x.bson").stat().st_mode & 0o777 == 0o600
    assert inner.stat().st_mode & 0o777 == 0o700


def test_a_link_among_what_another_program_wrote_is_refused(a_folder: Path) -> None:
    (a_folder / "out").mkdir()
    (a_folder / "secret").write_text("x")
    (a_folder / "secret").chmod(0o644)
    (a_folder / "out" / "x.bson").symlink_to(a_folder / "secret")

    with pytest.raises(StorageFailed):
        durable.sync_tree(a_folder / "out")

    assert (a_folder / "secret").stat().st_mode & 0o777 == 0o644


def test_metadata_that_is_no_object_is_refused_by_name(a_folder: Path) -> None:
    from backups_app.errors import VerificationFailed

    assert metadata.read(a_folder) is None
    for bad in ("", "[]", "{", '"x"', "[" * 100_000):
        (a_folder / "metadata.json").write_text(bad)
        with pytest.raises(VerificationFailed):
            metadata.read(a_folder)
