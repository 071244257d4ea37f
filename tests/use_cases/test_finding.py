"""Finding everywhere, from the box to where each document is: cursors, the trail, the ledger, the results of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.browsing.search.everywhere import as_json
from backups_app.catalog import purge_ledger
from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.errors import InvalidInput, SearchNotKept
from backups_app.models import AuditEvent, KeptSearch, User
from backups_app.records import Origin
from backups_app.use_cases.finding import finding, found_places
from backups_app.use_cases.finding.finding import FoundSoFar
from backups_app.use_cases.finding.placed_documents import PlacedDocument
from tests.journeys.conftest import run_backup, seeded

__all__ = ["seeded"]
pytestmark = pytest.mark.django_db
Db = Database[dict[str, Any]]
NOW = datetime(2026, 11, 28, 20, tzinfo=UTC)


def begin(
    configuration: Configuration, person: User, words: str, *, seconds: float = 30, lost: bool = False
) -> FoundSoFar:
    return finding.begin(
        configuration=configuration, words=words, only_lost=lost, person=person, origin=Origin.API, now=NOW, zone=UTC,
        seconds=seconds,
    )  # fmt: skip


def go_on(configuration: Configuration, person: User, words: str, cursor: str) -> FoundSoFar:
    return finding.go_on(configuration=configuration, words=words, cursor=cursor, person=person, zone=UTC, seconds=0)


def placed(configuration: Configuration, found: FoundSoFar) -> list[PlacedDocument]:
    return list(found_places.placed(configuration=configuration, state=found.state, query=found.query))


def test_a_booking_deleted_after_a_season_names_the_run_that_deleted_it(
    seeded: Configuration,
    admin: User,
) -> None:
    kept = run_backup(delete_bookings=False)
    emptied = run_backup(delete_bookings=True)
    run_backup(delete_bookings=False)

    (one,) = placed(seeded, begin(seeded, admin, '"bookings-7"'))

    assert (one.collection, one.here, one.on_atlas, one.is_lost) == ("bookings", False, False, True)
    assert one.deleted_by == one.last_found_in == emptied["backup_id"]
    assert [version.backup_ids for version in one.versions] == [(emptied["backup_id"], kept["backup_id"])]
    assert one.hit is not None and b"bookings-7" in one.hit.frame


def test_without_the_ledger_the_result_of_the_run_names_it(
    seeded: Configuration,
    admin: User,
    local_db: Db,
) -> None:
    emptied = run_backup(delete_bookings=True)
    purge_ledger.entries(local_db).drop()

    (one,) = placed(seeded, begin(seeded, admin, '"bookings-7"'))
    runs.collection(local_db).update_one(
        {"_id": emptied["backup_id"]}, {"$set": {"purge.local.bookings.kept_changed": 1}}
    )
    (doubtful,) = placed(seeded, begin(seeded, admin, '"bookings-7"'))

    assert one.deleted_by == emptied["backup_id"]
    assert doubtful.is_lost and doubtful.deleted_by == "", "the run kept one, and nobody knows which"


def test_what_somebody_deleted_by_hand_is_only_not_live(
    seeded: Configuration,
    admin: User,
    local_db: Db,
    remote_db: Db,
) -> None:
    backup = run_backup(delete_bookings=False)
    for side in (local_db, remote_db):
        side["bookings"].delete_one({"_id": "bookings-7"})

    (one,) = placed(seeded, begin(seeded, admin, '"bookings-7"'))

    assert one.is_lost and one.deleted_by == "" and one.last_found_in == backup["backup_id"]


def test_a_run_did_not_delete_what_a_later_backup_holds(
    seeded: Configuration,
    admin: User,
    local_db: Db,
    remote_db: Db,
) -> None:
    run_backup(delete_bookings=True)
    for side in (local_db, remote_db):
        side["bookings"].insert_one({"_id": "bookings-7", "name": "came back"})
    later = run_backup(delete_bookings=False)
    for side in (local_db, remote_db):
        side["bookings"].delete_one({"_id": "bookings-7"})

    (one,) = placed(seeded, begin(seeded, admin, '"bookings-7"'))

    assert one.is_lost and (one.deleted_by, one.last_found_in) == ("", later["backup_id"])


def test_where_it_lives_now(seeded: Configuration, admin: User, local_db: Db, remote_db: Db) -> None:
    run_backup(delete_bookings=False)
    local_db["bookings"].delete_one({"_id": "bookings-7"})
    remote_db["bookings"].delete_one({"_id": "bookings-8"})
    local_db["bookings"].insert_one({"_id": "only-here", "name": "new"})

    def lives(words: str) -> tuple[bool | None, bool | None, int]:
        (one,) = placed(seeded, begin(seeded, admin, words))
        return one.here, one.on_atlas, one.backups

    assert lives('"bookings-9"') == (True, True, 1)
    assert lives('"bookings-7"') == (False, True, 1)
    assert lives('"bookings-8"') == (True, False, 1)
    assert lives("only-here") == (True, False, 0)


def test_a_search_goes_on_and_a_repeated_request_changes_nothing(seeded: Configuration, admin: User) -> None:
    run_backup(delete_bookings=False)
    found = begin(seeded, admin, "bookings-7", seconds=0)
    first = found.cursor
    second = go_on(seeded, admin, "bookings-7", first)
    again = go_on(seeded, admin, "bookings-7", first)

    assert first and as_json(again.state) == as_json(second.state) and second.state.step == 2
    while found.cursor:
        found = go_on(seeded, admin, "bookings-7", found.cursor)
    assert [one.collection for one in placed(seeded, found)] == ["bookings"]


def test_only_the_one_who_began_it_goes_on_with_the_same_words_for_a_day(
    seeded: Configuration,
    admin: User,
    super_admin: User,
) -> None:
    cursor = begin(seeded, admin, "bookings", seconds=0).cursor

    for person, words, at in ((super_admin, "bookings", cursor), (admin, "other", cursor), (admin, "bookings", "x.1")):
        with pytest.raises(SearchNotKept):
            go_on(seeded, person, words, at)
    finding.forget_old(now=NOW + timedelta(hours=23))
    go_on(seeded, admin, "bookings", cursor)
    finding.forget_old(now=NOW + timedelta(hours=25))
    with pytest.raises(SearchNotKept):
        go_on(seeded, admin, "bookings", cursor)


def test_each_search_is_on_record_and_nothing_of_a_document_is_kept(seeded: Configuration, admin: User) -> None:
    run_backup(delete_bookings=False)
    found = begin(seeded, admin, "பக்தர் 7", seconds=0)
    while found.cursor:
        found = go_on(seeded, admin, "பக்தர் 7", found.cursor)
    with pytest.raises(InvalidInput):
        begin(seeded, admin, "  ")

    (row,) = AuditEvent.objects.filter(action="find")
    (kept,) = KeptSearch.objects.all()
    assert (row.actor, row.origin, row.details["backups"]) == (admin.username, "api", 1)
    assert found.state.documents
    assert "பக்தர்" not in f"{kept.state} {kept.words} {row.details}"


def test_only_so_many_searches_of_a_person_are_kept(
    seeded: Configuration,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finding, "KEPT_EACH", 2)
    cursors = [begin(seeded, admin, words, seconds=0).cursor for words in ("a1", "b2", "c3")]

    assert KeptSearch.objects.count() == 2
    assert go_on(seeded, admin, "c3", cursors[2]).state.step == 2
