"""What restore tests prove, and what a later one takes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backups_app.assurance import marks
from backups_app.assurance.evidence import Evidence, Rehearsal
from backups_app.catalog.run.run_record import RunRecord
from backups_app.use_cases.status import restore_tests

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def ended(
    minutes: int, *, of: str = "", status: str = "success", code: str | None = None, kind: str = "rehearsal"
) -> RunRecord:
    at = NOW - timedelta(minutes=minutes)
    step: Mapping[str, Any] = {"name": "rehearse", "state": "done", "started_at": at, "finished_at": at}
    return RunRecord(
        {
            "_id": f"run{minutes}", "backup_id": f"run{minutes}", "kind": kind, "status": status, "error_code": code,
            "error_message": "It differs." if code else None, "created_at": at, "finished_at": at, "steps": [step],
            "restore": {"copy": {"target": of} if of else None, "choices": {"backup_id": "b"}},
        }
    )  # fmt: skip


def failing(minutes: int, *, of: str = "", code: str = "copy_damaged") -> RunRecord:
    return ended(minutes, of=of, status="failed", code=code)


def mark(runs: list[RunRecord]) -> marks.Mark:
    return marks.restorable(
        Evidence(
            now=NOW, rehearsal=restore_tests.rehearsal(runs, database=""), failed_test=restore_tests.last_failure(runs)
        )
    )


def test_a_later_failure_of_the_same_source_takes_the_mark_away() -> None:
    runs = [failing(3, of="nas"), ended(6, of="nas")]

    found = mark(runs)

    assert not found.ok and found.message is not None
    assert found.message.english == "Backed up; the restore test from the copy on nas failed 3 minutes ago."
    assert found.missing is marks.NextStep.TEST_RESTORE
    (finding,) = restore_tests.findings(runs)
    assert finding.message.english == "the last restore test of the copy at nas failed. It differs."
    assert finding.backup_id == "run3"


def test_what_another_source_proved_stays_and_the_failure_is_named_all_the_same() -> None:
    runs = [failing(3, of="nas"), ended(6, of="nas"), ended(9)]

    assert (
        mark(runs).ok and mark(runs).evidence.english == "restore tested 9 minutes ago, from this disk, with backup b"
    )
    assert len(list(restore_tests.findings(runs))) == 1
    disk = [failing(3, code="verification_failed"), ended(6, of="nas")]
    assert mark(disk).ok and "the copy on nas" in mark(disk).evidence.english


def test_a_later_success_of_the_same_source_ends_it() -> None:
    runs = [ended(1, of="nas"), failing(3, of="nas"), ended(6, of="nas")]

    assert mark(runs).ok
    assert list(restore_tests.findings(runs)) == []


@pytest.mark.parametrize("code", ["wrong_key", "target_unreachable", "disk_full", "database_unreachable", "cancelled"])
def test_a_test_that_could_not_be_carried_out_proves_nothing(code: str) -> None:
    runs = [failing(3, of="nas", code=code), ended(6, of="nas")]

    assert mark(runs).ok
    assert list(restore_tests.findings(runs)) == []


def test_after_too_long_a_failure_is_still_what_the_card_says() -> None:
    runs = [failing(3), ended(60 * 24 * 45, of="nas")]

    assert mark(runs).missing_code == "restore_test_failed"


def test_only_restore_tests_count() -> None:
    runs = [ended(3, status="failed", code="verification_failed", kind="restore"), ended(6)]

    assert mark(runs).ok


def backup(minutes: int, **changes: Any) -> RunRecord:
    at = NOW - timedelta(minutes=minutes)
    run = {
        "_id": f"b{minutes}", "backup_id": f"b{minutes}", "kind": "backup", "status": "success", "created_at": at,
        "published": True, "verified": True, "files": "here", "database": "temple_db",
    }  # fmt: skip
    return RunRecord(run | changes)


def proven_by(runs: list[RunRecord], backup_id: str) -> Rehearsal:
    for run in runs:
        if run.kind == "rehearsal":
            run.apply({"restore.choices": {"backup_id": backup_id}})
    found = restore_tests.rehearsal(runs, database="temple_db")
    assert found is not None
    return found


def test_the_tested_backup_is_named_with_its_age_and_the_good_ones_since() -> None:
    runs = [
        backup(1), backup(2, verified=False), backup(3, database="another"), backup(4, kind="restore"), ended(5),
        backup(6), backup(7),
    ]  # fmt: skip

    found = proven_by(runs, "b7")

    assert (found.backup_id, found.backup_at, found.newer) == ("b7", NOW - timedelta(minutes=7), 2)
    assert proven_by(runs, "b1").newer == 0


def test_of_a_backup_whose_record_is_gone_the_id_is_the_time() -> None:
    runs = [backup(1, _id="20261129_115900", backup_id="20261129_115900"), ended(5)]

    older, newer = proven_by(runs, "20261101_000000"), proven_by(runs, "20261201_000000")

    assert (older.backup_at, older.newer, newer.newer) == (None, 1, 0)
