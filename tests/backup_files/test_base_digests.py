"""An `_id` is found in the digests of a base wherever its hash stands: first, last, beside equal ones, nowhere."""

from __future__ import annotations

import os
import random

import pytest

from backups_app.backup_files.digests.base_digests import NONE, BaseDigests

HASH, CONTENT, HEADER = 12, 16, 48


def digests(hashes: list[bytes]) -> BaseDigests:
    """Return digests of documents whose `_id`s have these hashes; the number of each is its place."""
    table = sorted((identity, number) for number, identity in enumerate(hashes))
    rows = b"".join(identity + number.to_bytes(4, "little") for identity, number in table)
    return BaseDigests(len(hashes), bytes(HEADER) + bytes(CONTENT * len(hashes)) + rows + os.urandom(32))


def numbers(hashes: list[bytes], wanted: bytes) -> list[int]:
    return [number for number, identity in enumerate(hashes) if identity == wanted]


@pytest.mark.parametrize("count", [0, 1, 2, 100, 129, 5_000])
def test_what_is_there_and_what_is_not(count: int) -> None:
    chance = random.Random(count)
    hashes = [chance.randbytes(HASH) for _ in range(count)]
    found = digests(hashes)

    for wanted in [*hashes[:300], *(chance.randbytes(HASH) for _ in range(300)), bytes(HASH), b"\xff" * HASH]:
        assert sorted(found.numbers_of(wanted)) == numbers(hashes, wanted)


@pytest.mark.parametrize("begins", [b"", b"\x00" * 6, b"\xff" * 8, b"\x55" * 11])
def test_hashes_that_are_not_spread_and_equal_ones(begins: bytes) -> None:
    chance = random.Random(7)
    hashes = [begins + chance.randbytes(HASH - len(begins)) for _ in range(1_000)]
    hashes += [hashes[3]] * 400 + [min(hashes)] * 3 + [max(hashes)] * 3
    found = digests(hashes)

    for wanted in {*hashes[:50], min(hashes), max(hashes), bytes(HASH), b"\xff" * HASH, chance.randbytes(HASH)}:
        assert sorted(found.numbers_of(wanted)) == numbers(hashes, wanted)


def test_a_hash_that_also_stands_across_two_others() -> None:
    wanted = bytes.fromhex("800000000000000000000001")
    across = bytes.fromhex("7fffffffff") + wanted[:7], wanted[7:] + bytes(7)
    hashes = [bytes.fromhex("7f") + bytes(11), across[0], wanted, b"\xf0" * HASH]
    found = digests(hashes)

    assert found.numbers_of(wanted) == [2]
    assert NONE.numbers_of(wanted) == []
