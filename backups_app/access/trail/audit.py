"""The audit trail: append-only rows, numbered, each chained to all before it (`audit_chain`).

Every published backup and every run's document carry the count and the chain so far, written again after the purge, so
a past that was changed afterwards no longer agrees with them (`backup_audit --verify`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import IntegrityError, connection, transaction

from backups_app import formats
from backups_app.access import records, request_context
from backups_app.access.trail import audit_chain
from backups_app.access.trail.audit_chain import ChainDigest
from backups_app.messages import stored
from backups_app.models import AuditEvent, User
from backups_app.records import Origin

TRIES = 50
_waiting: ContextVar[WaitingRows | None] = ContextVar("waiting_rows", default=None)

STARTED = "started"
"""The result of the row written before a destructive act; the row after it says how it ended."""


def record(
    *,
    actor: str,
    origin: str,
    action: str,
    result: str,
    now: datetime,
    session: str = "",
    address: str = "",
    target: str = "",
    request_id: str = "",
    details: Mapping[str, Any] | None = None,
    once_since: datetime | None = None,
) -> AuditEvent:
    """Append one row and return it. `actor` is the username (the role that it has now is kept beside it), `session`
    the login session's `sid`, `origin` one of `records.Origin`, `target` an id or a name; `details` plain JSON values,
    no secret and no document. Within a request `session`, `address` and `request_id` are the request's, unless given
    otherwise. With `once_since` the row is returned that the same action and target has from that moment on, where
    there is one, and nothing is appended.

    Numbers have no gaps: of two who append at once, the slower one tries again with the next number. Raise
    `RecordsUnavailable` when the database cannot be used: what cannot be put on record is not done.
    """
    asked = request_context.current()
    facts: dict[str, Any] = {
        "at": now.astimezone(UTC), "actor": storable(actor)[:150], "session": session or asked.session,
        "origin": str(origin), "address": address or asked.address, "action": action, "target": storable(target)[:255],
        "result": storable(result)[:64], "request_id": (request_id or asked.request_id)[:32],
        "details": _plain_json(stored.with_details(details or {})),
    }  # fmt: skip
    with _usable():
        facts["role_id"] = _role_of(facts["actor"], origin)
        if (waiting := _waiting.get()) is not None:
            waiting.rows.append(facts)
            return AuditEvent(**facts)
        return _append(facts, once_since)


def _append(facts: Mapping[str, Any], once_since: datetime | None = None) -> AuditEvent:
    for _ in range(TRIES):
        event = _following(AuditEvent.objects.order_by("-n").first(), facts)
        # Asked after the newest row: who appends the same meanwhile takes the number that this one would have.
        if once_since is not None and (known := _same_since(facts, once_since)):
            return known
        try:
            with transaction.atomic():
                event.save()
        except IntegrityError:
            continue
        return event
    raise RuntimeError("the audit trail could not be written: too many others are writing to it")


def _same_since(facts: Mapping[str, Any], moment: datetime) -> AuditEvent | None:
    return AuditEvent.objects.filter(action=facts["action"], target=facts["target"], at__gte=moment).first()


class WaitingRows:
    """Rows that wait for what must come before them. Those that are never written are gone when the block ends."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def write(self) -> None:
        """Append the rows; from now on none waits. Raise `RecordsUnavailable`."""
        _waiting.set(None)
        with _usable():
            for facts in self.rows:
                _append(facts)
        self.rows = []


@contextmanager
def rows_waiting() -> Iterator[WaitingRows]:
    """Let the rows recorded in the block wait until `write`: only where the trail is empty, and may yet go on from
    another one."""
    waiting = WaitingRows()
    token = _waiting.set(waiting)
    try:
        yield waiting
    finally:
        _waiting.reset(token)


def storable(text: str) -> str:
    """Return the text as every database can keep it: PostgreSQL knows no NUL, and no database half a character."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _role_of(actor: str, origin: str) -> int | None:
    """The role of a person who came by page or API. Who runs a command is a user of the machine, whatever the name."""
    if origin not in (Origin.WEB, Origin.API):
        return None
    return User.objects.filter(username=actor).values_list("role_id", flat=True).first()


def _plain_json(details: Mapping[str, Any]) -> Any:
    return json.loads(
        storable(json.dumps(dict(details), default=str, ensure_ascii=False)).replace("\\u0000", "\\ufffd")
    )


@contextmanager
def _usable() -> Iterator[None]:
    """Name the failure of a database that is full, not migrated or not there. A connection that was cut since its last
    use is made again: a run keeps one for hours, and PostgreSQL may be started again meanwhile."""
    try:
        if not connection.in_atomic_block:  # it would close that of a transaction
            connection.close_if_unusable_or_obsolete()
        yield
    except DatabaseError as error:
        raise records.failure(error) from error


def _following(last: AuditEvent | None, facts: Mapping[str, Any]) -> AuditEvent:
    event = AuditEvent(n=last.n + 1 if last else 1, key_id=audit_chain.key_id(), **facts)
    event.chain = audit_chain.chained(last.chain if last else audit_chain.START, event)
    return event


def digest() -> ChainDigest:
    """Return how many rows there are, the chain over them and its key: what goes into `metadata.json` and a run's
    document under `audit`. Raise `RecordsUnavailable` when the database cannot be used.
    """
    with _usable():
        last = AuditEvent.objects.order_by("-n").first()
    if last is None:
        return ChainDigest(count=0, sha256=audit_chain.START, key_id=audit_chain.key_id())
    return ChainDigest(count=last.n, sha256=last.chain, key_id=last.key_id)


def newest(*, limit: int, before: int | None = None) -> list[AuditEvent]:
    """Return at most `limit` rows, newest first; with `before` only those with a smaller number."""
    rows = AuditEvent.objects.order_by("-n")
    return list((rows if before is None else rows.filter(n__lt=before))[:limit])


def targets(*, actions: Collection[str], since: datetime) -> list[str]:
    """Return the target of each row of these actions from a moment on. Raise `RecordsUnavailable`."""
    with _usable():
        return list(AuditEvent.objects.filter(at__gte=since, action__in=actions).values_list("target", flat=True))


def public(event: AuditEvent) -> dict[str, Any]:
    """Return a row as the API and `--json` report it."""
    return {
        "n": event.n, "at": formats.utc(event.at), "actor": event.actor, "role_id": event.role_id,
        "session": event.session, "origin": event.origin, "from": event.address, "action": event.action,
        "target": event.target, "result": event.result, "request_id": event.request_id, "details": event.details,
    }  # fmt: skip
