"""Copies are encrypted by age: several keys, constant memory, failures by name, and no private key is reported."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from pyrage.x25519 import Identity

from backups_app.errors import CopyUnreadable, KeyMissing, KeyNotReadable, WrongKey
from backups_app.storage import encryption

CLEAR = bytes(range(256)) * 2_000
AGE = shutil.which("age")


@pytest.fixture
def keys() -> encryption.KeyPair:
    return encryption.new_key_pair()


def sealed(data: bytes, *recipients: str) -> bytes:
    return b"".join(encryption.sealed(io.BytesIO(data), recipients=recipients))


def identity(pair: encryption.KeyPair) -> Identity:
    return Identity.from_str(pair.private)


def unsealed(stored: bytes, *pairs: encryption.KeyPair) -> bytes:
    clear = io.BytesIO()
    encryption.unseal(io.BytesIO(stored), into=clear, identities=[identity(pair) for pair in pairs])
    return clear.getvalue()


def test_each_recipient_opens_what_was_encrypted_to_several(keys: encryption.KeyPair) -> None:
    other = encryption.new_key_pair()

    stored = sealed(CLEAR, keys.public, other.public)

    assert unsealed(stored, keys) == unsealed(stored, other) == CLEAR
    assert CLEAR[:64] not in stored


def test_a_wrong_key_and_no_key_are_named(keys: encryption.KeyPair) -> None:
    stored = sealed(CLEAR, keys.public)

    with pytest.raises(WrongKey) as wrong:
        unsealed(stored, encryption.new_key_pair())
    with pytest.raises(KeyMissing) as missing:
        unsealed(stored)

    assert wrong.value.exit_code == missing.value.exit_code == 14


@pytest.mark.parametrize("damage", ["cut", "flipped", "header", "empty", "longer"])
def test_a_damaged_content_is_named(keys: encryption.KeyPair, damage: str) -> None:
    stored = bytearray(sealed(CLEAR, keys.public))
    if damage in ("flipped", "header"):
        stored[-20 if damage == "flipped" else 5] ^= 1
    given = {"cut": stored[:-9], "empty": b"", "longer": stored + b"x"}.get(damage, stored)

    with pytest.raises(CopyUnreadable):
        unsealed(bytes(given), keys)


@pytest.mark.skipif(AGE is None, reason="stock age is not on PATH: apt-get install age")
def test_stock_age_opens_a_file_and_we_open_one_of_stock_age(keys: encryption.KeyPair, tmp_path: Path) -> None:
    key_file, stored = tmp_path / "key.txt", tmp_path / "stored.age"
    key_file.write_text(f"# public key: {keys.public}\n{keys.private}\n")
    stored.write_bytes(sealed(CLEAR, encryption.new_key_pair().public, keys.public))

    opened = subprocess.run([str(AGE), "-d", "-i", key_file, stored], capture_output=True, check=True).stdout
    theirs = subprocess.run([str(AGE), "-r", keys.public], input=CLEAR, capture_output=True, check=True).stdout

    assert opened == CLEAR
    assert unsealed(theirs, keys) == CLEAR


def test_pieces_come_one_by_one_and_memory_stays_flat(keys: encryption.KeyPair) -> None:
    class Endless:
        asked = 0

        def read(self, size: int = -1) -> bytes:
            self.asked += size
            return b"x" * size

    source = Endless()
    pieces = encryption.sealed(source, recipients=[keys.public])

    first = [next(pieces) for _ in range(10)]
    pieces.close()  # type: ignore[attr-defined]

    assert max(map(len, first)) <= 65_552
    assert source.asked < 64 * 65_536
    assert not [thread for thread in threading.enumerate() if "seal" in thread.name]


def test_what_the_source_or_the_file_raises_is_raised_as_it_is(keys: encryption.KeyPair) -> None:
    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise ConnectionError("s3cret")

        def write(self, data: bytes) -> int:
            raise OSError(28, "full")

    with pytest.raises(ConnectionError):
        list(encryption.sealed(Broken(), recipients=[keys.public]))
    with pytest.raises(ConnectionError):
        encryption.unseal(Broken(), into=io.BytesIO(), identities=[identity(keys)])
    with pytest.raises(OSError, match="full"):
        encryption.unseal(io.BytesIO(sealed(CLEAR, keys.public)), into=Broken(), identities=[identity(keys)])


def test_a_stream_of_pieces_of_any_size_is_opened(keys: encryption.KeyPair) -> None:
    stored = sealed(CLEAR, keys.public)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(stored), 70_001):
            yield b""
            yield stored[start : start + 70_001]

    clear = io.BytesIO()
    encryption.unseal(encryption.chunks_as_file(pieces()), into=clear, identities=[identity(keys)])

    assert clear.getvalue() == CLEAR


def test_a_key_file_of_stock_age_is_read_with_its_comments(keys: encryption.KeyPair, tmp_path: Path) -> None:
    other, path = encryption.new_key_pair(), tmp_path / "key.txt"
    path.write_text(f"# created: today\n# public key: {keys.public}\n{keys.private}\n\n{other.private}\r\n")

    found = encryption.read_identities(path)

    assert encryption.public_keys(found) == (keys.public, other.public)


@pytest.mark.parametrize("text", ["", "# only a comment", "AGE-SECRET-KEY-1ODD\n", "age1public"])
def test_a_file_without_a_key_is_named_and_its_content_is_not_reported(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.txt"
    path.write_text(text)

    with pytest.raises(KeyNotReadable) as failure:
        encryption.read_identities(path)

    assert "ODD" not in str(failure.value)
    assert str(tmp_path) not in str(failure.value)
    assert failure.value.__cause__ is None


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyNotReadable, match="not there"):
        encryption.read_identities(tmp_path / "key.txt")


def test_a_private_key_prints_nothing(keys: encryption.KeyPair) -> None:
    assert "AGE-SECRET-KEY" not in f"{keys!r} {identity(keys)!r}"


def test_public_keys_are_distinguished_from_private_ones(keys: encryption.KeyPair) -> None:
    assert encryption.is_public_key(keys.public)
    assert not encryption.is_public_key(keys.private)
    assert not encryption.is_public_key("age1nonsense")


def test_a_small_content_goes_there_and_back(keys: encryption.KeyPair) -> None:
    stored = encryption.sealed_bytes(b"metadata", recipients=[keys.public])

    assert encryption.unsealed_bytes(stored, identities=[identity(keys)]) == b"metadata"
    assert pyrage.decrypt(stored, [identity(keys)]) == b"metadata"
    with pytest.raises(WrongKey):
        encryption.unsealed_bytes(stored, identities=[identity(encryption.new_key_pair())])
    with pytest.raises(KeyMissing):
        encryption.unsealed_bytes(stored, identities=[])
