"""A pass over real folders and records: what goes, what stays, and what it leaves on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backups_app.backup_files import bases, durable
from backups_app.backup_files.store import removals
from backups_app.catalog.run import listed_runs, runs
from backups_app.catalog.run.run_record import RunRecord
from backups_app.errors import (
    BackupNeeded,
    BaseMissing,
    ClocksApart,
    DiskFull,
    NewestDamaged,
    RunActive,
    RunWaits,
    StoreMissing,
)
from backups_app.models import AuditEvent
from backups_app.mongo import connections
from backups_app.records import Origin
from backups_app.retention.policy import Policy
from backups_app.use_cases.retention import facts, pins, taking_out
from backups_app.use_cases.retention import trash_emptying as housekeeping
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

    reported = temple.record(run["backup_id"])
    assert reported["status"] == "success"
    assert "The clocks of this computer and of the local MongoDB differ" in reported["warnings"][-1]
    assert temple.written(run["backup_id"])["warnings"] == reported["warnings"]
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
    monkeypatch.setattr(listed_runs, "every", _unreachable)

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


def _chain(temple: Temple) -> tuple[str, str, str]:
    """A base of forty days ago and two incrementals that begin from it. All of them are kept for a day."""
    base = temple.add(days=40)
    first, second = (temple.add(days=40 - n / 10, incremental={"base": base, "number": n}) for n in (1, 2))
    return base, first, second


def _a_day_later(temple: Temple) -> datetime:
    return temple.now + timedelta(hours=25)


def test_wherever_a_pass_ends_no_incremental_that_is_left_lacks_its_base(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each removal, one pass after the other."""
    base, *incrementals = _chain(temple)
    older = temple.add(days=50)
    temple.set_policy()
    real, seen = type(temple.store).trash, []

    class Killed(BaseException):
        pass

    def trash_one(store: Any, backup_id: str, **given: Any) -> Any:
        seen.append(backup_id)
        real(store, backup_id, **given)
        raise Killed

    monkeypatch.setattr(type(temple.store), "trash", trash_one)
    for _ in range(4):
        with pytest.raises(Killed):
            temple.prune(now=_a_day_later(temple))
        assert base in temple.ids() or not temple.ids() & {*incrementals}

    assert seen == [*incrementals, older, base]


