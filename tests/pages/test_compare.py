"""Comparing two large backups: watched while it goes on, reported in one sentence when it is done."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from django.test import Client

from backups_app.browsing.compare import compare as comparing
from backups_app.configuration import Configuration
from backups_app.use_cases.lanes import comparisons
from tests.pages.reading_lane import nothing_is_short, read, watched
from tests.pages.test_beyond import two_backups
from tests.pages.test_browser import HTMX, get

__all__ = ["two_backups"]
pytestmark = pytest.mark.django_db


def test_one_sentence_sums_it_up_and_is_read_out(admin_browser: Client, two_backups: tuple[str, str]) -> None:
    a, b = two_backups

    part = get(admin_browser, f"/admin/backups/compare/?a={a}&b={b}", headers=HTMX)

    message = "Documents changed: 1, only in A: 50, only in B: 1, unchanged: 1,551."  # the activities were emptied
    assert part.count(message) == 2 and "data-announce=" in part and "every 1s" not in part
    assert f"?a={b}&amp;b={a}" in part


def test_what_changed_stands_first_and_what_is_the_same_is_folded(
    admin_browser: Client, two_backups: tuple[str, str]
) -> None:
    a, b = two_backups

    changed, _, same = get(admin_browser, f"/admin/backups/compare/?a={a}&b={b}").partition("<details><summary")
    alike = get(admin_browser, f"/admin/backups/compare/?a={b}&b={b}")

    assert "<code>activities</code>" in changed and "<code>bookings</code>" in changed
    assert "1 collection is the same in both" in same and "<code>employee_bookings</code>" in same
    assert "<code>employee_bookings</code>" not in changed
    assert "3 collections are the same in both" in alike and "<details open>" in alike


def test_a_long_comparison_is_watched_and_its_result_comes_by_itself(
    admin_browser: Client, two_backups: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = two_backups
    asked = f"a={a}&b={b}&collection=bookings"
    seen: list[str] = []

    def look() -> None:
        seen.append(get(admin_browser, f"/admin/backups/compare/progress/?{asked}", headers=HTMX))

    nothing_is_short(monkeypatch)
    page = get(admin_browser, f"/admin/backups/compare/?{asked}")
    slow = Mock(side_effect=watched(comparing.of_backups, look, documents=800))
    monkeypatch.setattr(comparing, "of_backups", slow)
    read()
    done = get(admin_browser, f"/admin/backups/compare/progress/?{asked}", headers=HTMX)
    again = get(admin_browser, f"/admin/backups/compare/?{asked}&kind=only_b")

    assert '<meta http-equiv="refresh"' in page and "Waiting for its turn" in page
    assert 'hx-trigger="every 1s"' in seen[0] and "/admin/backups/compare/progress/?a=" in seen[0]
    assert "800 documents read" in seen[0]
    assert "bookings, changed: 1" in done and "every 1s" not in done
    assert "bookings, only in B: 1" in again and slow.call_count == 1


def test_of_very_many_differing_documents_the_first_are_listed(
    admin_browser: Client, two_backups: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = two_backups
    monkeypatch.setattr(comparisons, "LISTED", 26)
    asked = f"/admin/backups/compare/?a={a}&b={b}&collection=activities&kind=only_a"

    get(admin_browser, asked)
    kept = get(admin_browser, f"{asked}&page=2")

    assert "activities, only in A: 50" in kept and "The first 26 are listed." in kept
    assert "Page 2 of 2" in kept and kept.count('<details class="doc"') == 1


@pytest.mark.parametrize(("a", "status"), [("20250101_000000", 404), ("../x", 422)])
def test_what_is_not_there_cannot_be_compared(
    admin_browser: Client, configured: Configuration, a: str, status: int
) -> None:
    assert admin_browser.get(f"/admin/backups/compare/?a={a}&b=20250102_000000").status_code == status
