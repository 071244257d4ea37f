"""The data set of the acceptance checks: nine backups, one of them partial, and one failed run."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.browser import temple_data
from tests.browser.conftest import RunningApp

FAILED_RUN = 4
"""The fourth run fails: sync is demanded and Atlas is away."""
PARTIAL_RUN = 7
"""The seventh saves everything and purges nothing: sync is wished for and Atlas is away."""
RUNS = 10


def nine_backups(running_app: RunningApp) -> None:
    """Ten runs by the command, with a little of the temple's work between them; then fresh activities on both sides."""
    for number in range(1, RUNS + 1):
        _some_work(running_app, number)
        _run(running_app, number)
    for side in ("local", "remote"):
        running_app.database(side).activities.insert_many([temple_data.plain(at, "activity") for at in range(50)])


def _some_work(running_app: RunningApp, number: int) -> None:
    """One booking's amount and three donations change, as a day brings them."""
    now = datetime.now(UTC)
    local = running_app.database()
    local.bookings.update_one(
        {"_id": temple_data.booking(0)["_id"]}, {"$set": {"amount": 500 + number, "updatedAt": now}}
    )
    local.donations.update_many(
        {"_id": {"$in": [number, number + 1, number + 2]}}, {"$inc": {"value": 1}, "$set": {"updatedAt": now}}
    )


def _run(running_app: RunningApp, number: int) -> None:
    away = number in (FAILED_RUN, PARTIAL_RUN)
    if away:
        running_app.atlas_line.hang_up()
    policy = {"SYNC_FAILURE_POLICY": "abort"} if number == FAILED_RUN else {}
    made = running_app.manage("backup_now", "--keep-bookings", **policy)
    running_app.atlas_line.heal()
    expected = {FAILED_RUN: 1, PARTIAL_RUN: 3}.get(number, 0)
    assert made.returncode == expected, made.stderr
