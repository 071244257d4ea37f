"""The decision table row by row, and who wins a conflict."""

from __future__ import annotations

import struct
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from bson.decimal128 import Decimal128

from backups_app.catalog.sync import sync_base
from backups_app.mongo.raw_bson import Value, text
from backups_app.records import Side
from backups_app.sync import edit_time, merge
from backups_app.sync.merge import Outcome
from tests.sync.pairs import NOW, Pair, date, document, double, int32, int64, seed

B, L, R = b"base" * 8, b"loca" * 8, b"remo" * 8
RESTORED = sync_base.as_restored(B)


@pytest.mark.parametrize(
    ("base", "local", "remote", "expected"),
    [
        (None, L, L, Outcome.EQUAL),
        (B, L, L, Outcome.EQUAL),
        (B, B, B, Outcome.EQUAL),
        (None, None, None, Outcome.FORGET),
        (B, None, None, Outcome.FORGET),
        (None, L, None, Outcome.PUSH),
        (None, None, R, Outcome.PULL),
        (None, L, R, Outcome.CONFLICT),
        (B, B, R, Outcome.PULL),
        (B, L, B, Outcome.PUSH),
        (B, L, R, Outcome.CONFLICT),
        (B, None, B, Outcome.DELETE_REMOTE),
        (B, B, None, Outcome.DELETE_LOCAL),
        (B, None, R, Outcome.PULL_EDIT),
        (B, L, None, Outcome.PUSH_EDIT),
        (RESTORED, B, None, Outcome.PUSH),
        (RESTORED, B, R, Outcome.CONFLICT),
        (RESTORED, B, B, Outcome.EQUAL),
        (RESTORED, None, B, Outcome.DELETE_REMOTE),
        (RESTORED, L, B, Outcome.PUSH),
        (RESTORED, L, R, Outcome.CONFLICT),
        (RESTORED, L, None, Outcome.PUSH_EDIT),
        (RESTORED, None, R, Outcome.PULL_EDIT),
        (RESTORED, None, None, Outcome.FORGET),
    ],
)
def test_every_row_of_the_table(
    base: bytes | None, local: bytes | None, remote: bytes | None, expected: Outcome
) -> None:
    assert merge.outcome(base=base, local=local, remote=remote) is expected


def _edited(value: Value | None, field: str = "updatedAt") -> bytes:
    return document(("_id", int32(1)), *([(field, value)] if value else []))


SECONDS = int(NOW.timestamp())
TIMESTAMP = Value(0x11, struct.pack("<II", 3, SECONDS))


@pytest.mark.parametrize(
    "value",
    [
        date(NOW),
        TIMESTAMP,
        text("2026-01-10T12:00:00Z"),
        text("2026-01-10T12:00:00.000+00:00"),
        text("2026-01-10T17:30:00+05:30"),
        text("2026-01-10 12:00:00"),
        int32(SECONDS),
        int64(SECONDS),
        double(float(SECONDS)),
        int64(SECONDS * 1_000),
        int64(SECONDS * 1_000_000),
        Value(0x13, Decimal128(str(SECONDS)).bid),
    ],
)
def test_a_moment_is_understood_in_every_form(value: Value) -> None:
    found = edit_time.milliseconds(_edited(value), fields=edit_time.FIELDS, now=NOW)

    assert found == SECONDS * 1000


@pytest.mark.parametrize(
    "value",
    [
        None,
        text("yesterday"),
        text(""),
        Value(0x0A, b""),
        Value(0x08, b"\1"),
        int32(7),
        double(float("nan")),
        double(float("inf")),
        Value(0x13, Decimal128("NaN").bid),
        Value(0x11, bytes(8)),
        date(NOW + timedelta(minutes=11)),
        text("2099-01-01T00:00:00Z"),
        Value(0x02, struct.pack("<i", 3) + b"\xff\xfe\0"),
    ],
)
def test_what_is_no_moment_or_lies_in_the_future_is_unusable(value: Value | None) -> None:
    assert edit_time.milliseconds(_edited(value), fields=edit_time.FIELDS, now=NOW) is None


def test_the_next_field_is_asked_when_the_first_does_not_report() -> None:
    frame = document(("_id", int32(1)), ("updatedAt", text("?")), ("modifiedAt", date(NOW)))

    assert edit_time.milliseconds(frame, fields=edit_time.FIELDS, now=NOW) == SECONDS * 1000