def test_the_base_of_an_incremental_that_was_pinned_in_this_moment_stays(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, first, second = _chain(temple)
    temple.set_policy()
    real = type(temple.store).trash

    def pinned_meanwhile(store: Any, backup_id: str, **given: Any) -> Any:
        done = real(store, backup_id, **given)
        if backup_id == first:
            _pin(temple, second)
        return done

    monkeypatch.setattr(type(temple.store), "trash", pinned_meanwhile)

    done = temple.prune(now=_a_day_later(temple))

    assert (done.removed, done.left) == ((first,), (second, base))
    assert {second, base} <= temple.ids()
    assert base not in temple.removed_lines()


def test_a_base_stays_while_an_incremental_of_it_is_being_made(temple: Temple) -> None:
    """Fetched or published after the decision: the folders are asked again."""
    base = temple.add(days=40)
    incremental = temple.add(days=39, incremental={"base": base, "number": 1})
    temple.store.folder(incremental).rename(temple.store.partial(incremental))
    temple.set_policy()

    assert temple.prune(now=_a_day_later(temple)).left == (base,)
    with pytest.raises(BackupNeeded, match=incremental):
        temple.remove(base)

    assert base in temple.ids()


def test_the_record_knows_the_base_of_an_incremental_whose_metadata_is_damaged(temple: Temple) -> None:
    base = temple.add(days=40)
    incremental = temple.add(days=39, incremental={"base": base, "number": 1})
    (temple.store.folder(incremental) / "metadata.json").write_text("{")
    temple.set_policy()

    assert not temple.prune(now=_a_day_later(temple)).removed
    assert {base, incremental} <= temple.ids()


def test_an_incremental_whose_base_is_in_the_trash_is_not_pinned(temple: Temple) -> None:
    base, first, _ = _chain(temple)
    temple.store.trash(base, now=temple.now)

    with pytest.raises(BaseMissing, match=base):
        _pin(temple, first)

    assert not temple.record(first).get("pinned")
    assert not temple.written(first).get("pinned")
    assert not AuditEvent.objects.filter(action="backup.pinned").exists()


def test_who_reads_an_incremental_reads_its_base_too(temple: Temple) -> None:
    base, first, second = _chain(temple)
    temple.set_policy()

    with bases.reading(temple.store.root, first):
        assert facts.read(configuration=temple.configuration).of(base).in_use
        assert set(temple.prune(now=_a_day_later(temple)).removed) == {second}

    assert set(temple.prune(now=_a_day_later(temple)).removed) == {first, base}


def test_a_run_that_waits_ends_a_pass_which_claims_nothing_of_what_went(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, first, _ = _chain(temple)
    temple.set_policy()
    real = type(temple.store).trash

    def trash_and_ask(store: Any, backup_id: str, **given: Any) -> Any:
        done = real(store, backup_id, **given)
        monkeypatch.setattr(runs, "active", lambda _: RunRecord({"_id": "20990101_000000"}))
        return done

    monkeypatch.setattr(type(temple.store), "trash", trash_and_ask)

    with pytest.raises(RunWaits, match="no further backup was removed"):
        temple.prune(now=_a_day_later(temple))

    assert temple.in_trash() == {first}
    assert base in temple.ids()


def _pin(temple: Temple, backup_id: str) -> None:
    pins.pin(
        configuration=temple.configuration,
        backup_id=backup_id,
        note="",
        requested_by="ravi",
        origin=Origin.WEB,
        now=temple.now,
    )


def test_the_base_of_an_incremental_that_is_here_stays_in_the_trash(temple: Temple) -> None:
    base, first, _ = _chain(temple)
    temple.store.trash(base, now=temple.now - timedelta(days=3))

    housekeeping.housekeep(configuration=temple.configuration, now=temple.now)

    assert temple.in_trash() == {base}
    assert first in temple.ids()


def test_the_trash_is_emptied_of_incrementals_before_their_base(
    temple: Temple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in between, each incremental that is left can still be brought back."""
    base, first, second = _chain(temple)
    temple.set_policy()
    temple.prune(now=_a_day_later(temple))
    gone: list[str] = []
    monkeypatch.setattr("backups_app.backup_files.durable.remove_tree", lambda folder: gone.append(folder.name))

    housekeeping.housekeep(configuration=temple.configuration, now=temple.now + timedelta(days=3))

    assert [next(one for one in (base, first, second) if one in name) for name in gone] == [first, second, base]


@pytest.mark.parametrize("has_lines", [True, False])
def test_on_a_full_disk_a_backup_can_be_removed(
    temple: Temple, monkeypatch: pytest.MonkeyPatch, has_lines: bool
) -> None:
    """The new `removed.json` has no room. The line has some in the last block, and else the audit trail says it."""
    old = temple.add(days=40)
    if has_lines:
        temple.remove(temple.add(days=50))
    before = temple.removed_lines()
    temple.set_policy()
    real = durable.write_whole

    def full(path: Path, data: bytes) -> None:
        if path.name != removals.NAME:
            return real(path, data)
        path.with_name(durable.temporary_name(path.name)).write_bytes(data[:7])
        raise DiskFull(needed="9 MB", free="0 B")

    monkeypatch.setattr(durable, "write_whole", full)

    assert temple.prune().removed == (old,)

    assert old in temple.in_trash()
    assert temple.removed_lines() == before | ({old} if has_lines else set())
    assert temple.record(old)["removed"]["how"] == removals.RETENTION
    assert AuditEvent.objects.filter(action="backup.removed", target=old, result="started").exists()
    assert not list(temple.store.root.glob(".*removed*"))
