"""The manifest of a copy: a stranger reads sizes and times, the holder of a key the rest, and damage has a name."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyrage.x25519 import Identity

from backups_app.errors import CopyUnreadable, KeyMissing, WrongKey
from backups_app.storage import copy_manifest, encryption
from backups_app.storage.copy_manifest import Contents, CopiedFile, CopyManifest, StoredObject

NOW = datetime(2025, 1, 19, 14, 40, tzinfo=UTC)
ID = "20250119_143022"
CLEAR_HASH, STORED_HASH = "a1" * 32, "b2" * 32
FILE = CopiedFile(path="temple_db/bookings.bson", object="object-one", size_bytes=812, sha256=CLEAR_HASH)
SITE = CopiedFile(path="site.json", object="object-two", size_bytes=10, sha256=CLEAR_HASH)
OBJECTS = (
    StoredObject(name="object-one", size_bytes=1_012, sha256=STORED_HASH),
    StoredObject(name="object-two", size_bytes=210, sha256=STORED_HASH),
)
CONTENTS = Contents(files=(FILE,), metadata={"backup_id": ID, "created_by": "ananya"}, site=SITE)
AGE = shutil.which("age")


def encoded(contents: Contents = CONTENTS, objects: Sequence[StoredObject] = OBJECTS) -> bytes:
    return copy_manifest.encode(backup_id=ID, base=None, copied_at=NOW, objects=objects, contents=contents)


def opened(data: bytes, *pairs: encryption.KeyPair) -> Contents:
    identities = [Identity.from_str(pair.private) for pair in pairs]
    return copy_manifest.open_contents(copy_manifest.decode(data), identities=identities)


def test_a_manifest_without_recipients_is_read_without_a_key() -> None:
    manifest = copy_manifest.decode(encoded())

    assert (manifest.backup_id, manifest.base, manifest.copied_at) == (ID, None, NOW)
    assert manifest.objects == OBJECTS
    assert manifest.stored_bytes == 1_222
    assert not manifest.encrypted
    assert opened(encoded()) == CONTENTS


def test_the_readable_part_says_sizes_and_times_only() -> None:
    pair = encryption.new_key_pair()

    data = encoded(replace(CONTENTS, recipients=(pair.public,)))

    readable = json.loads(data)
    del readable["contents"]
    assert readable == {
        "format": "templeops-copy", "version": 1, "backup_id": ID, "base": None, "copied_at": "2025-01-19T14:40:00Z",
        "encrypted": True,
        "objects": [{"name": one.name, "size_bytes": one.size_bytes, "sha256": STORED_HASH} for one in OBJECTS],
    }  # fmt: skip
    for word in (b"bookings", b"ananya", CLEAR_HASH.encode(), pair.public.encode(), b"temple"):
        assert word not in data.replace(b"templeops-copy", b"")


def test_the_site_that_made_it_is_in_the_encrypted_part_and_may_be_missing() -> None:
    pair, site = encryption.new_key_pair(), "4f" * 16
    data = encoded(replace(CONTENTS, recipients=(pair.public,), site_id=site))
    before = json.loads(encoded())
    del before["contents"]["site_id"]

    assert opened(data, pair).site_id == site
    assert site.encode() not in data
    assert opened(json.dumps(before).encode()).site_id == ""
    for wrong in ("4F" * 16, "4f", 7, None, ["4f" * 16]):
        before["contents"]["site_id"] = wrong
        with pytest.raises(CopyUnreadable):
            opened(json.dumps(before).encode())


def test_its_contents_open_with_a_key_of_any_recipient_and_with_no_other() -> None:
    first, second = encryption.new_key_pair(), encryption.new_key_pair()
    contents = replace(CONTENTS, recipients=(first.public, second.public))
    data = encoded(contents)

    assert opened(data, first) == opened(data, second) == contents
    with pytest.raises(WrongKey):
        opened(data, encryption.new_key_pair())
    with pytest.raises(KeyMissing):
        opened(data)


@pytest.mark.skipif(AGE is None, reason="stock age is not on PATH: apt-get install age")
def test_stock_age_opens_the_contents(tmp_path: Path) -> None:
    pair = encryption.new_key_pair()
    data = encoded(replace(CONTENTS, recipients=(pair.public,)))
    (tmp_path / "key.txt").write_text(pair.private)

    inner = base64.b64decode(json.loads(data)["contents"])
    clear = subprocess.run(
        [str(AGE), "-d", "-i", tmp_path / "key.txt"], input=inner, capture_output=True, check=True
    ).stdout

    assert json.loads(clear)["files"][0]["path"] == "temple_db/bookings.bson"


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encoded()), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"null", b"not json", b"\xff\xfe", b"[" * 100_000,
        changed(format="other"), changed(version=2), changed(backup_id="../../etc"), changed(base=7),
        changed(copied_at="yesterday"), changed(objects=None),
        changed(objects=[{"name": "../x", "size_bytes": 1, "sha256": STORED_HASH}]),
        changed(objects=[{"name": "object-x", "size_bytes": -1, "sha256": STORED_HASH}]),
        changed(objects=[{"name": "object-x", "size_bytes": True, "sha256": STORED_HASH}]),
        changed(objects=[{"name": "object-x", "size_bytes": 1, "sha256": "short"}]),
        changed(contents=None), changed(contents="text"), changed(contents={}), changed(encrypted=True),
        changed(encrypted=True, contents="!!"), changed(backup_id="20250119_143023"),
    ],
)  # fmt: skip
def test_a_damaged_manifest_is_named(data: bytes) -> None:
    with pytest.raises(CopyUnreadable):
        opened(data, encryption.new_key_pair())


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a//b", "./a", "a\0b", ".."])
def test_a_file_outside_the_folder_is_refused(path: str) -> None:
    data = encoded(replace(CONTENTS, files=(replace(FILE, path=path),)))

    with pytest.raises(CopyUnreadable):
        opened(data)


def test_a_file_whose_object_is_not_listed_is_refused() -> None:
    with pytest.raises(CopyUnreadable):
        opened(encoded(objects=OBJECTS[:1]))


def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(CopyUnreadable):
        opened(encoded(replace(CONTENTS, files=(FILE, FILE))))


def test_odd_names_of_files_go_there_and_back() -> None:
    odd = replace(FILE, path="temple_db/पूजा %25 a\\b\n\udcff.bson")

    assert opened(encoded(replace(CONTENTS, files=(odd,)))).files == (odd,)


def test_names_of_objects_are_random_and_a_manifest_says_its_backup() -> None:
    names = {copy_manifest.new_object_name() for _ in range(50)}
    manifests = {copy_manifest.new_manifest_name(ID) for _ in range(50)}

    assert len(names) == len(manifests) == 50
    assert {copy_manifest.backup_id_of(name) for name in manifests} == {ID}
    assert {copy_manifest.backup_id_of(name) for name in names} == {None}
    assert copy_manifest.backup_id_of("copy-20250119-143022-short") is None


def test_a_manifest_prints_nothing_of_its_contents() -> None:
    manifest: CopyManifest = copy_manifest.decode(encoded())

    assert "ananya" not in repr(manifest)


@pytest.mark.parametrize(
    "path", ["temple_db/bookings.bson/x", "temple_db/\ud800", "a" * 256, "temple_db/" + "क" * 100, "a/" * 1_000 + "b"]
)
def test_a_path_that_no_disk_can_hold_is_refused(path: str) -> None:
    with pytest.raises(CopyUnreadable):
        opened(encoded(replace(CONTENTS, files=(FILE, replace(FILE, path=path)))))


@pytest.mark.parametrize("size_bytes", [1_013, 10**15, 10**400])
def test_a_file_larger_than_its_object_is_refused(size_bytes: int) -> None:
    with pytest.raises(CopyUnreadable):
        opened(encoded(replace(CONTENTS, files=(replace(FILE, size_bytes=size_bytes),))))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(CopyUnreadable):
        opened(encoded().replace(b'"ananya"', number.encode()))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "2025-01-19T14:40:00"])
def test_a_moment_that_cannot_be_compared_is_refused(moment: str) -> None:
    with pytest.raises(CopyUnreadable):
        opened(changed(copied_at=moment))


def test_recipients_and_encryption_go_together() -> None:
    pair = encryption.new_key_pair()
    claimed = json.loads(encoded())
    claimed["contents"]["recipients"] = [pair.public]
    inner = json.dumps({**json.loads(encoded())["contents"], "recipients": []}).encode()
    hidden = json.loads(encoded()) | {
        "encrypted": True,
        "contents": base64.b64encode(encryption.sealed_bytes(inner, recipients=[pair.public])).decode(),
    }

    for forged in (claimed, hidden):
        with pytest.raises(CopyUnreadable):
            opened(json.dumps(forged).encode(), pair)
