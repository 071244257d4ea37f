"""A database of users and audit rows that takes no changes, or no connection: named, and nothing says ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, OperationalError, connection
from django.test import Client
from django.utils import timezone

from backups_app.access import records
from backups_app.access.trail import audit
from backups_app.configuration import Configuration
from backups_app.errors import RecordsBusy, RecordsCrowded, RecordsReadOnly, RecordsUnreachable
from backups_app.metrics import health
from backups_app.use_cases.doctor import doctor, doctor_looks
from backups_app.use_cases.status import status
from tests.journeys.conftest import seeded as seeded

pytestmark = pytest.mark.django_db
ON_POSTGRES = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="make services runs it on PostgreSQL")


@pytest.fixture
def read_only() -> Iterator[None]:
    """The session takes no changes any more, as on a standby."""
    postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY" if postgres else "PRAGMA query_only = ON")
        yield
        if not postgres:
            cursor.execute("PRAGMA query_only = OFF")


@pytest.mark.usefixtures("read_only")
def test_what_cannot_be_written_is_refused_as_read_only() -> None:
    with pytest.raises(RecordsReadOnly) as refused:
        audit.record(actor="ravi", origin="web", action="login", target="", result="ok", now=timezone.now())

    assert refused.value.code == "records_unavailable" and "takes no changes" in refused.value.detail


@pytest.mark.parametrize(
    ("refusal", "named"),
    [
        ('FATAL: too many connections for role "templeops"', RecordsCrowded),
        ("FATAL: sorry, too many clients already", RecordsCrowded),
        ("FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute", RecordsCrowded),
        ("connection refused", RecordsUnreachable),
    ],
)
def test_a_refused_connection_says_whether_there_is_room(
    monkeypatch: pytest.MonkeyPatch, refusal: str, named: type[Exception]
) -> None:
    monkeypatch.setattr(records, "connection", SimpleNamespace(connection=None))

    assert type(records.failure(OperationalError(refusal))) is named


@pytest.mark.parametrize("refusal", ["canceling statement due to lock timeout", "database is locked"])
def test_a_database_that_another_process_holds_is_named(refusal: str) -> None:
    connection.ensure_connection()

    assert type(records.failure(OperationalError(refusal))) is RecordsBusy


@ON_POSTGRES
def test_nobody_waits_for_the_lock_of_another_without_end() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name LIKE '%%timeout'")
        waits = {name: int(setting) for name, setting in cursor.fetchall()}

    assert 0 < waits["idle_in_transaction_session_timeout"] < waits["lock_timeout"] <= 15_000


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_a_process_that_stands_still_while_it_writes_to_the_trail_does_not_hold_the_others() -> None:
    with closing(connection.copy()) as frozen, frozen.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '500ms'")
        cursor.execute("BEGIN")
        cursor.execute(
            "INSERT INTO backups_app_auditevent (n, at, actor, session, origin, address, action, target, result, "
            "request_id, details, chain, key_id) "
            "VALUES (1, now(), 'ravi', '', 'web', '', 'login', '', 'ok', '', '{}', '', '')"
        )
        audit.record(actor="ravi", origin="web", action="logout", result="ok", now=timezone.now())

    assert audit.digest().count == 1


@ON_POSTGRES
@pytest.mark.usefixtures("read_only")
def test_nothing_says_that_a_backup_can_be_started(seeded: Configuration) -> None:
    health.forget()

    found = status.status(configuration=seeded, now=timezone.now())
    probe = Client().get("/health/ready")
    findings = doctor.examine(configuration=seeded)

    assert not found.backup_available and found.message == RecordsReadOnly().detail
    assert (probe.status_code, probe.json()["status"]) == (503, "not_ready")
    assert not any(one.subject == "readiness" for one in findings)
    assert any(one.sentence == RecordsReadOnly().detail for one in findings)


def test_the_doctor_names_migrations_that_were_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "unapplied_migrations", lambda: ["backups_app 0099_next"])

    *_, finding = doctor_looks.users_and_audit()

    assert (finding.level, finding.subject, finding.fix) == ("problem", "records_unavailable", "manage.py migrate")
    assert "backups_app 0099_next" in finding.sentence


def test_a_database_of_this_version_can_be_written() -> None:
    assert records.refusals() == ()


def test_a_database_that_fails_while_it_is_looked_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise Error

    monkeypatch.setattr(records, "unapplied_migrations", fail)

    assert [one.code for one in records.refusals()] == ["records_unavailable"]


def test_a_worker_does_not_start_before_the_migrations_of_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "unapplied_migrations", lambda: ["backups_app 0099_next"])

    with pytest.raises(CommandError, match=r"Run: manage\.py migrate"):
        call_command("worker", "--once")


def test_a_worker_waits_for_a_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise OperationalError

    monkeypatch.setattr(records, "unapplied_migrations", fail)
    monkeypatch.setattr("backups_app.priorities.stand_back", lambda **_: None)
    monkeypatch.setattr("backups_app.management.commands.worker.tick", lambda: None)
    monkeypatch.setattr("backups_app.management.commands.worker.queue.work", lambda **_: None)
    monkeypatch.setattr("backups_app.management.commands.worker._do_what_waits_in_other_lanes", lambda: None)

    call_command("worker", "--once")


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
def test_the_trail_goes_on_after_postgresql_was_started_again() -> None:
    audit.record(actor="ravi", origin="web", action="login", target="", result="ok", now=timezone.now())
    pid = connection.connection.info.backend_pid
    with closing(connection.copy()) as another, another.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    audit.record(actor="ravi", origin="web", action="logout", target="", result="ok", now=timezone.now())

    assert audit.digest().count == 2
