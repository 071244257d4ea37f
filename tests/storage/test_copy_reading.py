"""Copies are found and read at a target that knows nothing of them but objects; what is damaged is named."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from pyrage.x25519 import Identity

from backups_app.errors import CopyDamaged, CopyUnreadable, KeyMissing, ObjectMissing, WrongKey
from backups_app.storage import copy_manifest, copy_reading, encryption, key_proofs
from backups_app.storage.copy_reading import FoundCopy
from backups_app.storage.directory import DirectoryTarget
from backups_app.storage.target import StorageTarget
from tests.storage import making

OLD, NEW = "20250118_020000", "20250119_143022"
BOOKINGS = b"b" * 3_000_000


@pytest.fixture
def target(tmp_path: Path) -> DirectoryTarget:
    return making.directory_target(tmp_path / "nas")


@pytest.fixture
def key() -> encryption.KeyPair:
    return encryption.new_key_pair()


def folder(tmp_path: Path, backup_id: str) -> Path:
    made = tmp_path / f"backup_{backup_id}"
    (made / "temple_db").mkdir(parents=True)
    (made / "temple_db" / "bookings.bson").write_bytes(BOOKINGS)
    (made / "metadata.json").write_text(json.dumps({"backup_id": backup_id}))
    return made


def identities(*pairs: encryption.KeyPair) -> list[Identity]:
    return [Identity.from_str(pair.private) for pair in pairs]


def received(target: DirectoryTarget, found: FoundCopy, *pairs: encryption.KeyPair) -> bytes:
    contents = copy_reading.open_contents(found, identities=identities(*pairs))
    assert found.manifest is not None
    clear = io.BytesIO()
    copy_reading.receive(
        target, manifest=found.manifest, file=contents.files[0], into=clear, identities=identities(*pairs)
    )
    return clear.getvalue()


@pytest.mark.parametrize("encrypted", [True, False])
def test_copies_are_listed_newest_first_and_read(
    tmp_path: Path, target: DirectoryTarget, key: encryption.KeyPair, encrypted: bool
) -> None:
    recipients = [key.public] if encrypted else []
    for backup_id in (OLD, NEW):
        making.copy_folder(target, folder(tmp_path, backup_id), recipients=recipients)

    found = list(copy_reading.find(target))

    assert [one.backup_id for one in found] == [NEW, OLD]
    assert [one.problem for one in found] == [None, None]
    assert received(target, found[0], *([key] if encrypted else [])) == BOOKINGS


def test_one_backup_alone_is_looked_for(tmp_path: Path, target: DirectoryTarget) -> None:
    for backup_id in (OLD, NEW):
        making.copy_folder(target, folder(tmp_path, backup_id))

    assert [one.backup_id for one in copy_reading.find(target, only=OLD)] == [OLD]


def test_a_copy_without_its_key_is_listed_and_not_opened(
    tmp_path: Path, target: DirectoryTarget, key: encryption.KeyPair
) -> None:
    making.copy_folder(target, folder(tmp_path, NEW), recipients=[key.public])

    (found,) = copy_reading.find(target)

    assert found.problem is None and found.manifest is not None and found.manifest.encrypted
    with pytest.raises(KeyMissing):
        copy_reading.open_contents(found, identities=[])
    with pytest.raises(WrongKey):
        copy_reading.open_contents(found, identities=identities(encryption.new_key_pair()))


def stored_object(target: DirectoryTarget) -> Path:
    return next(path for path in target.root.iterdir() if path.name.startswith("object-"))


def test_a_missing_object_makes_it_no_copy(tmp_path: Path, target: DirectoryTarget) -> None:
    making.copy_folder(target, folder(tmp_path, NEW))
    stored_object(target).unlink()

    (found,) = copy_reading.find(target)

    assert isinstance(found.problem, ObjectMissing)
    with pytest.raises(ObjectMissing):
        copy_reading.open_contents(found, identities=[])


def test_a_shorter_object_makes_it_no_copy(tmp_path: Path, target: DirectoryTarget) -> None:
    making.copy_folder(target, folder(tmp_path, NEW))
    stored_object(target).write_bytes(b"short")

    (found,) = copy_reading.find(target)

    assert isinstance(found.problem, CopyDamaged)


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_flipped_byte_is_found_by_reading(
    tmp_path: Path, target: DirectoryTarget, key: encryption.KeyPair, encrypted: bool
) -> None:
    making.copy_folder(target, folder(tmp_path, NEW), recipients=[key.public] if encrypted else [])
    path = stored_object(target)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    (found,) = copy_reading.find(target)

    with pytest.raises(CopyDamaged):
        received(target, found, *([key] if encrypted else []))


def test_a_manifest_that_cannot_be_read_is_listed_with_its_problem(target: DirectoryTarget) -> None:
    target.put(copy_manifest.new_manifest_name(NEW), [b"nonsense"])

    (found,) = copy_reading.find(target)

    assert isinstance(found.problem, CopyUnreadable)
    assert found.manifest is None


def test_a_manifest_of_another_backup_under_this_name_is_none(tmp_path: Path, target: DirectoryTarget) -> None:
    name = making.copy_folder(target, folder(tmp_path, NEW))
    (target.root / name).rename(target.root / copy_manifest.new_manifest_name(OLD))

    (found,) = copy_reading.find(target)

    assert isinstance(found.problem, CopyDamaged)


@pytest.mark.django_db
def test_a_key_is_trusted_for_the_recipients_it_opened_a_copy_of() -> None:
    first, later = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 2, tzinfo=UTC)

    key_proofs.record(recipients=["age1b", "age1a"], target="nas", backup_id=NEW, by="test", now=first)
    key_proofs.record(recipients=["age1a", "age1b"], target="nas", backup_id=NEW, by="fetch", now=later)
    key_proofs.record(recipients=[], target="nas", backup_id=NEW, by="fetch", now=later)

    assert key_proofs.opened_at(["age1a", "age1b"]) == later
    assert key_proofs.opened_at(["age1a"]) is None
    assert key_proofs.opened_at([]) is None


class Endless:
    """A target that sends more than it lists, and never ends."""

    name = "nas"

    def __init__(self) -> None:
        self.sent_bytes = 0

    def read(self, name: str) -> Iterator[bytes]:
        while self.sent_bytes < 1_000_000_000:
            self.sent_bytes += 1_000_000
            yield bytes(1_000_000)


def test_no_more_is_read_than_the_manifest_says(tmp_path: Path, target: DirectoryTarget) -> None:
    making.copy_folder(target, folder(tmp_path, NEW))
    (found,) = copy_reading.find(target)
    assert found.manifest is not None
    file, clear, endless = copy_reading.open_contents(found, identities=[]).files[0], io.BytesIO(), Endless()

    with pytest.raises(CopyDamaged):
        copy_reading.receive(cast(StorageTarget, endless), manifest=found.manifest, file=file, into=clear)

    assert endless.sent_bytes <= 4_000_000
    assert clear.tell() <= len(BOOKINGS)


def test_a_key_is_proven_by_a_copy_that_it_opened_and_that_names_it(
    tmp_path: Path, target: DirectoryTarget, key: encryption.KeyPair
) -> None:
    other = encryption.new_key_pair()
    making.copy_folder(target, folder(tmp_path, NEW), recipients=[key.public])
    (found,) = copy_reading.find(target)
    assert found.manifest is not None
    contents = copy_reading.open_contents(found, identities=identities(key))
    forged = replace(contents, recipients=(other.public,))
    both = identities(other, key)

    assert key_proofs.recipients_proven(found.manifest, contents, identities=both) == (key.public,)
    assert key_proofs.recipients_proven(found.manifest, forged, identities=both) == ()
    assert key_proofs.recipients_proven(replace(found.manifest, encrypted=False), contents, identities=both) == ()
