"""The audit trail grows only, and a past that was changed shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection

from backups_app.access import request_context
from backups_app.access.trail import audit, audit_chain
from backups_app.access.trail.audit_chain import AuditVerdict, ChainDigest, Remembered
from backups_app.models import AuditEvent, User
from backups_app.records import Origin

pytestmark = pytest.mark.django_db
TABLE = AuditEvent._meta.db_table
CHAIN_OF_OLD = "ab9487ec9369b907f31d7de58a2754d968fed33f0030c62f262ca070644ab8e6"
"""Of one row, as the first release computed it."""


def a_trail(now: datetime, rows: int = 10) -> list[ChainDigest]:
    """Write rows and return what a backup published after each would carry."""
    digests = []
    for number in range(rows):
        audit.record(
            actor="ananya", origin="api", action="backup.requested", target=f"run {number}", result="accepted",
            now=now + timedelta(seconds=number), details={"delete_bookings": number % 2 == 0, "नाम": "पूजा"},
        )  # fmt: skip
        digests.append(audit.digest())
    return digests


def published(digests: list[ChainDigest], *counts: int) -> list[Remembered]:
    return [Remembered(backup_id=f"backup {count}", digest=digests[count - 1]) for count in counts]


def sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_rows_are_numbered_without_gaps(now: datetime) -> None:
    a_trail(now, rows=3)

    assert list(AuditEvent.objects.order_by("n").values_list("n", flat=True)) == [1, 2, 3]


def test_an_untouched_trail_agrees_with_every_backup(now: datetime) -> None:
    digests = a_trail(now)

    verdict = audit_chain.verify(remembered=published(digests, 3, 7))

    assert verdict == AuditVerdict(rows=10, covered=7, broken_at=None, first_disagreeing=None)
    assert verdict.good


def test_the_digest_is_the_same_whatever_the_zone_a_moment_was_written_in(now: datetime) -> None:
    digests = a_trail(now.astimezone(timezone(timedelta(hours=5, minutes=30))), rows=2)

    assert audit_chain.verify(remembered=published(digests, 2)).good


THE_REST = "session, origin, address, action, target, result, request_id, details, chain, key_id"
TAMPERINGS: dict[str, Callable[[], None]] = {
    "edited": lambda: sql(f"UPDATE {TABLE} SET actor = 'ravi' WHERE n = 3"),
    "promoted": lambda: sql(f"UPDATE {TABLE} SET role_id = 0 WHERE n = 3"),
    "deleted": lambda: sql(f"DELETE FROM {TABLE} WHERE n = 3"),
    "inserted": lambda: sql(
        f"INSERT INTO {TABLE} (n, at, actor, {THE_REST}) SELECT 0, at, 'mallory', {THE_REST} FROM {TABLE} WHERE n = 1"
    ),
    "swapped": lambda: sql(
        f"UPDATE {TABLE} SET n = 1000 WHERE n = 2",
        f"UPDATE {TABLE} SET n = 2 WHERE n = 3",
        f"UPDATE {TABLE} SET n = 3 WHERE n = 1000",
    ),
    "renumbered": lambda: sql(
        f"DELETE FROM {TABLE} WHERE n = 3",
        f"UPDATE {TABLE} SET n = n + 1000 WHERE n > 3",
        f"UPDATE {TABLE} SET n = n - 1001 WHERE n > 1000",
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_row_changed_before_the_last_backup_is_found(now: datetime, how: str) -> None:
    digests = a_trail(now)
    TAMPERINGS[how]()

    verdict = audit_chain.verify(remembered=published(digests, 2, 5, 8))

    assert not verdict.good
    assert verdict.first_disagreeing == ("backup 2" if how in ("inserted", "swapped") else "backup 5")


def test_a_past_rewritten_with_correct_chains_still_disagrees_with_the_backups(now: datetime) -> None:
    digests = a_trail(now)
    sql(f"DELETE FROM {TABLE}")
    a_trail(now + timedelta(hours=1))

    verdict = audit_chain.verify(remembered=published(digests, 5))

    assert verdict.broken_at is None
    assert verdict.first_disagreeing == "backup 5"


def test_rows_after_the_last_backup_are_not_vouched_for_and_the_verdict_says_so(now: datetime) -> None:
    digests = a_trail(now)
    sql(f"DELETE FROM {TABLE} WHERE n > 8")

    verdict = audit_chain.verify(remembered=published(digests, 5))

    assert verdict.good
    assert (verdict.rows, verdict.covered) == (8, 5)


def test_a_trail_that_was_emptied_is_found(now: datetime) -> None:
    digests = a_trail(now)
    sql(f"DELETE FROM {TABLE}")

    assert audit_chain.verify(remembered=published(digests, 5)).first_disagreeing == "backup 5"


def test_rows_cannot_be_changed_or_removed_by_the_program(now: datetime) -> None:
    a_trail(now, rows=2)
    row = AuditEvent.objects.get(n=1)

    for act in (
        row.save,
        row.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(actor="ravi"),
        lambda: AuditEvent.objects.bulk_update([row], ["actor"]),
    ):
        with pytest.raises(PermissionError):
            act()
    assert AuditEvent.objects.count() == 2


def test_a_row_written_within_a_request_knows_where_it_came_from(now: datetime) -> None:
    token = request_context.enter(address="192.0.2.7")
    request_context.signed_in(session="the-session")
    event = audit.record(actor="ananya", origin="api", action="backup.cancel", result="accepted", now=now)
    request_context.leave(token)

    assert (event.address, event.session, len(event.request_id)) == ("192.0.2.7", "the-session", 12)


def test_a_row_keeps_the_role_that_a_person_had_then(now: datetime, admin: User) -> None:
    rows = [
        audit.record(actor="ravi", origin=origin, action="backup.requested", result="accepted", now=now)
        for origin in (Origin.WEB, Origin.API, Origin.COMMAND, Origin.SCHEDULE)
    ]
    User.objects.filter(pk=admin.pk).update(role_id=3)

    assert [row.role_id for row in rows] == [1, 1, None, None]
    assert audit.public(AuditEvent.objects.get(n=1))["role_id"] == 1
    assert audit_chain.verify(remembered=()).good


def a_row_of_the_first_release() -> ChainDigest:
    """Insert a row as the first release wrote it: no role, no key, chained by plain SHA-256."""
    then = datetime(2026, 1, 19, 11, 14, 20, tzinfo=UTC)
    AuditEvent(n=1, at=then, actor="root", origin="command", action="sync", target="20260119_111420", result="started",
               chain=CHAIN_OF_OLD).save()  # fmt: skip
    return ChainDigest(count=1, sha256=CHAIN_OF_OLD)


def test_the_chain_of_rows_from_before_roles_and_keys_were_kept_stays_good(now: datetime) -> None:
    old = a_row_of_the_first_release()
    keyed = a_trail(now, rows=2)

    verdict = audit_chain.verify(
        remembered=[Remembered(backup_id="old", digest=old), Remembered(backup_id="new", digest=keyed[-1])]
    )

    assert verdict == AuditVerdict(rows=3, covered=3, broken_at=None, first_disagreeing=None, unkeyed=1)


def test_a_chain_computed_without_the_key_is_found_even_where_no_backup_vouches(now: datetime) -> None:
    a_trail(now, rows=2)
    row = AuditEvent.objects.get(n=2)
    row.key_id = ""
    forged = audit_chain.chained(AuditEvent.objects.get(n=1).chain, row)
    sql(f"UPDATE {TABLE} SET key_id = '', chain = '{forged}' WHERE n = 2")

    assert audit_chain.verify(remembered=()).broken_at == 2


def test_a_whole_trail_rewritten_without_the_key_disagrees_with_a_keyed_digest(now: datetime) -> None:
    digests = a_trail(now, rows=3)
    rewrite_without_the_key()

    verdict = audit_chain.verify(remembered=published(digests, 2))

    assert (verdict.broken_at, verdict.first_disagreeing, verdict.unkeyed) == (None, "backup 2", 3)


def rewrite_without_the_key() -> None:
    chain = audit_chain.START
    for row in AuditEvent.objects.order_by("n"):
        row.key_id, row.actor = "", "mallory"
        chain = audit_chain.chained(chain, row)
        sql(f"UPDATE {TABLE} SET actor = 'mallory', key_id = '', chain = '{chain}' WHERE n = {row.n}")


def test_another_key_is_distinguished_from_a_changed_past(now: datetime, settings: Any) -> None:
    digests = a_trail(now, rows=3)
    settings.AUDIT_KEY = "another-key-" * 6

    verdict = audit_chain.verify(remembered=published(digests, 2))

    assert (verdict.changed, verdict.other_key, verdict.good) == (False, True, False)
    assert (verdict.other_key_rows, verdict.covered) == (3, 0)


def test_a_lost_trail_under_a_new_key_is_another_key(now: datetime, settings: Any) -> None:
    digests = a_trail(now, rows=3)
    sql(f"DELETE FROM {TABLE}")
    settings.AUDIT_KEY = "another-key-" * 6
    a_trail(now, rows=1)

    verdict = audit_chain.verify(remembered=published(digests, 2))

    assert (verdict.changed, verdict.other_key_backups) == (False, ("backup 2",))


def test_a_backup_fetched_from_elsewhere_says_that_the_trail_began_later(now: datetime) -> None:
    digests = a_trail(now, rows=3)
    sql(f"DELETE FROM {TABLE}")
    a_trail(now + timedelta(days=1), rows=4)
    fetched = [Remembered(backup_id="fetched", digest=digests[2], elsewhere=True)]

    verdict = audit_chain.verify(remembered=fetched)

    assert (verdict.good, verdict.began_later, verdict.covered) == (True, ("fetched",), 0)


def test_one_who_lost_the_race_for_a_number_takes_the_next(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    a_trail(now, rows=2)
    real = audit._following
    stale = [AuditEvent.objects.get(n=1)]
    monkeypatch.setattr(audit, "_following", lambda last, facts: real(stale.pop() if stale else last, facts))

    event = audit.record(actor="ravi", origin="web", action="login", result="success", now=now)

    assert event.n == 3
    assert audit_chain.verify(remembered=[Remembered(backup_id="b", digest=audit.digest())]).good


def test_what_is_recorded_once_is_not_recorded_again(now: datetime) -> None:
    facts: dict[str, Any] = {
        "actor": "ravi", "origin": "web", "action": "backup.finished", "result": "success", "once_since": now,
    }  # fmt: skip
    first = audit.record(**facts, target="a", now=now)

    assert audit.record(**facts, target="a", now=now + timedelta(minutes=1)) == first
    audit.record(**facts, target="b", now=now)
    audit.record(**{**facts, "once_since": now + timedelta(minutes=2)}, target="a", now=now + timedelta(minutes=3))
    assert [event.target for event in audit.newest(limit=9)] == ["a", "b", "a"]


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_make_one_chain_without_gaps(now: datetime) -> None:
    def write(number: int) -> None:
        try:
            audit.record(actor=f"person {number}", origin="api", action="login", result="success", now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(write, range(80)))

    assert audit_chain.verify(remembered=[Remembered(backup_id="all of it", digest=audit.digest())]).good
    assert AuditEvent.objects.count() == 80


def test_what_not_every_database_can_keep_is_kept_as_far_as_it_goes(now: datetime) -> None:
    odd = "a\0b\ud800c"

    audit.record(
        actor=odd, origin="web", action="look", target=odd, result=odd, now=now, details={odd: [odd, "\\u0000"]}
    )

    row = AuditEvent.objects.get()
    assert row.actor == row.target == row.result == "a\ufffdb?c"
    assert "\\u0000" not in json.dumps(row.details) and "\\ud800" not in json.dumps(row.details)
    assert audit_chain.verify(remembered=()).good
