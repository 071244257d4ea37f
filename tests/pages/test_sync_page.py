"""The page of sync: sync now, what needs a typed word first, and the logs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.test import Client, override_settings
from django.utils import timezone

from backups_app.access import records
from backups_app.access.trail import audit
from backups_app.configuration import Configuration, Secret
from backups_app.errors import RecordsUnreachable, SyncFailed, SyncStopped
from backups_app.models import AuditEvent, LaneJob
from backups_app.pages.sync import views
from backups_app.records import Origin
from backups_app.runs import lease, ownership
from backups_app.sync import engine
from backups_app.use_cases.backups import backups
from backups_app.use_cases.lanes import carrying_out, jobs
from backups_app.use_cases.lanes import syncs as lane_syncs
from backups_app.use_cases.syncs import syncs
from tests.api.conftest import AT_ONCE, NEVER
from tests.conftest import NOBODY
from tests.pages.reading_lane import watched
from tests.pages.test_browser import HTMX

pytestmark = pytest.mark.django_db

HERE = "/admin/backups/sync/"


@pytest.fixture(autouse=True)
def _worker() -> Iterator[None]:
    """A worker that has synced before the page answers."""
    with override_settings(TASKS=AT_ONCE):
        yield


def test_sync_now_and_its_log(admin_browser: Client, seeded: Configuration, remote_db: Any, local_db: Any) -> None:
    remote_db.rooms.insert_one({"_id": 1})
    before = admin_browser.get(HERE).content.decode()

    answer = admin_browser.post(HERE, follow=True)

    page = answer.content.decode()
    assert "No sync yet." in before
    assert answer.redirect_chain == [(HERE, 303)]
    assert "Sync finished." in page and "/admin/backups/syncs/sync_" in page
    assert local_db.rooms.count_documents({}) == 1


def test_deletions_that_look_like_an_accident_wait_for_a_typed_word(
    admin_browser: Client, seeded: Configuration, remote_db: Any, local_db: Any
) -> None:
    admin_browser.post(HERE)
    local_db.bookings.delete_many({"_id": {"$lt": 900}})
    admin_browser.post(HERE)
    waiting = admin_browser.get(HERE).content.decode()
    decided = {"blocked": "bookings", "decide-bookings": "delete"}

    refused = admin_browser.post(HERE, decided)
    held = remote_db.bookings.count_documents({})
    admin_browser.post(HERE, decided | {"confirm": "DELETE"})

    assert "Deletions that wait for your decision" in waiting
    assert refused.status_code == 422
    assert "Type the word exactly: DELETE. Nothing was started." in refused.content.decode()
    assert held == 1240
    assert remote_db.bookings.count_documents({}) == 340


def test_missing_documents_are_copied_back_without_a_word(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    admin_browser.post(HERE)
    local_db.bookings.delete_many({"_id": {"$lt": 900}})
    admin_browser.post(HERE)

    admin_browser.post(HERE, {"blocked": "bookings", "decide-bookings": "keep"})

    assert local_db.bookings.count_documents({}) == 1240


def test_two_databases_that_are_no_pair_are_paired_by_a_typed_word(
    admin_browser: Client, seeded: Configuration, remote_db: Any
) -> None:
    admin_browser.post(HERE)
    remote_db.backup_sync_state.update_one({"_id": "pair"}, {"$set": {"pair": "another"}})

    refused = admin_browser.post(HERE).content.decode()
    without = admin_browser.post(HERE, {"adopt": "1"}).content.decode()
    paired = admin_browser.post(HERE, {"adopt": "1", "confirm": "ADOPT"}, follow=True).content.decode()

    assert "These two databases are not a known pair." in refused
    assert "Type the word exactly: ADOPT. Nothing was started." in without
    assert "Sync finished." in paired


def test_without_atlas_there_is_nothing_to_sync(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        page = admin_browser.get(HERE).content.decode()

    assert "Sync is off" in page and "Sync now" not in page


def test_a_sync_is_watched_by_all_and_begun_once(
    admin_browser: Client, hindi: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(carrying_out, "WRITE_EVERY", timedelta(0))

    def look() -> None:
        hindi.post(HERE)
        seen.append(admin_browser.get(HERE, headers=HTMX).content.decode())

    slow = Mock(side_effect=watched(syncs.sync_now, look, documents=800, progress="listener"))
    monkeypatch.setattr(syncs, "sync_now", slow)
    answer = admin_browser.post(HERE, follow=True).content.decode()

    assert "800 documents read" in seen[0] and 'hx-trigger="every 1s"' in seen[0]
    assert slow.call_count == 1
    assert "Sync finished." in answer


def test_a_sync_that_no_worker_takes_within_a_minute_is_closed_and_never_begun(
    admin_browser: Client, seeded: Configuration, remote_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    with override_settings(TASKS=NEVER):
        admin_browser.post(HERE)
    waits = admin_browser.get(HERE).content.decode()
    LaneJob.objects.update(created_at=timezone.now() - timedelta(seconds=61))

    late = admin_browser.get(HERE).content.decode()
    lane_syncs.carry_out.call(job=LaneJob.objects.get().pk)

    assert "Waiting for its turn" in waits
    assert "No worker took this run within 60 seconds, so it was closed. Nothing was changed." in late
    assert remote_db.backup_sync_state.count_documents({}) == 0 and LaneJob.objects.get().state == LaneJob.State.FAILED


def test_a_sync_with_another_wish_is_refused_while_one_waits(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    with override_settings(TASKS=NEVER):
        admin_browser.post(HERE)
        refused = admin_browser.post(HERE, {"exact": "1"})

    assert refused.status_code == 409
    assert "Another sync or a repair is running." in refused.content.decode()
    assert LaneJob.objects.count() == 1


def test_while_a_backup_runs_a_sync_leads_to_it(admin_browser: Client, seeded: Configuration) -> None:
    run = backups.start_backup(
        created_by="ananya", delete_bookings=False, origin=Origin.WEB, now=timezone.now(), enqueue=False
    )

    answer = admin_browser.post(HERE)

    assert answer["Location"] == f"/admin/backups/runs/{run.id}/?already=1" and not LaneJob.objects.exists()


def test_a_sync_whose_worker_died_says_that_it_goes_on_with_the_next(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    with override_settings(TASKS=NEVER):
        admin_browser.post(HERE)
    dead = ownership.this_process().as_document() | {"pid": 2**22 + 1, "started": "1"}
    LaneJob.objects.update(state=LaneJob.State.RUNNING, worker=dead)

    page = admin_browser.get(HERE).content.decode()
    again = admin_browser.post(HERE, follow=True).content.decode()

    assert "The worker ended before the sync did." in page
    assert "Sync finished." in again


def running(browser: Client, *, worker: dict[str, Any], silent_for: timedelta) -> None:
    """A sync that a worker took, and of which it wrote something so long ago."""
    with override_settings(TASKS=NEVER):
        browser.post(HERE)
    LaneJob.objects.update(state=LaneJob.State.RUNNING, worker=worker, seen_at=timezone.now() - silent_for)


ELSEWHERE = {"host": "another", "pid": 1, "started": "1", "boot_id": "1", "token": "1"}


def test_a_sync_of_another_host_that_is_silent_is_closed_and_the_next_one_syncs(
    admin_browser: Client, seeded: Configuration, remote_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    running(admin_browser, worker=ELSEWHERE, silent_for=timedelta(minutes=4))
    still = admin_browser.get(HERE).content.decode()
    LaneJob.objects.update(seen_at=timezone.now() - timedelta(minutes=6))

    again = admin_browser.post(HERE, follow=True).content.decode()

    assert "The worker ended before the sync did." not in still
    assert "Sync finished." in again
    assert remote_db.backup_sync_state.count_documents({}) > 0


def test_a_sync_that_nobody_looks_at_is_closed_by_the_worker(
    admin_browser: Client, seeded: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    running(admin_browser, worker=ELSEWHERE, silent_for=timedelta(minutes=6))

    jobs.tidy(now=timezone.now())

    assert isinstance(jobs.error_of(LaneJob.objects.get()), SyncStopped)


def test_a_silent_sync_goes_on_while_its_process_holds_the_lease_or_nobody_can_know(
    admin_browser: Client, seeded: Configuration, local_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "WAIT_SECONDS", 0.0)
    me = ownership.this_process().as_document()
    running(admin_browser, worker=me, silent_for=timedelta(minutes=6))

    with lease.held(local_db, seconds=60):
        jobs.tidy(now=timezone.now())
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, local_url=NOBODY)):
        jobs.tidy(now=timezone.now())
    before = LaneJob.objects.get().state
    jobs.tidy(now=timezone.now())

    assert (before, LaneJob.objects.get().state) == (LaneJob.State.RUNNING, LaneJob.State.FAILED)


def cut_once(real: Callable[..., Any], error: Exception, *, result: str = "") -> Callable[..., Any]:
    """A write whose first try fails, as where PostgreSQL is being restarted. `result`: only of such a row."""
    errors = [error]

    def write(*args: Any, **asked: Any) -> Any:
        if errors and (not result or asked["result"] == result):
            raise errors.pop()
        return real(*args, **asked)

    return write


@pytest.mark.parametrize(
    ("failure", "shown", "result"),
    [(None, "Sync finished.", "success"), (SyncFailed(), "Local and Atlas could not be synced.", "sync_failed")],
)
def test_the_end_of_a_sync_is_written_when_the_django_database_is_back(
    admin_browser: Client,
    seeded: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None,
    shown: str,
    result: str,
) -> None:
    gone = OperationalError("the connection is closed")
    if failure is not None:
        monkeypatch.setattr(engine, "synchronise", Mock(side_effect=failure))
    monkeypatch.setattr(records, "WAITS_SECONDS", (0.0,))
    for end in ("done", "failed"):
        monkeypatch.setattr(jobs, end, cut_once(getattr(jobs, end), gone))
    monkeypatch.setattr(audit, "record", cut_once(audit.record, RecordsUnreachable(), result=result))

    page = admin_browser.post(HERE, follow=True).content.decode()

    assert shown in page
    assert not LaneJob.objects.filter(state__in=jobs.OPEN).exists()
    rows = AuditEvent.objects.filter(action="sync").order_by("n").values_list("result", flat=True)
    assert list(rows) == [audit.STARTED, result]
