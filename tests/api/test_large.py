"""Large documents over the API and on pages: a page ends at its bytes, one document is shortened, and comes whole."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.models import User
from tests.browsing import large
from tests.browsing.conftest import Maker
from tests.pages.conftest import signed_in
from tests.security.conftest import Caller

ID = "20250119_143022"
SIZES = (3, 3, 6, 1)
"""In half megabytes."""
PATH = f"/api/backups/{ID}/collections/lists"


@pytest.fixture
def kept(configured: Configuration, db: None) -> None:
    """A backup with four large documents."""
    store = Store(configured.backup_dir)
    store.prepare()
    Maker(store)(ID, {"lists": [large.large_text(n, size=size * large.MEGABYTE // 2) for n, size in enumerate(SIZES)]})


@pytest.fixture
def browser(super_admin: User) -> Client:
    return signed_in(super_admin)


def test_a_page_ends_at_four_megabytes_and_goes_on(kept: None, caller: Caller) -> None:
    first: Any = caller.get(PATH).json()  # type: ignore[attr-defined]
    second: Any = caller.get(f"{PATH}?offset={first['next']}").json()  # type: ignore[attr-defined]

    assert [document["_id"] for document in first["documents"]] == [0, 1]
    assert (first["next"], first["truncated"], first["total_documents"]) == (2, True, 4)
    assert [one["offset"] for one in first["shortened"]] == [0, 1]
    assert len(json.dumps(first)) < 100_000
    assert ([document["_id"] for document in second["documents"]], second["next"]) == ([2, 3], None)


def test_a_search_ends_there_too(kept: None, caller: Caller) -> None:
    found: Any = caller.get(f"{PATH}?search=name:text").json()  # type: ignore[attr-defined]

    assert (len(found["documents"]), found["truncated"], found["matched"]) == (3, True, None)
    assert found["next"] == 3


def test_a_shortened_document_comes_whole_by_its_number(kept: None, caller: Caller) -> None:
    answer: Any = caller.get(f"{PATH}?offset=2&whole=true")
    whole = json.loads(b"".join(answer.streaming_content))
    beyond: Any = caller.get(f"{PATH}?offset=9&whole=true")

    [document] = whole["documents"]
    assert (document["_id"], document["end"], len(document["note"])) == (2, 2, large.MEGABYTE)
    assert (whole["next"], whole["shortened"], whole["total_documents"]) == (3, [], 4)
    assert beyond.status_code == 404


@pytest.mark.parametrize("view", ["cards", "json", "table"])
def test_the_viewer_goes_on_within_a_page(kept: None, browser: Client, view: str) -> None:
    place = f"/admin/backups/browse/?backup={ID}&collection=lists&view={view}"

    first = browser.get(place)
    rest = browser.get(f"{place}&start=2")

    assert (first.status_code, rest.status_code) == (200, 200)
    assert "this page ends after document 2" in first.content.decode()
    assert "start=2" in first.content.decode()
    assert "this page ends" not in rest.content.decode()
    assert len(first.content) < 400_000
    assert ("its JSON is shortened" in first.content.decode()) == (view == "json")


def test_one_document_is_shown_shortened_and_its_text_part_by_part(kept: None, browser: Client) -> None:
    place = f"/admin/backups/{ID}/document/"
    asked = {"collection": "lists", "number": "2"}

    as_json = browser.get(place, {**asked, "view": "json"}).content.decode()
    tree = browser.get(place, asked).content.decode()
    text = browser.get(f"{place}value/", {**asked, "path": "2"}).content.decode()

    assert "its JSON is shortened" in as_json
    assert len(as_json) < 100_000
    assert re.search("Show all (1,048,576|10,48,576)", tree)
    assert "from=262144" in text
    assert len(text) < 400_000
