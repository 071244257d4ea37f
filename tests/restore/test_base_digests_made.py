"""The digests of a base are the same file, whether they were put together in memory or from a temporary file."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import bson
import pytest

from backups_app.backup_files import durable, file_names
from backups_app.backup_files.digests import base_digests, document_digests, drawers
from backups_app.backup_files.digests.base_digests import BaseDigests
from backups_app.errors import StorageFailed
from backups_app.mongo import raw_ids
from backups_app.restore.source import Source
from tests.restore.conftest import documents

COUNT = 5_000


@pytest.mark.parametrize("held", [1, 20_000, 1 << 30])
def test_digests_made_from_a_file_and_in_memory(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(drawers, "HELD_BYTES", held)
    frames = documents(*((number * 7 % COUNT, f"value {number}") for number in range(COUNT)))
    source = a_source(bookings=frames)
    made = base_digests.opened(folder=source.folder, manifest=source.manifest, name="bookings")

    assert made.documents == COUNT
    for number in (0, 1, 1_999, 2_000, 2_001, COUNT - 1):
        assert made.content(number) == document_digests.content_hash(frames[number])
        assert made.length(number) == len(frames[number])
        identity = document_digests.identity_hash(raw_ids.key(raw_ids.id_of(frames[number])))
        assert made.numbers_of(identity) == [number]
    entry = source.manifest.collections["bookings"]
    names = os.listdir(source.folder / os.path.dirname(str(entry.file)))
    assert [name for name in names if name.startswith(".")] == [], "nothing is left of how it was made"
    first = (source.folder / file_names.digest_of(str(entry.file))).read_bytes()
    assert bytes(made.raw[:]) == first
    assert bson.decode(frames[3])["_id"] == 21


def test_digests_that_cannot_be_made_leave_nothing(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = a_source(bookings=documents(*((number, number) for number in range(COUNT))))
    before = sorted(str(path) for path in source.folder.rglob("*"))

    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        base_digests.opened(folder=source.folder, manifest=source.manifest, name="bookings", checkpoint=cancelled)
    assert sorted(str(path) for path in source.folder.rglob("*")) == before


def test_a_disk_that_gives_back_other_digests_is_named(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = a_source(bookings=documents((1, 1), (2, 2)))
    real = durable.write_whole

    def spoiling(path: Path, data: Iterable[bytes]) -> None:
        real(path, data)
        path.write_bytes(path.read_bytes()[:-1] + b"x")

    monkeypatch.setattr(durable, "write_whole", spoiling)
    with pytest.raises(StorageFailed):
        base_digests.opened(folder=source.folder, manifest=source.manifest, name="bookings")


def test_where_a_file_system_maps_no_file_the_digests_are_read(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = a_source(bookings=documents((1, 1), (2, 2)))

    def refusing(*_: object, **__: object) -> None:
        raise OSError(errno.ENODEV, "no")

    monkeypatch.setattr(mmap, "mmap", refusing)
    made = base_digests.opened(folder=source.folder, manifest=source.manifest, name="bookings")
    assert (made.documents, made.length(1)) == (2, len(documents((2, 2))[0]))


@pytest.mark.parametrize("held", [1, 1 << 20])
def test_the_room_that_making_them_takes_is_for_the_temporary_file_too(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(drawers, "HELD_BYTES", held)
    source = a_source(bookings=documents((1, 1), (2, 2)), devotees=documents((1, 1)))
    wanted = base_digests.bytes_to_make(folder=source.folder, manifest=source.manifest)

    sizes = []
    for name in ("bookings", "devotees"):
        base_digests.opened(folder=source.folder, manifest=source.manifest, name=name)
        file = source.manifest.collections[name].file
        sizes.append((source.folder / file_names.digest_of(str(file))).stat().st_size)
    assert wanted == sum(sizes) + (max(sizes) if held == 1 else 0)
    assert base_digests.bytes_to_make(folder=source.folder, manifest=source.manifest) == 0


@pytest.mark.parametrize("piece", [16, 31, 32, 33, 100, 1 << 20])
def test_digests_are_found_whole_whatever_is_read_at_once_and_made_again_when_damaged(
    a_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(base_digests, "_PIECE", piece)
    source = a_source(bookings=documents(*((number, number) for number in range(100))))

    def opened() -> BaseDigests:
        return base_digests.opened(folder=source.folder, manifest=source.manifest, name="bookings")

    whole = bytes(opened().raw[:])
    file = source.folder / file_names.digest_of(str(source.manifest.collections["bookings"].file))
    written = file.stat().st_mtime_ns
    assert bytes(opened().raw[:]) == whole
    assert file.stat().st_mtime_ns == written, "found, not made again"
    for at in (0, 9, 60, 1_000, len(whole) - 33, len(whole) - 1):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert bytes(opened().raw[:]) == whole
