"""Whatever happens to a published backup is noticed before anything relies on it; a good one is never accused.

In `make test` one round; with TEMPLEOPS_LONG=1 (`make faults`) fifty times as many flips, swaps and good backups.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import manifest as manifests
from backups_app.backup_files import metadata
from backups_app.backup_files.manifest import Manifest
from backups_app.errors import VerificationFailed
from backups_app.progress import Silent
from backups_app.verification import verdict

from .small_dumps import DATABASE, bookings, write

FACTOR = 50 if os.environ.get("TEMPLEOPS_LONG") else 1
BLOCK = 512


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def published(request: pytest.FixtureRequest, a_folder: Path) -> tuple[Path, Manifest]:
    message = write(
        a_folder, {"bookings": bookings(1200), "users": bookings(3)}, compress=request.param, views=("paid",)
    )
    manifest = verdict.verify(folder=a_folder, database=DATABASE, report=message, progress=Silent()).manifest
    metadata.write(a_folder, {"backup_id": "20261124_120000", "manifest": manifest.as_json()})
    return a_folder, manifest


def recheck(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    return verdict.recheck(folder=folder, manifest=manifest, progress=Silent())


def assert_noticed(folder: Path, manifest: Manifest) -> None:
    with pytest.raises(VerificationFailed):
        recheck(folder, manifest)


def assert_noticed_or_made_again(path: Path, whole: bytes, folder: Path, manifest: Manifest) -> None:
    """An index can be made again from the documents; nothing else can."""
    if path.suffix != ".idx":
        assert_noticed(folder, manifest)
        return
    (message,) = recheck(folder, manifest)
    assert message.endswith("was lost and was made again")
    assert path.read_bytes() == whole


def data_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / DATABASE).iterdir() if path.stat().st_size)


def test_a_file_truncated_at_any_byte_is_noticed(published: tuple[Path, Manifest]) -> None:
    folder, manifest = published
    path = next(path for path in data_files(folder) if path.name.startswith("users.bson"))
    whole = path.read_bytes()

    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        assert_noticed(folder, manifest)

    path.write_bytes(whole)
    recheck(folder, manifest)


def test_every_flipped_bit_is_noticed(published: tuple[Path, Manifest]) -> None:
    folder, manifest = published
    chance = random.Random(1)

    for _ in range(100 * FACTOR):
        path = chance.choice(data_files(folder))
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        assert_noticed_or_made_again(path, whole, folder, manifest)
        path.write_bytes(whole)

    assert recheck(folder, manifest) == ()


def test_blocks_swapped_or_zeroed_are_noticed(published: tuple[Path, Manifest]) -> None:
    folder, manifest = published
    chance = random.Random(2)
    path = max(data_files(folder), key=lambda each: each.stat().st_size)
    whole = path.read_bytes()
    blocks = [whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK)]

    for _ in range(10 * FACTOR):
        one, other = chance.sample(range(len(blocks) - 1), 2)
        swapped = list(blocks)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        zeroed = [*blocks[:one], b"\0" * BLOCK, *blocks[one + 1 :]]
        for damaged in (swapped, zeroed):
            path.write_bytes(b"".join(damaged))
            assert_noticed(folder, manifest)

    path.write_bytes(whole)
    recheck(folder, manifest)


def missing(folder: Path) -> None:
    data_files(folder)[0].unlink()


def renamed(folder: Path) -> None:
    path = data_files(folder)[0]
    path.rename(path.with_name("other.bson"))


def linked(folder: Path) -> None:
    path = data_files(folder)[0]
    path.rename(folder.parent / "moved")
    path.symlink_to(folder.parent / "moved")


@pytest.mark.parametrize("act", [missing, renamed, linked], ids=lambda act: act.__name__)
def test_a_file_that_is_gone_or_elsewhere_is_noticed(
    published: tuple[Path, Manifest], act: Callable[[Path], None]
) -> None:
    folder, manifest = published

    act(folder)

    assert_noticed(folder, manifest)


def test_a_file_of_another_backup_is_noticed(published: tuple[Path, Manifest], tmp_path: Path) -> None:
    folder, manifest = published
    other = tmp_path / "other"
    other.mkdir()
    write(other, {"bookings": bookings(1200, start=1), "users": bookings(3)}, compress=any(folder.rglob("*.gz")))
    name = next(path.name for path in data_files(folder) if path.name.startswith("bookings.bson"))

    shutil.copy(other / DATABASE / name, folder / DATABASE / name)

    assert_noticed(folder, manifest)


def fewer_documents(plain: dict[str, Any]) -> None:
    plain["collections"].pop("users")
    plain["files"] = {name: entry for name, entry in plain["files"].items() if "users" not in name}


def other_hash(plain: dict[str, Any]) -> None:
    entry = next(iter(plain["files"].values()))
    entry["sha256"] = "0" * 64


def other_size(plain: dict[str, Any]) -> None:
    entry = next(iter(plain["files"].values()))
    entry["bytes"] += 1


def other_count(plain: dict[str, Any]) -> None:
    plain["collections"]["bookings"]["documents"] += 1


def fewer_twice(plain: dict[str, Any]) -> None:
    plain["collections"]["bookings"]["duplicate_ids"] -= 1


def other_type(plain: dict[str, Any]) -> None:
    plain["collections"]["bookings"]["type"] = "view"


def other_uuid(plain: dict[str, Any]) -> None:
    plain["collections"]["bookings"]["uuid"] = "f" * 32


def swapped_files(plain: dict[str, Any]) -> None:
    one, other = plain["collections"]["bookings"], plain["collections"]["users"]
    one["file"], other["file"] = other["file"], one["file"]


def unlisted_index(plain: dict[str, Any]) -> None:
    plain["collections"]["bookings"]["index"] = None


def other_version(plain: dict[str, Any]) -> None:
    plain["version"] = 99


def other_shape(plain: dict[str, Any]) -> None:
    plain["files"] = {name: {"bytes": 1} for name in plain["files"]}


@pytest.mark.parametrize(
    "edit",
    [
        fewer_documents,
        other_hash,
        other_size,
        other_count,
        fewer_twice,
        other_type,
        other_uuid,
        swapped_files,
        unlisted_index,
        other_version,
        other_shape,
    ],
    ids=lambda edit: edit.__name__,
)
def test_an_edited_manifest_is_noticed(
    published: tuple[Path, Manifest], edit: Callable[[dict[str, Any]], None]
) -> None:
    folder, _ = published
    document = metadata.read(folder)
    assert document is not None
    edit(document["manifest"])
    metadata.write(folder, document)

    with pytest.raises((VerificationFailed, ValueError)):
        written = metadata.read(folder)
        assert written is not None
        recheck(folder, manifests.from_json(written["manifest"]))


def test_good_backups_are_never_accused(a_folder: Path) -> None:
    chance = random.Random(4)
    for number in range(20 * FACTOR):
        folder = a_folder / str(number)
        folder.mkdir()
        collections = {
            f"c{each} %/é": bookings(chance.choice((0, 1, 7, 999, 1000, 1001)))
            for each in range(chance.randrange(1, 5))
        }
        message = write(folder, collections, compress=chance.random() < 0.5)

        manifest = verdict.verify(folder=folder, database=DATABASE, report=message, progress=Silent()).manifest

        recheck(folder, manifest)
        assert manifest.documents == sum(map(len, collections.values()))
