"""A run that was queued by one version and is carried out by the next, which has a step more."""

from __future__ import annotations

from typing import Any

import pytest

from backups_app.catalog.run import runs
from backups_app.configuration import Configuration
from backups_app.records import Origin
from backups_app.runs import pipelines, runner
from backups_app.use_cases.backups import backups
from tests.journeys.conftest import Db, now
from tests.journeys.conftest import seeded as seeded

pytestmark = pytest.mark.django_db
NAMES = [step.NAME for step in pipelines.STEPS]


def queued(delete_bookings: bool = False) -> str:
    return backups.start_backup(
        created_by="ravi", delete_bookings=delete_bookings, origin=Origin.WEB, now=now(), enqueue=False
    ).id


def entries(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "state": "waiting"} for name in names]


@pytest.mark.parametrize("added", [{"verify"}, {"preflight"}, {"purge_remote", "purge_local"}, set(NAMES)])
def test_a_run_queued_before_an_upgrade_performs_the_steps_that_it_added(
    seeded: Configuration, local_db: Db, added: set[str]
) -> None:
    backup_id = queued(delete_bookings=True)
    runs.collection(local_db).update_one({"_id": backup_id}, {"$pull": {"steps": {"name": {"$in": sorted(added)}}}})

    ended = backups.execute(backup_id=backup_id)

    assert (ended.status, [step.name for step in ended.steps]) == ("success", NAMES)
    assert {step.state for step in ended.steps if step.name in added} <= {"done", "skipped"}
    assert local_db["bookings"].count_documents({}) == 0


def test_a_run_queued_before_an_upgrade_waits_for_no_step_that_it_removed(seeded: Configuration, local_db: Db) -> None:
    backup_id = queued()
    runs.collection(local_db).update_one({"_id": backup_id}, {"$push": {"steps": entries("weigh")[0]}})

    ended = backups.execute(backup_id=backup_id)

    assert (ended.status, [step.name for step in ended.steps]) == ("success", NAMES)


def test_a_new_step_stands_before_the_next_one_and_what_was_done_stays() -> None:
    weighed = {"name": "weigh", "state": "done"}
    stored = [*entries("preflight", "dump"), weighed, *entries("publish", "rest")]

    names = [entry["name"] for entry in runner.of_this_version(stored, pipelines.STEPS)]

    assert names == ["preflight", *NAMES[1:4], "weigh", "verify", "publish", *NAMES[6:]]