@pytest.mark.parametrize(
    ("local", "remote", "expected"),
    [
        (date(NOW), date(NOW - timedelta(seconds=2)), Side.LOCAL),
        (date(NOW - timedelta(seconds=2)), date(NOW), Side.REMOTE),
        (date(NOW - timedelta(seconds=1)), date(NOW), Side.LOCAL),
        (date(NOW), date(NOW), Side.LOCAL),
        (None, None, Side.LOCAL),
        (None, date(NOW), Side.REMOTE),
        (date(NOW), None, Side.LOCAL),
        (date(NOW + timedelta(days=9)), date(NOW), Side.REMOTE),
        (date(NOW + timedelta(days=9)), text("2099-01-01T00:00:00Z"), Side.LOCAL),
    ],
)
def test_the_newer_version_wins_and_a_tie_is_local(local: Value | None, remote: Value | None, expected: Side) -> None:
    winner = merge.winner(local=_edited(local), remote=_edited(remote), fields=edit_time.FIELDS, now=NOW)

    assert winner.side is expected
    assert winner.reason


def test_what_other_text_of_digits_means() -> None:
    """Text of 10, 13 or 16 digits is the number that it is; Python alone would read a year in it."""
    sentences = {
        str(SECONDS): SECONDS * 1000,
        str(SECONDS * 1_000): SECONDS * 1000,
        str(SECONDS * 1_000_000): SECONDS * 1000,
        f" {SECONDS} ": SECONDS * 1000,
        "0000000001": None,
        "1711121300000": 1711121300000,
        "20260110": None,
        "202601101200": None,
        "20260110120000": None,
        f"+{SECONDS}": None,
        f"-{SECONDS}": None,
        f"{SECONDS}.5": None,
        f"{SECONDS}x": None,
        "17 11 12 13": None,
        "१७१११२१३००": None,
        "2026-01-10x12:00:00": None,
        "2026-01-10T25:00:00": None,
        "10/01/2026": None,
        "2026-01-10": (SECONDS - 12 * 3600) * 1000,
        "20260110T120000Z": SECONDS * 1000,
        "2026-W02-6T12:00:00Z": SECONDS * 1000,
        "2026-01-10t12:00:00.000000001z": SECONDS * 1000,
        "0001-01-01T00:00:00+23:59": -62135683140000,
    }

    found = {
        words: edit_time.milliseconds(_edited(text(words)), fields=edit_time.FIELDS, now=NOW) for words in sentences
    }

    assert found == sentences


@pytest.mark.parametrize("digits", [10, 13, 16])
def test_a_number_written_as_text_does_not_beat_a_newer_date(digits: int) -> None:
    older = text(str(SECONDS - 60).ljust(digits, "0"))

    for local, remote, expected in ((older, date(NOW), Side.REMOTE), (date(NOW), older, Side.LOCAL)):
        winner = merge.winner(local=_edited(local), remote=_edited(remote), fields=edit_time.FIELDS, now=NOW)
        assert winner.side is expected
        assert "newer" in winner.reason


def test_a_tie_between_texts_that_are_no_dates_is_reported(any_pair: Pair) -> None:
    for side, words in ((Side.LOCAL, "171112130000"), (Side.REMOTE, "yesterday")):
        seed(any_pair, [_edited(text(words))], sides=[side])

    report = any_pair.sync()

    assert (report.log["totals"]["conflicts"], report.log["totals"]["ties"]) == (1, 1)
    assert report.sentence == "0 pulled, 1 pushed, 1 conflict, 1 tie: local won"
    assert any_pair.get(Side.REMOTE, 1) == _edited(text("171112130000"))
    assert _edited(text("yesterday")) in any_pair.kept()


@pytest.mark.parametrize(
    ("wall", "monotonic"),
    [(60, 60), (60, 0), (-3600, 60)],  # the machine slept; its clock was set back
)
def test_the_clock_of_a_sync_goes_on(wall: int, monotonic: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = edit_time.SyncClock(NOW)
    began = (time.time(), time.monotonic())
    later = SimpleNamespace(time=lambda: began[0] + wall, monotonic=lambda: began[1] + monotonic)
    monkeypatch.setattr(edit_time, "time", later)

    assert abs(clock.now() - NOW - timedelta(minutes=1)) < timedelta(seconds=10)
