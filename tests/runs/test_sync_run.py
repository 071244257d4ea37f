"""A sync by itself: under the lease, on record, by command and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from pymongo.database import Database

from backups_app.access.trail import audit
from backups_app.catalog import lease
from backups_app.catalog.sync import sync_logs
from backups_app.configuration import Configuration
from backups_app.errors import DatabaseUnreachable, RunActive, SyncFailed, SyncIsOff
from backups_app.models import AuditEvent
from backups_app.records import Origin
from backups_app.runs import lease as held_lease
from backups_app.sync import engine
from backups_app.use_cases.syncs import sync_overview, syncs
from backups_app.use_cases.syncs.syncs import SyncWish
from tests.conftest import NOBODY

pytestmark = pytest.mark.django_db(transaction=True)
Mongo = Database[dict[str, Any]]


def _sync(**wish: Any) -> Any:
    return syncs.sync_now(wish=SyncWish(**wish), requested_by="ananya", origin=Origin.COMMAND, now=timezone.now())


def _command(*arguments: str) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("backup_sync", *arguments, stdout=out, stderr=err)
    except SystemExit as exit_:
        return int(exit_.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@contextmanager
def _somebody_else_holds_the_lease(local: Mongo) -> Iterator[None]:
    with held_lease.held(local, seconds=60):
        yield


def _a_conflict(local: Mongo, remote: Mongo) -> Any:
    """Sync one booking that differs on both sides. Return the conflict as it is listed."""
    local["bookings"].insert_one({"_id": 1, "devotee": "here"})
    remote["bookings"].insert_one({"_id": 1, "devotee": "there"})
    _command()
    [conflict] = json.loads(_command("--conflicts", "--json")[1])
    return conflict


def test_a_sync_is_carried_out_and_put_on_record(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    remote_db["bookings"].insert_one({"_id": 2})

    report = _sync()

    assert report.sentence == "1 pulled, 1 pushed"
    assert {one["_id"] for one in local_db["bookings"].find()} == {1, 2}
    assert [event.result for event in AuditEvent.objects.filter(action="sync").order_by("pk")] == [
        audit.STARTED,
        "success",
    ]
    assert lease.holder(local_db) is None
    seen = sync_overview.overview(configuration=configured)
    assert seen.proof is not None
    assert seen.proof["verdict"] == "equal"
    assert seen.logs[0]["status"] == "success"


@pytest.mark.parametrize(
    ("end", "result"),
    [(SyncFailed(), "sync_failed"), (RuntimeError(), "internal_error"), (KeyboardInterrupt(), "interrupted")],
)
def test_whatever_ends_a_sync_its_end_is_on_record(
    configured: Configuration, local_db: Mongo, monkeypatch: pytest.MonkeyPatch, end: BaseException, result: str
) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    monkeypatch.setattr(engine, "synchronise", Mock(side_effect=end))

    with pytest.raises(type(end)):
        _sync()

    rows = AuditEvent.objects.filter(action="sync").order_by("pk").values_list("result", flat=True)
    assert list(rows) == [audit.STARTED, result]


def test_two_at_once_one_refuses(configured: Configuration, local_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})

    with _somebody_else_holds_the_lease(local_db), pytest.raises(RunActive):
        _sync()

    assert sync_logs.newest(local_db) == []


def test_without_a_cloud_url_sync_is_off(configured: Configuration, local_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})

    with override_settings(TEMPLEOPS=replace(configured, cloud_url=type(configured.cloud_url)(""))):
        with pytest.raises(SyncIsOff):
            _sync()
        code, _, _ = _command()

    assert code == 2


def test_an_unreachable_atlas_is_named_and_logged(configured: Configuration, local_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})

    unreachable = pytest.raises(DatabaseUnreachable, match="remote")
    with override_settings(TEMPLEOPS=replace(configured, cloud_url=NOBODY)), unreachable:
        _sync()

    [log] = sync_logs.newest(local_db)
    assert (log["status"], log["error_code"], log["half_way"]) == ("failed", "database_unreachable", False)
    assert AuditEvent.objects.filter(action="sync").order_by("-pk")[0].result == "database_unreachable"


def test_the_command_prints_the_log_as_json(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_many([{"_id": number} for number in range(3)])

    code, out, _ = _command("--json")

    assert code == 0
    log = json.loads(out)
    assert log["totals"]["pushed"] == 3
    assert log["status"] == "success"
    assert remote_db["bookings"].count_documents({}) == 3


def test_a_dry_run_writes_nothing(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})

    code, out, _ = _command("--dry-run", "--json")

    assert code == 0
    assert (json.loads(out)["dry_run"], json.loads(out)["totals"]["pushed"]) == (True, 1)
    assert remote_db.list_collection_names() == []
    assert "backup_sync_state" not in local_db.list_collection_names()


def test_only_the_named_collection_is_synced(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    local_db["halls"].insert_one({"_id": 1})

    assert _command("--collection", "halls")[0] == 0

    assert set(remote_db.list_collection_names()) == {"halls", "backup_sync_state"}
    assert _command()[0] == 0
    assert remote_db["bookings"].count_documents({}) == 1


def test_adopting_wants_its_word(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    _command()
    remote_db["backup_sync_state"].update_one({}, {"$set": {"pair": "other"}})

    refused, _, message = _command()
    assert refused == 1
    assert "not the pair" in message
    assert _command("--adopt")[0] == 2
    assert _command("--adopt", "--confirm", "ADOPT")[0] == 0
    assert _command()[0] == 0


def test_a_blocked_collection_follows_the_decision(
    configured: Configuration, local_db: Mongo, remote_db: Mongo
) -> None:
    local_db["bookings"].insert_many([{"_id": number} for number in range(50)])
    _command()
    remote_db["bookings"].delete_many({})

    code, out, _ = _command()
    assert code == 3
    assert "50 of 50 documents vanished" in out
    assert _command("--blocked", "delete", "--collection", "bookings")[0] == 2
    assert _command("--blocked", "keep", "--collection", "bookings")[0] == 0
    assert remote_db["bookings"].count_documents({}) == 50
    assert _command()[0] == 0


def test_a_conflict_is_listed_and_its_replaced_version_put_back(
    configured: Configuration, local_db: Mongo, remote_db: Mongo
) -> None:
    conflict = _a_conflict(local_db, remote_db)

    assert _command("--put-back", conflict["_id"])[0] == 0
    assert _command()[0] == 0

    assert remote_db["bookings"].find_one() == {"_id": 1, "devotee": "there"}
    assert local_db["bookings"].find_one() == {"_id": 1, "devotee": "there"}


def test_what_a_sync_deleted_is_listed_with_all(configured: Configuration, local_db: Mongo, remote_db: Mongo) -> None:
    local_db["bookings"].insert_many([{"_id": 1}, {"_id": 2}])
    _command()
    remote_db["bookings"].delete_one({"_id": 1})
    _command()

    assert json.loads(_command("--conflicts", "--json")[1]) == []
    [deleted] = json.loads(_command("--conflicts", "--all", "--json")[1])
    assert "the local version was deleted: " in _command("--conflicts", "--all")[1]
    assert _command("--put-back", deleted["_id"])[0] == 0
    assert local_db["bookings"].count_documents({}) == 2


def test_in_cloud_mode_nothing_is_listed_or_put_back(
    configured: Configuration, local_db: Mongo, remote_db: Mongo
) -> None:
    conflict = _a_conflict(local_db, remote_db)

    with override_settings(TEMPLEOPS=replace(configured, primary_database="cloud")):
        for asked in (["--conflicts"], ["--conflict", conflict["_id"]], ["--put-back", conflict["_id"]], []):
            assert _command(*asked)[0] == 4

    assert local_db["bookings"].find_one() == remote_db["bookings"].find_one()
