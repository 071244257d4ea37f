"""The OpenAPI document and the server agree, whatever is sent: schemathesis over every operation, per role and mode."""

from __future__ import annotations

import functools
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bson
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.test import override_settings
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings

from backups_app.access.requests import visit
from backups_app.access.signing_in import sessions, tokens
from backups_app.backup_files.store.store import Store
from backups_app.backup_files.store.trash import Thrown
from backups_app.browsing.search.search import Hit
from backups_app.configuration import Configuration
from backups_app.models import LoginSession, User
from backups_app.mongo import raw_ids
from backups_app.records import Origin
from backups_app.retention.policy import PROPOSED
from backups_app.use_cases.copies.removing import Removed
from backups_app.use_cases.finding.placed_documents import PlacedDocument, PlacedVersion
from templeops.wsgi import application
from tests.security.test_rbac_api import FAKED, a_run

pytestmark = pytest.mark.django_db
LONG = os.environ.get("TEMPLEOPS_LONG") == "1"
EXAMPLES = 500 if LONG else 28
ENOUGH = 5_000 if LONG else 500
"""Requests per role and mode, at least: an operation that takes nothing has only one to send."""
CALLERS = ["role 0", "role 2", "nobody"] if LONG else ["role 0"]
MODES = ["local", "cloud"] if LONG else ["local"]

SENT: Counter[tuple[str, str]] = Counter()
DONE: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)

A_KEPT_VERSION = {
    "_id": "0" * 64, "document_id": 1, "collection": "bookings", "side": "remote", "kind": "replaced",
    "why": "the local version is newer", "kept_at": datetime(2026, 1, 10, tzinfo=UTC),
}  # fmt: skip

A_FRAME = bson.encode({"_id": 1, "name": "Lakshmi", "amount": 501})
A_FOUND_BOOKING = PlacedDocument(
    number=0, collection="bookings", raw_id=raw_ids.id_of(A_FRAME), here=False, on_atlas=None, syncs=False,
    deleted_by="20250119_143022", versions=(PlacedVersion(backup_ids=("20250119_143022",), number=0),),
    hit=Hit(number=0, frame=A_FRAME, paths=("name",)),
)  # fmt: skip

A_SLOT = {
    "slot": "2026-11-28T20:30:00Z", "state": "started", "reason": "", "late": False, "run": "20261128_203000",
    "decided_at": "2026-11-28T20:30:20Z",
}  # fmt: skip
A_SCHEDULE = {
    "name": "nightly", "do": "backup", "cron": "0 2 * * *", "time_zone": "Asia/Kolkata", "if_missed": "run",
    "enabled": True, "target": "", "next_runs": ["2026-11-29T20:30:00Z"], "waiting": None, "overdue": False,
    "last": A_SLOT, "created_by": "ananya", "created_at": "2026-11-01T00:00:00Z",
}  # fmt: skip

