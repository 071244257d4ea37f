"""Hands one message to the mail server. Plain text and HTML in one e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr

from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives, get_connection

from backups_app.errors import (
    MailAddressMissing,
    MailIsOff,
    MailLoginRefused,
    MailNotWritten,
    MailRefused,
    MailServerUnreachable,
    MailTlsFailed,
)
from backups_app.mail_url import MailServer
from backups_app.notification.channels import is_an_address
from backups_app.notification.wording import Worded

SENDER = "templeops@localhost"
HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def send(*, server: MailServer | None, sender: str, address: str, message: Worded, message_id: str) -> None:
    """Hand over one e-mail. Return when the server accepted it.

    Raise `MailIsOff`, `MailAddressMissing`, `MailServerUnreachable`, `MailTlsFailed`, `MailLoginRefused`,
    `MailRefused`, `MailNotWritten`.
    """
    if server is None:
        raise MailIsOff()
    if not is_an_address(address):
        raise MailAddressMissing()
    mail = EmailMultiAlternatives(
        subject=message.title,
        body=message.text,
        from_email=sender or SENDER,
        to=[address],
        headers={**HEADERS, "Message-ID": message_id},
    )
    mail.attach_alternative(message.html, "text/html")
    with _named_failures(server), get_connection(backend=server.backend, **server.options) as connection:
        connection.send_messages([mail])


def greet(*, server: MailServer | None) -> None:
    """Open a connection to the mail server, sign in, close it; see that a folder is there. Raise as `send`."""
    if server is None:
        raise MailIsOff()
    with _named_failures(server):
        connection = get_connection(backend=server.backend, **server.options)
        if "host" in server.options:
            connection.open()
            connection.close()


def domain_of(sender: str) -> str:
    """Return the domain of the sender's address, for Message-IDs."""
    return parseaddr(sender or SENDER)[1].rpartition("@")[2] or "localhost"


@contextmanager
def _named_failures(server: MailServer) -> Iterator[None]:
    try:
        yield
    except ImproperlyConfigured as error:  # the folder cannot be made
        raise MailNotWritten() from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailLoginRefused() from error
    except (ssl.SSLError, smtplib.SMTPNotSupportedError) as error:  # the second: no STARTTLS there, or no login
        raise MailTlsFailed() from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise MailRefused(reply=codes[0] if codes else 0) from error
    except smtplib.SMTPServerDisconnected as error:
        raise MailServerUnreachable() from error
    except smtplib.SMTPResponseException as error:
        raise MailRefused(reply=error.smtp_code) from error
    except OSError as error:  # smtplib's own errors are of this kind too
        raise (MailServerUnreachable if "host" in server.options else MailNotWritten)() from error
