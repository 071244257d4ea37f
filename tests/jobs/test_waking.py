"""Saying that a job waits: after its row can be seen, and never at the price of the job. No server is needed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import override_settings
from django_tasks_db.models import DBTaskResult
from redis import Redis

from backups_app import checks
from backups_app.access.secrecy import redaction
from backups_app.jobs import broker, listening
from backups_app.use_cases.backups import backups
from backups_app.use_cases.doctor import site_looks
from tests.services.brokers import Broker

PASSWORD = "of-the-broker-7291"
NOBODY = f"redis://:{PASSWORD}@127.0.0.1:9/0"
WAKING = {"default": {"BACKEND": "backups_app.jobs.backend.WakingBackend", "QUEUES": ["default"]}}


@pytest.fixture(autouse=True)
def _nobody_answers() -> Iterator[None]:
    with override_settings(TASKS=WAKING, JOBS_BROKER_URL=NOBODY):
        yield


def _jobs() -> int:
    return DBTaskResult.objects.count()


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_job_is_on_record_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        backups.carry_out_backup.enqueue(backup_id="20260101_000000")

    assert _jobs() == 1
    assert "The broker of JOBS_BROKER_URL does not answer" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_workers_hear_of_a_job_once_its_row_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(broker, "wake_workers", lambda: seen.append(_jobs()))
    with transaction.atomic():
        backups.carry_out_backup.enqueue(backup_id="20260101_000000")
        assert seen == []

    assert seen == [1]


def test_the_doctor_names_a_broker_that_does_not_answer() -> None:
    (finding,) = site_looks.jobs_broker()

    assert (finding.level, finding.subject) == ("problem", "jobs")


def test_what_ends_the_listening_is_one_line() -> None:
    try:
        raise ConnectionError(PASSWORD)
    except ConnectionError:
        record = logging.LogRecord("celery.worker", logging.CRITICAL, "", 0, "Unrecoverable %r", ("x",), sys.exc_info())

    assert listening.OneLine().filter(record)

    assert record.getMessage() == "The broker of JOBS_BROKER_URL cannot be listened to"
    assert (record.levelname, record.exc_info, record.__dict__["reason"]) == ("WARNING", None, "ConnectionError")


@pytest.mark.services
def test_the_doctor_names_a_redis_that_answers_and_whose_memory_is_full(redis_server: Broker) -> None:
    client = Redis.from_url(redis_server.url)
    known = set(client.keys("_kombu*"))  # of workers of other tests
    with override_settings(JOBS_BROKER_URL=redis_server.url):
        assert broker.failure() is None
        assert set(client.keys("_kombu*")) <= known
        client.config_set("maxmemory", 1)
        (finding,) = site_looks.jobs_broker()
        client.config_set("maxmemory", 0)

    assert finding.level == "problem" and "(OutOfMemoryError)" in finding.sentence


@pytest.mark.services
def test_the_doctor_leaves_no_queue_in_rabbitmq(rabbitmq_server: Broker) -> None:
    with override_settings(JOBS_BROKER_URL=rabbitmq_server.url):
        assert broker.failure() is None
        assert broker.failure() is None


def test_the_password_is_hidden_wherever_it_stands() -> None:
    assert PASSWORD not in redaction.scrub(f"Error while reading from {PASSWORD} ({NOBODY})")


def test_a_broker_beside_sqlite_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups_app.checks.connections_of_django", {"default": SimpleNamespace(vendor="sqlite")})
    assert [message.id for message in checks.workers_can_share_the_jobs()] == ["templeops.W010"]

    monkeypatch.setattr("backups_app.checks.connections_of_django", {"default": SimpleNamespace(vendor="postgresql")})
    assert checks.workers_can_share_the_jobs() == []
