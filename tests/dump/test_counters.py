"""The server's own counter of a collection stands for a count only where it was right once and nothing came between."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pymongo.database import Database

from backups_app.dump.server import counters
from backups_app.dump.server.counters import Counters
from backups_app.records import CollectionInfo

Db = Database[dict[str, Any]]
REIGN = "process election"


def info(name: str, documents: int | None, kind: str = "collection") -> CollectionInfo:
    return CollectionInfo(name=name, type=kind, documents=documents)


def test_what_stood_still_under_one_primary_is_noted() -> None:
    before = [
        info("still", 7),
        info("grew", 7),
        info("shown", None, "view"),
        info("lux", 7, "timeseries"),
        info("x", 1),
    ]
    after = [info("still", 7), info("grew", 8), info("shown", None, "view"), info("lux", 7, "timeseries")]

    assert counters.noted(reigns=(REIGN, REIGN), before=before, after=after).documents == {"still": 7}
    assert counters.noted(reigns=(REIGN, "process another"), before=before, after=after) == Counters()


def test_a_primary_says_who_it_is_and_a_standalone_does_not(local_db: Db, standalone_db: Db) -> None:
    assert counters.reign(local_db) == counters.reign(local_db) != ""
    assert counters.reign(standalone_db) == ""


@pytest.fixture
def known(local_db: Db) -> Counters:
    """A base of 7 documents; 2 were added since."""
    local_db["bookings"].insert_many([{"_id": n} for n in range(9)])
    return Counters(reign=counters.reign(local_db), documents={"bookings": 7})


ASKED: dict[str, Any] = {"name": "bookings", "in_base": 7, "before": 9, "found": 9}


def test_it_is_trusted_where_nothing_speaks_against_it(known: Counters, local_db: Db) -> None:
    assert known.confirm(local_db, **ASKED)


@pytest.mark.parametrize(
    "changed",
    [
        {"in_base": 8},  # it was not right when the base was made
        {"name": "another"},  # nothing is known of it
        {"before": 8},  # it moved while the snapshot was taken
        {"before": None},
        {"before": 10, "found": 10},  # it says another number now
    ],
)
def test_it_is_not_trusted_where_something_does(known: Counters, local_db: Db, changed: dict[str, Any]) -> None:
    assert not known.confirm(local_db, **ASKED | changed)


def test_it_is_not_trusted_after_an_election_or_a_restart(known: Counters, local_db: Db) -> None:
    assert not dataclasses.replace(known, reign="process another").confirm(local_db, **ASKED)
    assert not dataclasses.replace(known, reign="").confirm(local_db, **ASKED)
