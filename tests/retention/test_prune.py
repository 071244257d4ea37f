"""A pass over real folders and records: what goes, what stays, and what it leaves on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.backup_files import removals
from backups_app.catalog import runs
from backups_app.errors import ClocksApart, NewestDamaged, RunActive, StoreMissing
from backups_app.models import AuditEvent
from backups_app.mongo import connections
from backups_app.retention.policy import Policy
from backups_app.use_cases.retention import taking_out
from backups_app.use_cases.retention import trash as housekeeping
from tests.retention.conftest import Temple, damage


def test_while_retention_is_off_nothing_is_removed(temple: Temple) -> None:
    old = temple.add(days=400)

    assert temple.prune().decision is None
    assert old in temple.ids()


def test_what_no_rule_keeps_goes_into_the_trash_and_says_why(temple: Temple, newest: str) -> None:
    old = temple.add(days=40)
    temple.set_policy()

    done = temple.prune()

    assert done.removed == (old,)
    assert temple.ids() == {newest}
    assert temple.in_trash() == {old}
    line = removals.of_backup(temple.store.root, old)
    assert line is not None
    assert (line.by, line.how, line.reasons) == ("ananya", "retention", ("policy",))
    assert temple.record(old)["removed"]["how"] == "retention"
    rows = AuditEvent.objects.filter(action="backup.removed", target=old).order_by("n")
    assert [row.result for row in rows] == ["started", "trashed"]


def test_a_dry_run_removes_nothing_and_says_what_would_go(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.set_policy()

    decision = temple.prune(dry_run=True).decision

    assert decision is not None
    assert [one.backup.backup_id for one in decision.removed] == [old]
    assert old in temple.ids()
    assert not AuditEvent.objects.filter(action="backup.removed").exists()


def test_a_good_run_applies_the_policy_by_itself(temple: Temple, newest: str) -> None:
    old = temple.add(days=40)
    temple.set_policy()

    run = temple.run()

    assert run["status"] == "success"
    assert temple.in_trash() == {old, newest}
    assert not temple.record(run["backup_id"])["warnings"]


def test_a_pass_that_fails_after_a_run_is_a_warning_of_a_good_backup(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    _clock_of_mongodb(monkeypatch, ahead=timedelta(minutes=11))

    run = temple.run()

    told = temple.record(run["backup_id"])
    assert told["status"] == "success"
    assert "The clocks of this computer and of the local MongoDB differ" in told["warnings"][-1]
    assert temple.written(run["backup_id"])["warnings"] == told["warnings"]
    assert old in temple.ids()


def _clock_of_mongodb(monkeypatch: pytest.MonkeyPatch, *, ahead: timedelta) -> None:
    real = connections.facts

    def facts(client: Any, **more: Any) -> Any:
        import dataclasses

        return dataclasses.replace(real(client, **more), clock_ahead_seconds=ahead.total_seconds())

    monkeypatch.setattr(connections, "facts", facts)


@pytest.mark.parametrize("minutes", [11, -11])
def test_while_the_clocks_differ_retention_and_trash_rest(
    temple: Temple, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    old = temple.add(days=40)
    thrown = temple.add(days=50)
    temple.set_policy()
    temple.store.trash(thrown, now=temple.now - timedelta(days=2))
    _clock_of_mongodb(monkeypatch, ahead=timedelta(minutes=minutes))

    with pytest.raises(ClocksApart):
        temple.prune()
    housekeeping.housekeep(configuration=temple.configuration, now=temple.now)

    assert old in temple.ids()
    assert temple.in_trash() == {thrown}


def test_a_clock_a_month_ahead_for_an_hour_makes_no_evidence(temple: Temple, newest: str) -> None:
    ahead = [temple.add(days=-30 - hour / 24) for hour in range(2)]
    old = temple.add(days=40)
    temple.set_policy(Policy(last=1))

    assert temple.prune().removed == (old,)
    assert temple.ids() == {newest, *ahead}


def test_the_newest_is_read_again_first_and_where_it_rotted_nothing_goes(temple: Temple, newest: str) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    damage(temple.store.folder(newest), temple.database.name)

    with pytest.raises(NewestDamaged):
        temple.prune()

    assert old in temple.ids()
    assert temple.record(newest)["verification"]["problem"]


def test_the_newest_is_read_once_a_day(temple: Temple) -> None:
    temple.set_policy()
    readings = AuditEvent.objects.filter(action="backup.verified", result="good")
    for hours, expected in ((0, 1), (20, 1), (25, 2)):
        temple.add(days=40 + hours)

        temple.prune(now=temple.now + timedelta(hours=hours))

        assert readings.count() == expected


def test_with_nothing_to_remove_nothing_is_read(temple: Temple) -> None:
    temple.set_policy()

    temple.prune()

    assert not AuditEvent.objects.filter(action="backup.verified").exists()


def test_a_run_that_waits_goes_first(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    waiting = {"_id": "20990101_000000", "backup_id": "20990101_000000", "status": "in_progress", "phase": "queued"}
    temple.database["backup_metadata"].insert_one(waiting | {"owner": None, "created_by": "ravi"})

    with pytest.raises(RunActive):
        temple.prune()

    assert old in temple.ids()


def test_in_a_store_that_the_records_do_not_know_nothing_goes(temple: Temple) -> None:
    """The disk is not mounted, and its mount point was filled with an older copy."""
    old = temple.add(days=40)
    temple.set_policy()
    temple.database["backup_lease"].update_one({"_id": "stores"}, {"$set": {"ids": ["another"]}})

    with pytest.raises(StoreMissing):
        temple.prune()

    assert old in temple.ids()


def test_where_the_records_cannot_be_read_nothing_goes(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would say what a purge still needs: an unknown fact keeps."""
    old = temple.add(days=40)
    temple.set_policy()
    monkeypatch.setattr(runs, "recent", _unreachable)

    with pytest.raises(Exception, match="cannot be reached"):
        temple.prune()

    assert old in temple.ids()


