"""Drawers hold what was added, wherever it lies: in memory, in the file, or in memory because the disk refused."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import bson
import pytest

from backups_app.backup_files.digests import document_digests, drawers
from backups_app.backup_files.digests.document_digests import DocumentDigests
from backups_app.backup_files.digests.drawers import Drawers
from backups_app.errors import DiskFull, StorageFailed
from backups_app.restore import work
from backups_app.restore.choices import Mode

COUNT = 7


def filled(made: Drawers, additions: int = 400) -> list[bytes]:
    """Add records and return what each drawer must hold."""
    chance, expected = random.Random(4), [b""] * COUNT
    for _ in range(additions):
        number, record = chance.randrange(COUNT), chance.randbytes(chance.randrange(40))
        made.waiting[number] += record
        expected[number] += record
        made.make_room()
    return expected


@pytest.mark.parametrize("held", [0, 1, 300, 1 << 20])
def test_a_drawer_is_what_was_added_in_its_order(tmp_path: Path, held: int) -> None:
    made = Drawers(COUNT, folder=tmp_path, held_bytes=held)
    expected = filled(made)

    assert [made.read(number) for number in range(COUNT)] == expected
    assert [b"".join(made.pieces(number)) for number in range(COUNT)] == expected, "and again"
    assert sum(map(len, made.waiting)) <= held + 40
    assert list(tmp_path.iterdir()) == [], "the file has no name"


@pytest.mark.parametrize("writes", [0, 1, 5])
def test_what_the_disk_does_not_take_stays_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    real = os.pwrite
    done: list[int] = []

    def short_then_full(descriptor: int, data: bytes, offset: int) -> int:
        if len(done) == writes:
            raise OSError(errno.ENOSPC, "full")
        done.append(1)
        return real(descriptor, bytes(data)[: len(data) // 2 + 1], offset)

    monkeypatch.setattr(os, "pwrite", short_then_full)
    made = Drawers(COUNT, folder=tmp_path, held_bytes=100)
    expected = filled(made)

    assert len(done) == writes
    assert made._file is None or os.fstat(made._file.fileno()).st_size == made._end, (
        "nothing is kept of what was refused"
    )
    assert [made.read(number) for number in range(COUNT)] == expected


def test_the_last_room_of_a_disk_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawers, "LEFT_FREE_BYTES", 1 << 60)
    made = Drawers(COUNT, folder=tmp_path, held_bytes=100)
    expected = filled(made)

    assert made._file is None
    assert [made.read(number) for number in range(COUNT)] == expected


def test_a_folder_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    made = Drawers(COUNT, folder=tmp_path / "gone", held_bytes=100)
    expected = filled(made)

    assert [made.read(number) for number in range(COUNT)] == expected


@pytest.mark.parametrize(("number", "named"), [(errno.EIO, StorageFailed), (errno.ENOSPC, DiskFull)])
def test_a_disk_that_does_not_give_it_back_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, named: type[Exception]
) -> None:
    made = Drawers(COUNT, folder=tmp_path, held_bytes=0)
    filled(made)

    def failing(*_: object) -> bytes:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "pread", failing)
    with pytest.raises(named):
        made.read(0)


def test_a_file_that_ends_early_is_no_shorter_drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Drawers(COUNT, folder=tmp_path, held_bytes=0)
    filled(made)

    monkeypatch.setattr(os, "pread", lambda *_: b"")
    with pytest.raises(StorageFailed):
        made.read(0)


def test_two_states_are_compared_alike_from_the_file_and_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome(held: int) -> tuple[object, ...]:
        monkeypatch.setattr(drawers, "HELD_BYTES", held)
        a, b = (DocumentDigests() for _ in range(2))
        for start in range(0, 3_000, 500):
            a.add_all(bson.encode({"_id": one % 2_900, "v": one % 7}) for one in range(start, start + 500))
            b.add_all(bson.encode({"_id": one, "v": one % 5}) for one in range(start, start + 500) if one % 3)
        decided = work.decide(wanted=a, there=b, mode=Mode.REPLACE)
        replaced = dict(decided.expected.items())
        assert {number: decided.expected[number] for number in sorted(replaced)} == replaced
        assert set(replaced) == {n for n, action in enumerate(decided.actions) if action == work.REPLACE}
        return document_digests.compare(a, b), decided.actions, decided.extra, replaced

    in_memory, from_file = outcome(1 << 30), outcome(1_000)
    assert in_memory == from_file
    assert from_file[3]
    assert from_file[0].same and from_file[0].changed and from_file[0].only_a and from_file[0].only_b  # type: ignore[attr-defined]
