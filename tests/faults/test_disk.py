"""A full disk, at many fill levels: the run fails by its name, gives the space back and deletes nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backups_app.backup_files.store import Store
from tests.faults.conftest import KEEPING, LONG, Temple, documents

DISK_EXIT_CODE = 12
DISK_BYTES = 128 * 1024 * 1024
FILL_LEVELS = 40 if LONG else 3


@pytest.fixture
def large(temples: Callable[..., Temple]) -> Temple:
    """A temple whose bookings fill twelve megabytes."""
    temple = temples()
    photos = [{**one, "photo": os.urandom(120_000)} for one in documents("photo", range(100))]
    temple.local["bookings"].insert_many(photos)
    temple.acknowledged.note_database("local", temple.local)
    return temple


@pytest.mark.parametrize("limit", [5_000_000 + 700_000 * n for n in range(10)] if LONG else [6_000_000])
def test_a_file_that_cannot_grow_fails_the_run_and_nothing_is_deleted(large: Temple, limit: int) -> None:
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
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 MB of its own, where we may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_disk_that_fills_while_the_copy_is_written_ends_the_run_cleanly(large: Temple, small_disk: Path) -> None:
    backup_dir = small_disk / "backups"
    backup_dir.mkdir(mode=0o700)
    temple = large.with_changes(backup_dir=backup_dir)
    codes = []
    for level in range(FILL_LEVELS):
        child = temple.workshop.start(temple.configuration, KEEPING, stop_at="disk create bookings.metadata.json")
        child.wait_until_stopped()
        free = (level + 1) * 28_000_000 // (FILL_LEVELS + 1)
        _leave_free(small_disk, free)
        child.signal(signal.SIGCONT)
        ended = child.wait()

        codes.append(ended.exit_code)
        assert ended.exit_code in (0, DISK_EXIT_CODE), ended.stdout + ended.stderr
        assert not Store(backup_dir).partials()
        temple.nothing_is_lost()
        if ended.exit_code == 0:  # from here on there is room enough
            break
        assert shutil.disk_usage(small_disk).free > free - 200_000, "the space is not given back"
        (small_disk / "ballast").unlink()
    print(f"\n{len(codes)} fill levels: {codes.count(0)} success, {codes.count(DISK_EXIT_CODE)} failed cleanly, 0 lost")
    assert DISK_EXIT_CODE in codes


def _leave_free(place: Path, size_bytes: int) -> None:
    """Fill a file system until so many bytes are free."""
    with (place / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(place).free - size_bytes)
