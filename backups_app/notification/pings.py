"""Calls a Healthchecks-style address: it raises the alarm when the calls stop, also when this computer is dead."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from urllib.parse import urlunsplit

from backups_app import url_parts
from backups_app.errors import HealthcheckFailed

TIMEOUT_SECONDS = 10
SUFFIXES = {"start": "/start", "success": "", "fail": "/fail", "test": "/log"}
"""`/log` changes no state: a test must not look like a backup."""


def ping(*, url: str, what: str, text: str = "") -> None:
    """Call the address for `start`, `success`, `fail` or `test`, with the text as the call's body.

    Raise `HealthcheckFailed`.
    """
    parts = url_parts.split(url)  # the settings were checked
    address = urlunsplit(parts._replace(path=parts.path.rstrip("/") + SUFFIXES[what]))
    request = urllib.request.Request(address, data=text.encode()[:10_000], method="POST")  # noqa: S310 (http, by check)
    request.add_header("Content-Type", "text/plain; charset=utf-8")
    request.add_header("User-Agent", "TempleOps")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read(1_000)
    except urllib.error.HTTPError as error:
        error.close()
        raise HealthcheckFailed(answer=error.code) from error
    except (OSError, ValueError, http.client.HTTPException) as error:  # no host, no connection, no answer in time
        raise HealthcheckFailed(answer=type(error).__name__) from error
