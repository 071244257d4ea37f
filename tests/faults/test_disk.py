"""A backup disk that is full, broken or read-only: the run fails by its name, gives the space back, deletes nothing."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backups_app.backup_files import locks
from backups_app.backup_files.store.store import Store
from tests.faults.broken_disk import CALLS
from tests.faults.conftest import KEEPING, LONG, WITH_DELETION, SeededDatabases, documents, in_turns, share
from tests.faults.process_pool import Ended

DISK_EXIT_CODE = 12
FILL_LEVELS = 40 if LONG else 3
PLACES = 4 if LONG else 1
BROKEN = {errno.EIO: "storage_failed"}
FULL = {errno.ENOSPC: "disk_full", errno.EDQUOT: "disk_full", errno.EROFS: "permission_error"}
IN_THE_DUMP = "disk create bookings.metadata.json"
"""Some files are whole, some are not."""
BEFORE_THE_DUMP = "disk mkdir .partial-"
"""No file is open: with one, the system refuses to make a disk read-only."""


@pytest.fixture
def large(temples: Callable[..., SeededDatabases]) -> SeededDatabases:
    """A temple whose bookings fill twelve megabytes."""
    seeded = temples()
    photos = [{**one, "photo": os.urandom(120_000)} for one in documents("photo", range(100))]
    seeded.local["bookings"].insert_many(photos)
    seeded.acknowledged.note_database("local", seeded.local)
    return seeded


@pytest.mark.parametrize("limit", [5_000_000 + 700_000 * n for n in range(10)] if LONG else [6_000_000])
def test_a_file_that_cannot_grow_fails_the_run_and_nothing_is_deleted(large: SeededDatabases, limit: int) -> None:
    before = [side["bookings"].count_documents({}) for side in large.sides]

    ended = large.run(file_limit=limit)

    assert ended.exit_code == DISK_EXIT_CODE, ended.stdout + ended.stderr
    assert ended.json()["error_code"] == "disk_full"
    assert not Store(large.configuration.backup_dir).partials()
    assert sum(side["bookings"].count_documents({}) for side in large.sides) >= sum(before)
    large.nothing_is_lost()
    assert large.run().exit_code == 0
    large.nothing_is_lost()
    large.all_is_purged()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a file system of its own with some options, where we may. Returns where."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "tmpfs", str(place)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a small file system needs root")
        (place / "backups").mkdir(mode=0o700)
        return place

    yield mount
    subprocess.run(["umount", "--lazy", str(place)], check=False, capture_output=True)


@in_turns
def test_a_disk_that_fills_while_the_copy_is_written_ends_the_run_cleanly(
    large: SeededDatabases, small_disk: Callable[[str], Path], turn: int
) -> None:
    disk = small_disk("size=256m")
    seeded = large.with_changes(backup_dir=disk / "backups")
    codes = []
    for level in share(FILL_LEVELS, turn):
        free = (level + 1) * 28_000_000 // (FILL_LEVELS + 1)
        ended = _struck(seeded, KEEPING, IN_THE_DUMP, lambda free=free: _leave_free(disk, free))  # type: ignore[misc]

        codes.append(ended.exit_code)
        assert ended.exit_code in (0, DISK_EXIT_CODE), ended.stdout + ended.stderr
        assert not Store(disk / "backups").partials()
        seeded.nothing_is_lost()
        if ended.exit_code == DISK_EXIT_CODE:
            assert shutil.disk_usage(disk).free > free - 200_000, "the space is not given back"
        (disk / "ballast").unlink()
    print(f"\n{len(codes)} fill levels: {codes.count(0)} success, {codes.count(DISK_EXIT_CODE)} failed cleanly, 0 lost")
    assert DISK_EXIT_CODE in codes


def test_a_disk_without_room_for_one_more_file_ends_the_run_cleanly(
    large: SeededDatabases, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("size=256m,nr_inodes=12")
    seeded = large.with_changes(backup_dir=disk / "backups")

    ended = seeded.run()

    assert (ended.exit_code, ended.json()["error_code"]) == (DISK_EXIT_CODE, "disk_full"), ended.stdout + ended.stderr
    assert not Store(disk / "backups").partials()
    seeded.nothing_is_lost()


def test_a_disk_that_becomes_read_only_ends_the_run_by_its_name_and_the_next_one_tidies_up(
    large: SeededDatabases, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("size=256m")
    seeded = large.with_changes(backup_dir=disk / "backups")

    ended = _struck(seeded, WITH_DELETION, BEFORE_THE_DUMP, lambda: _remount(disk, "ro"))
    after = [side["bookings"].count_documents({}) for side in seeded.sides]
    refused = seeded.run()
    _remount(disk, "rw")

    assert (ended.exit_code, ended.json()["error_code"]) == (DISK_EXIT_CODE, "permission_error"), ended.stderr
    assert ended.json()["status"] == "failed"
    assert refused.exit_code == DISK_EXIT_CODE, refused.stdout + refused.stderr
    assert min(after) >= 100
    seeded.nothing_is_lost()
    assert seeded.run().exit_code == 0
    seeded.nothing_is_lost()
    seeded.nothing_is_unfinished()
    seeded.all_is_purged()


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_fails_once_fails_the_run_by_its_name_or_comes_after_its_end(
    temples: Callable[..., SeededDatabases], tmp_path: Path, call: str
) -> None:
    counted = tmp_path / "counted"
    _run_on_a_broken_disk(temples(), call, at=0, code=errno.EIO, counted=counted)
    total, _ = _reached(counted)
    reported = []
    for place in range(PLACES):
        for code, named in (BROKEN | FULL if LONG else BROKEN).items():
            seeded = temples()
            before = [side["bookings"].count_documents({}) for side in seeded.sides]
            at = 1 + place * (total - 1) // max(1, PLACES - 1)
            ended = _run_on_a_broken_disk(seeded, call, at=at, code=code, counted=counted)
            where = f"{call} {at} of {total}: {errno.errorcode[code]}"

            reached, struck = _reached(counted)
            assert reached >= at, f"{where} was not reached"
            result = ended.json()
            reported.append(result["status"])
            if result["status"] == "failed":
                assert (ended.exit_code, result["error_code"]) == (DISK_EXIT_CODE, named), where
                assert not Store(seeded.configuration.backup_dir).partials(), where
                assert not Store(seeded.configuration.backup_dir).backups().ids, where
                assert [side["bookings"].count_documents({}) for side in seeded.sides] >= before, where
            else:
                assert (ended.exit_code, result["status"]) == (0, "success"), f"{where}: {result}"
                silent = call == "close" and Path(struck).parent.name == locks.FOLDER  # a lock file holds no data
                assert result["warnings"] or silent, f"{where}: nothing is said of what failed on {struck}"
            seeded.nothing_is_lost()
            again = seeded.run()
            assert again.exit_code == 0, f"{where}: {again.stdout}{again.stderr}"
            seeded.nothing_is_lost()
            seeded.nothing_is_unfinished(where)
            seeded.all_is_purged()
    print(f"\n{len(reported)} failures of {call}, {reported.count('failed')} of them before the backup stood, 0 lost")


def _run_on_a_broken_disk(seeded: SeededDatabases, call: str, *, at: int, code: int, counted: Path) -> Ended:
    folder = str(seeded.configuration.backup_dir)
    broken = {"folder": folder, "call": call, "at": at, "errno": code, "counted": str(counted)}
    return seeded.run(broken_disk=broken)


def _reached(counted: Path) -> tuple[int, str]:
    """Return how many calls were counted, and the path of the one that failed."""
    number, struck = counted.read_text().split("\n")
    return int(number), struck


def _struck(seeded: SeededDatabases, arguments: list[str], where: str, strike: Callable[[], None]) -> Ended:
    """Stop a run at a hook, let something happen to the disk, and see it to its end."""
    child = seeded.process_pool.start(seeded.configuration, arguments, stop_at=where)
    child.wait_until_stopped()
    strike()
    child.signal(signal.SIGCONT)
    return child.wait()


def _leave_free(place: Path, size_bytes: int) -> None:
    """Fill a file system until so many bytes are free."""
    with (place / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(place).free - size_bytes)


def _remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)
