"""The audit trail: append-only rows, numbered, each chained to all before it.

`chain(n) = SHA-256(chain(n-1) + the row as canonical JSON)`. Every published backup carries the count and the chain
so far, so a past that was changed afterwards no longer agrees with what the backups say (`backup_audit --verify`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction

from backups_app import formats
from backups_app.access import request_context
from backups_app.errors import RecordsUnavailable
from backups_app.models import AuditEvent, User
from backups_app.records import Origin

START = hashlib.sha256(b"templeops audit trail 1").hexdigest()
TRIES = 50

STARTED = "started"
"""The result of the row written before a destructive act; the row after it says how it ended."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What a published backup says of the trail: how many rows there were, and the chain over them."""

    count: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class AuditVerdict:
    """`rows` were read. `broken_at` is the first row whose own chain is wrong; `first_disagreeing` names the oldest
    backup that remembers another past; `covered` is how many rows the newest agreeing backup vouches for."""

    rows: int
    covered: int
    broken_at: int | None
    first_disagreeing: str | None

    @property
    def good(self) -> bool:
        return self.broken_at is None and self.first_disagreeing is None


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
) -> AuditEvent:
    """Append one row and return it. `actor` is the username (the role that it has now is kept beside it), `session`
    the login session's `sid`, `origin` one of `records.Origin`, `target` an id or a name; `details` plain JSON values,
    no secret and no document. Within a request `session`, `address` and `request_id` are the request's, unless told
    otherwise.

    Numbers have no gaps: of two who append at once, the slower one tries again with the next number. Raise
    `RecordsUnavailable` when the database cannot be used: what cannot be put on record is not done.
    """
    asked = request_context.current()
    facts: dict[str, Any] = {
        "at": now.astimezone(UTC), "actor": storable(actor)[:150], "session": session or asked.session,
        "origin": str(origin), "address": address or asked.address, "action": action, "target": storable(target)[:255],
        "result": storable(result)[:64], "request_id": (request_id or asked.request_id)[:32],
        "details": _plain_json(details or {}),
    }  # fmt: skip
    with _usable():
        facts["role_id"] = _role_of(facts["actor"], origin)
        for _ in range(TRIES):
            event = _following(AuditEvent.objects.order_by("-n").first(), facts)
            try:
                with transaction.atomic():
                    event.save()
            except IntegrityError:
                continue
            return event
    raise RuntimeError("the audit trail could not be written: too many others are writing to it")


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
    """Name the failure of a database that is full, not migrated or not there."""
    try:
        yield
    except DatabaseError as error:
        raise RecordsUnavailable() from error


def _following(last: AuditEvent | None, facts: Mapping[str, Any]) -> AuditEvent:
    event = AuditEvent(n=last.n + 1 if last else 1, **facts)
    event.chain = _chained(last.chain if last else START, event)
    return event


def digest() -> Digest:
    """Return how many rows there are and the chain over them: what goes into `metadata.json` under `audit`.

    Raise `RecordsUnavailable` when the database cannot be used.
    """
    with _usable():
        last = AuditEvent.objects.order_by("-n").first()
    return Digest(count=last.n, sha256=last.chain) if last else Digest(count=0, sha256=START)


def newest(*, limit: int, before: int | None = None) -> list[AuditEvent]:
    """Return at most `limit` rows, newest first; with `before` only those with a smaller number."""
    rows = AuditEvent.objects.order_by("-n")
    return list((rows if before is None else rows.filter(n__lt=before))[:limit])


def public(event: AuditEvent) -> dict[str, Any]:
    """Return a row as the API and `--json` tell it."""
    return {
        "n": event.n, "at": formats.utc(event.at), "actor": event.actor, "role_id": event.role_id,
        "session": event.session, "origin": event.origin, "from": event.address, "action": event.action,
        "target": event.target, "result": event.result, "request_id": event.request_id, "details": event.details,
    }  # fmt: skip


def verify(*, published: Iterable[tuple[str, int, str]]) -> AuditVerdict:
    """Given (backup id, count, sha256) of every published backup, oldest first, walk the whole trail again.

    The chain is computed anew from the rows' contents, never taken from the rows. Rows after the newest backup are
    chained, but nobody outside the database vouches for them.
    """
    said = list(published)
    wanted = {count for _, count, _ in said}
    chain, rows, broken_at = START, 0, None
    seen = {0: START}
    for rows, event in enumerate(AuditEvent.objects.order_by("n").iterator(chunk_size=2000), start=1):
        chain = _chained(chain, event)
        if broken_at is None and (event.n != rows or event.chain != chain):
            broken_at = rows
        if rows in wanted:
            seen[rows] = chain
    disagreeing = next((backup_id for backup_id, count, sha256 in said if seen.get(count) != sha256), None)
    covered = max((count for _, count, sha256 in said if seen.get(count) == sha256), default=0)
    return AuditVerdict(rows=rows, covered=covered, broken_at=broken_at, first_disagreeing=disagreeing)


def _chained(chain: str, event: AuditEvent) -> str:
    return hashlib.sha256(chain.encode() + _canonical(event)).hexdigest()


def _canonical(event: AuditEvent) -> bytes:
    """The row as the same bytes from every database: sorted keys, UTC with microseconds.

    A row without a role has no key for it: such were all rows before roles were kept, and their chain stays good.
    """
    row = {
        "n": event.n, "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"), "actor": event.actor,
        "session": event.session, "origin": event.origin, "address": event.address, "action": event.action,
        "target": event.target, "result": event.result, "request_id": event.request_id, "details": event.details,
    }  # fmt: skip
    if event.role_id is not None:
        row["role_id"] = event.role_id
    return json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
