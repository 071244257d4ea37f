"""gunicorn's own lines in the form of ours (`LOG_FORMAT`): of its processes, its errors, and of each request where
`--access-logfile` is set.

Its first process loads none of the modules that make lines: what it has loaded stays through a reload (SIGHUP), while
the processes that it starts load the new version. So its few lines are made here, of the standard library; those of
the others by `backups_app/access/secrecy/log_lines.py`, which adds the id of the request and takes secrets out.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

BASE_DIR = Path(__file__).resolve().parent.parent


class Lines(Logger):  # type: ignore[misc]
    """gunicorn's `logger_class`."""

    def setup(self, cfg: Any) -> None:
        """Open what the settings name. gunicorn calls it at the start and at each reload."""
        super().setup(cfg)
        self._write_with(PlainLines(as_json=log_format() != "text"))

    def application_loaded(self) -> None:
        """From here on lines are made like the application's own."""
        from django.conf import settings

        from backups_app.access.secrecy import log_lines

        self._write_with(log_lines.FORMATTERS[settings.LOG_FORMAT]())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Write the line of a request, without its query: that holds what people search for."""
        if not self.access_log_enabled:
            return
        facts = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["RAW_URI"].partition("?")[0],
            "status": int(str(resp.status).split(None, 1)[0]),
            "bytes": getattr(resp, "sent", None),
            "milliseconds": request_time // timedelta(milliseconds=1),
            "address": environ.get("REMOTE_ADDR", ""),
            "agent": environ.get("HTTP_USER_AGENT", ""),
        }
        self.access_log.info("Request answered", extra=facts)

    def _write_with(self, formatter: logging.Formatter) -> None:
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter)


class PlainLines(logging.Formatter):
    """What is known before the application is loaded, as JSON or text."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if self._as_json:
            return json.dumps(line)
        head = "{at} {level} {logger}: {message} pid={pid}".format(**line)
        return "\n  ".join(map(_on_one_line, [head, *str(line.get("exception", "")).splitlines()]))


def _on_one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def log_format() -> str:
    """Return `LOG_FORMAT` as the settings will read it. The environment is not changed: the next reload reads `.env`
    again."""
    named = os.environ.get("LOG_FORMAT", "").strip()
    of_file = dotenv_values(BASE_DIR / ".env", interpolate=False).get("LOG_FORMAT")
    return named or (of_file or "").strip() or "json"
