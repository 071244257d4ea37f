"""Two backups, two documents, one document through time."""

from __future__ import annotations

import bson
import pytest
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st

from backups_app.backup_files.store.store import Store
from backups_app.browsing.compare import compare, differences, versions
from backups_app.errors import BackupNotFound, CollectionNotFound
from backups_app.mongo import raw_ids
from tests.browsing.conftest import Maker, bookings

A, B, C = "20250105_090000", "20250112_090000", "20250119_090000"


def changed_in(before: dict[str, object], after: dict[str, object]) -> list[tuple[str, str, str, str]]:
    found = differences.fields(bson.encode(before), bson.encode(after))
    return [
        (entry.sign, entry.name, entry.before.text if entry.before else "", entry.after.text if entry.after else "")
        for entry in found
    ]


def test_fields_that_came_went_and_changed_are_distinguished() -> None:
    before = {"amount": 501, "notes": "window seat", "devotee": {"name": "Asha"}}
    after = {"amount": 551, "devotee": {"name": "Asha", "gotra": "Kashyapa"}}

    assert changed_in(before, after) == [
        ("~", "amount", "501", "551"),
        ("-", "notes", "window seat", ""),
        ("+", "devotee.gotra", "", "Kashyapa"),
    ]


def test_a_change_of_type_alone_is_a_change() -> None:
    assert changed_in({"n": 1}, {"n": Int64(1)}) == [("~", "n", "1", "1")]


def test_an_order_of_fields_alone_is_named() -> None:
    assert changed_in({"in": {"a": 1, "b": 2}}, {"in": {"b": 2, "a": 1}}) == [("=", "in", "", "")]


def test_array_items_are_compared_place_by_place() -> None:
    assert changed_in({"v": [1, 2]}, {"v": [1, 3, 4]}) == [("~", "v.1", "2", "3"), ("+", "v.2", "", "4")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("abcd"), VALUES), st.dictionaries(st.sampled_from("abcd"), VALUES))
def test_different_bytes_always_show_a_difference_and_equal_ones_none(
    before: dict[str, object], after: dict[str, object]
) -> None:
    old, new = bson.encode(before), bson.encode(after)

    assert bool(differences.fields(old, new)) == (old != new)


def test_two_backups_are_counted_collection_by_collection(store: Store, a_backup: Maker) -> None:
    every = list(bookings(3_000))
    edited = [frame.replace(b"Puja", b"Yaga") for frame in every[10:20]]
    a_backup(A, {"bookings": every, "same": bookings(5), "gone": bookings(2)})
    a_backup(
        B,
        {"bookings": [*edited, *reversed(every[20:]), *bookings(7, first=5_000)], "same": bookings(5)},
        compressed=True,
    )

    found = {entry.name: entry for entry in compare.of_backups(store=store, a=A, b=B)}
    listed = compare.of_collection(store=store, a=A, b=B, collection="bookings")
    shown = compare.documents_of(
        store=store, a=A, b=B, collection="bookings", comparison=listed, kind="changed", limit=3
    )

    counts = found["bookings"]
    assert (counts.only_a, counts.only_b, counts.changed, counts.same) == (10, 7, 10, 2_980)
    assert (found["same"].same, found["same"].changed) == (5, 0)
    assert (found["gone"].documents_b, found["gone"].only_a) == (None, 2)
    assert [entry.identity for entry in shown] == [f'{{"$numberInt": "{number}"}}' for number in (10, 11, 12)]
    assert [change.name for change in shown[0].changes] == ["ritual"]


def test_a_name_that_neither_backup_holds_is_refused(store: Store, a_backup: Maker) -> None:
    a_backup(A, {"bookings": bookings(1)})

    with pytest.raises(CollectionNotFound):
        compare.of_collection(store=store, a=A, b=A, collection="nothing")
    with pytest.raises(BackupNotFound):
        compare.of_backups(store=store, a=A, b=B)


def test_an_id_that_stands_twice_is_compared_version_by_version(store: Store, a_backup: Maker) -> None:
    one, two, three = (bson.encode({"_id": 1, "v": number}) for number in (1, 2, 3))
    a_backup(A, {"c": [one, two]})
    a_backup(B, {"c": [two, three, one]})

    found = compare.of_collection(store=store, a=A, b=B, collection="c")

    assert (len(found.only_a), len(found.only_b), len(found.changed), found.same) == (0, 1, 0, 2)


def test_a_document_is_followed_through_the_backups_up_to_now(store: Store, a_backup: Maker) -> None:
    old, new, now = (bson.encode({"_id": "B-1", "amount": amount}) for amount in (501, 551, 601))
    other = bson.encode({"_id": "B-2"})
    a_backup(A, {"bookings": [other, old]})
    a_backup(B, {"bookings": [old, other]})
    a_backup(C, {"bookings": [new]})
    a_backup("20250126_090000", {"bookings": [other]})
    a_backup("20250127_090000", {"unrelated": [other]})

    found = versions.of_document(
        store=store, collection="bookings", raw_id=raw_ids.id_of(old), live=now, with_live=True
    )

    assert [(version.backup_ids, version.there) for version in found.versions] == [
        (("now",), True),
        (("20250126_090000",), False),
        ((C,), True),
        ((B, A), True),
    ]
    changes = [[(change.name, change.after) for change in version.changes] for version in found.versions]
    assert [[(name, node and node.text) for name, node in version] for version in changes] == [
        [], [], [("amount", "551")], [],
    ]  # fmt: skip
    assert found.unchecked == ()


def test_backups_that_time_did_not_allow_are_named(store: Store, a_backup: Maker) -> None:
    a_backup(A, {"bookings": bookings(1)})
    a_backup(B, {"bookings": bookings(2)})
    ticks = iter([0.0, 1.0, 9.0])

    found = versions.of_document(
        store=store, collection="bookings", raw_id=b"\x10\0\0\0\0", seconds=5.0, clock=lambda: next(ticks)
    )

    assert (len(found.versions), found.unchecked) == (1, (A,))
