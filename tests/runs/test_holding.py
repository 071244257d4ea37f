"""What a backup alone may hold, from the record of its run: counts, nothing, or not known."""

from __future__ import annotations

from typing import Any

import pytest

from backups_app.catalog.run.run_record import RunRecord
from backups_app.runs.closing.holding import holds_alone


def side(deleted: int, *, done: bool = True, gone: int = 0) -> dict[str, Any]:
    return {"deleted": deleted, "gone": gone, "kept_changed": 0, "kept_ids": [], "done": done}


def a_run(remote: dict[str, Any], local: dict[str, Any], **fields: Any) -> RunRecord:
    names = sorted({*remote, *local})
    purge = {"allowed": True, "collections": names, "withheld": {}, "remote": remote, "local": local}
    run = {"kind": "backup", "status": "success", "sync_status": "success", "steps": [], "purge": purge}
    return RunRecord(run | fields)


def here_alone(local: dict[str, Any]) -> RunRecord:
    run = a_run({}, local)
    run["purge"]["sides"] = ["local"]
    return run


BOTH = {"activities": side(25), "bookings": side(50), "employee_bookings": side(0)}


@pytest.mark.parametrize(
    ("run", "held"),
    [
        (a_run(BOTH, BOTH), {"bookings": 50, "employee_bookings": 0}),
        (a_run({"activities": side(25)}, {"activities": side(25)}), {}),
        (a_run({"bookings": side(40)}, {"bookings": side(50)}), {"bookings": 50}),
        (a_run({"bookings": side(0, gone=9)}, {"bookings": side(0)}), {"bookings": 0}),
        (a_run({}, {"bookings": side(50)}, sync_status="skipped"), {"bookings": 50}),
        (here_alone({"bookings": side(50)}), {"bookings": 50}),
        (RunRecord(kind="backup", sync_status="failed", steps=[], purge=None), {}),
        (a_run(BOTH, BOTH, purge={"allowed": False, "collections": ["bookings"]}), {}),
        # Not known:
        (RunRecord(kind="backup", sync_status="success", steps=[]), None),
        (a_run({"bookings": side(50)}, {}), None),
        (a_run({"bookings": side(50)}, {"bookings": side(3, done=False)}), None),
        (a_run({"bookings": {"done": True}}, {"bookings": {"done": True}}), None),
    ],
)
def test_a_run_holds_the_bookings_that_it_deleted(run: RunRecord, held: dict[str, int] | None) -> None:
    assert holds_alone(run) == held


def test_kept_after_all_what_an_unfinished_side_deleted_is_not_known() -> None:
    run = a_run({"bookings": side(50)}, {"bookings": side(3, done=False)})
    run["purge"]["kept_after_all"] = True

    assert holds_alone(run) is None


def restored(*outcomes: dict[str, Any], **fields: Any) -> RunRecord:
    done = {"collections": list(outcomes), "at_work": "", "unfinished": []}
    return RunRecord(kind="restore", restore=done | fields)


@pytest.mark.parametrize(
    ("run", "held"),
    [
        (restored({"name": "halls", "deleted": 2, "replaced": 3, "inserted": 9}), {"halls": 5}),
        (restored(), {}),
        (restored(at_work="halls"), None),
        (restored(unfinished=["halls"]), None),
        (restored({"name": "halls", "deleted": 2}), None),
        (RunRecord(kind="restore"), None),
    ],
)
def test_a_safety_backup_holds_what_its_restore_took_away(run: RunRecord, held: dict[str, int] | None) -> None:
    assert holds_alone(run) == held
