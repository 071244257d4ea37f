"""A folder that somebody else's mongodump wrote, a hostile one too, never takes a page down."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client, override_settings

from backups_app.backup_files.store.store import Store
from backups_app.configuration import Configuration
from backups_app.models import User
from tests.security.conftest import FIREFOX
from tests.security.path_vectors import REAL

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(a_folder: Path) -> Path:
    """One foreign backup, the newest there is, with a document that has no `_id`."""
    kept = Store(a_folder)
    kept.prepare()
    database = kept.make_partial(REAL) / "temple_db"
    database.mkdir(mode=0o700)
    (database / "bookings.bson").write_bytes(b"\x05\x00\x00\x00\x00")
    kept.publish(REAL)
    return a_folder


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/backups/", 200),
        ("/admin/backups/list/", 200),
        (f"/admin/backups/runs/{REAL}/", 404),
        (f"/admin/backups/runs/{REAL}/progress/", 404),
        (f"/admin/backups/browse/?backup={REAL}", 200),
        (f"/admin/backups/browse/?backup={REAL}&collection=bookings", 200),
        (f"/admin/backups/{REAL}/document/?collection=bookings&number=0", 200),
        (f"/admin/backups/versions/?backup={REAL}&collection=bookings&number=0", 404),
    ],
)
def test_pages_show_it_or_say_that_it_is_not_there(
    super_admin: User, password: str, store: Path, address: str, status: int
) -> None:
    browser = Client(headers={"User-Agent": FIREFOX})
    browser.post("/login/", {"username": "ananya", "password": password})

    with override_settings(TEMPLEOPS=Configuration(backup_dir=store, database_name="temple_db")):
        assert browser.get(address).status_code == status
