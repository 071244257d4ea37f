"""A browser sends each line break of a form's field as CR LF: a name that holds one arrives as it was all the same."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pymongo.database import Database

from backups_app.configuration import Configuration
from backups_app.models import User
from backups_app.pages.form_fields import as_field, from_field
from tests import odd_names
from tests.journeys.conftest import run_backup, seeded  # noqa: F401  (a fixture)
from tests.pages.conftest import signed_in

Mongo = Database[dict[str, Any]]
NAMES = ("line\nbreak", "line\r\nbreak", "line\rbreak", 'json:"x"')


@pytest.mark.parametrize("name", [*odd_names.ALL, *NAMES, 'json:"a\\nb"', "json:", ""])
def test_a_name_comes_back_from_a_field_and_from_a_link(name: str) -> None:
    assert from_field(as_field(name)) == name
    assert "\n" not in as_field(name) and "\r" not in as_field(name)
    if name != 'json:"a\\nb"':
        assert from_field(name) == name


class Fields(HTMLParser):
    """The inputs of a page, and the options of its lists, as a browser would send them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        message = {name: value or "" for name, value in attrs}
        if tag == "select":
            self.select = message.get("name", "")
        if tag == "input" or (tag == "option" and "value" in message):
            value = re.sub(r"\r\n|\r|\n", "\r\n", message.get("value", ""))
            self.found.append((message.get("name", self.select), value))


def sent(page: str, name: str) -> set[str]:
    return {value for field, value in Fields(page).found if field == name}


@pytest.mark.django_db(transaction=True)
def test_collections_are_chosen_by_forms_whatever_line_breaks_their_names_hold(
    seeded: Configuration,  # noqa: F811
    local_db: Mongo,
    admin: User,
) -> None:
    for number, name in enumerate(NAMES):
        local_db[name].insert_many([{"_id": f"{number}-{at}\n"} for at in range(number + 1)])
    backup_id = run_backup(delete_bookings=False)["backup_id"]
    browser = signed_in(admin)

    for number, name in enumerate(NAMES):
        listed = browser.get(f"/admin/backups/browse/?{urlencode({'backup': backup_id, 'collection': name})}")
        (pager,) = sent(listed.content.decode(), "collection") & {as_field(name)}
        page = _browsed(browser, backup_id, pager)
        assert (f"{number}-0" in page) and (f"{number}-{number + 1}" not in page)
        assert f"{number + 1} document{'s' if number else ''}, " in page

    choices = sent(browser.get(f"/admin/backups/{backup_id}/restore/").content.decode(), "collection")
    assert {as_field(name) for name in NAMES} <= choices
    asked = {"step": "3", "mode": "add", "where": "here", "collection": as_field(NAMES[2]), "id": as_field("2-1\n")}
    how = browser.get(f"/admin/backups/{backup_id}/restore/?{urlencode({**asked, 'step': '2'})}").content.decode()
    assert sent(how, "collection") == {as_field(NAMES[2])}
    assert sent(how, "id") == {as_field("2-1\n")}


def _browsed(browser: Client, backup_id: str, collection: str) -> str:
    query = urlencode({"backup": backup_id, "collection": collection})
    return browser.get(f"/admin/backups/browse/?{query}").content.decode()
