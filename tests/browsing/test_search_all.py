"""One search through all collections of a backup: a few matches of each, a budget of time, and where to go on."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from pathlib import Path

import bson
import pytest

from backups_app.backup_files.store.store import Store
from backups_app.browsing.reading import opening
from backups_app.browsing.reading.opening import OpenBackup
from backups_app.browsing.search import query, search_all
from backups_app.browsing.search.search_all import SHOWN, Spot
from tests.browsing.conftest import Maker

ID = "20260101_090000"
NAMES = ("bookings", "donations", "rooms")


def frames(words: list[str]) -> list[bytes]:
    return [bson.encode({"_id": number, "name": word}) for number, word in enumerate(words)]


@pytest.fixture
def backup(store: Store, a_backup: Maker) -> OpenBackup:
    collections: dict[str, Iterable[bytes]] = {
        "bookings": frames(["John Doe", "Jane Doe", "Lakshmi"]),
        "donations": frames([f"Doe {number}" for number in range(12)]),
        "rooms": frames(["Room"] * 3),
    }
    a_backup(ID, collections)
    return opening.open_backup(store=store, backup_id=ID)


def test_every_collection_says_how_many_match_and_a_full_one_that_there_may_be_more(backup: OpenBackup) -> None:
    found = search_all.find(backup, query=query.parse("doe"), collections=NAMES)

    assert found.next is None
    assert [(part.spot.collection, part.matches, part.full) for part in found.parts] == [
        ("bookings", 2, False),
        ("donations", SHOWN, True),
        ("rooms", 0, False),
    ]


def test_when_the_time_is_over_the_next_call_goes_on_there_and_finds_the_same(backup: OpenBackup) -> None:
    wanted = query.parse("doe")
    sweeps = [search_all.find(backup, query=wanted, collections=NAMES, seconds=0.5, clock=count(0.0, 1.0).__next__)]
    while sweeps[-1].next is not None:
        tick = count(0.0, 1.0).__next__
        sweeps.append(
            search_all.find(backup, query=wanted, collections=NAMES, start=sweeps[-1].next, seconds=0.5, clock=tick)
        )

    parts = [part for sweep in sweeps for part in sweep.parts]
    hits = [(part.spot.collection, hit.number) for part in parts if part.page for hit in part.page.hits]
    assert len(sweeps) > 3
    assert hits == [("bookings", 0), ("bookings", 1), *(("donations", number) for number in range(SHOWN))]
    assert {part.spot.collection: part.matches for part in parts} == {"bookings": 2, "donations": SHOWN, "rooms": 0}


def test_it_goes_on_inside_a_collection_with_what_was_found_before(backup: OpenBackup) -> None:
    start = Spot(collection="donations", number=3, here=3)

    found = search_all.find(backup, query=query.parse("doe"), collections=NAMES, start=start)

    first, last = found.parts
    assert first.page is not None and [hit.number for hit in first.page.hits] == [3, 4]
    assert (first.matches, last.spot.collection) == (SHOWN, "rooms")


def test_a_damaged_collection_says_so_and_the_others_are_searched(backup: OpenBackup) -> None:
    file = next(Path(backup.folder).glob("*/bookings.bson"))
    file.write_bytes(b"\xff\xff\xff\x7f" + file.read_bytes()[4:])

    found = search_all.find(backup, query=query.parse("doe"), collections=NAMES)

    assert "cannot be read" in found.parts[0].problem and found.parts[0].page is None
    assert found.parts[1].matches == SHOWN and found.next is None


def test_a_collection_that_is_not_there_any_more_begins_at_the_first(backup: OpenBackup) -> None:
    start = Spot(collection="gone", number=3, here=3)

    assert search_all.find(backup, query=query.parse("doe"), collections=NAMES, start=start).parts[0].matches == 2
