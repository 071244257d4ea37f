"""Every cell of the RBAC matrix, API part; and that no route of the API is missing from it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bson
import pytest
from django.test import override_settings
from django.urls import get_resolver
from django.utils import timezone

from backups_app.browsing.search import query
from backups_app.browsing.search.everywhere import FindState
from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.models import AuditEvent
from backups_app.use_cases.copies.removing import Removed
from backups_app.use_cases.finding.finding import FoundSoFar
from backups_app.use_cases.lanes import asking
from backups_app.use_cases.schedules.overview import ScheduleWish
from tests.security.callers import PASSWORD, api_caller, every_column, every_row, in_mode
from tests.security.conftest import Caller
from tests.security.matrix import API_ROWS, BACKUP_ID, CALLERS, MODE_SENTENCE, Answer, Kind, Mode, Row, Who, expected

pytestmark = pytest.mark.django_db


def a_run() -> RunRecord:
    now = timezone.now()
    return RunRecord({
        "backup_id": BACKUP_ID, "backup_path": f"backups/backup_{BACKUP_ID}", "backup_timestamp": now, "steps": [],
        "created_at": now, "status": "success", "sync_status": "success", "phase": "finished",
    })  # fmt: skip


RESULTS: dict[str, Any] = {
    "sync": {"log": {"run_id": "sync_1", "status": "success", "sentence": "0 pulled"}},
    "restore_preview": {},
    "verification": {
        "backup_id": BACKUP_ID, "verified": True, "problem": None, "warnings": [], "collections": 1, "documents": 1,
        "bytes": 1, "own_collections": 0, "own_documents": 0, "checked_at": "2025-01-19T14:30:22Z",
    },
}  # fmt: skip


def answer_of(kind: str) -> asking.Answer[Any]:
    """Work of a lane that is done."""
    return asking.Answer(result=RESULTS[kind], made_at=timezone.now(), job="0" * 64)


def a_schedule() -> Any:
    return SimpleNamespace(row=SimpleNamespace(do="backup", enabled=True), wish=ScheduleWish(name="nightly"))


def a_search(words: str) -> FoundSoFar:
    """A search that has found one document, and goes on."""
    state = FindState(backups=[BACKUP_ID], step=1)
    state.skip(backup_id=BACKUP_ID, collection="", code="backup_damaged")
    return FoundSoFar(query=query.parse(words), state=state, key="a-key")


FAKED: dict[str, Callable[..., Any]] = {
    "start_backup": lambda **_: a_run(),
    "cancel": lambda **_: a_run(),
    "resume": lambda **_: a_run(),
    "verify_backup": lambda **_: {"backup_id": BACKUP_ID, "verified": True},
    "list_runs": lambda **_: [a_run()],
    "get_run": lambda **_: a_run(),
    "of_backup": lambda **_: (),
    "finding.begin": lambda **asked: a_search(asked["words"]),
    "found_places.placed": lambda **_: iter(()),
    "syncs.begin": lambda **_: answer_of("sync"),
    "asking.ask": lambda kind, **_: answer_of(kind.name),
    "asking.by_key": lambda key, **_: ("verification", answer_of("verification")),
    "previews.arguments_of": lambda choices: {},
    "conflicts.newest": lambda **_: [],
    "notifications.send_test": lambda **_: [],
    "notifications.choose": lambda **_: None,
    "conflicts.get": lambda **_: SimpleNamespace(
        record={"_id": "0" * 64}, frame=bson.encode({"_id": 1}), live=None, live_hash="nothing", changes=lambda: ()
    ),
    "conflicts.restore_version": lambda **_: None,
    "overview.newest_backup_at": lambda **_: None,
    "overview.every": lambda **_: [],
    "changes.add": lambda wish, who: None,
    "overview.get": lambda name, now: a_schedule(),
    "changes.change": lambda name, wish, who: None,
    "changes.switch": lambda name, enabled, who: None,
    "acts.forget": lambda *_, **__: 1,
    "changes.remove": lambda name, who: None,
    "changes.run_now": lambda name, who: None,
    "overview.public": lambda planned: {},
    "overview.public_slot": lambda slot: {},
    "choose": lambda **given: SimpleNamespace(in_place=given["to"] is None, needs_the_phrase=False),
    "as_json": lambda preview: preview,
    "start": lambda **_: a_run(),
    "rehearse": lambda **_: a_run(),
    "list_copies": lambda **_: (),
    "policy.current": lambda: None,
    "policy.change": lambda **_: None,
    "simulation.simulate": lambda **_: None,
    "simulation.public": lambda _: {},
    "overview.targets": lambda **_: [],
    "places.settings_of": lambda *_: None,
    "removing.remove": lambda *_, **__: Removed(),
    "unknown.remove_objects": lambda *_, **__: 1,
    "asking.enqueue": lambda *_, **__: None,
    "overview.copies": lambda **_: [SimpleNamespace(as_json=dict)],
    "acts.copy_soon": lambda *_, **__: [],
    "acts.test": lambda **_: None,
    "acts.prepare": lambda *_, **__: None,
    "pins.pin": lambda **_: {},
    "pins.unpin": lambda **_: None,
    "pins.release": lambda **_: None,
    "pins.accept": lambda **_: None,
    "removal.remove": lambda **_: SimpleNamespace(at=timezone.now(), until=timezone.now()),
    "bringing_back.bring_back": lambda **_: False,
    "remove_copy": lambda **_: None,
    "page": lambda **_: SimpleNamespace(
        documents=(), readable=(), offset=0, total=0, broken_at=None, next=None, truncated=False, note=None
    ),
}
"""What needs databases and folders is replaced; what needs only Django's database is watched and really runs."""


