"""The page of sync: sync now, what needs a typed word first, and the logs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from backups_app.configuration import Configuration, Secret
from backups_app.pages.sync import views

pytestmark = pytest.mark.django_db(transaction=True)
"""A sync goes on in a thread of its own, with its own connection to the database of people and audit."""

HERE = "/admin/backups/sync/"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(views, "WAIT_SECONDS", 60.0)
    views.forget_all()
    yield
    views.forget_all()


def test_sync_now_and_its_log(admin_browser: Client, seeded: Configuration, remote_db: Any, local_db: Any) -> None:
    remote_db.rooms.insert_one({"_id": 1})
    before = admin_browser.get(HERE).content.decode()

    answer = admin_browser.post(HERE, follow=True)

    page = answer.content.decode()
    assert "No sync yet." in before
    assert answer.redirect_chain == [(HERE, 303)]
    assert "Sync finished." in page and "/admin/backups/syncs/sync_" in page
    assert local_db.rooms.count_documents({}) == 1


def test_deletions_that_look_like_an_accident_wait_for_a_typed_word(
    admin_browser: Client, seeded: Configuration, remote_db: Any, local_db: Any
) -> None:
    admin_browser.post(HERE)
    local_db.bookings.delete_many({"_id": {"$lt": 900}})
    admin_browser.post(HERE)
    waiting = admin_browser.get(HERE).content.decode()
    decided = {"blocked": "bookings", "decide-bookings": "delete"}

    refused = admin_browser.post(HERE, decided)
    held = remote_db.bookings.count_documents({})
    admin_browser.post(HERE, decided | {"confirm": "DELETE"})

    assert "Deletions that wait for your decision" in waiting
    assert refused.status_code == 422
    assert "Type the word exactly: DELETE. Nothing was started." in refused.content.decode()
    assert held == 1240
    assert remote_db.bookings.count_documents({}) == 340


def test_missing_documents_are_copied_back_without_a_word(
    admin_browser: Client, seeded: Configuration, local_db: Any
) -> None:
    admin_browser.post(HERE)
    local_db.bookings.delete_many({"_id": {"$lt": 900}})
    admin_browser.post(HERE)

    admin_browser.post(HERE, {"blocked": "bookings", "decide-bookings": "keep"})

    assert local_db.bookings.count_documents({}) == 1240


def test_two_databases_that_are_no_pair_are_paired_by_a_typed_word(
    admin_browser: Client, seeded: Configuration, remote_db: Any
) -> None:
    admin_browser.post(HERE)
    remote_db.backup_sync_state.update_one({"_id": "pair"}, {"$set": {"pair": "another"}})

    refused = admin_browser.post(HERE).content.decode()
    without = admin_browser.post(HERE, {"adopt": "1"}).content.decode()
    paired = admin_browser.post(HERE, {"adopt": "1", "confirm": "ADOPT"}, follow=True).content.decode()

    assert "These two databases are not a known pair." in refused
    assert "Type the word exactly: ADOPT. Nothing was started." in without
    assert "Sync finished." in paired


def test_without_atlas_there_is_nothing_to_sync(admin_browser: Client, seeded: Configuration) -> None:
    with override_settings(TEMPLEOPS=dataclasses.replace(seeded, cloud_url=Secret(""))):
        page = admin_browser.get(HERE).content.decode()

    assert "Sync is off" in page and "Sync now" not in page
