"""`EMAIL_URL`: where e-mail is handed in.

smtp://user:password@host:25                 no encryption, for a mail server on this computer or network
submission://user:password@host:587          STARTTLS; the same as smtp://…?tls=true
smtps://user:password@host:465               TLS from the start
file:///var/lib/templeops/mail               one file for each message, in this folder
console:                                     printed, for development
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from backups_app import url_parts

PORTS = {"smtp": 25, "submission": 587, "smtps": 465}
BACKENDS = "django.core.mail.backends"
FOLDER = "backups_app.notification.mail_folder.EmailBackend"
TIMEOUT_SECONDS = 15
FORM = "smtp://, submission://, smtps:// or file:///, as in submission://user:password@mail.temple.org"


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """Django's mail backend and what it is opened with."""

    backend: str
    options: dict[str, Any]


def parse(url: str) -> MailServer | None:
    """Return what the URL names; None where it is empty. Raise ValueError with a sentence that holds no part of it."""
    if not url:
        return None
    try:
        parts = url_parts.split(url)
    except ValueError:
        raise ValueError("Not an address: " + FORM) from None
    if parts.scheme == "console":
        return MailServer(backend=f"{BACKENDS}.console.EmailBackend", options={})
    if parts.scheme == "file" and parts.path.startswith("/"):
        return MailServer(backend=FOLDER, options={"file_path": unquote(parts.path)})
    if parts.scheme not in PORTS or not parts.hostname or not url.isprintable():
        raise ValueError("Not an address of a mail server: " + FORM)
    asked = {name.lower(): values[-1].lower() for name, values in parse_qs(parts.query).items()}
    wants_tls = asked.get("tls", "") in ("true", "1", "yes") or parts.scheme == "submission"
    wants_ssl = asked.get("ssl", "") in ("true", "1", "yes") or parts.scheme == "smtps"
    return MailServer(
        backend=f"{BACKENDS}.smtp.EmailBackend",
        options={
            "host": parts.hostname,
            "port": parts.port or PORTS[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": wants_tls and not wants_ssl,
            "use_ssl": wants_ssl,
            "timeout": TIMEOUT_SECONDS,
        },
    )
