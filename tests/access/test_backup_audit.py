"""`manage.py backup_audit`: lists the trail, and finds a changed past by what the backups remember."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from backups_app.access.trail import audit
from backups_app.backup_files import metadata
from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from tests.access.test_audit import TAMPERINGS, a_trail, sql

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    try:
        call_command("backup_audit", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def publish(a_folder: Path) -> Any:
    """`publish(id)` makes a backup folder that remembers the trail as it is now."""
    store = Store(a_folder)
    store.prepare()

    def do(backup_id: str, **others: Any) -> None:
        partial = store.make_partial(backup_id)
        reported = {"backup_id": backup_id, "audit": dataclasses.asdict(audit.digest()), **others}
        metadata.write(partial, reported)
        store.publish(backup_id)

    with override_settings(TEMPLEOPS=Configuration(backup_dir=a_folder)):
        yield do


def test_an_untouched_trail_is_good_and_says_what_nobody_vouches_for(
    publish: Callable[[str], None], now: datetime
) -> None:
    a_trail(now, rows=4)
    publish("20260119_090022")
    _, whole = run("--verify")
    a_trail(now, rows=2)

    code, message = run("--verify")

    assert code == 0
    assert "6 rows, 4 of them confirmed by" in message
    assert "no backup confirms them" in message and "no backup confirms" not in whole


@pytest.mark.parametrize("how", TAMPERINGS)
def test_each_tampering_is_found_and_the_first_backup_that_disagrees_is_named(
    publish: Callable[[str], None], now: datetime, how: str
) -> None:
    a_trail(now, rows=5)
    publish("20260119_090022")
    a_trail(now, rows=5)
    publish("20260120_090022")
    TAMPERINGS[how]()

    code, message = run("--verify", "--json")

    assert code == 5
    assert json.loads(message)["first_disagreeing"] == "20260119_090022"
    assert run("--verify")[1].startswith("CHANGED: backup 20260119_090022 has another digest of the trail.")


def test_only_the_later_backup_disagrees_when_a_later_row_was_changed(
    publish: Callable[[str], None], now: datetime
) -> None:
    a_trail(now, rows=5)
    publish("20260119_090022")
    a_trail(now, rows=5)
    publish("20260120_090022")
    sql("UPDATE backups_app_auditevent SET result = 'refused' WHERE n = 8")

    assert json.loads(run("--verify", "--json")[1])["first_disagreeing"] == "20260120_090022"


DELETED = {"local": {"bookings": {"deleted": 40}}, "remote": {"bookings": {"deleted": 0}}}


def test_a_run_whose_deletion_the_trail_does_not_know_is_named(publish: Callable[..., None], now: datetime) -> None:
    a_trail(now, rows=2)
    publish("20260119_090022", purge=DELETED)

    code, message = run("--verify", "--json")

    assert (code, json.loads(message)["unknown_runs"]) == (5, ["20260119_090022"])
    assert "no row of the deletion by run 20260119_090022" in run("--verify")[1]


def test_a_deletion_that_is_on_record_is_known(publish: Callable[..., None], now: datetime) -> None:
    audit.record(actor="ravi", origin="api", action="purge.local", target="20260119_090022", result="done", now=now)
    publish("20260119_090022", purge=DELETED)

    assert run("--verify")[0] == 0


def test_a_check_with_another_key_ends_with_its_own_exit_code(
    publish: Callable[..., None], now: datetime, settings: Any
) -> None:
    a_trail(now, rows=2)
    publish("20260119_090022")
    settings.AUDIT_KEY = "another-key-" * 6

    code, message = run("--verify")

    assert code == 14
    assert message.startswith("NOT CHECKED: 2 rows and 0 backups have another key")
    assert "AUDIT_KEY=OLD manage.py backup_audit --verify" in message
    assert "stay readable and unchecked" in message


@pytest.mark.parametrize("others", [{"fetched": {"from": "offsite"}}, {"store_id": "of another folder"}])
def test_backups_from_elsewhere_are_no_change(
    publish: Callable[..., None], now: datetime, others: dict[str, Any]
) -> None:
    a_trail(now, rows=3)
    publish("20260119_090022", purge=DELETED, **others)
    sql("DELETE FROM backups_app_auditevent")
    a_trail(now, rows=1)

    code, message = run("--verify")

    assert code == 0
    assert "began later than 1 backups that were fetched" in message


def test_the_trail_is_listed_newest_first(now: datetime) -> None:
    a_trail(now, rows=3)

    code, message = run("--json", "--limit", "2")

    rows = json.loads(message)
    assert (code, [row["n"] for row in rows]) == (0, [3, 2])
    assert set(rows[0]) == {"n", "at", "actor", "role_id", "session", "origin", "from", "action", "target", "result",
                            "request_id", "details"}  # fmt: skip
    assert "ananya backup.requested run 2 accepted" in run()[1]
