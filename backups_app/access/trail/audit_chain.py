"""The chain of the audit trail: what binds a row to all rows before it, and whether a trail still agrees with it.

`chain(n) = HMAC-SHA256(key, chain(n-1) + the row as canonical JSON)`. The key lies outside the database (`AUDIT_KEY`,
or `.audit_key` beside the project), so who can write the database cannot compute a chain. Rows from before the key
was introduced have no `key_id` and were chained by plain SHA-256; none may follow a row that has one.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from backups_app.models import AuditEvent

START = hashlib.sha256(b"templeops audit trail 1").hexdigest()
KEY_ID_LENGTH = 12


@dataclass(frozen=True, kw_only=True)
class ChainDigest:
    """What a backup or a run remembers of the trail: how many rows there were, the chain over them, and the id of the
    key it was computed with ("" before there was a key)."""

    count: int
    sha256: str
    key_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A digest with the backup that carries it. `elsewhere`: the backup was made beside another trail (it was fetched,
    or belongs to another backup folder), so a difference is no change of this one."""

    backup_id: str
    digest: ChainDigest
    elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class AuditVerdict:
    """`rows` were read, `unkeyed` of them from before the key. `broken_at` is the first row whose own chain is wrong;
    `first_disagreeing` names the oldest backup that remembers another past; `covered` is how many rows the newest
    agreeing backup vouches for. `unknown_runs` deleted documents and the trail has no row of it.

    `other_key_rows` and `other_key_backups` cannot be checked with the present key; the trail began after
    `began_later` were made elsewhere. None of these two is a change.
    """

    rows: int
    covered: int
    broken_at: int | None
    first_disagreeing: str | None
    unkeyed: int = 0
    unknown_runs: tuple[str, ...] = ()
    other_key_rows: int = 0
    other_key_backups: tuple[str, ...] = ()
    began_later: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.broken_at is not None or self.first_disagreeing is not None or bool(self.unknown_runs)

    @property
    def other_key(self) -> bool:
        return bool(self.other_key_rows or self.other_key_backups)

    @property
    def good(self) -> bool:
        return not self.changed and not self.other_key


def key_id() -> str:
    """Return the name of the present key. It distinguishes two keys and reveals nothing about either."""
    return hashlib.sha256(b"templeops audit key" + settings.AUDIT_KEY.encode()).hexdigest()[:KEY_ID_LENGTH]


def chained(chain: str, event: AuditEvent) -> str:
    """Return the chain over a row, given the one before it. With the present key, or for a row of before by SHA-256."""
    content = chain.encode() + _canonical(event)
    if not event.key_id:
        return hashlib.sha256(content).hexdigest()
    return hmac.new(settings.AUDIT_KEY.encode(), content, hashlib.sha256).hexdigest()


def verify(*, remembered: Iterable[Remembered]) -> AuditVerdict:
    """Walk the whole trail again and compare it with every digest, the one of the fewest rows first.

    The chain is computed from the contents of the rows, never taken from them; only a row of another key is trusted,
    and counted. Rows after the newest digest are chained, but nothing outside the database vouches for them.
    """
    digests = sorted(remembered, key=lambda one: (one.digest.count, one.backup_id))
    wanted = {one.digest.count for one in digests}
    present, chain, rows, broken_at, unkeyed, other = key_id(), START, 0, None, 0, 0
    seen = {0: START}
    for rows, event in enumerate(AuditEvent.objects.order_by("n").iterator(chunk_size=2000), start=1):
        downgraded = not event.key_id and rows != unkeyed + 1
        if event.key_id in ("", present):
            chain = chained(chain, event)
        else:
            chain, other = event.chain, other + 1
        unkeyed += not event.key_id
        if broken_at is None and (event.n != rows or event.chain != chain or downgraded):
            broken_at = rows
        if rows in wanted:
            seen[rows] = chain
    agreeing = [one for one in digests if seen.get(one.digest.count) == one.digest.sha256]
    differing = [one for one in digests if one not in agreeing]
    foreign_key = [one for one in differing if one.digest.key_id not in ("", present) and not one.elsewhere]
    disagreeing = [one for one in differing if one not in foreign_key and not one.elsewhere]
    return AuditVerdict(
        rows=rows,
        covered=max((one.digest.count for one in agreeing if one.digest.key_id in ("", present)), default=0),
        broken_at=broken_at,
        first_disagreeing=disagreeing[0].backup_id if disagreeing else None,
        unkeyed=unkeyed,
        other_key_rows=other,
        other_key_backups=tuple(one.backup_id for one in foreign_key),
        began_later=tuple(one.backup_id for one in differing if one.elsewhere),
    )


def _canonical(event: AuditEvent) -> bytes:
    """The row as the same bytes from every database: sorted keys, UTC with microseconds.

    A row without a role or a key has no entry for it: such were all rows before these were kept, and their chain
    stays good.
    """
    row = {
        "n": event.n, "at": event.at.astimezone(datetime.UTC).isoformat(timespec="microseconds"), "actor": event.actor,
        "session": event.session, "origin": event.origin, "address": event.address, "action": event.action,
        "target": event.target, "result": event.result, "request_id": event.request_id, "details": event.details,
    }  # fmt: skip
    if event.role_id is not None:
        row["role_id"] = event.role_id
    if event.key_id:
        row["key_id"] = event.key_id
    return json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
