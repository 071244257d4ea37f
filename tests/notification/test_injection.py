"""50 hostile texts in every place that reaches a message: none makes a header, a recipient or markup of its own."""

from __future__ import annotations

import email
import email.policy

import pytest
from django.core import mail as django_mail

from backups_app import mail_url
from backups_app.configuration import Secret
from backups_app.errors import MailAddressMissing
from backups_app.messages.protection import notifications as messages
from backups_app.notification import channels, mail
from backups_app.notification.content import Content, content_from
from backups_app.notification.wording import worded
from tests.notification.receivers import MailBox, mail_server

BREAKS = ("\r\n", "\n", "\r", "\0", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c")
HEADERS = ("Bcc: thief@evil.example", "Content-Type: text/html", "Subject: Another")
ENCODED = (
    "=?utf-8?q?=0D=0ABcc:_thief@evil.example?=", "=?utf-8?b?DQpCY2M6IHRoaWVmQGV2aWwuZXhhbXBsZQ==?=",
    "=?us-ascii?q?x?= =?utf-8?q?y?=", "=?\u200butf-8?q?=0D=0A?=", "=\r\n?utf-8?q?=0D=0ABcc:x?=",
)  # fmt: skip
TEXTS = tuple(f"bookings{line}{header}" for line in BREAKS for header in HEADERS) + ENCODED + (
    "\r\n\r\n<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a\r\n.\r\nMAIL FROM:<x@evil.example>",
    "%0d%0aBcc: thief@evil.example", "\\r\\nBcc: thief@evil.example", "\u202egnp.exe", "{title}", "{% include 'x' %}",
    "{{ settings.SECRET_KEY }}", "x" * 5_000, "\ud800", "name\r\n boundary=x", "\t\r\n\tBcc: thief@evil.example",
    "\r\nReply-To: thief@evil.example", "--boundary\r\nContent-Type: text/html\r\n\r\n<b>x</b>",
)  # fmt: skip
ALLOWED = {
    "content-type", "mime-version", "subject", "from", "to", "date", "message-id", "auto-submitted",
    "x-auto-response-suppress",
}  # fmt: skip


@pytest.fixture(scope="module")
def box() -> object:
    with mail_server() as running:
        yield running


def test_there_are_fifty() -> None:
    assert len(TEXTS) == 50


@pytest.mark.parametrize("number", range(len(TEXTS)))
def test_no_text_makes_a_header(box: MailBox, number: int) -> None:
    text, before = TEXTS[number], len(box.raw)
    stored = Content(
        title=messages.SLOT_MISSED(schedule=text), lines=(text,), facts=((messages.SCHEDULE(), text), (messages.RUN(),
        text)),
        path="/admin/backups/",
    ).as_document()  # fmt: skip
    message = worded(content_from(stored), kind="overdue", language="en-in", site_url="https://backup.temple.example")

    mail.send(
        server=mail_url.parse(box.url), sender="Temple <backup@temple.example>", address="ananya@temple.example",
        message=message, message_id=f"<{number}@temple.example>",
    )  # fmt: skip

    assert len(box.raw) == before + 1
    assert box.recipients[-1] == ["ananya@temple.example"]
    parsed = email.message_from_bytes(box.raw[-1], policy=email.policy.default)
    assert {name.lower() for name in parsed} == ALLOWED
    assert len(parsed.items()) == len(ALLOWED)
    assert parsed["Subject"].strip().startswith("[Temple backups] Planned run missed")
    assert len(str(parsed["Subject"]).splitlines()) == 1 and not parsed["Subject"].defects
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert "<script>" not in message.html and "<img" not in message.html
    assert "\u202e" not in message.title + message.text + message.html


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nBcc: thief@evil.example", "a@b.example,thief@evil.example", "a@b.example thief@evil.example",
        "<a@b.example>", '"a\r\nBcc: x"@b.example', "a@b.example\0", "a@b.example\u2028x", "", "nobody", "ä@b.example",
        "a@b.example;thief@evil.example", " a@b.example",
    ],
)  # fmt: skip
def test_no_address_is_more_than_one(address: str) -> None:
    assert not channels.is_an_address(address)
    with pytest.raises(MailAddressMissing):
        mail.send(
            server=mail_url.parse("smtp://127.0.0.1:9"), sender="", address=address,
            message=worded(Content(title=messages.TEST()), kind="test", language="en-in", site_url=""),
            message_id="<1@localhost>",
        )  # fmt: skip
    assert not getattr(django_mail, "outbox", [])


@pytest.mark.parametrize(
    "url", ["http://mail", "smtp://", "nonsense", "file:relative", "smtp://h:port", "smtp://a\nb", "mailgun://x"]
)
def test_an_email_url_that_is_none_is_refused_without_its_text(url: str) -> None:
    with pytest.raises(ValueError) as refusal:
        mail_url.parse(Secret(url))

    assert url not in str(refusal.value) or url == "smtp://"


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail", 25, False, False),
        ("submission://mail", 587, True, False),
        ("smtps://mail", 465, False, True),
        ("smtp://mail:2525?tls=true", 2525, True, False),
    ],
)
def test_an_email_url_says_port_and_encryption(url: str, port: int, tls: bool, ssl: bool) -> None:
    server = mail_url.parse(url.replace("://", "://us%40er:p%2Fw@"))

    assert server is not None
    found = server.options
    assert (found["port"], found["use_tls"], found["use_ssl"]) == (port, tls, ssl)
    assert (found["username"], found["password"]) == ("us@er", "p/w")
