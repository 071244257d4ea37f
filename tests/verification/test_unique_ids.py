"""Equal `_id`s are found among millions in flat memory, and only equal ones are called so."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import bson
import pytest

from backups_app.errors import VerificationFailed
from backups_app.verification import file_scan, unique_ids
from backups_app.verification.file_scan import ScannedFile
from backups_app.verification.unique_ids import UniqueIds


def scanned(folder: Path, documents: list[bytes], at_once: int = 1 << 20) -> ScannedFile:
    (folder / "x.bson").write_bytes(b"".join(documents))
    return file_scan.scan(
        folder=folder, relative="x.bson", validate_all=False, report=lambda _, __: None, at_once=at_once
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [1 << 20, 1000, 17])
def test_no_suspicion_where_all_are_different(a_folder: Path, at_once: int) -> None:
    unique = UniqueIds(folder=a_folder, at_once=at_once)

    for start in range(0, 5000, 100):
        unique.add(struct.pack(">I", number) for number in range(start, start + 100))

    assert unique.suspects() == frozenset()
    assert list(a_folder.iterdir()) == []


@pytest.mark.parametrize("at_once", [1 << 20, 1000, 17])
def test_equal_keys_are_suspected_however_far_apart(a_folder: Path, at_once: int) -> None:
    keys = [struct.pack(">I", number) for number in range(5000)]
    random.Random(3).shuffle(keys)
    unique = UniqueIds(folder=a_folder, at_once=at_once)

    for start in range(0, 5000, 100):
        unique.add(keys[start : start + 100])
    unique.add([keys[0], keys[4999]])

    assert unique.suspects() == {float(hash(keys[0])), float(hash(keys[4999]))}


@pytest.mark.parametrize("at_once", [1 << 20, 50])
def test_a_suspicion_is_confirmed_on_the_bytes(a_folder: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(unique_ids, "fingerprint", lambda key: key[-1] % 7)
    documents = [bson.encode({"_id": bson.ObjectId(f"{number:024x}")}) for number in range(300)]

    assert scanned(a_folder, documents, at_once).duplicate_ids == 0
    assert scanned(a_folder, [*documents, documents[5]], at_once).duplicate_ids == 1


SAME = [(1, bson.Int64(1)), (1, 1.0), (bson.Int64(2), bson.Decimal128("2.00")), ({"a": 1}, {"a": 1.0}), (0.0, -0.0)]
DIFFERENT = [
    (1, "1"), ("a", "A"), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (None, False), (bson.ObjectId("0" * 24), "0" * 24),
    (b"x", bson.Binary(b"x", 5)), (1, bson.DatetimeMS(1)), ("", None), (bson.Int64(2**53), bson.Int64(2**53 + 1)),
]  # fmt: skip


@pytest.mark.parametrize("pair", SAME, ids=str)
def test_ids_that_are_one_to_the_server_are_one_here(a_folder: Path, pair: tuple[object, object]) -> None:
    documents = [bson.encode({"_id": one, "n": number}) for number, one in enumerate(pair)]

    assert scanned(a_folder, documents).duplicate_ids == 1


@pytest.mark.parametrize("pair", DIFFERENT, ids=str)
def test_ids_that_the_server_keeps_apart_are_apart_here(a_folder: Path, pair: tuple[object, object]) -> None:
    documents = [bson.encode({"_id": one, "n": number}) for number, one in enumerate(pair)]

    assert scanned(a_folder, documents).duplicate_ids == 0


def test_an_id_is_found_wherever_it_stands(a_folder: Path) -> None:
    identity = bson.ObjectId()
    nested = bson.encode({"a": {"_id": 5}, "_id": identity})
    documents = [bson.encode({"_id": identity, "a": 1}), nested, bson.encode({})]

    result = scanned(a_folder, documents)

    assert (result.documents, result.duplicate_ids) == (3, 1)


def test_documents_larger_than_what_is_read_at_once_are_walked(a_folder: Path) -> None:
    large = [bson.encode({"_id": number, "data": b"x" * 15_000_000}) for number in range(2)]
    small = [bson.encode({"_id": number}) for number in range(2, 5)]

    result = scanned(a_folder, [small[0], *large, *small[1:]])

    assert (result.documents, result.duplicate_ids) == (5, 0)
    assert result.entry.bytes == (a_folder / "x.bson").stat().st_size


def test_a_length_that_no_document_has_is_refused_at_once(a_folder: Path) -> None:
    (a_folder / "x.bson").write_bytes(bson.encode({}) + struct.pack("<i", 17_000_000) + b"\0" * 100)

    with pytest.raises(VerificationFailed) as failure:
        file_scan.scan(folder=a_folder, relative="x.bson", validate_all=False, report=lambda _, __: None)

    assert "(document 2, byte 5)" in failure.value.detail
