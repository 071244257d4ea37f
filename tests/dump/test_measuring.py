"""How much collections hold, and by how few questions that is found out."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import OperationFailure

from backups_app.dump.server import measuring
from backups_app.records import CollectionInfo

Db = Database[dict[str, Any]]


def ordinary(*names: str) -> list[CollectionInfo]:
    return [CollectionInfo(name=name, type="collection") for name in names]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the commands that were sent."""
    names: list[str] = []
    command = Database.command

    def noting(self: Db, *arguments: Any, **named: Any) -> Any:
        names.append(arguments[0] if isinstance(arguments[0], str) else next(iter(arguments[0])))
        return command(self, *arguments, **named)

    monkeypatch.setattr(Database, "command", noting)
    return names


def test_many_collections_are_counted_by_few_questions(local_db: Db, asked: list[str]) -> None:
    for number in range(120):
        local_db[f"small {number}"].insert_many([{} for _ in range(number % 3 + 1)])
    asked.clear()

    counted = measuring.counted(database=local_db, collections=ordinary(*(f"small {number}" for number in range(120))))

    assert [one.documents for one in counted] == [number % 3 + 1 for number in range(120)]
    assert asked == ["aggregate"] * 2


def test_no_cursor_stays_open(local_db: Db) -> None:
    for number in range(3):
        local_db[f"small {number}"].insert_one({})
    before = _open_cursors(local_db)

    measuring.counted(database=local_db, collections=ordinary(*(f"small {number}" for number in range(3))))

    assert _open_cursors(local_db) == before


def _open_cursors(database: Db) -> int:
    return int(database.client.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"])


def test_what_is_gone_holds_nothing(local_db: Db) -> None:
    local_db["bookings"].insert_one({})

    for names in (["bookings", "gone"], ["gone", "bookings"]):
        counted = measuring.counted(database=local_db, collections=ordinary(*names))
        assert {one.name: one.documents for one in counted} == {"bookings": 1, "gone": 0}


def test_views_and_time_series_have_counts_of_their_own(local_db: Db) -> None:
    local_db["bookings"].insert_one({})
    local_db.create_collection("weather", timeseries={"timeField": "at"})
    view = CollectionInfo(name="seen", type="view")
    series = CollectionInfo(name="weather", type="timeseries")

    counted = measuring.counted(database=local_db, collections=[view, series, *ordinary("bookings")])

    assert [one.documents for one in counted] == [None, 0, 1]


def test_only_more_than_a_few_documents_are_sized(local_db: Db, asked: list[str]) -> None:
    local_db["few"].insert_one({})
    local_db["more"].insert_many([{"_id": number} for number in range(11)])
    few, more = measuring.counted(database=local_db, collections=ordinary("few", "more"))
    asked.clear()

    sizes = [measuring.sized(database=local_db, collection=one).size_bytes for one in (few, more)]

    assert sizes == [None, 11 * 14]
    assert asked == ["dataSize"]


def test_a_server_that_refuses_the_quick_questions_is_asked_for_its_statistics(local_db: Db) -> None:
    local_db["bookings"].insert_many([{"_id": number} for number in range(11)])
    command = Database.command

    def refusing(self: Db, *arguments: Any, **named: Any) -> Any:
        if arguments[0] != "collStats":
            raise OperationFailure("not authorized", code=13)
        return command(self, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "command", refusing)
        counted = measuring.counted(database=local_db, collections=ordinary("bookings"))
        sized = measuring.sized(database=local_db, collection=counted[0])

    assert (sized.documents, sized.size_bytes) == (11, 11 * 14)
