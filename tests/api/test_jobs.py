"""Verifying, a preview and a sync that outlast their request: 202, the job, and its result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.models import LaneJob
from backups_app.use_cases.lanes import asking
from backups_app.use_cases.lanes import syncs as lane_syncs
from tests.api.conftest import NEVER, backed_up
from tests.journeys.conftest import Db
from tests.pages import reading_lane
from tests.security.conftest import Caller

ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    reading_lane.nothing_is_short(monkeypatch)


def get(caller: Caller, answer: Any) -> Any:
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1"), answer.content
    job: Any = caller.get(answer.headers["Location"])
    assert job.status_code == 200
    return job.json()


@pytest.mark.usefixtures("nothing_is_short")
def test_a_long_verification_is_a_job_with_the_verdict(worker: Configuration, caller: Caller) -> None:
    path = f"/api/backups/{backed_up(caller)['backup_id']}/verify"

    first: Any = caller.send("POST", path, **ASYNC)
    second: Any = caller.send("POST", path, **ASYNC)
    waiting = get(caller, first)
    reading_lane.read()
    done = get(caller, first)

    assert first.headers["Location"] == second.headers["Location"]
    assert first.headers["Preference-Applied"] == "respond-async"
    assert (waiting["kind"], waiting["state"], waiting["result"], waiting["error"]) == (
        "verification", "waiting", None, None,
    )  # fmt: skip
    assert (done["state"], done["result"]["verified"], done["result"]["problem"]) == ("done", True, None)
    assert done["result"].keys() >= {"documents", "bytes", "checked_at", "warnings"}


@pytest.mark.usefixtures("nothing_is_short")
def test_a_long_preview_is_a_job_and_what_it_names_is_restored(
    worker: Configuration, caller: Caller, local_db: Db
) -> None:
    path = f"/api/backups/{backed_up(caller)['backup_id']}/restore"
    local_db["devotees"].delete_many({"_id": {"$lt": 10}})

    answer: Any = caller.send("POST", path, {"collections": ["devotees"]}, **ASYNC)
    reading_lane.read()
    preview = get(caller, answer)["result"]
    body = {"collections": ["devotees"], "dry_run": False, "confirmation": preview["confirmation"]}

    assert preview["totals"]["insert"] == 10
    assert caller.send("POST", path, body).status_code == 202


def test_a_preview_answers_for_the_present_state(worker: Configuration, caller: Caller, local_db: Db) -> None:
    path = f"/api/backups/{backed_up(caller)['backup_id']}/restore"
    totals = []
    for _ in range(2):
        answer: Any = caller.send("POST", path, {"collections": ["devotees"]})
        totals.append(answer.json()["totals"]["insert"])
        local_db["devotees"].delete_many({"_id": {"$lt": 10}})

    assert totals == [0, 10]


@pytest.mark.usefixtures("nothing_is_short")
def test_without_a_worker_that_reads_the_request_says_so_and_waits_no_longer(
    no_worker: Configuration, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with override_settings(TASKS={"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}):
        path = f"/api/backups/{backed_up(caller)['backup_id']}/verify"
    job = get(caller, caller.send("POST", path, **ASYNC))["job"]
    LaneJob.objects.update(created_at=timezone.now() - timedelta(seconds=asking.WORKER_EXPECTED_SECONDS + 1))

    answer: Any = caller.send("POST", path)
    shown: Any = caller.get(f"/api/jobs/{job}").json()  # type: ignore[attr-defined]

    assert (answer.status_code, answer.json()["code"]) == (503, "reading_worker_missing")
    assert (shown["state"], shown["error"]["code"]) == ("waiting", "reading_worker_missing")


def test_a_sync_is_a_job_of_the_worker(seeded: Configuration, caller: Caller) -> None:
    path = "/api/backup/sync"
    with override_settings(TASKS=NEVER):
        answer: Any = caller.send("POST", path, {}, **ASYNC)
        again: Any = caller.send("POST", path, {}, **ASYNC)
        other: Any = caller.send("POST", path, {"exact": True}, **ASYNC)
    waiting = get(caller, answer)
    lane_syncs.carry_out.call(job=LaneJob.objects.get().pk)
    done = get(caller, answer)

    assert again.headers["Location"] == answer.headers["Location"]
    assert (other.status_code, other.json()["code"]) == (409, "run_active")
    assert (waiting["kind"], waiting["state"]) == ("sync", "waiting")
    assert (done["state"], done["result"]["status"], done["result"]["totals"]["pulled"]) == ("done", "success", 7)


def test_a_sync_that_no_worker_takes_is_closed_after_a_minute(seeded: Configuration, caller: Caller) -> None:
    with override_settings(TASKS=NEVER):
        answer: Any = caller.send("POST", "/api/backup/sync", {}, **ASYNC)
    LaneJob.objects.update(created_at=timezone.now() - timedelta(seconds=61))

    closed = get(caller, answer)

    assert (closed["state"], closed["error"]["code"]) == ("failed", "scheduler_down")


def test_what_is_no_job_is_not_found(worker: Configuration, caller: Caller) -> None:
    for unknown in ("0" * 64, "nothing", "a%00b"):
        answer: Any = caller.get(f"/api/jobs/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), unknown
