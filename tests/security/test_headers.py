"""Headers on every response, errors and static files included; cookies and plain HTTP as production has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from backups_app.configuration import Configuration
from backups_app.models import User
from tests.security.conftest import FIREFOX, Caller, SignIn

pytestmark = pytest.mark.django_db
EXACT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "",
}
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'",
    "font-src 'self'", "form-action 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'none'",
}  # fmt: skip
VALUES = {"backup_id": "20250119_143022", "name": "bookings", "session_id": "x" * 43, "sid": "x" * 43}


def addresses(patterns: Any = None, prefix: str = "/") -> Iterator[str]:
    """Every address of ours, with values put in."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if getattr(pattern, "namespace", None) == "admin" or getattr(pattern, "app_name", None) == "admin":
            continue
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            for name, converter in pattern.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower()
                value = VALUES.get(name, "1" if kind == "int" else "x")
                route = route.replace(f"<{kind if kind != 'string' else 'str'}:{name}>", value)
            yield route


def policy_of(answer: Any) -> set[str]:
    return {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}


def check(answer: Any, *, policy: set[str] | None = None) -> None:
    for name, value in EXACT.items():
        assert answer.headers[name] == value, name
    assert policy_of(answer) == (POLICY if policy is None else policy)
    assert len(answer.headers["X-Request-ID"]) == 12


STATIC = ["/static/css/tokens.css", "/static/nothing.css", "/favicon.ico"]


@pytest.mark.parametrize("path", sorted({*addresses(), *STATIC, "/nowhere/", "/api/nowhere", "/%00", "/a%0d%0ab"}))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_has_the_headers(path: str, method: str, client: Client) -> None:
    with override_settings(TEMPLEOPS=Configuration()):
        answer = client.generic(method, path)

    docs = path == "/api/docs/"
    check(answer, policy=policy_of(answer) if docs else POLICY)
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= policy_of(answer)


def test_what_somebody_signed_in_sees_is_not_stored(super_admin: User, password: str, sign_in: SignIn) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/login/", {"username": "ananya", "password": password})
    caller = sign_in(super_admin)

    assert "no-store" in client.get("/sessions/").headers["Cache-Control"]
    assert "no-store" in caller.get().headers["Cache-Control"]


def test_an_unforeseen_error_has_them_too_and_says_nothing(
    super_admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller: Caller = sign_in(super_admin)

    def fail(**_: Any) -> None:
        raise RuntimeError("/srv/secret/path on host 10.0.0.1")

    monkeypatch.setattr("backups_app.use_cases.listing.listing.list_runs", fail)
    with override_settings(TEMPLEOPS=Configuration()):
        answer: Any = caller.get("/api/backups")

    check(answer)
    assert answer.status_code == 500
    assert answer.json() == {
        "detail": "Something went wrong. Look at the log of the server.", "code": "internal_error",
        "request_id": answer.headers["X-Request-ID"],
    }  # fmt: skip


@pytest.mark.parametrize(("path", "kind"), [("/api/auth/sessions", "application/json"), ("/sessions/", "text/html")])
def test_a_failure_before_any_view_is_reported_in_the_tongue_of_the_address(
    super_admin: User, password: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    caller = sign_in(super_admin)
    client = Client(headers={"User-Agent": FIREFOX, "Authorization": f"Bearer {caller.access}"})
    client.post("/login/", {"username": "ananya", "password": password})
    client.raise_request_exception = False

    def fail(**_: Any) -> None:
        raise RuntimeError("Django's database is gone")

    monkeypatch.setattr("backups_app.access.signing_in.sessions.authenticate", fail)
    broken = client.get(path)
    foreign = client.get(path, HTTP_HOST="evil.example")

    for answer, status in ((broken, 500), (foreign, 400)):
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(kind)
        assert "gone" not in answer.content.decode()
        check(answer)


def test_the_documentation_page_runs_only_our_own_scripts(client: Client) -> None:
    page = client.get("/api/docs/")
    text = page.content.decode()

    assert "script-src 'self'" in policy_of(page)
    assert "default-src 'none'" in policy_of(page)
    assert "https://" not in text.replace("https://json-schema.org", "")
    assert "<script>" not in text
    assert client.get("/api/docs/?script=").headers["Content-Type"].startswith("application/javascript")


def test_what_a_client_calls_its_request_is_not_taken_over(client: Client) -> None:
    answer = client.get("/login/", headers={"X-Request-ID": "forged\r\nSet-Cookie: x=y"})

    assert answer.headers["X-Request-ID"] != "forged"
    assert "x" not in answer.cookies


PRODUCTION = {
    "PLAIN_HTTP": False, "SESSION_COOKIE_NAME": "__Host-sessionid", "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_NAME": "__Host-csrftoken", "CSRF_COOKIE_SECURE": True, "SECURE_HSTS_SECONDS": 3600,
    "ALLOWED_HOSTS": ["temple.example", "127.0.0.1", "localhost"],
}  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/api/backup/status"])
def test_a_name_that_is_not_served_is_reported_with_the_setting(path: str, client: Client) -> None:
    with override_settings(**PRODUCTION):
        answer = client.get(path, HTTP_HOST="other.example", headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 400
    message = answer.content.decode()
    assert "not set up to be reached under the name" in message and "ALLOWED_HOSTS" in message
    assert "other.example" not in message
    check(answer)


def test_over_https_cookies_are_host_only_and_strict_transport_is_on(super_admin: User, password: str) -> None:
    client = Client(headers={"User-Agent": FIREFOX})
    with override_settings(**PRODUCTION):
        answer = client.post(
            "/login/", {"username": "ananya", "password": password}, secure=True, HTTP_HOST="temple.example"
        )

    assert answer.headers["Strict-Transport-Security"]
    for name in ("__Host-sessionid", "__Host-csrftoken"):
        cookie = answer.cookies[name]
        assert (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


@pytest.mark.parametrize("path", ["/login/", "/api/backup/status", "/static/css/tokens.css"])
def test_plain_http_from_elsewhere_is_refused(path: str, client: Client) -> None:
    with override_settings(**PRODUCTION):
        for address, host in (("192.0.2.7", "temple.example"), ("127.0.0.1", "temple.example"),
                              ("192.0.2.7", "127.0.0.1")):  # fmt: skip
            answer = client.get(path, REMOTE_ADDR=address, HTTP_HOST=host)
            assert answer.status_code == 403
            assert b"HTTPS" in answer.content
            check(answer)


def test_on_this_machine_plain_http_works_with_cookies_that_every_client_sends(
    super_admin: User, password: str
) -> None:
    client = Client(headers={"User-Agent": FIREFOX}, enforce_csrf_checks=True)
    with override_settings(**PRODUCTION):
        form = client.get("/login/", HTTP_HOST="127.0.0.1:8000")
        token = form.context["csrf_token"]
        answer = client.post(
            "/login/", {"username": "ananya", "password": password, "csrfmiddlewaretoken": str(token)},
            HTTP_HOST="127.0.0.1:8000",
        )  # fmt: skip
        assert answer.status_code == 303
        assert not answer.cookies["sessionid"]["secure"]
        assert not [name for name in client.cookies if name.startswith("__Host-")]
        assert client.get("/sessions/", HTTP_HOST="127.0.0.1:8000").status_code == 200


def test_behind_a_proxy_that_ends_tls_it_is_https(client: Client) -> None:
    with override_settings(**PRODUCTION):
        answer = client.get("/login/", HTTP_HOST="temple.example", headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 200
