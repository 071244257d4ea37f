"""Every named failure as the end of a run and as a page, in Hindi."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.errors import DemoUnconfirmed, ModeNotLocal, RetentionFailed, TempleOpsError
from backups_app.messages import mongo, restore_ends, runs, stored, sync, use_cases, verification
from backups_app.pages import known_status
from backups_app.runs.closing import closing
from tests.pages.conftest import a_run, step
from tests.pages.english_left import english_left
from tests.pages.test_hindi import NAMES_HERE, of, read
from tests.static_parts.test_messages import kinds_of_errors

pytestmark = pytest.mark.django_db

FACTS = {
    "side": "remote", "database": "temple", "backup_id": "20260119_111420", "created_by": "ravi", "seconds": 300,
    "pulled": 1, "pushed": 2, "reason": sync.SAME_SERVER_TWICE(), "engine": "mongodump", "needed": "1.00 GB",
    "free": "3.00 MB", "errno_name": "EACCES", "problem": verification.COLLECTION_MISSING(name="bookings"), "number": 7,
    "readable": 6, "collection": "bookings", "variable": "MONGODB_LOCAL_URL", "percent": 40, "phrase": "ADOPT",
    "done": restore_ends.IN_PLACE(names="bookings"),
    "left": restore_ends.AT_WORK(name="devotees"), "message": use_cases.NO_COLLECTION_CHOSEN(),
    "safe": restore_ends.TEMPLE_UNTOUCHED(), "host": "temple", "there": "temple", "other": "temple",
    "deleted": 3, "what": mongo.RIGHT_TO_READ(), "count": 3, "before": 1000, "after": 400, "rule": "temple", "most": 20,
    "name": "ravi", "cron": "0 2 31 2 *", "reply": 550, "answer": 503,
}  # fmt: skip
A_SENTENCE: dict[type[TempleOpsError], dict[str, Any]] = {RetentionFailed: {"reason": use_cases.NO_COLLECTION_CHOSEN()}}
"""What they are given as a reason is a sentence of its own, with its full stop."""


def _facts(kind: type[TempleOpsError]) -> dict[str, Any]:
    """Return facts for all places of a failure: a name where it asks for one that is not known here."""
    return dict.fromkeys(kind.declared.places | kind.declared_hint.places, "temple") | FACTS | A_SENTENCE.get(kind, {})


NOT_OF_RUNS = (ModeNotLocal, DemoUnconfirmed)
"""They have no full stop, for they are never followed by another sentence."""


def test_every_failure_as_the_end_of_a_run_and_as_a_page(
    hindi: Client, seeded: Configuration, local_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sorted(kinds_of_errors(), key=lambda kind: kind.__name__)
    left: dict[str, list[str]] = {}
    for error in [kind(**_facts(kind)) for kind in every if not issubclass(kind, NOT_OF_RUNS)]:
        page = hindi.get(of(_ended_by(error, local_db))).content.decode()
        left[f"run {error.code}"] = english_left(page, names=NAMES_HERE)
    read(hindi, "/admin/backups/")
    for error in [kind(**_facts(kind)) for kind in every]:
        monkeypatch.setattr("backups_app.pages.runs.views.panel_context", _raising(error))
        answer = hindi.get("/admin/backups/runs/20260119_111420/")
        assert answer.status_code == error.status or error.status == HTTPStatus.UNAUTHORIZED
        left[f"page {error.code}"] = english_left(answer.content.decode(), names=NAMES_HERE)

    assert {name: texts for name, texts in left.items() if texts} == {}
    assert len(left) > 100


def _ended_by(error: TempleOpsError, local_db: Any) -> RunRecord:
    """A run whose copy was interrupted by this error, closed as every run is."""
    steps = [
        step("preflight", "done", sentence=runs.ROOM(engine="python")),
        step(
            "sync",
            "done",
            counts={"pulled": 14, "pushed": 6},
            sentence=sync.COUNTS(counts=(sync.PULLED(n=14), sync.PUSHED(n=6))),
        ),
        step("dump", "running"),
        *(step(name) for name in ("verify", "publish", "purge_remote", "purge_local")),
    ]
    run = a_run(created_by="ravi", owner=None, fence=1, steps=steps)
    run |= closing.closing_changes(run, published=False, error=error)
    local_db.backup_metadata.replace_one({"_id": run["_id"]}, stored.with_details(run), upsert=True)
    known_status.forget()
    return run


def _raising(error: TempleOpsError) -> Any:
    def fail(backup_id: str) -> Any:
        raise error

    return fail
