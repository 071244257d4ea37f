"""One odd thing is named, counted and left alone; everything else is synced, and nothing is deleted by mistake."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import gridfs
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from backups_app.errors import DatabaseUnreachable, OwnershipLost, RunCancelled, TempleOpsError
from backups_app.mongo.raw_bson import Value, array, text
from backups_app.records import Side
from backups_app.sync import create_collection, listing
from backups_app.sync.apply_batch import BatchApplier
from backups_app.sync.collection_sync import CollectionSync
from backups_app.sync.detection import scan
from tests.sync.pairs import Pair, contents, document, double, int32, int64, seed, version

AT = datetime(2026, 1, 1, tzinfo=UTC)
Patch = pytest.MonkeyPatch


def _line(report: Any, name: str) -> dict[str, Any]:
    line: dict[str, Any] = next(one for one in report.log["collections"] if one["name"] == name)
    return line


def _lamps(pair: Pair, side: Side, *frames: bytes) -> None:
    """Store measurements exactly as they are: the driver would give them an `_id`."""
    names = pair.application[side].list_collection_names()
    if "lamps" not in names:
        pair.application[side].create_collection("lamps", timeseries={"timeField": "at", "metaField": "lamp"})
    documents = [RawBSONDocument(frame) for frame in frames]
    pair.application[side].command({"insert": "lamps", "documents": documents})


def _measurement(oil: int, *more: tuple[str, Value]) -> bytes:
    at = Value(0x09, struct.pack("<q", int(AT.timestamp() * 1000) + oil))
    return document(*more, ("at", at), ("lamp", int32(1)), ("oil", int32(oil)))


# ── measurements that no `_id` distinguishes ──────────────────────────────────────


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_measurement_without_an_id_is_counted_and_the_rest_is_synced(any_pair: Pair, side: Side) -> None:
    _lamps(any_pair, side, *(_measurement(oil) for oil in range(3)))
    _lamps(any_pair, side, *(_measurement(oil, ("_id", int32(oil))) for oil in range(10, 15)))
    seed(any_pair, [version(1)], sides=[Side.LOCAL])

    for _ in range(2):
        report = any_pair.sync()

        other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
        assert any_pair.side(other)["lamps"].count_documents({}) == 5
        assert any_pair.get(Side.REMOTE, 1) is not None
        assert dict(report.unresolved) == {"lamps": 3}
        [named] = _line(report, "lamps")["unresolved_documents"]
        assert (named["count"], named["id"]) == (3, None)
        assert "_id" in named["reason"] and side.value in named["reason"]
        assert "lamps" in report.left_over
        assert any("lamps" in warning for warning in report.warnings)


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_a_measurement_whose_id_is_null_is_distinguished_from_those_that_have_none(any_pair: Pair, side: Side) -> None:
    """A search for null finds both."""
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL
    _lamps(any_pair, side, *(_measurement(oil) for oil in range(3)), _measurement(9, ("_id", Value(0x0A, b""))))
    _lamps(any_pair, other, _measurement(5), _measurement(10, ("_id", int32(10))))

    for _ in range(2):
        report = any_pair.sync()

        assert dict(report.unresolved) == {"lamps": 4}
        assert _line(report, "lamps")["failed"] is None
        assert any_pair.side(other)["lamps"].count_documents({}) == 3
        assert any_pair.side(other)["lamps"].count_documents({"oil": 9}) == 1
        assert any_pair.side(side)["lamps"].count_documents({"_id": 10}) == 1


def test_measurements_that_share_an_id_or_have_one_that_nobody_finds_are_named(any_pair: Pair) -> None:
    regex = Value(0x0B, b"a\0\0")
    _lamps(any_pair, Side.LOCAL, *(_measurement(oil, ("_id", int32(7))) for oil in range(3)))
    _lamps(any_pair, Side.LOCAL, _measurement(8, ("_id", array([int32(1)]))), _measurement(9, ("_id", regex)))
    _lamps(any_pair, Side.LOCAL, _measurement(10, ("_id", int32(10))))

    for _ in range(2):
        report = any_pair.sync()

        assert any_pair.remote["lamps"].count_documents({}) == 1
        assert dict(report.unresolved) == {"lamps": 5}


def test_measurements_that_both_sides_have_alike_are_equal_whatever_their_id(any_pair: Pair) -> None:
    for side in Side:
        _lamps(any_pair, side, _measurement(1, ("_id", int32(7))), _measurement(2, ("_id", int32(7))))

    assert not any_pair.sync().unresolved


# ── a failure in one collection ─────────────────────────────────────────────────


def _in_scan(patch: Patch, error: Exception) -> None:
    _break(patch, scan, "_scan", error, lambda args, kwargs: args[1])


def _in_apply(patch: Patch, error: Exception) -> None:
    _break(patch, BatchApplier, "apply", error, lambda args, kwargs: args[0].name)


def _in_create_collection(patch: Patch, error: Exception) -> None:
    _break(patch, create_collection, "create", error, lambda args, kwargs: kwargs["planned"].name)


def _in_deletion(patch: Patch, error: Exception) -> None:
    _break(patch, CollectionSync, "delete", error, lambda args, kwargs: args[0].counters.name)


def _at_the_end(patch: Patch, error: Exception) -> None:
    _break(patch, CollectionSync, "close", error, lambda args, kwargs: args[0].counters.name)


def _in_options(patch: Patch, error: Exception) -> None:
    _break(patch, listing, "differences", error, lambda args, kwargs: args[0].name)


def _break(patch: Patch, where: Any, name: str, error: Exception, of: Callable[[Any, Any], str]) -> None:
    """Let a function raise for the collection `devotees`."""
    original = getattr(where, name)

    def broken(*args: Any, **kwargs: Any) -> Any:
        if of(args, kwargs) == "devotees":
            raise error
        return original(*args, **kwargs)

    patch.setattr(where, name, broken)


PLACES = [_in_options, _in_scan, _in_apply, _in_create_collection, _in_deletion, _at_the_end]
UNEXPECTED = OperationFailure("no such command", 59, {"codeName": "CommandNotFound"})


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__.strip("_"))
def test_a_failure_in_one_collection_leaves_it_unresolved_and_the_others_are_synced(
    any_pair: Pair, place: Callable[[Patch, Exception], None]
) -> None:
    for name in ("bookings", "devotees", "halls"):
        seed(any_pair, [version(1), version(2)], sides=[Side.LOCAL], name=name)

    with pytest.MonkeyPatch.context() as patch:
        place(patch, UNEXPECTED)
        report = any_pair.sync()

        assert list(report.unresolved) == ["devotees"]
        assert "OperationFailure" in _line(report, "devotees")["failed"]
        assert "CommandNotFound" in report.left_over["devotees"]
        [warning] = [warning for warning in report.warnings if "devotees" in warning]
        assert "CommandNotFound" in warning and "SYNC_EXCLUDE" in warning
        assert any_pair.get(Side.REMOTE, 2, "bookings") and any_pair.get(Side.REMOTE, 2, "halls")
        assert report.log["status"] == "success"
        assert report.log["proof"]["verdict"] == "differs"
        assert list(any_pair.sync().unresolved) == ["devotees"] or place is _in_create_collection

    assert not any_pair.sync().left_over
    any_pair.assert_converged()
    any_pair.assert_nothing_lost()


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("ns"), MemoryError(), OSError(28, "full")])
def test_whatever_is_raised_is_named_by_its_kind(any_pair: Pair, error: Exception) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL], name="devotees")

    with pytest.MonkeyPatch.context() as patch:
        _in_scan(patch, error)
        report = any_pair.sync()

    assert type(error).__name__ in report.left_over["devotees"]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__.strip("_"))
@pytest.mark.parametrize(
    "error", [OwnershipLost(), RunCancelled(), DatabaseUnreachable(side="remote")], ids=lambda e: type(e).__name__
)
def test_a_lost_line_a_lost_lease_and_a_cancel_end_the_sync(
    pair: Pair, place: Callable[[Patch, Exception], None], error: TempleOpsError
) -> None:
    seed(pair, [version(1)], sides=[Side.LOCAL], name="devotees")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TempleOpsError) as raised:
        place(patch, error)
        pair.sync()

    assert raised.value is error or raised.value.__cause__ is error


def test_one_document_that_cannot_be_dealt_with_does_not_stop_its_collection(any_pair: Pair) -> None:
    """A version with an `_id` of 5.6 MB does not fit into a document that keeps it."""
    giant = text("x" * 5_650_000)
    for side in Side:
        seed(any_pair, [document(("_id", giant), ("n", text(side.value)))], sides=[side])
    seed(any_pair, [version(key) for key in range(40)], sides=[Side.REMOTE])

    for _ in range(2):
        report = any_pair.sync()

        assert dict(report.unresolved) == {"bookings": 1}
        assert len(contents(any_pair.local)["bookings"]) == 41
        [named] = _line(report, "bookings")["unresolved_documents"]
        assert len(str(named["id"])) < 2_000
        any_pair.assert_every_head_is_somewhere()


def test_a_file_does_not_arrive_without_its_chunks(any_pair: Pair) -> None:
    gridfs.GridFS(any_pair.application[Side.LOCAL]).put(bytes(700_000), filename="kolam.png")

    with pytest.MonkeyPatch.context() as patch:
        _break(patch, scan, "_scan", UNEXPECTED, lambda args, kwargs: args[1].replace("fs.chunks", "devotees"))
        report = any_pair.sync()

    assert set(report.left_over) == {"fs.chunks", "fs.files"}
    assert any_pair.remote["fs.files"].count_documents({}) == 0
    assert not any_pair.sync().left_over
    assert any_pair.remote["fs.files"].count_documents({}) == 1


# ── collections of two kinds ────────────────────────────────────────────────────

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "view": {"viewOn": "bookings", "pipeline": []},
    "capped": {"capped": True, "size": 65536},
    "time-series": {"timeseries": {"timeField": "at"}},
    "clustered": {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
}
ALIKE = [{"plain", "clustered"}]


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
def test_what_is_of_two_kinds_is_synced_or_named_each_time(pair: Pair, here: str, there: str) -> None:
    seed(pair, [version(1)], sides=[Side.LOCAL])
    for side, kind in ((Side.LOCAL, here), (Side.REMOTE, there)):
        pair.application[side].create_collection("x", **KINDS[kind])
        if kind != "view":
            pair.application[side]["x"].insert_one({"_id": side.value, "at": AT})

    for _ in range(2):
        report = pair.sync()

        assert pair.get(Side.REMOTE, 1) is not None
        if here == there or {here, there} in ALIKE:
            assert not report.left_over
        else:
            assert list(report.left_over) == ["x"]
            assert any(warning.startswith("x:") for warning in report.warnings)
            assert report.log["totals"]["left_out"] == 1
            assert report.log["left_over"] == [{"name": "x", "reason": report.left_over["x"]}]


def test_what_an_admin_left_out_and_a_view_alone_are_no_warning(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], name="secret", sides=[Side.LOCAL])
    any_pair.application[Side.LOCAL].create_collection("today", viewOn="secret", pipeline=[])

    report = any_pair.sync(exclude=frozenset({"secret"}))

    assert set(report.skipped) == {"secret", "today"}
    assert not report.left_over
    assert not report.warnings


def test_a_collection_that_became_another_kind_while_it_was_made_is_named(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL], name="x")
    create = create_collection.create

    def late(**given: Any) -> Any:
        any_pair.application[Side.REMOTE].create_collection("x", viewOn="bookings", pipeline=[])
        return create(**given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(create_collection, "create", late)
        report = any_pair.sync()

    assert list(report.left_over) == ["x"]
    assert list(any_pair.sync().left_over) == ["x"]


# ── `_id`s that a collation takes for one ───────────────────────────────────────

STRENGTH_1: dict[str, Any] = {"collation": {"locale": "en", "strength": 1}}


@pytest.mark.parametrize("collated", list(Side), ids=lambda side: side.value)
def test_an_id_that_the_other_collation_takes_for_another_is_unresolved_every_time(
    any_pair: Pair, collated: Side
) -> None:
    simple = Side.LOCAL if collated is Side.REMOTE else Side.REMOTE
    any_pair.application[collated].create_collection("x", **STRENGTH_1)
    seed(any_pair, [document(("_id", text("ANNA")))], sides=[collated], name="x")
    seed(any_pair, [document(("_id", text(name))) for name in ("anna", "ANNA", "Bob")], sides=[simple], name="x")

    for edit in range(3):
        report = any_pair.sync()

        assert dict(report.unresolved) == {"x": 1}
        [named] = _line(report, "x")["unresolved_documents"]
        assert (named["id"], named["other_id"]) == ("anna", "ANNA")
        assert "collation" in named["reason"]
        assert {one["_id"] for one in any_pair.side(collated)["x"].find()} == {"ANNA", "Bob"}
        any_pair.put(simple, document(("_id", text("anna")), ("n", int32(edit))), name="x")
    any_pair.application[collated]["x"].delete_one({"_id": "ANNA"})
    assert not any_pair.sync().unresolved
    assert {one["_id"] for one in any_pair.side(collated)["x"].find()} == {"anna", "Bob"}
    any_pair.assert_nothing_lost()


def test_two_spellings_under_one_collation_are_unresolved_on_both_sides_until_one_goes(any_pair: Pair) -> None:
    for side, name in ((Side.LOCAL, "ANNA"), (Side.REMOTE, "anna")):
        any_pair.application[side].create_collection("x", **STRENGTH_1)
        seed(any_pair, [document(("_id", text(name)))], sides=[side], name="x")

    assert dict(any_pair.sync().unresolved) == {"x": 2}
    any_pair.application[Side.LOCAL]["x"].delete_one({"_id": "ANNA"})

    assert not any_pair.sync().unresolved
    assert [one["_id"] for one in any_pair.local["x"].find()] == ["anna"]


def test_a_document_that_was_given_another_spelling_is_carried_over(pair: Pair) -> None:
    for side in Side:
        pair.application[side].create_collection("x", **STRENGTH_1)
    seed(pair, [document(("_id", text("ANNA")))], name="x")
    pair.sync()
    pair.application[Side.LOCAL]["x"].delete_one({"_id": "ANNA"})
    pair.application[Side.LOCAL]["x"].insert_one({"_id": "anna"})

    assert not pair.sync().unresolved
    assert [one["_id"] for one in pair.remote["x"].find()] == ["anna"]


# ── what a sync has to make ─────────────────────────────────────────────────────


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_an_index_that_was_not_made_when_the_line_was_cut_is_made_by_the_next_sync(any_pair: Pair, side: Side) -> None:
    seed(any_pair, [document(("_id", int32(1)), ("slot", int32(1)))], sides=[side], name="x")
    any_pair.application[side]["x"].create_index("slot", unique=True, name="slot")
    seed(any_pair, [version(1)], sides=[side])
    other = Side.REMOTE if side is Side.LOCAL else Side.LOCAL

    with pytest.MonkeyPatch.context() as patch, pytest.raises(TempleOpsError):
        patch.setattr(create_collection, "_create_index", _cut(other))
        any_pair.sync()
    assert "x" in any_pair.side(other).list_collection_names()

    report = any_pair.sync()

    assert "slot" in any_pair.side(other)["x"].index_information()
    assert not report.left_over
    any_pair.assert_converged()


def _cut(side: Side) -> Callable[..., str | None]:
    def cut(target: Any, name: str, spec: Any) -> str | None:
        raise DatabaseUnreachable(side=side.value)

    return cut


def test_an_index_that_cannot_be_made_is_named_each_time_until_it_is_there(any_pair: Pair) -> None:
    seed(any_pair, [document(("_id", int32(1)), ("slot", int32(1)))], sides=[Side.LOCAL], name="x")
    any_pair.application[Side.LOCAL]["x"].create_index("slot", unique=True, name="slot")

    with pytest.MonkeyPatch.context() as patch:
        refusal = "index slot could not be made on the remote side (CannotCreateIndex)"
        patch.setattr(create_collection, "_create_index", lambda target, name, spec: refusal)
        for _ in range(3):
            report = any_pair.sync()
            assert "slot" in report.left_over["x"]
            assert any("slot" in warning for warning in report.warnings)

    assert not any_pair.sync().left_over
    assert "slot" in any_pair.remote["x"].index_information()
    assert not any_pair.sync().left_over


def test_indexes_that_differ_are_reported_in_each_log_until_they_do_not(any_pair: Pair) -> None:
    seed(any_pair, [version(1)])
    any_pair.application[Side.LOCAL]["bookings"].create_index("slot", name="slot")

    for _ in range(3):
        assert "index slot is missing on Atlas" in _line(any_pair.sync(), "bookings")["differences"]
    any_pair.application[Side.REMOTE]["bookings"].create_index("slot", name="slot")
    for _ in range(2):
        assert not _line(any_pair.sync(), "bookings")["differences"]


# ── collections that come and go ────────────────────────────────────────────────


def test_a_collection_that_vanishes_in_the_middle_of_a_sync_takes_nothing_with_it(any_pair: Pair) -> None:
    seed(any_pair, [version(key) for key in range(10)], name="x")
    any_pair.sync()
    detected = CollectionSync.copy

    def drop_first(self: CollectionSync) -> None:
        if self.counters.name == "x":
            any_pair.application[Side.REMOTE].drop_collection("x")
        detected(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CollectionSync, "copy", drop_first)
        report = any_pair.sync(exact=True)

    assert "vanished" in report.blocked["x"]
    assert len(contents(any_pair.local)["x"]) == 10
    assert "vanished" in any_pair.sync().blocked["x"]
    assert len(contents(any_pair.local)["x"]) == 10


def test_indexes_that_may_not_be_listed_do_not_keep_documents_from_being_carried_over(any_pair: Pair) -> None:
    seed(any_pair, [version(1)], sides=[Side.LOCAL], name="x")
    seed(any_pair, [version(2)], sides=[Side.REMOTE], name="x")

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise OperationFailure("not authorized", 13, {"codeName": "Unauthorized"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Collection, "list_indexes", refused)
        report = any_pair.sync()

    assert any_pair.get(Side.REMOTE, 1, "x") and any_pair.get(Side.LOCAL, 2, "x")
    assert any("Unauthorized" in message for message in _line(report, "x")["differences"])


# ── TTL ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "index",
    [
        {"expireAfterSeconds": 1, "partialFilterExpression": {"draft": True}},
        {"expireAfterSeconds": 2**31 - 1},
    ],
    ids=["of some documents only", "in the far future"],
)
def test_a_ttl_index_that_would_not_have_deleted_them_does_not_lift_the_deletion_guard(
    any_pair: Pair, index: dict[str, Any]
) -> None:
    any_pair.application[Side.LOCAL]["x"].create_index("until", name="ttl", **index)
    old = Value(0x09, struct.pack("<q", int(AT.timestamp() * 1000) - 86_400_000))
    seed(any_pair, [document(("_id", int32(key)), ("until", old)) for key in range(50)], name="x")
    any_pair.sync()
    any_pair.application[Side.REMOTE]["x"].delete_many({})

    report = any_pair.sync()

    assert "x" in report.blocked
    assert len(contents(any_pair.local)["x"]) == 50


# ── unusual values ──────────────────────────────────────────────────────────────


def test_numbers_that_are_no_numbers_are_ids_like_any_other(any_pair: Pair) -> None:
    ids = [double(float("nan")), double(float("inf")), double(float("-inf")), int64(2**63 - 1), double(-0.0)]
    seed(any_pair, [document(("_id", one), ("n", int32(0))) for one in ids], sides=[Side.LOCAL])

    assert not any_pair.sync().left_over
    any_pair.assert_converged()
