"""Log lines and error reports without secrets, control characters escaped: JSON objects, or text (`LOG_FORMAT`)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from backups_app.access import request_context
from backups_app.access.secrecy import redaction

ALWAYS_THERE = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "server_time"}
"""What every record has; whatever else stands in one was given as `extra`."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "message", "request_id", "run_id", …extra, "exception"}`, everything scrubbed."""

    def format(self, record: logging.LogRecord) -> str:
        return _as_json(_scrubbed(self, record))


class TextLines(logging.Formatter):
    """The same facts for a reader: `at LEVEL logger: message name=value …`, values as JSON, then the lines of the
    traceback, indented: an exception's text must not look like a line of the log."""

    def format(self, record: logging.LogRecord) -> str:
        line = _scrubbed(self, record)
        head = f"{line.pop('at')} {line.pop('level')} {line.pop('logger')}: {_on_one_line(line.pop('message'))}"
        traceback = line.pop("exception", "").splitlines()
        facts = [f"{name}={_as_json(value)}" for name, value in line.items()]
        return "\n".join([" ".join([head, *facts]), *(f"  {_on_one_line(part)}" for part in traceback)])


FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": TextLines}
"""By the value of `LOG_FORMAT`."""


def _scrubbed(formatter: logging.Formatter, record: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
    }
    ids = {"request_id": request_context.current().request_id, "run_id": request_context.run_id()}
    line |= {name: value for name, value in ids.items() if value}
    line |= {name: value for name, value in vars(record).items() if name not in ALWAYS_THERE}
    if record.exc_info:
        line["exception"] = formatter.formatException(record.exc_info)
    scrubbed: dict[str, Any] = redaction.scrub_value(line)
    return scrubbed


def _as_json(value: Any) -> str:
    """Return JSON on one line, readable in every script."""
    return _on_one_line(json.dumps(value, ensure_ascii=False, default=str))


def _on_one_line(text: str) -> str:
    """Escape control characters, ends of lines of every kind and lone surrogates: what a client sent must not begin a
    line of its own, and a line must be UTF-8."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)


class ScrubbedReport(ExceptionReporter):
    """The debug page and the mail about an error, without secrets in variables, settings or messages."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(redaction.scrub(str(super().get_traceback_html())))  # noqa: S308  (escaped by Django, only cut)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redaction.scrub(str(super().get_traceback_text())))  # noqa: S308  (plain text)
