"""One search through live data and every backup: one result a document, its versions, a budget of time, a cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import bson
import pytest
from pymongo.database import Database

from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import collection_opening, live_data
from backups_app.browsing.search import everywhere, find_everywhere, query, search
from backups_app.browsing.search.everywhere import COLLECTION_LIMIT, FindState, FoundDocument
from backups_app.errors import DatabaseUnreachable, SearchBusy
from backups_app.mongo import raw_ids
from tests.browsing.conftest import Maker

OLD, MIDDLE, NEW = "20260101_090000", "20260102_090000", "20260103_090000"
Live = Database[dict[str, Any]]


def frames(*people: tuple[int, str]) -> list[bytes]:
    return [bson.encode({"_id": number, "name": name}) for number, name in people]


@pytest.fixture
def three(store: Store, a_backup: Maker) -> Store:
    """Lakshmi is in all three, her name changed in the newest; John was deleted after the oldest."""
    a_backup(OLD, {"bookings": frames((1, "Lakshmi"), (2, "John Doe")), "rooms": frames((1, "Lakshmi Hall"))})
    a_backup(MIDDLE, {"bookings": frames((1, "Lakshmi")), "rooms": frames((1, "Lakshmi Hall"))})
    a_backup(NEW, {"bookings": frames((3, "Other"), (1, "Lakshmi Iyer")), "rooms": frames((1, "Lakshmi Hall"))})
    return store


def search_for(words: str, store: Store, database: Live | None = None, **more: Any) -> FindState:
    """Search to the end, the state kept as JSON between two calls."""
    state = FindState(backups=sorted(store.backups().ids, reverse=True), **more)
    for _ in range(100):
        find_everywhere.go_on(state, query=query.parse(words), store=store, database=database, seconds=30)
        state = everywhere.from_json(everywhere.as_json(state))
        if state.finished:
            return state
    raise AssertionError("the search does not end")


def reported(state: FindState, found: FoundDocument) -> tuple[str, Any, list[list[str]]]:
    held = [[state.backups[at] for at in version.places] for version in found.versions]
    return found.collection, raw_ids.decoded(found.raw_id), held


def test_a_document_in_several_backups_is_one_result_with_its_versions(three: Store) -> None:
    state = search_for("lakshmi", three)

    assert [reported(state, found) for found in state.documents] == [
        ("bookings", 1, [[NEW], [MIDDLE, OLD]]),
        ("rooms", 1, [[NEW, MIDDLE, OLD]]),
    ]
    assert state.documents[0].versions[0].number == 1 and state.backups_searched == 3


def test_what_only_an_old_backup_holds_is_found_without_naming_it(three: Store) -> None:
    state = search_for("john", three)

    assert [reported(state, found) for found in state.documents] == [("bookings", 2, [[OLD]])]


def test_the_same_file_is_not_read_again(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = collection_opening.open_collection

    def opened(**asked: Any) -> Any:
        read.append(f"{asked['backup'].backup_id} {asked['collection']}")
        return real(**asked)

    monkeypatch.setattr(find_everywhere, "open_collection", opened)

    state = search_for("lakshmi", three)

    assert read == [f"{NEW} bookings", f"{NEW} rooms", f"{MIDDLE} bookings", f"{OLD} bookings"]
    assert reported(state, state.documents[1])[2] == [[NEW, MIDDLE, OLD]]


def test_live_data_is_searched_first_and_its_documents_are_the_same_ones(three: Store, local_db: Live) -> None:
    local_db["bookings"].insert_many([{"_id": 1.0, "name": "Lakshmi Iyer"}, {"_id": 9, "name": "Lakshmi Devi"}])
    local_db["backup_metadata"].insert_one({"_id": "x", "name": "Lakshmi"})

    state = search_for("lakshmi", three, local_db)

    first, second, hall = state.documents
    assert (first.live, [reported(state, first)[1], reported(state, second)[1]]) == (True, [1, 9])
    assert len(first.versions) == 2, "1 and 1.0 are one _id"
    assert second.live and second.versions == [] and hall.collection == "rooms"


def test_every_call_goes_on_where_the_last_one_stopped_and_finds_the_same(three: Store, local_db: Live) -> None:
    local_db["bookings"].insert_many([{"_id": number, "name": "Lakshmi"} for number in range(20, 24)])
    whole = search_for("lakshmi", three, local_db)
    state = FindState(backups=whole.backups)
    places = []
    while not state.finished:
        places.append((state.at, state.collection, state.number))
        find_everywhere.go_on(
            state, query=query.parse("lakshmi"), store=three, database=local_db, seconds=0.5,
            clock=count(0.0, 1.0).__next__,
        )  # fmt: skip
        state = everywhere.from_json(everywhere.as_json(state))

    assert len(set(places)) == len(places) > 4
    found, expected = ([reported(some, one) for one in some.documents] for some in (state, whole))
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_the_first_answer_holds_what_the_newest_backup_holds_however_large_live_data_is(
    three: Store, local_db: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_everywhere, "HITS_AT_ONCE", 1)
    local_db["bookings"].insert_many([{"_id": number, "name": "Iyer"} for number in range(20, 24)])
    state = FindState(backups=sorted(three.backups().ids, reverse=True))

    find_everywhere.go_on(
        state, query=query.parse("iyer"), store=three, database=local_db, seconds=0.5, clock=count(0.0, 1.0).__next__
    )
    first = everywhere.from_json(everywhere.as_json(state))

    assert (1, [[NEW]]) in [reported(first, one)[1:] for one in first.documents]
    assert first.live_unsearched and (first.backups_searched, first.next_backup) in ((0, NEW), (1, MIDDLE))
    while not state.finished:
        find_everywhere.go_on(state, query=query.parse("iyer"), store=three, database=local_db, seconds=30)
    found = {reported(state, one)[1]: (one.live, reported(state, one)[2]) for one in state.documents}
    assert found == {1: (False, [[NEW]]), **{number: (True, []) for number in range(20, 24)}}
    assert state.backups_searched == 3 and not state.live_unsearched


def test_only_what_is_not_live_any_more(three: Store, local_db: Live) -> None:
    local_db["bookings"].insert_one({"_id": 1, "name": "Another name now"})

    state = search_for("lakshmi", three, local_db, only_lost=True)

    assert [(one.collection, reported(state, one)[1]) for one in state.documents] == [("rooms", 1)]
    with pytest.raises(DatabaseUnreachable):
        search_for("lakshmi", three, None, only_lost=True)


def test_damaged_and_missing_files_are_named_and_passed_over(three: Store) -> None:
    next((three.root / f"backup_{MIDDLE}").glob("*/bookings.bson")).write_bytes(b"\xff" * 20)
    next((three.root / f"backup_{NEW}").glob("*/rooms.bson")).unlink()

    state = search_for("lakshmi", three)

    skipped = {(one.backup_id, one.collection, one.code) for one in state.skipped}
    assert ("", "", "database_unreachable") in skipped
    assert (MIDDLE, "", "backup_damaged") in skipped and (MIDDLE, "bookings", "damaged_document") in skipped
    assert (NEW, "rooms", "backup_removed") in skipped
    assert state.skipped_count == len(state.skipped)
    assert reported(state, state.documents[0])[2] == [[NEW], [OLD]]


@pytest.mark.parametrize("only_lost", [False, True])
def test_time_series_of_backups_are_named_as_not_searched_and_those_of_live_data_are_searched(
    store: Store, a_backup: Maker, local_db: Live, only_lost: bool
) -> None:
    """A backup holds buckets: none of their ids is that of a measurement, and each looked like one that is not live."""
    local_db.create_collection("weather", timeseries={"timeField": "at", "metaField": "where"})
    local_db["weather"].insert_one({"_id": "noon", "at": datetime(2026, 1, 19, tzinfo=UTC), "where": "gopuram"})
    for backup_id in (OLD, NEW):
        buckets = [bson.encode({"_id": bson.ObjectId(), "meta": "gopuram"})]
        folder = a_backup(backup_id, {"rooms": frames((1, "gopuram")), "weather": buckets})
        written = metadata.read(folder) or {}
        written["manifest"]["collections"]["weather"]["type"] = "timeseries"
        metadata.write(folder, written)

    state = search_for("gopuram", store, local_db, only_lost=only_lost)

    found = [(one.collection, one.live, len(one.versions)) for one in state.documents]
    assert found == ([] if only_lost else [("weather", True, 0)]) + [("rooms", False, 1)]
    assert [(one.backup_id, one.collection, one.code) for one in state.skipped] == [
        (backup_id, "weather", "time_series_not_searched") for backup_id in (NEW, OLD)
    ]
    assert state.finished and not state.complete


def test_a_backup_that_goes_while_it_is_searched_is_named(three: Store) -> None:
    state = FindState(backups=[NEW, "20250101_090000", OLD])

    find_everywhere.go_on(state, query=query.parse("john"), store=three, database=None, seconds=30)

    assert ("20250101_090000", "backup_not_found") in {(one.backup_id, one.code) for one in state.skipped}
    assert len(state.documents) == 1


def test_a_folder_of_somebody_elses_mongodump_is_searched(
    store: Store, a_foreign_backup: Callable[[str, str], Path]
) -> None:
    folder = a_foreign_backup(OLD, "mongodump_plain")
    assert folder.is_dir()

    state = search_for("a", store)

    assert state.documents and state.is_full and state.next_backup == "20260101_090000", "its rest is not searched"


def test_one_collection_does_not_fill_the_list(store: Store, a_backup: Maker) -> None:
    many = frames(*((number, "Lakshmi") for number in range(400)))
    a_backup(NEW, {"bookings": many, "devotees": frames((1, "Lakshmi"))})
    a_backup(OLD, {"bookings": frames((999, "Lakshmi")), "devotees": frames((2, "Lakshmi"))})

    state = search_for("lakshmi", store)

    assert state.full == ["bookings"] and state.finished and not state.is_full
    by_name = [one.collection for one in state.documents]
    assert (by_name.count("bookings"), by_name.count("devotees")) == (COLLECTION_LIMIT, 2)


def test_enough_is_enough(store: Store, a_backup: Maker) -> None:
    names: dict[str, Iterable[bytes]] = {
        name: frames(*((number, "Lakshmi") for number in range(60))) for name in ("a", "b", "c")
    }
    a_backup(NEW, names)

    state = search_for("lakshmi", store)

    assert state.is_full and state.finished and len(state.documents) == everywhere.DOCUMENTS_LIMIT


def test_where_two_others_search_nothing_is_lost(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> Any:
        raise SearchBusy

    state = FindState(backups=[NEW])
    with monkeypatch.context() as patched:
        patched.setattr(search, "find", busy)
        with pytest.raises(SearchBusy):
            find_everywhere.go_on(state, query=query.parse("lakshmi"), store=three, database=None)
    find_everywhere.go_on(state, query=query.parse("lakshmi"), store=three, database=None, seconds=30)

    assert len(state.documents) == 2


def test_what_is_live_is_reported_by_the_id_as_the_index_sees_it(local_db: Live) -> None:
    local_db["bookings"].insert_many([{"_id": 1}, {"_id": "x"}])
    asked = [raw_ids.id_of(bson.encode({"_id": value})) for value in (1.0, "x", "y", bson.Regex("x"))]

    there = live_data.present(local_db, collection="bookings", ids=asked)

    assert there == {raw_ids.key(asked[0]), raw_ids.key(asked[1])}
