"""Log lines and error reports without secrets: one JSON object a line, control characters escaped."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter

from backups_app.access import redaction, request_context

ALWAYS_THERE = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "server_time"}
"""What every record has; whatever else stands in one was given as `extra`."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "message", "request_id", …extra, "exception"}`, everything scrubbed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = request_context.current().request_id
        if request_id:
            line["request_id"] = request_id
        line |= {name: value for name, value in vars(record).items() if name not in ALWAYS_THERE}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(redaction.scrub_value(line), ensure_ascii=False, default=str)


class ScrubbedReport(ExceptionReporter):
    """The debug page and the mail about an error, without secrets in variables, settings or messages."""

    def get_traceback_html(self) -> SafeString:
        return mark_safe(redaction.scrub(str(super().get_traceback_html())))  # noqa: S308  (escaped by Django, only cut)

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redaction.scrub(str(super().get_traceback_text())))  # noqa: S308  (plain text)
