"""Log lines in both formats: ids of the request and the run, nothing secret, one line an event."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from backups_app.access import request_context
from backups_app.access.secrecy import log_lines
from backups_app.configuration import Configuration
from tests.pages.test_hindi import carried_out


class Kept(logging.Handler):
    """Keeps what is logged, as JSON lines say it."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(json.loads(log_lines.JsonLines().format(record)))


def record(message: str = "Step started", *, exc_info: Any = None, **extra: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "temple", "exc_info": exc_info})
    vars(made).update(extra)
    return made


@pytest.fixture
def in_a_run() -> Iterator[str]:
    token = request_context.enter(address="192.0.2.7")
    with request_context.carrying_out("20250119_143022"):
        yield request_context.current().request_id
    request_context.leave(token)


def test_json_bears_both_ids(in_a_run: str) -> None:
    line = json.loads(log_lines.JsonLines().format(record(step="dump")))

    assert (line["request_id"], line["run_id"], line["step"]) == (in_a_run, "20250119_143022", "dump")


def test_text_bears_the_same_and_hides_the_same(in_a_run: str) -> None:
    line = log_lines.TextLines().format(record("Lost mongodb://u:hunter22@h/\nFORGED INFO line", step="dump"))

    assert " INFO temple: Lost " in line and f'request_id="{in_a_run}" run_id="20250119_143022" step="dump"' in line
    assert "hunter22" not in line and "\n" not in line


def test_outside_of_both_there_is_no_id() -> None:
    assert not {"request_id", "run_id"} & set(json.loads(log_lines.JsonLines().format(record())))


def test_a_traceback_follows_its_line() -> None:
    try:
        raise ValueError("mongodb://u:hunter22@h/")
    except ValueError as error:
        line = log_lines.TextLines().format(record(exc_info=(type(error), error, error.__traceback__)))

    assert line.splitlines()[1].startswith("  Traceback") and "hunter22" not in line


STRANGE = "fine\u2028FORGED\u0085FORGED\nFORGED\r\x1b[2K\ud800"
"""A text of a client: ends of lines of every kind, a command to a terminal, half of a character."""


def raised(text: str) -> Any:
    try:
        raise ValueError(text)
    except ValueError as error:
        return type(error), error, error.__traceback__


def test_strange_facts_are_json_of_one_line_in_utf_8() -> None:
    facts = {"share": float("nan"), "rates": [float("inf"), 0.5], "typed": STRANGE, "name": "मंदिर"}
    line = log_lines.JsonLines().format(record(STRANGE, exc_info=raised(STRANGE), **facts))

    read = json.loads(line.encode(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert (read["share"], read["rates"], read["typed"]) == ("nan", ["inf", 0.5], STRANGE)
    assert len(line.splitlines()) == 1 and line.isprintable() and "मंदिर" in line


def test_in_text_nothing_but_an_event_begins_a_line() -> None:
    line = log_lines.TextLines().format(record(STRANGE, exc_info=raised(STRANGE), typed=STRANGE, share=float("nan")))

    _, *rest = line.encode().decode().splitlines()
    assert rest and all(part.startswith("  ") and part.isprintable() for part in rest)
    assert sum("FORGED" in part for part in rest) == 3, "the text of the exception is there, indented"


@pytest.mark.django_db
def test_every_step_of_a_run_bears_its_id(configured: Configuration, local_db: Any) -> None:
    local_db["bookings"].insert_one({"_id": 1})
    lines: list[dict[str, Any]] = []
    handler = Kept(lines)
    root = logging.getLogger("backups_app")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        run = carried_out()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    of_steps = [line for line in lines if line["message"] in ("Run asked for", "Step started", "Step finished")]
    assert len(of_steps) > 6 and {line["run_id"] for line in of_steps} == {run.id}
