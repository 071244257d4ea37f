"""The demo's temple as a whole, and how its two sides differ before the first sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from backups_app.management.demo import days, edge_cases, people_and_rooms
from backups_app.management.demo.generator import DemoCollection

BOOKINGS, ONLY_HERE, ONLY_THERE = 1_250, 12, 10
"""1,240 bookings here and 1,238 in Atlas; 1,228 of them on both sides."""


def collections() -> list[DemoCollection]:
    """Return everything that the temple keeps, both sides together."""
    return [
        days.bookings(BOOKINGS),
        days.employee_bookings(312),
        days.activities(50),
        days.donations(420),
        days.prasadam_orders(300),
        people_and_rooms.devotees(860),
        people_and_rooms.priests(),
        people_and_rooms.rooms(),
        people_and_rooms.inventory(120),
        people_and_rooms.vendors(40),
        people_and_rooms.rituals(),
        people_and_rooms.festivals(),
        people_and_rooms.events(48),
        people_and_rooms.announcements(24),
        people_and_rooms.feedback(150),
        *people_and_rooms.gallery(3),
        edge_cases.settings(),
        edge_cases.door_log(200),
        edge_cases.unpaid_bookings(),
    ]


def on_both_sides(collection: DemoCollection) -> tuple[DemoCollection, DemoCollection]:
    """Return the collection as it is here and as it is in Atlas. Mostly the same; the counter was busy on both sides:

    * bookings: the first twelve were taken here alone, the last ten in Atlas alone;
    * bookings 101 to 115 were edited here, 201 to 210 in Atlas, 301 to 303 on both sides at different times;
    * events: two more in Atlas. Donations: three more here.
    """
    if collection.name == "bookings":
        return _bookings(collection)
    if collection.name == "events":
        return replace(collection, documents=collection.documents[:-2]), collection
    if collection.name == "donations":
        return collection, replace(collection, documents=collection.documents[:-3])
    return collection, collection


def _bookings(collection: DemoCollection) -> tuple[DemoCollection, DemoCollection]:
    here, there = list(collection.documents[:-ONLY_THERE]), list(collection.documents[ONLY_HERE:])
    by_number = {document["booking_number"]: document for document in collection.documents}
    edits_here = dict.fromkeys([*range(101, 116), *range(301, 304)], "moved to the evening")
    edits_there = dict.fromkeys([*range(201, 211), *range(301, 304)], "संशोधित: प्रातः")
    _edit(here, by_number, edits_here, minutes=30)
    _edit(there, by_number, edits_there, minutes=45)
    return replace(collection, documents=here), replace(collection, documents=there)


def _edit(
    documents: list[dict[str, Any]], by_number: dict[str, dict[str, Any]], notes: dict[int, str], *, minutes: int
) -> None:
    places = {document["booking_number"]: place for place, document in enumerate(documents)}
    for number, note in notes.items():
        name = f"BK-2026-{number:05d}"
        before = by_number[name]
        documents[places[name]] = {
            **before,
            "note": note,
            "updatedAt": before["updatedAt"] + timedelta(minutes=minutes),
        }