def _unreachable(*_: Any, **__: Any) -> Any:
    from pymongo.errors import ServerSelectionTimeoutError

    raise ServerSelectionTimeoutError("nobody answers")


def test_the_trash_is_emptied_after_a_day_and_the_line_stays(temple: Temple) -> None:
    old = temple.add(days=40)
    temple.set_policy()
    temple.prune()

    early = housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(hours=23))
    late = housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(hours=25))

    assert not early
    assert len(late) == 1
    assert not temple.in_trash()
    assert temple.removed_lines() == {old}


def test_what_a_killed_pass_left_is_a_backup_or_in_the_trash_and_on_record(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the line in removed.json and the rename, and between the rename and the record."""
    first, second = temple.add(days=50), temple.add(days=40)
    temple.set_policy()

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(type(temple.store), "trash", die)
        temple.prune()
    assert {first, second} <= temple.ids()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(runs, "amend", die)
        temple.prune()
    assert temple.in_trash() == {first}
    assert removals.of_backup(temple.store.root, first) is not None

    temple.prune()

    assert temple.in_trash() == {first, second}


def test_a_pass_by_a_quarter_hour_schedule_leaves_the_weekly_ones(temple: Temple, newest: str) -> None:
    weekly = [temple.add(days=7 * week) for week in range(1, 4)]
    quarters = [temple.add(days=quarter / 96) for quarter in range(1, 7)]
    temple.set_policy(Policy(last=3, weekly=5))

    removed = set(temple.prune().removed)

    assert not removed & {*weekly, newest}
    assert removed == set(quarters[2:])


def test_a_second_pass_removes_nothing_more(temple: Temple) -> None:
    for days in (10, 20, 30):
        temple.add(days=days)
    temple.set_policy()

    assert len(temple.prune().removed) == 3
    assert not temple.prune().removed


def test_another_process_that_holds_the_lease_is_not_disturbed(temple: Temple, monkeypatch: pytest.MonkeyPatch) -> None:
    from backups_app.catalog import lease

    monkeypatch.setattr(taking_out, "LEASE_WAIT_SECONDS", 0)
    old = temple.add(days=40)
    temple.set_policy()
    lease.take(temple.database, owner={"host": "elsewhere", "pid": 1, "token": "x"}, seconds=60)

    with pytest.raises(RunActive):
        temple.prune()

    assert old in temple.ids()
    assert datetime.now(UTC) > temple.now - timedelta(days=1)