class Behind:
    """Watches one function behind a view."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        module_name, _, self.name = where.rpartition(".")
        module = importlib.import_module(module_name)
        room = module_name.rpartition(".")[2]
        self.real = FAKED.get(f"{room}.{self.name}") or FAKED.get(self.name) or getattr(module, self.name)
        self.calls = 0
        monkeypatch.setattr(module, self.name, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self.real(*args, **kwargs)


def body_for(row: Row, who: Who, caller: Caller) -> Any:
    if row.kind is Kind.LOGIN:
        return {"username": "caller", "password": PASSWORD if who.signed_in else "wrong"}
    return {"refresh": caller.refresh or "none"} if row.name == "refresh" else row.body


@every_column
def test_cells(who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of the matrix: one caller in one mode at every route."""
    caller = api_caller(who, monkeypatch)
    every_row(API_ROWS, lambda row, patch: look_at_cell(caller, row, who, mode, patch))


def look_at_cell(caller: Caller, row: Row, who: Who, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send one request, and compare with the matrix what happened."""
    behind = [Behind(monkeypatch, where) for where in row.behind]
    cell = expected(row, who, mode)

    with in_mode(mode):
        answer: Any = caller.send(
            row.method, row.path.format(sid=caller.session_id), body_for(row, who, caller),
            **({"Authorization": ""} if row.kind in (Kind.LOGIN, Kind.OPEN) or not who.signed_in else {}),
        )  # fmt: skip

    assert answer.status_code == cell.status, answer.content
    assert [one.calls > 0 for one in behind] == [cell.runs] * len(behind)
    assert AuditEvent.objects.filter(action="access.denied").count() == (cell.code == "role_required")
    check_body(answer, cell, row, mode)


def check_body(answer: Any, cell: Answer, row: Row, mode: Mode) -> None:
    if cell.code:
        assert answer.json()["code"] == cell.code
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    if cell.code == "mode_not_local":
        assert answer.json()["detail"] == MODE_SENTENCE
    if cell.status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if row.kind is Kind.STATUS and cell.status == 200 and mode is Mode.CLOUD:
        assert answer.json()["backup_available"] is False
        assert answer.json()["message"] == MODE_SENTENCE


def routes() -> dict[str, Any]:
    """The view class of every named route under /api/, the last resort excepted."""
    api: Any = next(one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "api")
    return {f"api:{one.name}": one.callback.cls for one in api.url_patterns if one.name != "not_here"}


def test_every_route_and_method_has_its_row() -> None:
    offered = {
        (name, method.upper())
        for name, view in routes().items()
        for method in ("get", "post", "put", "patch", "delete")
        if method in view.http_method_names and hasattr(view, method)
    }

    assert offered == {(row.route, row.method) for row in API_ROWS}


@pytest.mark.parametrize("who", [who for who in CALLERS if who.name in ("nobody", "role 2", "role 0")],
                         ids=lambda who: who.name)  # fmt: skip
@pytest.mark.parametrize("name", sorted(routes()))
def test_methods_that_are_not_listed_do_nothing(name: str, who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in API_ROWS if row.route == name)
    listed = {row.method for row in API_ROWS if row.route == name}
    caller = api_caller(who, monkeypatch)
    behind = [Behind(monkeypatch, where) for row in API_ROWS if row.route == name for where in row.behind]

    for method in {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} - listed:
        answer = caller.send(method, row.path.format(sid=caller.session_id), None,
                             **({} if who.signed_in else {"Authorization": ""}))  # fmt: skip
        assert answer.status_code in ((401, 403, 405) if who.name != "role 0" else (405,)), (method, answer.status_code)
    assert [one.calls for one in behind] == [0] * len(behind)


@pytest.mark.parametrize("row", [row for row in API_ROWS if row.method != "GET"], ids=lambda row: row.name)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_came_from_another_site_is_refused(
    row: Row, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = api_caller(CALLERS[1], monkeypatch)
    behind = [Behind(monkeypatch, where) for where in row.behind]

    with in_mode(Mode.LOCAL):
        answer: Any = caller.send(
            row.method, row.path.format(sid=caller.session_id), body_for(row, CALLERS[1], caller),
            **{"Sec-Fetch-Site": site, "Origin": "http://testserver"},
        )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert [one.calls for one in behind] == [0] * len(behind)


@pytest.mark.parametrize("backup_id", [BACKUP_ID, "20990101_000000", "nonsense", "20250119_143022.bak"])
def test_role_2_gets_the_same_403_for_a_real_an_unknown_and_a_malformed_id(
    backup_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = api_caller(CALLERS[3], monkeypatch)

    answers = [caller.get(f"/api/backups/{backup_id}{rest}") for rest in ("", "/collections", "/collections/x")]

    for answer in answers:
        body: Any = answer.json()  # type: ignore[attr-defined]
        assert (answer.status_code, body["code"]) == (403, "role_required")
        assert set(body) == {"detail", "code", "request_id"}


def test_cloud_mode_is_stated_before_the_id_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = api_caller(CALLERS[1], monkeypatch)

    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud")):
        answers: list[Any] = [
            caller.get("/api/backups/nonsense"),
            caller.send("POST", "/api/backup", {"delete_bookings": "perhaps"}),
            caller.get("/api/backups?limit=-1"),
        ]

    assert [answer.json()["code"] for answer in answers] == ["mode_not_local"] * 3


@pytest.mark.parametrize("path", ["/api/", "/api/backup/", "/api/nope", "/api/backups/", "/api/auth/", "/api/admin"])
def test_unknown_addresses_reveal_a_stranger_nothing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = api_caller(CALLERS[0], monkeypatch)
    assert nobody.get(path, Authorization="").status_code == 401
    staff = api_caller(CALLERS[3], monkeypatch)
    assert staff.get(path).status_code == 403


def test_an_unknown_address_is_a_404_for_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    answer: Any = api_caller(CALLERS[1], monkeypatch).get("/api/nope")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
