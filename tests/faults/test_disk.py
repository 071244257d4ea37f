"""A full disk, at many fill levels: the run fails by its name, gives the space back and deletes nothing."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backups_app.backup_files.store import Store
from tests.faults.conftest import LONG, Temple, documents

DISK_EXIT_CODE = 12


@pytest.fixture
def large(temples: Callable[..., Temple]) -> Temple:
    """A temple whose bookings fill five megabytes."""
    temple = temples()
    photos = [{**one, "photo": os.urandom(50_000)} for one in documents("photo", range(100))]
    temple.local["bookings"].insert_many(photos)
    temple.acknowledged.note_database("local", temple.local)
    return temple


@pytest.mark.parametrize("limit", [600_000 + 450_000 * n for n in range(10)] if LONG else [1_000_000])
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
    """A file system of 24 MB of its own, where we may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_every_fill_level_of_a_small_disk_ends_cleanly(
    large: Temple, temples: Callable[..., Temple], small_disk: Path
) -> None:
    chance = random.Random(5)
    codes = []
    for number in range(40 if LONG else 2):
        backup_dir = small_disk / "backups"
        backup_dir.mkdir(mode=0o700)
        free = chance.randrange(1_000_000, 14_000_000) if LONG else (3_000_000, 9_000_000)[number]
        (small_disk / "ballast").write_bytes(bytes(24 * 1024 * 1024 - free))
        temple = temples()
        temple.local["bookings"].insert_many(large.local["bookings"].find({"photo": {"$exists": True}}))
        temple.acknowledged.note_database("local", temple.local)
        temple = temple.with_changes(backup_dir=backup_dir)

        ended = temple.run()

        codes.append(ended.exit_code)
        assert ended.exit_code in (0, 3, DISK_EXIT_CODE), ended.stdout + ended.stderr
        assert not Store(backup_dir).partials()
        temple.nothing_is_lost()
        (small_disk / "ballast").unlink()
        assert temple.run().exit_code in (0, DISK_EXIT_CODE)
        temple.nothing_is_lost()
        subprocess.run(["rm", "-rf", str(backup_dir)], check=True)
    print(f"\n{len(codes)} fill levels: {codes.count(0)} success, {len(codes) - codes.count(0)} failed cleanly, 0 lost")