# Answers that need databases come from a fake of the right shape; everything before them is real.
REPLACED = {
    "backups_app.use_cases.backups.backups.start_backup": FAKED["start_backup"],
    "backups_app.use_cases.backups.backups.cancel": FAKED["cancel"],
    "backups_app.use_cases.backups.backups.resume": FAKED["resume"],
    "backups_app.use_cases.listing.listing.get_run": FAKED["get_run"],
    "backups_app.use_cases.listing.lost_backups.known_of": lambda **_: None,
    "backups_app.use_cases.lanes.syncs.begin": FAKED["syncs.begin"],
    "backups_app.use_cases.lanes.asking.ask": FAKED["asking.ask"],
    "backups_app.use_cases.lanes.previews.arguments_of": FAKED["previews.arguments_of"],
    "backups_app.use_cases.notifications.notifications.send_test": lambda **_: [],
    "backups_app.use_cases.syncs.conflicts.newest": lambda **_: [A_KEPT_VERSION],
    "backups_app.use_cases.syncs.conflicts.get": lambda **_: SimpleNamespace(
        record=A_KEPT_VERSION, frame=bson.encode({"_id": 1}), live=None, live_hash="nothing", changes=lambda: ()
    ),
    "backups_app.use_cases.finding.finding.begin": FAKED["finding.begin"],
    "backups_app.use_cases.finding.finding.go_on": FAKED["finding.begin"],
    "backups_app.use_cases.finding.found_places.placed": lambda **_: iter([A_FOUND_BOOKING]),
    "backups_app.use_cases.syncs.conflicts.restore_version": FAKED["conflicts.restore_version"],
    "backups_app.use_cases.schedules.overview.get": FAKED["overview.get"],
    "backups_app.use_cases.schedules.overview.public": lambda planned: A_SCHEDULE,
    "backups_app.use_cases.schedules.overview.public_slot": lambda slot: A_SLOT,
    "backups_app.use_cases.schedules.changes.add": FAKED["changes.add"],
    "backups_app.use_cases.schedules.changes.change": FAKED["changes.change"],
    "backups_app.use_cases.schedules.changes.remove": FAKED["changes.remove"],
    "backups_app.use_cases.schedules.changes.run_now": FAKED["changes.run_now"],
    "backups_app.use_cases.restores.restores.choose": lambda **given: SimpleNamespace(in_place=given["to"] is None),
    "backups_app.use_cases.restores.restores.start": lambda **_: a_run(),
    "backups_app.use_cases.restores.restores.rehearse": lambda **_: a_run(),
    "backups_app.use_cases.restores.restores.list_copies": lambda **_: (),
    "backups_app.use_cases.restores.restores.remove_copy": lambda **_: None,
    "backups_app.api.backups.retention.Policy": lambda **_: PROPOSED,
    "backups_app.use_cases.retention.removal.remove": lambda **_: Thrown(
        backup_id="20250119_143022", name=".trash-backup_20250119_143022-0-0", at=timezone.now()
    ),
    "backups_app.use_cases.retention.bringing_back.bring_back": lambda **_: False,
    "backups_app.use_cases.copies.acts.copy_soon": lambda *_, **__: [],
    "backups_app.use_cases.copies.removing.remove": lambda *_, **__: Removed(),
    "backups_app.use_cases.retention.pins.release": lambda **_: None,
    "backups_app.use_cases.retention.pins.accept": lambda **_: None,
    "backups_app.use_cases.restores.preview_json.as_json": lambda preview: {
        "backup_id": "20250119_143022", "target": "temple_db", "in_place": True, "mode": "add", "collections": [],
        "include_purged": False, "document": None, "server": "127.0.0.1:27017", "confirmation": "0" * 64,
        "needs_phrase": False, "totals": {"insert": 0}, "left_out": [], "insert_bytes": 0,
        "disk_free_bytes": None,
    },
}  # fmt: skip


@functools.cache
def schema() -> Any:
    """The document as the server gives it, with the server behind it."""
    return schemathesis.openapi.from_wsgi("/api/schema/", application)


def operations() -> list[tuple[str, str]]:
    paths = SchemaGenerator().get_schema(public=True)["paths"]  # type: ignore[no-untyped-call]
    return [(method.upper(), path) for path, item in paths.items() for method in item]


def headers_of(caller: str, user: User | None) -> dict[str, str]:
    """A fresh session for each request: some of them end it."""
    if caller == "nobody" or user is None:
        return {}
    facts = visit.Visit(origin=Origin.API, address="127.0.0.1")
    now = timezone.now()
    session = sessions.open_session(user=user, face=LoginSession.Face.API, visit=facts, now=now)
    return {"Authorization": f"Bearer {tokens.issue(session=session, now=now).access}", "User-Agent": ""}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), operations(), ids=lambda value: value)
def test_every_operation_answers_as_it_is_documented(
    method: str, path: str, caller: str, mode: str, monkeypatch: pytest.MonkeyPatch, a_folder: Path
) -> None:
    for signal in (
        request_started,
        request_finished,
    ):  # the server's own end of a request would close the test's database
        monkeypatch.setattr(signal, "receivers", [])
        signal.sender_receivers_cache.clear()
    for where, fake in REPLACED.items():
        monkeypatch.setattr(where, fake)
    Store(a_folder).prepare()
    user = User.objects.create(username="caller", role_id=int(caller[-1])) if caller != "nobody" else None
    operation = schema()[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=not LONG,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
    )  # fmt: skip
    def send(case: Any) -> None:
        SENT[caller, mode] += 1
        case.call_and_validate(headers=headers_of(caller, user))

    with override_settings(TEMPLEOPS=Configuration(primary_database=mode, backup_dir=a_folder)):
        send()
    DONE[caller, mode].add((method, path))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("caller", CALLERS)
def test_enough_was_sent(caller: str, mode: str) -> None:
    if DONE[caller, mode] != set(operations()):
        pytest.skip("counts only when every operation above ran and passed")
    print(f"{caller}, {mode}: {SENT[caller, mode]} requests")

    assert SENT[caller, mode] >= ENOUGH
