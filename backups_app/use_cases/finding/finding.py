"""Finding a document in live data and in every backup: begin, go on, show. Between two calls ids and counts are kept,
for a day at most; no document and not what was searched for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.db import Error as DatabaseError
from django.utils.crypto import salted_hmac

from backups_app.access import records
from backups_app.access.trail import audit
from backups_app.browsing.search import everywhere, find_everywhere
from backups_app.browsing.search import query as queries
from backups_app.browsing.search.everywhere import FindState
from backups_app.browsing.search.query import Query
from backups_app.configuration import Configuration
from backups_app.errors import SearchNotKept, TempleOpsError
from backups_app.models import KeptSearch, User
from backups_app.mongo import availability, connections
from backups_app.mongo.connections import MongoDatabase
from backups_app.records import Origin, Side
from backups_app.runs import preparation
from backups_app.use_cases.finding import not_searched

KEPT = timedelta(days=1)
KEPT_EACH = 20
"""So many searches of one person are kept: the newest."""

ACTION = "find"


@dataclass(frozen=True, kw_only=True)
class FoundSoFar:
    """A search as it stands. `cursor` continues it; empty where everything was searched, or enough was found."""

    query: Query
    state: FindState
    key: str

    @property
    def cursor(self) -> str:
        return "" if self.state.finished else f"{self.key}.{self.state.step}"

    @property
    def place(self) -> str:
        """The cursor that shows the search as it stands, also at its end."""
        return f"{self.key}.{max(0, self.state.step - 1)}"


def begin(
    *,
    configuration: Configuration,
    words: str,
    only_lost: bool,
    person: User,
    origin: Origin,
    now: datetime,
    zone: tzinfo,
    seconds: float = find_everywhere.FIRST_SECONDS,
) -> FoundSoFar:
    """Put a search on record and search for `seconds`. `only_lost`: leave out what is live on this computer.

    Raise `InvalidInput` for nothing to search for, `SearchBusy`, `RecordsUnavailable`; with `only_lost`
    `DatabaseUnreachable`.
    """
    query = queries.parse(words, zone=zone)
    backups = sorted(preparation.store(configuration).backups().ids, reverse=True)
    audit.record(
        actor=person.get_username(), origin=origin, action=ACTION, target="*", result="success", now=now,
        details={"characters": len(words.strip()), "backups": len(backups), "only_lost": only_lost},
    )  # fmt: skip
    forget_old(now=now)
    left_out = not_searched.known(configuration=configuration)
    state = FindState(backups=backups, only_lost=only_lost, not_searched=left_out)
    _search(configuration, state, query, seconds)
    key = secrets.token_urlsafe(24)
    _keep(key, state, words=words, person=person, now=now)
    return FoundSoFar(query=query, state=state, key=key)


def go_on(
    *,
    configuration: Configuration,
    words: str,
    cursor: str,
    person: User,
    zone: tzinfo,
    only_show: bool = False,
    seconds: float = find_everywhere.SECONDS,
) -> FoundSoFar:
    """Search on from `cursor` for `seconds`, and return all that was found so far. A cursor that was used before shows
    how the search stands, so that a request may be repeated; so does `only_show`.

    Raise `SearchNotKept` when the search is too old, somebody else's, or for other words; `SearchBusy`.
    """
    query = queries.parse(words, zone=zone)
    key, _, step = cursor.rpartition(".")
    kept = KeptSearch.objects.filter(key=key, user=person, words=_fingerprint(words, person)).first()
    if kept is None or not (step.isascii() and step.isdigit()):
        raise SearchNotKept()
    state = everywhere.from_json(kept.state)
    if not only_show and int(step) == kept.step and not state.finished:
        _search(configuration, state, query, seconds)
        if not _advance(kept, state):  # the same cursor was used at the same time: the other one's answer counts
            kept.refresh_from_db()
            state = everywhere.from_json(kept.state)
    return FoundSoFar(query=query, state=state, key=key)


def forget_old(*, now: datetime) -> None:
    """Remove searches that were begun more than a day ago."""
    KeptSearch.objects.filter(created_at__lt=now - KEPT).delete()


def _search(configuration: Configuration, state: FindState, query: Query, seconds: float) -> None:
    find_everywhere.go_on(
        state,
        query=query,
        store=preparation.store(configuration),
        database=_live_database(configuration),
        seconds=seconds,
    )


def _live_database(configuration: Configuration) -> MongoDatabase | None:
    """Return live data, or None where the server does not answer: backups are searched all the same."""
    try:
        database = preparation.local_database(configuration)
        with availability.asking(Side.LOCAL, configuration=configuration, seconds=1):
            connections.ping(database.client)
    except TempleOpsError:
        return None
    return database


def _keep(key: str, state: FindState, *, words: str, person: User, now: datetime) -> None:
    try:
        KeptSearch.objects.create(
            key=key, user=person, words=_fingerprint(words, person), step=state.step,
            state=everywhere.as_json(state), created_at=now,
        )  # fmt: skip
        older = (
            KeptSearch.objects.filter(user=person)
            .order_by("-created_at", "-pk")
            .values_list("pk", flat=True)[KEPT_EACH:]
        )
        KeptSearch.objects.filter(pk__in=list(older)).delete()
    except DatabaseError as error:
        raise records.failure(error) from error


def _advance(kept: KeptSearch, state: FindState) -> bool:
    rows = KeptSearch.objects.filter(pk=kept.pk, step=kept.step)
    return bool(rows.update(step=state.step, state=everywhere.as_json(state)))


def _fingerprint(words: str, person: User) -> str:
    return salted_hmac("templeops.find", f"{person.pk}:{words.strip()}", algorithm="sha256").hexdigest()
