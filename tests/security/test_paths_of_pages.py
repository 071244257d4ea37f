"""As `test_paths.py`, for the addresses of pages: whatever stands there, no file outside the backup root is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.configuration import Configuration
from backups_app.models import User
from tests.security.conftest import FIREFOX
from tests.security.path_vectors import REAL, generated, known
from tests.security.test_paths import (  # noqa: F401  (fixtures among them)
    BAIT,
    GENERATED,
    LONG,
    allowed,
    authenticated_once,
    plain,
    root,
    settings_of_root,
)
from tests.security.watch import opened, outside

pytestmark = pytest.mark.django_db
GENERATED_BY_PAGE = 2_000 if LONG else 50
DOCUMENT = "a document's number"
"""The parameter that only pages have: it gets as many as those of the API."""
FRAGMENT = {"HX-Request": "true"}
"""A page asked for by htmx is answered with its fragment: the same view, a fraction of the time."""

PAGES: dict[str, Callable[[str], str]] = {
    "a run": lambda vector: f"/admin/backups/runs/{plain(vector)}/",
    "the viewer's backup": lambda vector: f"/admin/backups/browse/?backup={plain(vector)}&collection=bookings",
    "the viewer's collection": lambda vector: f"/admin/backups/browse/?backup={REAL}&collection={plain(vector)}",
    "where a search goes on": lambda vector: f"/admin/backups/browse/?backup={REAL}&q=doe&within={plain(vector)}",
    "a verification": lambda vector: f"/admin/backups/{plain(vector)}/verify/",
    "a document's backup": lambda vector: f"/admin/backups/{plain(vector)}/document/?collection=bookings&number=0",
    "a document's collection": lambda vector: f"/admin/backups/{REAL}/document/?collection={plain(vector)}&number=0",
    DOCUMENT: lambda vector: f"/admin/backups/{REAL}/document/?collection=bookings&number={plain(vector)}",
    "a piece's backup": lambda vector: f"/admin/backups/{plain(vector)}/document/value/?collection=bookings&number=0",
    "a piece's path": lambda vector: (
        f"/admin/backups/{REAL}/document/items/?collection=bookings&number=0&path={plain(vector)}"
    ),
    "a restore's backup": lambda vector: f"/admin/backups/{plain(vector)}/restore/",
    "a restore's collection": lambda vector: f"/admin/backups/{REAL}/restore/?step=2&collection={plain(vector)}",
    "compare": lambda vector: f"/admin/backups/compare/?a={plain(vector)}&b={REAL}&collection=bookings",
    "a version's collection": lambda vector: (
        f"/admin/backups/versions/?backup={REAL}&collection={plain(vector)}&number=0"
    ),
}


@pytest.mark.usefixtures("authenticated_once")
@pytest.mark.parametrize("place", PAGES)
def test_nothing_gets_out_by_a_page(
    super_admin: User,
    password: str,
    settings_of_root: Configuration,  # noqa: F811
    root: Path,  # noqa: F811
    place: str,
) -> None:
    browser = Client(headers={"User-Agent": FIREFOX})
    browser.post("/login/", {"username": "ananya", "password": password})
    asked: list[tuple[str, dict[str, str]]] = [(one, {}) for one in known()[:: 1 if LONG else 16]]
    more = GENERATED if place == DOCUMENT else GENERATED_BY_PAGE
    asked += [(one, FRAGMENT) for one in (*known(), *generated(more, seed=len(place)))]
    with override_settings(TEMPLEOPS=settings_of_root):
        for warm in (REAL, "20990101_000000", "no id", "bookings", "0", "x/y", "", "nothing"):
            for headers in ({}, FRAGMENT):
                browser.get(PAGES[place](warm), headers=headers)  # templates and translations are read once
        wrong: list[Any] = []
        for vector, headers in asked:
            with opened() as names:
                answer = browser.get(PAGES[place](vector), headers=headers)
            escaped = outside(names, allowed=allowed(root))
            if answer.status_code >= 500 or escaped or BAIT.encode() in answer.content:
                wrong.append((vector, answer.status_code, escaped))

    assert wrong == []
