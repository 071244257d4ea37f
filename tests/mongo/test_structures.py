"""Two collections of one structure are reported to be alike, and any other pair is not."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database

from backups_app.mongo.structures import structure_differences, structures
from backups_app.mongo.structures.structures import Structure

Mongo = Database[dict[str, Any]]
SHAPE = {"$jsonSchema": {"required": ["seva"]}}


def _bookings(**options: Any) -> Structure:
    return Structure(name="bookings", type="collection", options=options)


def test_rules_set_afterwards_are_the_rules_set_at_creation(local_db: Mongo) -> None:
    local_db.create_collection("bookings", validator=SHAPE, validationLevel="moderate")
    wanted = structures.structure_of(local_db, "bookings")
    local_db.drop_collection("bookings")
    local_db.create_collection("bookings")
    assert wanted is not None

    structures.set_rules(local_db, name="bookings", rules=wanted.options)

    there = structures.structure_of(local_db, "bookings")
    assert there is not None
    assert structure_differences.differences(wanted=wanted, there=there) == []


@pytest.mark.parametrize("rules", [{"validationLevel": "off"}, {"validationAction": "warn"}])
def test_a_level_or_an_action_alone_is_put_back_as_it_was(
    local_db: Database[dict[str, Any]], rules: dict[str, Any]
) -> None:
    local_db.create_collection("bookings", **rules)
    wanted = structures.structure_of(local_db, "bookings")
    assert wanted is not None and dict(wanted.options) == rules
    local_db["bookings"].drop()
    local_db.create_collection("bookings")
    structures.set_rules(local_db, name="bookings", rules=wanted.options)

    there = structures.structure_of(local_db, "bookings")

    assert there is not None
    assert structure_differences.differences(wanted=wanted, there=there) == []


@pytest.mark.parametrize(
    "other",
    [
        {"validator": SHAPE, "validationAction": "warn"},
        {"validator": SHAPE, "validationLevel": "off"},
        {"validationAction": "error"},
        {},
    ],
)
def test_rules_that_bind_otherwise_are_a_difference(other: dict[str, Any]) -> None:
    wanted = _bookings(validator=SHAPE)

    assert structure_differences.differences(wanted=wanted, there=_bookings(**other))
    assert structure_differences.differences(wanted=_bookings(**other), there=wanted)


def test_the_index_that_a_newer_server_makes_with_a_series_is_no_difference() -> None:
    """MongoDB 6.0 makes none, 7.0 does."""
    options = {"timeseries": {"timeField": "at", "metaField": "sensor", "granularity": "minutes"}}
    own = {"v": 2, "key": {"sensor": 1, "at": 1}, "name": "sensor_1_at_1"}
    wanted = Structure(name="weather", type="timeseries", options=options)

    def differences(index: dict[str, Any], kind: str = "timeseries") -> list[str]:
        there = Structure(name="weather", type=kind, options=options if kind == "timeseries" else {}, indexes=(index,))
        series = kind == "timeseries"
        asked = wanted if series else Structure(name="weather", type=kind)
        return structure_differences.differences(wanted=asked, there=there)

    assert differences(own) == []
    for other in ({"key": {"at": 1, "sensor": 1}}, {"key": {"sensor": 1}}, {"expireAfterSeconds": 60}):
        assert len(differences(own | other)) == 1
    assert len(differences(own, "collection")) == 1
