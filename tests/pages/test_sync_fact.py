"""What the home page says of sync: when, what the last comparison of everything found, what waits for a decision."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from backups_app.configuration import Configuration
from backups_app.pages import known_status
from backups_app.records import Origin
from backups_app.use_cases.syncs import syncs
from backups_app.use_cases.syncs.syncs import SyncWish


def _sync(**wish: Any) -> Any:
    known_status.forget()
    return syncs.sync_now(wish=SyncWish(**wish), requested_by="ananya", origin=Origin.COMMAND, now=timezone.now())


def _card(browser: Client) -> str:
    return browser.get("/admin/backups/?check=1").content.decode()


def test_the_verdict_of_the_last_proof_is_on_the_page(seeded: Configuration, admin_browser: Client) -> None:
    assert "In sync:" not in _card(admin_browser)

    proof = _sync(exact=True).log["proof"]

    assert f"In sync: {proof['documents']:,} documents compared a moment ago" in _card(admin_browser)


def test_documents_that_differ_and_blocked_deletions_are_named(
    seeded: Configuration, admin_browser: Client, local_db: Any, remote_db: Any
) -> None:
    local_db["halls"].insert_many([{"_id": n} for n in range(50)])
    local_db["lamps"].insert_one({"_id": 1})
    _sync()
    remote_db.command({"collMod": "lamps", "validator": {"bad": {"$exists": False}}})
    local_db["lamps"].insert_one({"_id": "<b>77", "bad": 1})
    remote_db["halls"].delete_many({})

    _sync(exact=True)

    card = _card(admin_browser)
    assert "Not in sync: 51 documents differ, compared a moment ago" in card
    assert "<code>lamps</code> <code>&lt;b&gt;77</code>" in card
    assert ">deletions wait for your decision</a>" in card
