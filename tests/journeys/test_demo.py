"""The demo: filled once, the same everywhere, and never over somebody's data."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from bson import encode
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from pymongo.database import Database

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration, Secret
from backups_app.management.demo import filling, history, temple
from backups_app.models import AuditEvent, Schedule, User
from backups_app.mongo import connections
from backups_app.mongo.embedded import free_port
from backups_app.records import Side
from backups_app.use_cases.retention import policy

MongoDatabase = Database[dict[str, Any]]


class Refused(Exception):
    """The command ended with this exit code, having stated this."""


@pytest.fixture
def demo(configured: Configuration, db: None) -> Callable[..., str]:
    """Call the command; return what it printed."""

    def call(*arguments: str) -> str:
        output = StringIO()
        try:
            call_command("demo", *arguments, stdout=output, stderr=output)
        except SystemExit as end:
            raise Refused(end.code, output.getvalue()) from end
        return output.getvalue()

    return call


@pytest.fixture(autouse=True)
def _no_marks_are_left(local_db: MongoDatabase, remote_db: MongoDatabase) -> Iterator[None]:
    yield
    for side in (local_db, remote_db):
        side.client.drop_database(filling.MARKS)


def _contents(database: MongoDatabase) -> dict[str, dict[bytes, bytes]]:
    names = [info["name"] for info in database.list_collections() if info["type"] == "collection"]
    return {
        name: {encode({"": document["_id"]}): encode(document) for document in database[name].find()}
        for name in names
        if not name.startswith("system.")
    }


def test_both_sides_are_filled_and_differ_as_reported(
    demo: Callable[..., str], local_db: MongoDatabase, remote_db: MongoDatabase
) -> None:
    printed = demo()

    here, there = _contents(local_db), _contents(remote_db)
    assert len(here["bookings"]) == 1_240
    assert len(there["bookings"]) == 1_238
    assert len(here["employee_bookings"]) == 312
    assert len(here["activities"]) == 50
    assert len(here["bookings"].keys() - there["bookings"].keys()) == temple.ONLY_HERE
    assert len(there["bookings"].keys() - here["bookings"].keys()) == temple.ONLY_THERE
    both = here["bookings"].keys() & there["bookings"].keys()
    assert sum(here["bookings"][key] != there["bookings"][key] for key in both) == 15 + 10 + 3
    assert "20 collections" in printed


def test_it_is_the_same_each_time(demo: Callable[..., str], local_db: MongoDatabase) -> None:
    demo()
    first = _contents(local_db)

    demo("--reset", "--confirm", f"ERASE {local_db.name}")

    assert _contents(local_db) == first


def test_a_second_call_changes_nothing(
    demo: Callable[..., str], local_db: MongoDatabase, remote_db: MongoDatabase
) -> None:
    demo()
    local_db.bookings.delete_many({"people": 1})
    before = _contents(local_db), _contents(remote_db), list(User.objects.values())

    printed = demo()

    assert "already" in printed
    assert (_contents(local_db), _contents(remote_db), list(User.objects.values())) == before


def test_a_fill_that_was_cut_short_starts_over(
    demo: Callable[..., str], local_db: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, created = filling._create, []

    def cut(database: MongoDatabase, collection: Any) -> None:
        created.append(collection.name)
        if len(created) == 25:  # in the midst of the second side
            raise RuntimeError("cut")
        create(database, collection)

    monkeypatch.setattr(filling, "_create", cut)
    with pytest.raises(RuntimeError, match="cut"):
        demo()
    monkeypatch.setattr(filling, "_create", create)
    demo()

    assert len(_contents(local_db)["bookings"]) == 1_240


def test_somebody_elses_data_are_never_touched(
    demo: Callable[..., str], local_db: MongoDatabase, remote_db: MongoDatabase
) -> None:
    remote_db.bookings.insert_one({"_id": 1})

    for arguments in ([], ["--reset", "--confirm", f"ERASE {local_db.name}"]):
        with pytest.raises(Refused, match="did not make"):
            demo(*arguments)

    assert local_db.list_collection_names() == []
    assert list(remote_db.bookings.find()) == [{"_id": 1}]


def test_reset_wants_the_phrase(demo: Callable[..., str], local_db: MongoDatabase) -> None:
    demo()
    local_db.bookings.insert_one({"_id": "mine", "booking_number": "X", "devotee": {}, "seva": {}, "amount": 1})

    with pytest.raises(Refused, match=f"ERASE {local_db.name}"):
        demo("--reset")

    assert local_db.bookings.find_one({"_id": "mine"}) is not None


def test_reset_waits_for_a_running_backup(
    demo: Callable[..., str], local_db: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo()
    monkeypatch.setattr(runs, "active", lambda database: {"_id": "20261124_120000"})

    with pytest.raises(Refused, match="a backup of it is running"):
        demo("--reset", "--confirm", f"ERASE {local_db.name}")

    assert local_db.bookings.count_documents({}) == 1_240


def test_without_atlas_only_the_local_side_is_filled(
    configured: Configuration, local_db: MongoDatabase, remote_db: MongoDatabase
) -> None:
    filled = filling.fill(sides={Side.LOCAL: local_db}, now=timezone.now())

    assert filled["bookings"] == 1_240
    assert remote_db.list_collection_names() == []


def test_passwords_are_made_by_chance_and_reported_once_on_other_servers(demo: Callable[..., str]) -> None:
    printed = demo()
    reported = dict(line.split()[:2] for line in printed.splitlines() if line.startswith("  "))

    people = {person.username: person for person in User.objects.all()}
    assert {name: person.role_id for name, person in people.items()} == {"ananya": 0, "ravi": 1, "meena": 3}
    assert all(people[name].check_password(password) for name, password in reported.items())
    assert len(set(reported.values())) == 3
    assert not people["ravi"].check_password("ravi-at-the-temple")
    assert reported["ravi"] not in demo()


def test_in_the_demo_of_make_run_everybody_knows_the_passwords(demo: Callable[..., str]) -> None:
    with override_settings(DEMO=True):
        printed = demo()

    assert User.objects.get(username="ravi").check_password("ravi-at-the-temple")
    assert "ravi-at-the-temple" in printed


def test_an_unreachable_server_is_named(
    demo: Callable[..., str], configured: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.SERVER_SELECTION_SECONDS, Side.LOCAL, 0.3)
    gone = dataclasses.replace(configured, local_url=Secret(f"mongodb://127.0.0.1:{free_port()}/"))

    with override_settings(TEMPLEOPS=gone), pytest.raises(Refused, match="local MongoDB cannot be reached"):
        demo()


def test_json_is_one_value(demo: Callable[..., str], local_db: MongoDatabase) -> None:
    reported = json.loads(demo("--json"))

    assert reported["database"] == local_db.name
    assert reported["filled"]["bookings"] == 1_240
    assert [(login["username"], login["role_id"]) for login in reported["logins"]] == [
        ("ananya", 0),
        ("ravi", 1),
        ("meena", 3),
    ]


def test_the_history_grows_night_by_night_and_leaves_both_sides_as_without_it(
    demo: Callable[..., str], local_db: MongoDatabase, remote_db: MongoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = history.nights(now=timezone.now())
    assert [night for night, _ in every][-1] == history.DAYS - 1
    chosen = [one for one in every if one[0] in (history.OFF, history.BACK, history.DAYS - 1)]
    monkeypatch.setattr(history, "nights", lambda now: chosen)

    demo("--history")

    late, last = sorted(runs.recent(local_db), key=lambda run: run["created_at"])
    assert late["documents"] < last["documents"]
    for run in (late, last):
        assert run["status"] == "success"
        assert timedelta(0) <= run["finished_at"] - run["created_at"] < timedelta(minutes=2)
        ended = [step["finished_at"] - run["created_at"] for step in run["steps"] if step["finished_at"]]
        assert max(ended) < timedelta(minutes=2)
        rows = AuditEvent.objects.filter(target=run["_id"]).order_by("n")
        assert [rows[0].action, rows.reverse()[0].action] == ["backup.requested", "backup.finished"]
        assert rows.reverse()[0].at - rows[0].at < timedelta(minutes=2)
    assert policy.current() is not None
    nightly = Schedule.objects.get(name=history.NIGHTLY)
    assert [slot.state for slot in nightly.slots.order_by("slot")] == ["missed", "started", "started"]
    assert [slot.run for slot in nightly.slots.filter(late=True)] == [late["_id"]]
    here, there = _contents(local_db), _contents(remote_db)
    assert (len(here["bookings"]), len(there["bookings"]), len(here["activities"])) == (1_240, 1_238, 50)
