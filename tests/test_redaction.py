"""No form of a URI's secrets survives in text that others wrote."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from backups_app import redaction
from backups_app.redaction import Redactor, passwords

SECRETS = [
    "hunter2", "p@ss", "a:b", "sl/ash", "50%off", "devé", 'quo"te', "sp ace", "back\\slash", "plus+plus", "日本語",
    "q?&=",
]  # fmt: skip


def redactor_of(uri: str) -> Redactor:
    return Redactor({*passwords(uri)}, shortest=3)


def uri(secret: str, scheme: str = "mongodb") -> str:
    return f"{scheme}://ravi:{quote(secret, safe='')}@db.example/temple?authSource=admin"


@pytest.mark.parametrize("secret", SECRETS)
def test_every_form_of_a_password_is_hidden(secret: str) -> None:
    redactor = redactor_of(uri(secret))
    forms = [
        secret, quote(secret, safe=""), quote_plus(secret), b64encode(secret.encode()).decode(), uri(secret),
        repr(secret)[1:-1], uri(secret, "mongodb+srv"),
    ]  # fmt: skip

    for form in forms:
        text = redactor.clean(f"before {form} after")
        assert form not in text
        assert secret not in text
        assert text.startswith("before ") and text.endswith(" after")


def test_user_info_of_any_uri_is_hidden() -> None:
    text = redactor_of("mongodb://localhost").clean("cannot reach mongodb+srv://ann:s3cr3t@atlas.example/x: timeout")

    assert text == "cannot reach mongodb+srv://***@atlas.example/x: timeout"


@pytest.mark.parametrize("option", ["tlsCertificateKeyFilePassword", "authMechanismProperties", "AWS_SESSION_TOKEN"])
def test_secret_options_are_hidden(option: str) -> None:
    redactor = redactor_of(f"mongodb://h/?{option}=canary123&tls=true")

    assert "canary123" not in redactor.clean(f"option {option}=canary123&tls=true; canary123")


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "done dumping `temple.bookings` (12 documents)"

    assert redactor_of(uri("hunter2")).clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl end", "token *** end"),
        ("eyJhbGciOi.eyJzdWIiOi", "***"),
        ("a.-eyJhbGciOi.eyJzdWIiOi.c2ln.log", "a.-***.log"),
        ("eyJhbGciOi.a.b.eyJhbGciOi.c.d", "***.***"),
        ("eyJhbGciOi alone, eyJshrt.a, and a.b.c", "eyJhbGciOi alone, eyJshrt.a, and a.b.c"),
        ("ab://cd://ann:s3cr3t@h xy://@h, ann@h", "ab://***@h xy://***@h, ann@h"),
        ("mongodb://ann:p@ss@h/?a=b@c", "mongodb://***@c"),
    ],
)
def test_tokens_and_user_info_are_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert redactor_of("mongodb://localhost").clean(text) == shown


def steps_of(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many characters the parts of a text have that are searched for a scheme or a token."""
    searched: list[int] = []

    class Counted:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self.pattern = pattern

        def search(self, text: str, *bounds: int) -> re.Match[str] | None:
            searched.append(len(text))
            return self.pattern.search(text, *bounds)

    with monkeypatch.context() as patched:
        for name in ("_SCHEME", "_TOKEN_BEGINS"):
            patched.setattr(redaction, name, Counted(getattr(redaction, name)))
        redactor_of("mongodb://localhost").clean(text)
    return sum(searched)


@pytest.mark.parametrize(
    "piece", ["-eyJaaaaa", "eyJaaaaa.", "eyJaaaaa..", "eyJaaaaa.b.", "ab://", "ab://@", "ab://x@ "]
)
def test_a_long_hostile_text_is_searched_once(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each character is looked at once by either search, however many beginnings of an address or a token there are."""
    text = piece * 20_000

    assert steps_of(text, monkeypatch) <= 2 * len(text)
