"""GET /metrics: for the holder of the token, or from this machine where none is set. Others learn nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.configuration import Configuration, Secret
from tests.security.callers import browser_of, every_caller
from tests.security.matrix import Who

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-monitoring-0123456789"
CLOUD = Configuration(primary_database="cloud")
HERE: dict[str, Any] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8000"}
AWAY: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "127.0.0.1"}


def ask(*, token: str = "", given: str | None = None, **environment: Any) -> int:
    headers = {} if given is None else {"Authorization": given}
    with override_settings(TEMPLEOPS=Configuration(primary_database="cloud", metrics_token=Secret(token))):
        answer = Client(headers=headers).get("/metrics", **environment)
    assert (b"templeops_" in answer.content) is (answer.status_code == 200)
    assert not answer.cookies
    return answer.status_code


def test_this_machine_may_read_where_no_token_is_set() -> None:
    assert ask(**HERE) == 200
    assert ask(REMOTE_ADDR="::1", HTTP_HOST="localhost") == 200


@pytest.mark.parametrize(
    "environment",
    [
        AWAY,
        HERE | {"HTTP_HOST": "testserver"},
        HERE | {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        HERE | {"HTTP_X_FORWARDED_PROTO": "https"},
        HERE | {"HTTP_FORWARDED": "for=192.0.2.7"},
        HERE | {"HTTP_VIA": "1.1 proxy"},
        HERE | {"REMOTE_ADDR": ""},
    ],
)
def test_another_machine_may_not_even_through_a_proxy_here(environment: dict[str, Any]) -> None:
    assert ask(**environment) == 403


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200), (None, 403), ("", 403), ("Bearer ", 403), (TOKEN, 403), (f"Bearer {TOKEN}x", 403),
        (f"Basic {TOKEN}", 403), ("Bearer \u00e9", 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("environment", [HERE, AWAY])
def test_with_a_token_set_only_the_token_opens(given: str | None, status: int, environment: dict[str, Any]) -> None:
    assert ask(token=TOKEN, given=given, **environment) == status


@every_caller
def test_being_signed_in_opens_nothing(who: Who, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = browser_of(who, monkeypatch)

    with override_settings(TEMPLEOPS=CLOUD):
        assert browser.get("/metrics", **AWAY).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_do_nothing(method: str) -> None:
    with override_settings(TEMPLEOPS=CLOUD):
        assert Client().generic(method, "/metrics", **HERE).status_code == 405
