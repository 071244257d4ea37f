"""Twelve odd secrets through every way an error can get out: answers, log lines, audit rows, reports. 0 hits."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import RequestFactory, override_settings
from pymongo.errors import AutoReconnect, ConfigurationError, InvalidURI, OperationFailure, ServerSelectionTimeoutError

from backups_app import errors as named
from backups_app.access.secrecy import redaction
from backups_app.access.secrecy.log_lines import JsonLines, ScrubbedReport
from backups_app.configuration import Configuration, Secret
from backups_app.models import AuditEvent, User
from tests.odd_secrets import found_in
from tests.security.conftest import Caller, SignIn

pytestmark = pytest.mark.django_db
SECRETS = [
    "p@ss:w/rd", "pass%40word", "é-accent-é", 'quo"te"d-pw', "back\\slash\\pw", "sp ace in it", "ampers&and=pw",
    "plus+and?query", "<script>pw</script>", "पासवर्ड-गुप्त", "dollar$brace{pw}", "line-sep\u2028pw",
]  # fmt: skip


def uri(secret: str, *, encoded: bool = True) -> str:
    return f"mongodb://temple:{quote(secret, safe='') if encoded else secret}@127.0.0.1:1/?tls=true"


@pytest.fixture(params=SECRETS)
def secret(request: pytest.FixtureRequest) -> Iterator[str]:
    """A password that stands in both URLs."""
    found: str = request.param
    configuration = Configuration(local_url=Secret(uri(found)), cloud_url=Secret(uri(found, encoded=False)))
    with override_settings(TEMPLEOPS=configuration):
        yield found


ERRORS: list[Callable[[str], Exception]] = [
    lambda sentence: RuntimeError(sentence),
    lambda sentence: ValueError(f"bad value {sentence!r}"),
    lambda sentence: KeyError(sentence),
    lambda sentence: OSError(5, "Input/output error", f"/srv/{sentence}"),
    lambda sentence: UnicodeDecodeError("utf-8", sentence.encode(), 0, 1, sentence),
    lambda sentence: OperationFailure(f"Authentication failed: {sentence}", 18, {"errmsg": sentence}),
    lambda sentence: ServerSelectionTimeoutError(f"127.0.0.1:1: connection refused ({sentence})"),
    lambda sentence: AutoReconnect(sentence),
    lambda sentence: ConfigurationError(f"Unknown option in {sentence}"),
    lambda sentence: InvalidURI(f"Username and password must be escaped: {sentence}"),
    lambda sentence: named.DumpFailed(reason=f"mongodump said: {sentence}"),
    lambda sentence: named.PairMismatch(reason=sentence),
    lambda sentence: named.InvalidInput(message=f"Wrong: {sentence}"),
    lambda sentence: named.MongoUrlInvalid(side="local", variable="MONGODB_LOCAL_URL", reason=sentence),
    lambda sentence: named.VerificationFailed(problem=sentence),
]
FORMS: list[Callable[[str], str]] = [
    lambda secret: secret,
    lambda secret: uri(secret),
    lambda secret: uri(secret, encoded=False),
    lambda secret: f"--password={secret} --host=x",
    lambda secret: f"Basic {base64.b64encode(secret.encode()).decode()}",
    lambda secret: json.dumps({"password": secret}),
    lambda secret: repr({"uri": uri(secret)}),
]


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """What the server writes, as in production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.filterwarnings("ignore")
def test_no_error_carries_a_secret_into_answer_log_or_audit(
    secret: str, super_admin: User, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, log_lines: io.StringIO
) -> None:
    caller: Caller = sign_in(super_admin)
    paths = 0
    for make in ERRORS:
        for form in FORMS:
            failure = make(form(secret))

            def fail(failure: Exception = failure, **_: Any) -> None:
                raise failure

            monkeypatch.setattr("backups_app.use_cases.backups.backups.start_backup", fail)
            answer = caller.send("POST", "/api/backup", {"delete_bookings": False})
            assert answer.status_code in (422, 500, 503)
            assert found_in(answer.content.decode(), secret) == []
            assert found_in(repr(answer.headers), secret) == []
            paths += 1

    assert paths >= 40
    assert "exception" in log_lines.getvalue()
    assert found_in(log_lines.getvalue(), secret) == []
    assert found_in(repr(list(AuditEvent.objects.values())), secret) == []


def test_extra_facts_and_arguments_of_a_log_line_are_scrubbed(secret: str, log_lines: io.StringIO) -> None:
    log = logging.getLogger("backups_app.test")

    log.error("Unable to connect to %s", uri(secret), extra={"url": uri(secret), "nested": {"list": [secret]}})

    line = json.loads(log_lines.getvalue())
    assert line["url"].startswith("mongodb://***@") or line["url"] == "***"
    assert found_in(log_lines.getvalue(), secret) == []


def test_the_report_of_an_error_shows_no_secret(secret: str) -> None:
    def fail() -> None:
        connection_string, plain = uri(secret), secret
        raise RuntimeError(f"{connection_string} {plain}")

    try:
        fail()
    except RuntimeError as error:
        request = RequestFactory().post("/login/", {"password": secret})
        report = ScrubbedReport(request, type(error), error, error.__traceback__)
        with override_settings(DEBUG=True):
            assert found_in(report.get_traceback_html(), secret) == []
            assert found_in(report.get_traceback_text(), secret) == []


def test_the_debug_page_is_this_report(settings: Any) -> None:
    assert settings.DEFAULT_EXCEPTION_REPORTER == "backups_app.access.secrecy.log_lines.ScrubbedReport"


def test_a_configuration_does_not_show_its_secrets(secret: str) -> None:
    configuration = Configuration(local_url=Secret(uri(secret)))

    assert found_in(repr(configuration), secret) == []
    assert found_in(repr(configuration.local_url), secret) == []


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJ4In0.c2ln", "Authorization: Bearer ***"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiJ4In0.c2ln was sent", "token *** was sent"),
        ("amqp://u:p@host:5672//", "amqp://***@host:5672//"),
        ("https://x.blob.core.windows.net/c?sv=1&sig=abc%2Fdef&se=2", "https://x.blob.core.windows.net/c?sv=1&sig=***&se=2"),
        ("Wrong user name or password.", "Wrong user name or password."),
        ("mail to priest@temple.example", "mail to priest@temple.example"),
        ("2 documents of bookings: {'_id': 7}", "2 documents of bookings: {'_id': 7}"),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_goes_and_the_rest_stays(text: str, scrubbed: str) -> None:
    assert redaction.scrub(text) == scrubbed


@pytest.mark.parametrize("short", ["a", "pw", "@:/%", "abc12"])
def test_a_password_too_short_to_be_looked_for_goes_where_it_stands_as_one(short: str) -> None:
    with override_settings(TEMPLEOPS=Configuration(local_url=Secret(uri(short)))):
        assert redaction.scrub(f"cannot reach {uri(short)}") == "cannot reach ***"
        assert redaction.scrub(f"cannot reach mongodb://temple:{short}@other/") == "cannot reach mongodb://***@other/"
        assert redaction.scrub(f'{{"password": "{short}"}}') == '{"password": "***"}'


def test_a_line_of_the_log_is_one_line(log_lines: io.StringIO) -> None:
    logging.getLogger("backups_app.test").error('name\n{"level":"forged"}\r\x1b[31m')

    assert log_lines.getvalue().count("\n") == 1
    assert "\x1b" not in log_lines.getvalue()
