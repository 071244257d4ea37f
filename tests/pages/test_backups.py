"""The list of backups: its filters, its marks, its chart, and what a row offers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from backups_app.catalog.run.run_record import RunRecord
from backups_app.configuration import Configuration
from backups_app.pages.backups import filters, rows, size_chart
from backups_app.pages.shared.wording import duration
from backups_app.use_cases.backups import backups
from tests.pages.conftest import MOMENT, a_run

HERE = "/admin/backups/list/"


def run(number: int, **fields: Any) -> RunRecord:
    """The run of `number` days after the first one."""
    at = MOMENT + timedelta(days=number)
    backup_id = f"{at:%Y%m%d_%H%M%S}"
    usual = {"files": "here", "dated_in_future": False, "created_at": at, "_id": backup_id, "backup_id": backup_id}
    return a_run(**usual | fields)


def purged(bookings: int) -> dict[str, Any]:
    side = {"bookings": {"deleted": bookings, "done": True}, "activities": {"deleted": 9, "done": True}}
    return {"collections": ["activities", "bookings"], "local": side, "remote": side}


def test_a_row_says_what_differs_from_the_good_backup_before_it() -> None:
    listed = [
        run(3, documents=110, bytes=1100),
        run(2, documents=5, bytes=50, verified=False, damaged=True),
        run(1, documents=100, bytes=1000),
    ]

    found = rows.rows_of(listed)

    assert [row.documents_more for row in found] == [10, -95, None]
    assert [row.needs_attention for row in found] == [False, True, False]


def test_a_safety_backup_is_compared_with_no_other_and_no_other_with_it() -> None:
    """On a restored machine it holds nothing: what the restore found."""
    listed = [
        run(3, documents=110, bytes=1100),
        run(2, documents=0, bytes=0, kind="restore"),
        run(1, documents=100, bytes=1000),
    ]

    found = rows.rows_of(listed)

    assert [(row.documents_more, row.bytes_more) for row in found] == [(10, 100), (None, None), (None, None)]


def test_a_row_names_the_deleted_bookings_and_the_last_restore_test() -> None:
    backup = run(1, purge=purged(1240))
    chosen = {"choices": {"backup_id": backup["backup_id"]}}
    tests = [
        run(4, kind="rehearsal", status="failed", restore=chosen, published=False),
        run(3, kind="rehearsal", restore=chosen, published=False),
    ]

    (row,) = rows.rows_of([*tests, backup])

    assert row.bookings_deleted == 1240, "activities are not bookings, and both sides held the same ones"
    assert row.restore_tested_at == tests[1]["finished_at"].replace(tzinfo=row.restore_tested_at.tzinfo)  # type: ignore[union-attr]


def test_filters_by_state_and_month() -> None:
    listed = [
        run(40, purge=purged(3)),
        run(3, status="failed", published=False, verified=False, files="none", steps=[]),
        run(2, pinned={"by": "ravi", "at": MOMENT, "note": "before the festival"}),
        run(1, status="cancelled", published=False, verified=False, files="none", steps=[]),
    ]
    every = rows.rows_of(listed)

    counts = {key: count for key, _, count in filters.choices(every)}
    january = filters.filter_of(QueryDict("month=2026-01&show=attention"))

    assert counts == {"": 4, "good": 2, "attention": 1, "pinned": 1, "bookings": 1}
    assert [key for key, _ in filters.months(every)] == ["2026-02", "2026-01"]
    assert [row.id for row in january.chosen(every)] == [listed[1]["backup_id"]]
    assert january.url(page=2) == f"{HERE}?show=attention&month=2026-01&page=2"
    assert filters.filter_of(QueryDict("show=nonsense&page=x")) == filters.Filter()


def test_the_chart_marks_runs_without_a_backup_on_its_axis() -> None:
    listed = [run(3, bytes=1000), run(2, status="failed", published=False, bytes=None), run(1, bytes=500)]

    chart = size_chart.chart_of(rows.rows_of(listed))

    assert chart is not None
    assert [bar.height for bar in chart.bars] == [48, 0, 96]
    assert size_chart.chart_of(rows.rows_of(listed[:1])) is None


def test_what_was_removed_on_purpose_needs_no_attention_and_has_no_bar() -> None:
    removed = {"at": MOMENT, "by": "ravi", "how": "person", "reasons": ["person"]}
    listed = [run(3), run(2, files="gone", published=False, removed=removed), run(1, files="gone", published=False)]

    found = rows.rows_of(listed)
    chart = size_chart.chart_of([*found, *rows.rows_of([run(0)])])

    assert [row.was_removed for row in found] == [False, True, False]
    assert [row.needs_attention for row in found] == [False, False, True]
    assert chart is not None and len(chart.bars) == 3


def test_a_backup_of_another_host_has_no_bar() -> None:
    there = run(2, files="elsewhere", published=False, verified=False, host="temple-a")

    found = rows.rows_of([run(3), there, run(1)])

    for value in (size_chart.size_bytes, size_chart.seconds):
        chart = size_chart.chart_of(found, value=value)
        assert chart is not None and [bar.row.run.files for bar in chart.bars] == ["here", "here"]


def test_the_chart_of_durations_says_tenths_of_a_second() -> None:
    listed = [run(2), run(1)]
    for number, (row, took) in enumerate(zip(listed, (0.43, 0.01), strict=True)):
        listed[number] = row | {"finished_at": row["created_at"] + timedelta(seconds=took)}

    chart = size_chart.chart_of(rows.rows_of(listed), value=size_chart.seconds)

    assert chart is not None
    assert [duration(bar.value) for bar in chart.bars] == ["0.1 s", "0.4 s"]


@pytest.mark.django_db
def test_the_page_offers_what_can_be_done_with_each_backup(admin_browser: Client, seeded: Configuration) -> None:
    empty = admin_browser.get(HERE).content.decode()
    for _ in range(2):
        admin_browser.post("/admin/backups/runs/", {"key": f"k{_}"})
        active = temple_run(seeded)
        backups.execute(backup_id=active)

    page = admin_browser.get(HERE).content.decode()

    assert "No backups yet" in empty
    assert page.count("Look inside</a>") == 2
    for way in (f"/{active}/restore/", f"/{active}/verify/", f"browse/?backup={active}", "compare/?a="):
        assert way in page
    assert "Size of the last backups" in page and "Show as table" in page


def temple_run(seeded: Configuration) -> str:
    from backups_app.use_cases.listing import listing

    found = listing.active_run(configuration=seeded)
    assert found is not None
    return str(found["backup_id"])
