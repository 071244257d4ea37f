"""What every target must do, whatever keeps its objects."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backups_app.errors import ObjectExists, ObjectMissing
from backups_app.storage.target import StorageTarget

LARGE = 12 << 20
"""More than two parts of an upload in parts."""


class SourceBroke(Exception):
    """What the reader of the local file raises."""


class TargetContract:
    """The tests. A subclass gives the fixture `target`: a fresh, prepared, empty target."""

    def test_what_was_put_is_there_byte_for_byte(self, target: StorageTarget) -> None:
        target.put("abc-1", iter([b"one ", b"two"]))

        assert b"".join(target.read("abc-1")) == b"one two"
        assert target.head("abc-1").size_bytes == 7

    def test_an_empty_object_is_an_object(self, target: StorageTarget) -> None:
        target.put("abc", iter([]))

        assert b"".join(target.read("abc")) == b""
        assert [head.name for head in target.list_objects()] == ["abc"]

    def test_a_large_object_travels_in_parts(self, target: StorageTarget) -> None:
        target.put("large", _pieces(LARGE))

        assert target.head("large").size_bytes == LARGE
        assert b"".join(target.read("large")) == b"".join(_pieces(LARGE))

    @pytest.mark.parametrize("size", [3, LARGE])
    def test_an_object_is_never_overwritten(self, target: StorageTarget, size: int) -> None:
        target.put("abc", iter([b"first"]))

        with pytest.raises(ObjectExists):
            target.put("abc", _pieces(size))

        assert b"".join(target.read("abc")) == b"first"

    @pytest.mark.parametrize("size", [3, LARGE])
    def test_a_source_that_breaks_leaves_no_object(self, target: StorageTarget, size: int) -> None:
        with pytest.raises(SourceBroke):
            target.put("abc", _broken(size))

        with pytest.raises(ObjectMissing):
            target.head("abc")
        assert list(target.list_objects()) == []

    def test_what_is_not_there_is_named(self, target: StorageTarget) -> None:
        with pytest.raises(ObjectMissing):
            target.head("nothing")
        with pytest.raises(ObjectMissing):
            b"".join(target.read("nothing"))

    def test_deleting_twice_is_fine(self, target: StorageTarget) -> None:
        target.put("abc", iter([b"x"]))

        target.delete("abc")
        target.delete("abc")

        assert list(target.list_objects()) == []

    def test_every_object_is_listed_with_its_size(self, target: StorageTarget) -> None:
        for number in range(1, 6):
            target.put(f"object-{number}", iter([b"x" * number]))

        listed = {head.name: head.size_bytes for head in target.list_objects()}

        assert listed == {f"object-{number}": number for number in range(1, 6)}

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".store_id", "Ä", "-x", "a" * 81])
    def test_another_form_of_name_is_refused(self, target: StorageTarget, name: str) -> None:
        with pytest.raises(ValueError, match="not the name"):
            target.put(name, iter([b"x"]))

    def test_a_target_that_can_be_used_says_so(self, target: StorageTarget) -> None:
        target.check()


def _pieces(size: int) -> Iterator[bytes]:
    for number in range(0, size, 1 << 20):
        yield bytes([number >> 20]) * min(1 << 20, size - number)


def _broken(size: int) -> Iterator[bytes]:
    yield from _pieces(size)
    raise SourceBroke
