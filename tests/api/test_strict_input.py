"""Only what is meant and nothing that looks like it: a misspelt or stringly boolean must not decide over bookings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from backups_app.api.shared import strict_json
from backups_app.configuration import Configuration
from backups_app.errors import BadRequest, RunActive
from tests.security.conftest import Caller, send

pytestmark = pytest.mark.django_db
BODIES = {
    b'{"delete_bookings": "true"}': (422, "validation_error"),
    b'{"delete_bookings": "false"}': (422, "validation_error"),
    b'{"delete_bookings": 1}': (422, "validation_error"),
    b'{"delete_bookings": 0}': (422, "validation_error"),
    b'{"delete_bookings": null}': (422, "validation_error"),
    b'{"delete_bookings": [true]}': (422, "validation_error"),
    b'{"delete_bookings": {"$ne": false}}': (422, "validation_error"),
    b'{"delete_booking": true}': (422, "validation_error"),
    b'{"delete_bookings": true, "confirm": "yes"}': (422, "validation_error"),
    b"[]": (422, "validation_error"),
    b"true": (422, "validation_error"),
    b'"delete_bookings"': (422, "validation_error"),
    b'{"delete_bookings": false, "delete_bookings": true}': (400, "bad_request"),
    b'{"delete_bookings": true': (400, "bad_request"),
    b"{'delete_bookings': true}": (400, "bad_request"),
    b'{"delete_bookings": NaN}': (400, "bad_request"),
    b'{"delete_bookings": Infinity}': (400, "bad_request"),
    b'\xff\xfe{"delete_bookings": true}': (400, "bad_request"),
    b'\xef\xbb\xbf{"delete_bookings": true}': (400, "bad_request"),
    b'{"delete_bookings": "\\ud800"}': (400, "bad_request"),
    b'{"a":' * 30 + b"1" + b"}" * 30: (400, "bad_request"),
    b"[" * 20_000 + b"]" * 20_000: (400, "bad_request"),
    b'{"delete_bookings": true}' + b" " * 70_000: (400, "bad_request"),
    b'{"delete_bookings": ' + b"9" * 6_000 + b"}": (400, "bad_request"),
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whether a run was started after all."""
    calls: list[Any] = []
    monkeypatch.setattr("backups_app.use_cases.backups.backups.start_backup", lambda **given: calls.append(given))
    return calls


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
def test_a_body_that_is_not_exactly_right_starts_nothing(caller: Caller, started: list[Any], body: bytes) -> None:
    headers = {"Authorization": f"Bearer {caller.access}", **caller.headers}

    with override_settings(TEMPLEOPS=Configuration()):
        answer = send("POST", "/api/backup", body, headers)

    assert (answer.status_code, answer.json()["code"]) == BODIES[body]
    assert started == []


@pytest.mark.parametrize("body", [b"{}", b""])
def test_bookings_are_kept_unless_the_body_says_otherwise(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    asked: list[Any] = []

    def refuse(**given: Any) -> None:
        asked.append(given["delete_bookings"])
        raise RunActive(backup_id="20250119_143022", created_by="ananya")

    monkeypatch.setattr("backups_app.use_cases.backups.backups.start_backup", refuse)
    with override_settings(TEMPLEOPS=Configuration()):
        answer = send("POST", "/api/backup", body, {"Authorization": f"Bearer {caller.access}", **caller.headers})

    assert (answer.status_code, asked) == (409, [False])


def test_what_is_wrong_is_stated_field_by_field(caller: Caller, started: list[Any]) -> None:
    with override_settings(TEMPLEOPS=Configuration()):
        answer: Any = caller.send("POST", "/api/backup", {"delete_booking": True})

    assert answer.json()["errors"] == [{"field": "delete_booking", "message": "There is no such field."}]
    assert answer.json()["detail"] == "delete_booking: There is no such field."


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
)
def test_another_content_type_is_415(caller: Caller, started: list[Any], content_type: str, client: Any) -> None:
    with override_settings(TEMPLEOPS=Configuration()):
        answer = client.generic(
            "POST", "/api/backup", b'{"delete_bookings": true}', content_type=content_type,
            headers={"Authorization": f"Bearer {caller.access}", **caller.headers},
        )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert started == []


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png;q=1", "*/*", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(caller: Caller, accept: str) -> None:
    answer = caller.get(Accept=accept)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


QUERIES = [
    "limit=0", "limit=1001", "limit=-1", "limit=ten", "limit=1e3", "limit=", "cursor=x", "cursor=20250119_143022_",
    "status=unknown", "unknown=1", "limit[$gt]=1", "$where=1",
    "limit=1&limit=2", "status=all&limit=1&status=all",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_query_parameters_are_checked_by_name(caller: Caller, query: str) -> None:
    with override_settings(TEMPLEOPS=Configuration()):
        answer: Any = caller.get(f"/api/backups?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert answer.json()["errors"]


def test_a_body_is_parsed_only_when_everybody_reads_it_the_same_way() -> None:
    assert strict_json.parse(b'{"a": [1, "\xe0\xa4\xaa"]}') == {"a": [1, "\u092a"]}
    for body in (b'{"a": {"b": 1, "b": 2}}', b"-Infinity", b"\x00"):
        with pytest.raises(BadRequest):
            strict_json.parse(body)
