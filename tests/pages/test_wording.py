"""Moments, numbers, sizes and durations as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from backups_app.pages.shared import wording

AT = datetime(2025, 1, 19, 9, 0, 22, tzinfo=UTC)


def test_a_moment_is_reported_in_ist_with_its_zone() -> None:
    assert wording.when(AT) == '<time datetime="2025-01-19T14:30:22+05:30">19 Jan 2025, 14:30 IST</time>'
    assert wording.when_text("2025-01-19T09:00:22.000Z") == "19 Jan 2025, 14:30 IST"


def test_hindi_has_its_own_month() -> None:
    with translation.override("hi"):
        assert wording.when_text(AT) == "19 जन 2025, 14:30 IST"


@pytest.mark.parametrize("nothing", [None, "", "yesterday"])
def test_what_is_no_moment_is_nothing(nothing: str | None) -> None:
    assert wording.when(nothing) == ""


@pytest.mark.parametrize(
    ("seconds", "message"),
    [(4.13, "4.1 s"), (48, "48 s"), (200, "3 min 20 s"), (120, "2 min"), (2000, "33 min"), (8040, "2 h 14 min"),
     (6 * 86400, "6 days"), (90000, "1 day"), (timedelta(seconds=12), "12 s"), (None, "")],
)  # fmt: skip
def test_durations(seconds: float | None, message: str) -> None:
    assert wording.duration(seconds) == message


def test_how_long_ago() -> None:
    assert wording.ago(timezone.now() - timedelta(hours=2, minutes=14)) == "2 h 14 min ago"
    assert wording.ago(timezone.now()) == "a moment ago"


def test_how_long_until() -> None:
    assert wording.ahead(timezone.now() + timedelta(hours=2, minutes=14, seconds=30)) == "in 2 h 14 min"
    assert wording.ahead(timezone.now() - timedelta(seconds=1)) == "due now"


def test_numbers_are_grouped_the_indian_way_and_sizes_have_one_decimal() -> None:
    assert wording.number(12345678) == "1,23,45,678"
    assert wording.size_text(13_000_000) == "12.4 MB"
    assert wording.size(1023) == '<span title="1,023 B">1023 B</span>'


def test_marks_stand_around_what_was_looked_for_and_everything_is_escaped() -> None:
    assert wording.marked("John <b>Doe", "doe") == "John &lt;b&gt;<mark>Doe</mark>"
    assert wording.marked("a.b", ".") == "a<mark>.</mark>b"
    assert wording.marked("<script>", "") == "&lt;script&gt;"


def test_htmx_is_loaded_with_the_hash_of_its_record() -> None:
    assert wording.integrity("htmx/htmx.min.js").startswith("sha384-2OatzQy1H+")
